"""The shapes several resources share: money, text, pages, operations and problems, as they look in JSON."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import Annotated, Any, Generic, TypeVar
from uuid import UUID

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    ConfigDict,
    Field,
    PlainSerializer,
    StringConstraints,
    WithJsonSchema,
)
from pydantic_core import PydanticCustomError

from domain.money import Money, quantum

T = TypeVar("T")


def _clean(text: str) -> str:
    """NFC, without the control characters that PostgreSQL or a mail header would choke on."""
    if any(unicodedata.category(c) in ("Cc", "Cs") and c not in "\n\t" for c in text):
        raise PydanticCustomError("control_character", "must not contain control characters")
    return unicodedata.normalize("NFC", text).strip()


def _one_line(text: str) -> str:
    if "\n" in text or "\t" in text:
        raise PydanticCustomError("control_character", "must be a single line")
    return text


def _real_email(text: str) -> str:
    from email_validator import EmailNotValidError, validate_email

    try:
        return validate_email(text, check_deliverability=False, test_environment=True).normalized
    except EmailNotValidError as error:
        raise PydanticCustomError("email", "{words}", {"words": str(error)}) from error


def _real_zone(text: str) -> str:
    from zoneinfo import available_timezones

    if text not in available_timezones():
        raise PydanticCustomError("timezone", "must be an IANA time zone such as Europe/Berlin")
    return text


def _in_range(moment: datetime) -> datetime:
    if not 1970 <= moment.year <= 9000:
        raise PydanticCustomError("datetime_range", "must lie between the years 1970 and 9000")
    return moment


Text = Annotated[str, StringConstraints(max_length=4000), AfterValidator(_clean)]
Line = Annotated[str, StringConstraints(max_length=200), AfterValidator(_clean), AfterValidator(_one_line)]
Name = Annotated[Line, StringConstraints(min_length=1)]
Email = Annotated[str, StringConstraints(max_length=254), AfterValidator(_clean), AfterValidator(_real_email)]
Kind = Annotated[str, StringConstraints(pattern="^[A-Z][A-Z0-9_]{0,39}$")]
"""A word such as THEATER: the list is open, as trades name their own kinds."""
Ratio = Annotated[Decimal, Field(ge=0, le=1, max_digits=5, decimal_places=4)]
Zone = Annotated[str, AfterValidator(_clean), AfterValidator(_real_zone)]
Moment = Annotated[AwareDatetime, AfterValidator(_in_range)]
Count = Annotated[int, Field(strict=True, ge=1, le=1_000_000)]


def utc(moment: datetime) -> str:
    """RFC 3339 in UTC, to the microsecond when there are any."""
    from datetime import UTC

    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")


Instant = Annotated[
    datetime,
    PlainSerializer(utc, return_type=str, when_used="json"),
    WithJsonSchema({"type": "string", "format": "date-time"}, mode="serialization"),
]


class Body(BaseModel):
    """What a client sends: nothing unknown, nothing coerced from a number to text."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class Shape(BaseModel):
    """What a client gets."""

    model_config = ConfigDict(frozen=True, from_attributes=True)


AmountText = Annotated[str, StringConstraints(strict=True, pattern=r"^-?[0-9]{1,12}(\.[0-9]{1,4})?$")]
CurrencyCode = Annotated[str, StringConstraints(strict=True, pattern=r"^[A-Z]{3}$")]


class MoneyShape(BaseModel):
    """Money: a decimal string and an ISO 4217 code; JSON numbers are refused."""

    model_config = ConfigDict(
        extra="forbid", frozen=True, json_schema_extra={"example": {"amount": "85.00", "currency": "EUR"}}
    )

    amount: AmountText
    currency: CurrencyCode

    @classmethod
    def of(cls, amount: Decimal, currency: str) -> MoneyShape:
        """From a database amount: the currency's decimals, and more only where a unit price has them."""
        exact = amount.quantize(quantum(currency))
        return cls(amount=format(exact if exact == amount else amount.normalize(), "f"), currency=currency)

    @classmethod
    def maybe(cls, amount: Decimal | None, currency: str) -> MoneyShape | None:
        """None stays None."""
        return None if amount is None else cls.of(amount, currency)

    def decimal(self) -> Decimal:
        """The amount as written."""
        return Decimal(self.amount)

    def money(self) -> Money:
        """As Money; raises Refused for more decimals than the currency has."""
        return Money.of(self.amount, self.currency)


class Page(Shape, Generic[T]):
    """A page of a list; `next` goes into `after`."""

    data: Sequence[T]
    next: str | None = Field(examples=[None])
    has_more: bool


class Progress(Shape):
    """How far an operation has come."""

    done: int
    total: int
    unit: str


class SubjectShape(Shape):
    """What an operation is about."""

    object: str
    id: UUID
    number: str | None
    url: str | None


class ProblemEntry(Shape):
    """One wrong field: where, which rule, in words."""

    pointer: str
    code: str
    message: str


class ProblemShape(Shape):
    """A problem document (RFC 9457); codes may add members of their own."""

    model_config = ConfigDict(extra="allow")

    type: str
    title: str
    status: int
    detail: str
    instance: str | None
    code: str
    request_id: str | None
    errors: list[ProblemEntry]


class OperationShape(Shape):
    """A running process as a person sees it."""

    id: UUID
    object: str = "operation"
    kind: str
    status: str
    waiting_for: str | None
    progress: Progress
    subject: SubjectShape
    result: dict[str, Any] | None
    error: dict[str, Any] | None
    created_at: Instant
    ended_at: Instant | None
