"""What a request carries and its call has no place for: form fields beside a file, a body where none is asked for."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from fastapi import Request
from fastapi.dependencies.models import Dependant
from fastapi.exceptions import RequestValidationError
from fastapi.params import Form

WRITES = ("POST", "PUT", "DELETE")


async def refuse_stray_fields(request: Request, dependant: Dependant) -> None:
    """Raise RequestValidationError for fields that FastAPI would pass over in silence; bodies it checks by itself."""
    if request.method not in WRITES or any(dependency.call for dependency in dependant.dependencies):
        return
    if not dependant.body_params:
        _refuse(_names(await request.body()), missing=())
    elif _is_form(request) and all(isinstance(parameter.field_info, Form) for parameter in dependant.body_params):
        form = await request.form()
        known = {parameter.alias: parameter.field_info.is_required() for parameter in dependant.body_params}
        strays = [name for name in form if name not in known]
        if strays:
            await form.close()
        _refuse(strays, missing=[name for name, required in known.items() if required and name not in form])


def _is_form(request: Request) -> bool:
    return request.headers.get("content-type", "").lower().startswith("multipart/form-data")


def _refuse(strays: Sequence[str], *, missing: Sequence[str]) -> None:
    if strays:
        faults = [_fault(name, "missing", "Field required") for name in missing]
        faults += [_fault(name, "extra_forbidden", "Extra inputs are not permitted") for name in strays]
        raise RequestValidationError(faults)


def _fault(name: str, kind: str, words: str) -> dict[str, Any]:
    return {"type": kind, "loc": ("body", name), "msg": words, "input": None}


def _names(body: bytes) -> list[str]:
    """The names in a JSON object; whatever else is sent to a call without a body says nothing."""
    try:
        found = json.loads(body) if body else None
    except (ValueError, RecursionError):
        return []
    return list(found) if isinstance(found, dict) else []
