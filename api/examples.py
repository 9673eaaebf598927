"""An example for every shape of the API description: a model's own where it has one, else told from its fields."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from api.example_words import AMOUNTS, COUNTS, IDS, SHAPED, WORDS

Schema = Mapping[str, Any]
MOMENT, DAY, ID = "2026-11-21T10:00:00Z", "2026-11-21", "0198a1b2-0000-7000-8000-000000000099"
_BY_FORMAT = {"date-time": MOMENT, "date": DAY, "uuid": ID, "binary": "..."}
_BY_TYPE: dict[str, Any] = {"integer": 1, "number": 1, "boolean": True, "string": "text", "null": None}
_ENDINGS = {"_at": MOMENT, "_until": MOMENT, "at": MOMENT, "_date": DAY, "_id": ID}


class Storyteller:
    """Tells examples from the schemas of one API description."""

    def __init__(self, schemas: Mapping[str, Schema]) -> None:
        self._schemas = schemas

    def example(self, schema: Schema, *, shape: str = "", field: str = "") -> Any:
        """A value that the schema allows, as the field would hold it in the story."""
        if "$ref" in schema:
            name = schema["$ref"].rpartition("/")[2]
            if name == "MoneyShape":
                return _money(shape, field)
            return self.example({"title": name, **self._schemas[name]}, shape=shape, field=field)
        if "example" in schema:
            return schema["example"]
        if "const" in schema or "enum" in schema:
            return schema["const"] if "const" in schema else schema["enum"][0]
        if schema.get("type") == "object" or "properties" in schema:
            return self._object(schema, field)
        return self._value(schema, shape, field)

    def _object(self, schema: Schema, field: str) -> Any:
        properties = schema.get("properties")
        if properties is None:
            return WORDS.get(field) or {}
        shape = schema.get("title", "")
        told = {name: self.example(one, shape=shape, field=name) for name, one in properties.items()}
        if "id" in told and f"{told.get('object')}_id" in IDS:
            told["id"] = IDS[f"{told['object']}_id"]
        return told

    def _value(self, schema: Schema, shape: str, field: str) -> Any:
        """SHAPED, then what cannot be told from a name alone, then WORDS, then the type."""
        if f"{shape}.{field}" in SHAPED:
            return SHAPED[f"{shape}.{field}"]
        choices = [one for one in schema.get("anyOf", ()) if one.get("type") != "null"]
        if choices:
            is_null = field in WORDS and WORDS[field] is None
            return None if is_null else self.example(choices[-1], shape=shape, field=field)
        if schema.get("type") == "array":
            return self._array(schema, shape, field)
        if field == "object":
            return schema.get("default", "thing")
        return self._plain(schema, field)

    def _array(self, schema: Schema, shape: str, field: str) -> Any:
        known = WORDS.get(field)
        if isinstance(known, list):
            return known
        return [self.example(schema.get("items", {}), shape=shape, field=field.removesuffix("s"))]

    def _plain(self, schema: Schema, field: str) -> Any:
        kind = schema.get("type", "string")
        if kind == "integer" and field in COUNTS:
            return COUNTS[field]
        known = WORDS.get(field)
        if field in WORDS and isinstance(known, type(_BY_TYPE[kind])):
            return known
        if kind == "string":
            return _BY_FORMAT.get(schema.get("format", "")) or self._text(schema, field)
        return schema.get("default", _BY_TYPE[kind])

    def _text(self, schema: Schema, field: str) -> str:
        ended = next((value for ending, value in _ENDINGS.items() if field.endswith(ending)), None)
        return str(ended or schema.get("default") or field.replace("_", " ") or "text")


def _money(shape: str, field: str) -> dict[str, str]:
    """An amount of the story."""
    amount = SHAPED.get(f"{shape}.{field}") or AMOUNTS.get(field, "0.00")
    return {"amount": amount, "currency": str(WORDS["currency"])}
