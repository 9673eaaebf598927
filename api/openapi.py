"""The API describing itself in full: logins, headers, problem codes and an example for everything that is sent."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from fastapi import FastAPI

from api.example_words import IDS, RESULTS, WORDS
from api.examples import Storyteller
from api.problems import PROBLEMS, document
from api.resources import RESOURCES
from api.versions import reader_of

Operation = dict[str, Any]

PROBLEM_KIND = "application/problem+json"
PROBLEM_SHAPE = {"$ref": "#/components/schemas/ProblemShape"}
CREATED = ("post", "delete")
# What any request may meet, whatever its route says of itself.
ANYWHERE = {400: "malformed", 401: "unauthenticated", 422: "invalid", 503: "unavailable"}
SUCCESSES = {
    "200": "Done",
    "201": "Made",
    "202": "Accepted: the operation goes on by itself",
    "204": "Done; there is nothing to show",
}
LOGINS = {
    "login": {
        "type": "oauth2",
        "flows": {
            "password": {"tokenUrl": "/api/auth/token", "refreshUrl": "/api/auth/token", "scopes": {}},
        },
    },
    "key": {"type": "apiKey", "in": "header", "name": "X-API-Key"},
}
TAGS = {
    "access": "Who may do what: logins, keys, people, and the agency's own settings.",
    "places": "Halls and their seats.",
    "events": "What is sold: draft, publish, open and close sales.",
    "inventory": "An event's seats one by one: whose they are, what they cost, what they sell for.",
    "suppliers": "Whom we buy from.",
    "purchase orders": "What we ordered, until it is delivered and paid.",
    "receipts": "What arrived, seat by seat; never changed afterwards.",
    "payables": "What we owe.",
    "customers": "Who buys from us.",
    "bookings": "Baskets: reserved, paid, cancelled.",
    "payments": "Money in.",
    "tickets": "Admissions: one per seat.",
    "documents": "PDFs of orders, receipts and tickets.",
    "reports": "Profit, revenue and the value of what is unsold.",
    "ledger": "The books: every entry, and their balance.",
    "operations": "What is still going on.",
}


def install(app: FastAPI) -> None:
    """Make `app.openapi()` give the whole description; it is put together once."""
    plain = app.openapi

    def described() -> dict[str, Any]:
        if app.openapi_schema is None:
            app.openapi_schema = completed(plain())
        return app.openapi_schema

    app.openapi = described  # type: ignore[method-assign]


def completed(found: dict[str, Any]) -> dict[str, Any]:
    """FastAPI's description with all that it cannot know."""
    teller = Storyteller(found["components"]["schemas"])
    for path, method, operation in operations(found):
        _name_headers(path, method, operation)
        _name_problems(operation)
        _give_examples(operation, teller)
        if operation.get("x-permission") is None:
            operation["security"] = []
    found["components"]["securitySchemes"] = LOGINS
    found["security"] = [{"login": []}, {"key": []}]
    used = {tag for _, _, operation in operations(found) for tag in operation.get("tags", ())}
    found["tags"] = [{"name": name, "description": TAGS[name]} for name in sorted(used, key=list(TAGS).index)]
    found["info"]["license"] = {"name": "Apache-2.0", "identifier": "Apache-2.0"}
    return found


def operations(found: dict[str, Any]) -> Iterator[tuple[str, str, Operation]]:
    """Path, method and operation of every call."""
    for path, methods in found["paths"].items():
        for method, operation in methods.items():
            yield path, method, operation


def _name_headers(path: str, method: str, operation: Operation) -> None:
    """The headers that the desk reads for every route."""
    if operation.get("x-permission") is None:
        return
    parameters = operation.setdefault("parameters", [])
    codes = operation["x-problems"]
    if method in CREATED:
        words = "The same key and content gives the first answer again; kept for 24 hours"
        parameters.append(_header("Idempotency-Key", words, {"type": "string", "minLength": 1, "maxLength": 255}))
    if method != "get" and reader_of(path.removeprefix("/api")) is not None:
        required = "precondition_required" in codes
        words = "The ETag of the thing as you read it; 412 when it has changed since"
        parameters.append(_header("If-Match", words, {"type": "string", "minLength": 1}, required=required))
        codes.extend({"version_mismatch"} - set(codes))
    if "202" in operation["responses"]:
        words = "Hold the answer until the operation has ended, at most so many seconds (30)"
        schema = {"type": "string", "pattern": "^wait=[0-9]{1,2}$", "examples": ["wait=10"]}
        parameters.append(_header("Prefer", words, schema))


def _header(name: str, words: str, schema: dict[str, Any], *, required: bool = False) -> dict[str, Any]:
    return {"name": name, "in": "header", "required": required, "description": words, "schema": schema}


def _name_problems(operation: Operation) -> None:
    """Every code under its status, each status with its codes and an example of the first."""
    codes = operation["x-problems"]
    stated = {PROBLEMS[code].status for code in codes}
    codes += [
        code for status, code in ANYWHERE.items() if str(status) in operation["responses"] and status not in stated
    ]
    if "requestBody" in operation:
        codes += ["unknown_field", "too_large"]
    operation["x-problems"] = list(dict.fromkeys(codes))
    for status in sorted({PROBLEMS[code].status for code in operation["x-problems"]}):
        of_status = [code for code in operation["x-problems"] if PROBLEMS[code].status == status]
        operation["responses"][str(status)] = {
            "description": ", ".join(f"`{code}`" for code in of_status),
            "content": {PROBLEM_KIND: {"schema": PROBLEM_SHAPE, "examples": _problem_examples(of_status)}},
        }
    _name_answer_headers(operation)


def _problem_examples(codes: list[str]) -> dict[str, Any]:
    return {
        code: {"summary": PROBLEMS[code].title, "value": document(code, "", request_id="9f1c2d7e")} for code in codes
    }


def _name_answer_headers(operation: Operation) -> None:
    for status, words in SUCCESSES.items():
        if operation["responses"].get(status, {}).get("description") == "Successful Response":
            operation["responses"][status]["description"] = words
    if "202" in operation["responses"]:
        location = {"description": "Where the operation is", "schema": {"type": "string"}}
        operation["responses"]["202"]["headers"] = {"Location": location}


def _give_examples(operation: Operation, teller: Storyteller) -> None:
    for parameter in operation.get("parameters", ()):
        if parameter["in"] == "path":
            parameter["example"] = _path_example(parameter["name"])
    bodies = [operation.get("requestBody", {})]
    answers = [answer for status, answer in operation["responses"].items() if status.startswith("2")]
    for place in (*bodies, *answers):
        for kind, content in place.get("content", {}).items():
            if "example" not in content and kind.partition(";")[0] in _TOLD:
                content["example"] = teller.example(content.get("schema", {}))
    _tell_result(operation)


_TOLD = ("application/json", "application/x-www-form-urlencoded", "multipart/form-data")


def _tell_result(operation: Operation) -> None:
    """What this very call brings in the end."""
    name = operation["operationId"]
    if name in RESULTS:
        kind, result = RESULTS[name]
        content = operation["responses"]["202"]["content"]["application/json"]
        content["example"] = {**content["example"], "kind": kind, "result": result}


def _path_example(name: str) -> str:
    resource = RESOURCES.get(name)
    if resource is None:
        return str(WORDS["barcode"])
    return str(IDS.get(name, IDS["id"]))
