"""Delivery notes as they come in: JSON or a multipart CSV file under one path, and what a preview of one shows."""

from __future__ import annotations

import hashlib
import json
from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Any, TypeVar
from uuid import UUID

from fastapi import Depends, Request
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, ConfigDict, Field, PlainSerializer, ValidationError, model_validator
from pydantic_core import PydanticCustomError
from starlette.datastructures import UploadFile

from activities.delivering import LinePlan
from activities.delivery_notes import Block, Note, SeatList
from activities.ordering import check_retail
from activities.receiving import Preview, status_after
from api.shapes import Body, Count, Line, Moment, MoneyShape, Name, Shape, Text
from domain import selectors
from domain.receiving import parse_delivery_csv
from domain.states import Refused

M = TypeVar("M", bound=BaseModel)

MAX_ITEMS, MAX_SELECTORS = 5_000, 50_000


class BlockBody(Body):
    """Part of a hall: a section, or some rows of it (`C`, `A-F` or `1-5`)."""

    section: Name
    rows: Annotated[Line, Field(min_length=1)] | None = None


class DeliveredLine(Body):
    """Seats of one order line: `seats` by selectors, or a `quantity` of them from a `block`."""

    line_id: UUID
    seats: Annotated[list[Text], Field(min_length=1, max_length=MAX_SELECTORS)] | None = None
    block: BlockBody | None = None
    quantity: Count | None = None
    retail_price: MoneyShape | None = None

    @model_validator(mode="after")
    def _one_way(self) -> DeliveredLine:
        if (self.seats is None) == (self.block is None) or (self.block is None) != (self.quantity is None):
            raise PydanticCustomError("one_way", "say either seats, or block and quantity")
        return self


class NewDelivery(Body):
    """A delivery note as a form."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "delivery_reference": "LS-1",
                "lines": [{"line_id": "0198a1b2-0000-7000-8000-000000000005", "seats": ["Parkett/A/1-25"]}],
            }
        }
    )

    delivery_reference: Name
    delivered_at: Moment | None = None
    lines: Annotated[list[DeliveredLine], Field(min_length=1, max_length=MAX_ITEMS)]

    def note(self, currency: str, *, now: datetime) -> Note:
        """As the rules take it. Raises Refused `currency_not_supported` and `invalid` for a retail price."""
        lists, blocks = [], []
        for index, line in enumerate(self.lines):
            place = f"/lines/{index}"
            retail = _retail(line.retail_price, currency, f"{place}/retail_price")
            if line.seats is not None:
                lists.append(SeatList(place=place, line_id=line.line_id, seats=tuple(line.seats), retail_price=retail))
            elif line.block is not None and line.quantity is not None:
                blocks.append(
                    Block(
                        place=place,
                        line_id=line.line_id,
                        section=line.block.section,
                        rows=line.block.rows,
                        quantity=line.quantity,
                        retail_price=retail,
                    )
                )
        return Note(
            reference=self.delivery_reference,
            said_at=self.delivered_at,
            delivered_at=self.delivered_at or now,
            lists=tuple(lists),
            blocks=tuple(blocks),
        )


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


class FileDelivery(Body):
    """A delivery note as a file: CSV `line,section,row,seat[,unit_price][,retail_price]`."""

    delivery_reference: Name
    delivered_at: Moment | None = None
    file: Annotated[bytes, PlainSerializer(_digest, return_type=str), Field(json_schema_extra={"format": "binary"})]

    def note(self, currency: str, *, now: datetime) -> Note:
        """As the rules take it. Raises Refused `invalid` with every bad line's number."""
        rows = parse_delivery_csv(self.file, currency=currency)
        at = self.delivered_at
        return Note(reference=self.delivery_reference, said_at=at, delivered_at=at or now, rows=rows)


class PreviewSeatsShape(Shape):
    """Seats of one row, folded: `1-25, 30`."""

    section: str
    row: str
    seats: str


class PreviewLineShape(Shape):
    """What one order line would get."""

    line_id: UUID
    quantity: int
    unit_price: MoneyShape
    amount: MoneyShape
    seats: list[PreviewSeatsShape]


class PreviewBillShape(Shape):
    """The bill that would be drafted, and how much of it advances would meet."""

    amount: MoneyShape
    advance_used: MoneyShape
    bill_date: date
    due_date: date
    terms: str


class DeliveryPreviewShape(Shape):
    """What a delivery would do; `receipt_id` is set when it has been taken in already."""

    received: int
    rejected: tuple[str, ...] = ()
    receipt_id: UUID | None
    receipt_number: str | None
    total_amount: MoneyShape
    lines: list[PreviewLineShape]
    bill: PreviewBillShape | None
    status_after: str | None

    @classmethod
    def of(cls, preview: Preview, currency: str) -> DeliveryPreviewShape:
        """From the plan, or from the receipt there is."""
        plan, receipt = preview.plan, preview.receipt
        total = plan.total.amount if plan else receipt.total_amount if receipt else Decimal(0)
        return cls(
            received=plan.quantity if plan else receipt.seat_count if receipt else 0,
            receipt_id=receipt.id if receipt else None,
            receipt_number=receipt.receipt_number if receipt else None,
            total_amount=MoneyShape.of(total, currency),
            lines=[_line(line) for line in plan.lines] if plan else [],
            bill=_bill(preview, total, currency),
            status_after=status_after(plan) if plan else None,
        )


async def read_delivery(request: Request) -> NewDelivery | FileDelivery:
    """The request's body by its content type. Raises RequestValidationError, as FastAPI itself would."""
    if request.headers.get("content-type", "").lower().startswith("multipart/form-data"):
        async with request.form(max_files=1, max_fields=10) as form:
            fields = [
                (name, await value.read() if isinstance(value, UploadFile) else value)
                for name, value in form.multi_items()
            ]
        return _validated(FileDelivery, dict(fields))
    return _validated(NewDelivery, _parsed(await request.body()))


Delivery = Annotated[NewDelivery | FileDelivery, Depends(read_delivery)]


def request_body() -> dict[str, Any]:
    """The two forms of the body for the API description."""
    forms: dict[str, type[BaseModel]] = {"application/json": NewDelivery, "multipart/form-data": FileDelivery}
    content = {kind: {"schema": _inlined(model)} for kind, model in forms.items()}
    return {"requestBody": {"required": True, "content": content}}


def _inlined(model: type[BaseModel]) -> Any:
    """A schema that needs no definitions beside it."""
    schema = model.model_json_schema()
    definitions = schema.pop("$defs", {})

    def inline(part: Any) -> Any:
        if isinstance(part, dict):
            name = str(part.get("$ref", "")).rpartition("/")[2]
            return inline(definitions[name]) if name else {key: inline(value) for key, value in part.items()}
        return [inline(one) for one in part] if isinstance(part, list) else part

    return inline(schema)


def _parsed(body: bytes) -> Any:
    if not body:
        raise RequestValidationError([{"type": "missing", "loc": ("body",), "msg": "Field required", "input": None}])
    try:
        return json.loads(body)
    except (ValueError, RecursionError) as error:
        fault = {"type": "json_invalid", "loc": ("body", 0), "msg": "JSON decode error", "input": {}}
        raise RequestValidationError([fault]) from error


def _validated(model: type[M], fields: Any) -> M:
    try:
        return model.model_validate(fields)
    except ValidationError as error:
        faults = [{**fault, "loc": ("body", *fault["loc"])} for fault in error.errors(include_url=False)]
        raise RequestValidationError(faults) from error


def _retail(price: MoneyShape | None, currency: str, pointer: str) -> Decimal | None:
    if price is None:
        return None
    if price.currency != currency:
        words = f"{price.currency} is not the agency's currency, {currency}."
        raise Refused("currency_not_supported", words, pointer=pointer)
    return check_retail(price.decimal(), currency, pointer=pointer)


def _bill(preview: Preview, total: Decimal, currency: str) -> PreviewBillShape | None:
    due, advance = preview.due, preview.advance_used
    if due is None or advance is None:
        return None
    return PreviewBillShape(
        amount=MoneyShape.of(total, currency),
        advance_used=MoneyShape.of(advance.amount, currency),
        bill_date=due.bill_date,
        due_date=due.due_date,
        terms=due.terms,
    )


def _line(line: LinePlan) -> PreviewLineShape:
    currency = line.amount.currency
    return PreviewLineShape(
        line_id=line.line.id,
        quantity=line.quantity,
        unit_price=MoneyShape.of(line.line.unit_price, currency),
        amount=MoneyShape.of(line.amount.amount, currency),
        seats=[
            PreviewSeatsShape(section=one.section, row=one.row, seats=one.seats)
            for one in selectors.fold(picked.seat.name for picked in line.picked)
        ],
    )
