"""What clients send about purchase orders: drafts, the supplier's answer, reasons and payments."""

from __future__ import annotations

from datetime import date
from typing import Annotated
from uuid import UUID

from pydantic import ConfigDict, Field

from activities.ordering import Draft, DraftLine, Price
from activities.payables import Paying
from activities.purchasing import Answer
from api.shapes import Body, Count, CurrencyCode, Kind, Line, Moment, MoneyShape, Name, Text
from api.suppliers import TermsText

MAX_LINES, MAX_SELECTORS = 500, 5_000

EVENT, LINE = "0198a1b2-0000-7000-8000-000000000002", "0198a1b2-0000-7000-8000-000000000005"


class NewOrderLine(Body):
    """One event, one kind of seat, one unit price of up to 4 decimals; `seats` may say which ones are meant."""

    event_id: UUID
    description: Name
    quantity: Count
    unit_price: MoneyShape
    retail_price: MoneyShape | None = None
    seats: Annotated[tuple[Text, ...], Field(max_length=MAX_SELECTORS)] = ()

    def draft(self) -> DraftLine:
        """As the rules take it."""
        retail = self.retail_price
        return DraftLine(
            event_id=self.event_id,
            description=self.description,
            quantity=self.quantity,
            unit_price=Price(amount=self.unit_price.decimal(), currency=self.unit_price.currency),
            retail_price=Price(amount=retail.decimal(), currency=retail.currency) if retail else None,
            seats=self.seats,
        )


class NewOrder(Body):
    """An order in the agency's currency; without terms the supplier's count."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "supplier_id": "0198a1b2-0000-7000-8000-000000000001",
                "fulfillment_method": "PDF_DELIVERY",
                "expected_date": "2027-03-01",
                "lines": [
                    {
                        "event_id": EVENT,
                        "description": "Parkett",
                        "quantity": 40,
                        "unit_price": {"amount": "20.00", "currency": "EUR"},
                        "retail_price": {"amount": "35.00", "currency": "EUR"},
                        "seats": ["Parkett/A-B/*"],
                    }
                ],
            }
        }
    )

    supplier_id: UUID
    fulfillment_method: Kind
    currency: CurrencyCode | None = None
    payment_terms: TermsText | None = None
    expected_date: date | None = None
    reference: Line | None = None
    notes: Text | None = None
    lines: Annotated[list[NewOrderLine], Field(min_length=1, max_length=MAX_LINES)]

    def draft(self) -> Draft:
        """As the rules take it."""
        return Draft(
            supplier_id=self.supplier_id,
            fulfillment_method=self.fulfillment_method,
            currency=self.currency,
            payment_terms=self.payment_terms,
            expected_date=self.expected_date,
            reference=self.reference,
            notes=self.notes,
            lines=[line.draft() for line in self.lines],
        )


class ConfirmedLine(Body):
    """So many seats of a line are confirmed; the rest is rejected."""

    line_id: UUID
    confirmed_quantity: Annotated[int, Field(strict=True, ge=0, le=1_000_000)]


class Confirmation(Body):
    """The supplier's answer; lines it leaves out are confirmed in full."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {"supplier_reference": "AB-2291", "lines": [{"line_id": LINE, "confirmed_quantity": 38}]}
        }
    )

    supplier_reference: Line | None = None
    lines: Annotated[tuple[ConfirmedLine, ...], Field(max_length=MAX_LINES)] = ()

    def answer(self) -> Answer:
        """As the rules take it."""
        return Answer(
            supplier_reference=self.supplier_reference,
            lines=tuple((line.line_id, line.confirmed_quantity) for line in self.lines),
        )


class Cancellation(Body):
    """Why the rest is given up."""

    model_config = ConfigDict(json_schema_extra={"example": {"reason": "The tour was shortened"}})

    reason: Name


class NewSupplierPayment(Body):
    """Money that went to the supplier; without an amount all that is open."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "amount": {"amount": "500.00", "currency": "EUR"},
                "method": "BANK_TRANSFER",
                "reference": "SEPA-2026-118",
            }
        }
    )

    amount: MoneyShape | None = None
    method: Kind
    reference: Name
    paid_at: Moment | None = None

    def paying(self) -> Paying:
        """As the rules take it."""
        return Paying(
            amount=self.amount.decimal() if self.amount else None,
            currency=self.amount.currency if self.amount else None,
            method=self.method,
            reference=self.reference,
            paid_at=self.paid_at,
        )
