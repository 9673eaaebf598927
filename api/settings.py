"""/api/settings: what an owner decides for the whole agency."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Annotated

from pydantic import BeforeValidator, ConfigDict, Field, PlainSerializer, TypeAdapter, ValidationError
from pydantic_core import PydanticCustomError

from activities import access as steps
from api.desk import Desk
from api.shapes import Body, Shape, Zone
from db import access
from db.transaction import Tx
from settings import current

desk = Desk(tag="access")

_PERCENT = re.compile(r"[0-9]{1,3}(\.[0-9]{1,3})?", re.ASCII)
_DURATION = TypeAdapter(timedelta)
SHORTEST, LONGEST = timedelta(seconds=1), timedelta(days=7)


def _percent(value: object) -> Decimal:
    """A decimal string; a whole number is taken too, a binary fraction is not."""
    text = str(value) if isinstance(value, int) and not isinstance(value, bool) else value
    if not isinstance(text, str) or not _PERCENT.fullmatch(text) or Decimal(text) > 100:
        raise PydanticCustomError("percent", 'must be a decimal string from "0" to "100" with at most 3 decimals')
    return Decimal(text)


def _duration(value: object) -> timedelta:
    words = "must be an ISO 8601 duration such as PT15M, from one second to seven days"
    if not isinstance(value, str) or not value.startswith("P") or len(value) > 40:
        raise PydanticCustomError("duration", words)
    try:
        found = _DURATION.validate_python(value)
    except ValidationError:
        raise PydanticCustomError("duration", words) from None
    if not SHORTEST <= found <= LONGEST:
        raise PydanticCustomError("duration", words)
    return found


def _iso(duration: timedelta) -> str:
    return str(_DURATION.dump_python(duration, mode="json"))


Percent = Annotated[
    Decimal,
    BeforeValidator(_percent, json_schema_input_type=Annotated[str, Field(pattern=r"^[0-9]{1,3}(\.[0-9]{1,3})?$")]),
]
GivenDuration = Annotated[
    timedelta,
    BeforeValidator(_duration, json_schema_input_type=Annotated[str, Field(pattern="^P", max_length=40)]),
]
Duration = Annotated[timedelta, PlainSerializer(_iso, return_type=str, when_used="json")]


class NewSettings(Body):
    """The agency's settings; what is left out stays as it is. A window of null is the installation's."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {"service_fee_percent": "10", "timezone": "Europe/Berlin", "reservation_window": "PT15M"}
        }
    )

    service_fee_percent: Percent | None = None
    timezone: Zone | None = None
    reservation_window: GivenDuration | None = None


class SettingsShape(Shape):
    """The agency and its settings."""

    object: str = "settings"
    name: str
    currency: str
    service_fee_percent: Decimal
    timezone: str
    reservation_window: Duration
    version: int


@desk.reads("/settings", needs="settings:read", single=True)
def read_settings(tx: Tx) -> SettingsShape:
    """Read the agency's settings, as they are in force."""
    agency = access.tenant(tx)
    return SettingsShape.model_validate(
        replace(agency, reservation_window=agency.reservation_window or current().reservation_window)
    )


@desk.replaces("/settings", needs="settings:write")
def replace_settings(tx: Tx, body: NewSettings) -> SettingsShape:
    """Change the agency's settings; bookings already made keep the fee they were made with."""
    steps.change_settings(tx, changes=body.model_dump(exclude_unset=True))
    return read_settings(tx)
