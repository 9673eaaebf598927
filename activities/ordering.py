"""Making an order: what a draft must satisfy before it may be kept."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from uuid import UUID

from db import access, history, purchasing, receiving, suppliers
from db.purchasing import LineTerms, OrderTerms
from db.suppliers import Supplier
from db.transaction import Tx
from domain import selectors
from domain.money import BadMoney, Money
from domain.purchasing import ORDER, OrderStatus, check_unit_price, line_total
from domain.states import Fault, Refused


@dataclass(frozen=True, kw_only=True, slots=True)
class Price:
    """An amount per seat as the client wrote it, up to 4 decimals."""

    amount: Decimal
    currency: str


@dataclass(frozen=True, kw_only=True, slots=True)
class DraftLine:
    """A line as the client wrote it."""

    event_id: UUID
    description: str
    quantity: int
    unit_price: Price
    retail_price: Price | None
    seats: Sequence[str]


@dataclass(frozen=True, kw_only=True, slots=True)
class Draft:
    """An order as the client wrote it; what is None follows the agency (currency) or the supplier (terms)."""

    supplier_id: UUID
    fulfillment_method: str
    currency: str | None
    payment_terms: str | None
    expected_date: date | None
    reference: str | None
    notes: str | None
    lines: Sequence[DraftLine]


def make(tx: Tx, draft: Draft) -> UUID:
    """Keep a new draft. Raises Refused as check does."""
    terms, lines = check(tx, draft)
    order_id = purchasing.add(tx, terms, lines=lines)
    history.note(tx, object="purchase_order", subject_id=order_id, to_status=OrderStatus.DRAFT)
    return order_id


def replace(tx: Tx, order_id: UUID, draft: Draft) -> None:
    """Put this draft in the place of the one there is. Raises Refused `wrong_state` and as check does."""
    known = _locked(tx, order_id)
    terms, lines = check(tx, draft, supplier_before=known.order.supplier_id)
    ORDER.after(known.status, "edit")
    purchasing.change(tx, order_id, terms, lines=lines)


def delete(tx: Tx, order_id: UUID) -> None:
    """Remove a draft. Raises Refused `wrong_state`."""
    known = _locked(tx, order_id)
    ORDER.after(known.status, "delete")
    purchasing.delete(tx, order_id)


def check(tx: Tx, draft: Draft, *, supplier_before: UUID | None = None) -> tuple[OrderTerms, list[LineTerms]]:
    """The rows a draft becomes.

    Raises Refused `currency_not_supported`, `unknown_id`, `invalid` (amounts), `invalid_selector`, `no_such_seat`,
    `duplicate_seat`, and `supplier_inactive` unless the order was with that supplier before.
    """
    currency = access.tenant(tx).currency
    _check_currencies(draft, currency)
    supplier = suppliers.find(tx, draft.supplier_id)
    _check_ids(tx, draft, supplier)
    assert supplier is not None, "an unknown supplier has been refused"
    lines = [_line(line, index, currency) for index, line in enumerate(draft.lines)]
    _check_seats(tx, draft.lines)
    if not supplier.active and supplier.id != supplier_before:
        raise Refused("supplier_inactive", f"{supplier.name} is deactivated; it takes no new orders.")
    total = Money.total((Money(line.line_total, currency) for line in lines), currency=currency)
    terms = OrderTerms(
        supplier_id=draft.supplier_id,
        fulfillment_method=draft.fulfillment_method,
        currency=currency,
        payment_terms=draft.payment_terms or supplier.payment_terms,
        expected_date=draft.expected_date,
        reference=draft.reference,
        notes=draft.notes,
        total_amount=total.amount,
    )
    return terms, lines


def _locked(tx: Tx, order_id: UUID) -> purchasing.OrderWithLines:
    known = purchasing.lock(tx, order_id)
    if known is None:
        raise Refused("not_found", "This order has been deleted.")
    return known


def _check_currencies(draft: Draft, currency: str) -> None:
    faults = tuple(
        Fault(pointer, "currency_not_supported", f"{named} is not the agency's currency, {currency}.")
        for pointer, named in _currencies(draft)
        if named != currency
    )
    if faults:
        raise Refused("currency_not_supported", faults[0].message, errors=faults)


def _currencies(draft: Draft) -> Iterator[tuple[str, str]]:
    """Every currency the draft names, with its JSON pointer."""
    if draft.currency is not None:
        yield "/currency", draft.currency
    for index, line in enumerate(draft.lines):
        yield f"/lines/{index}/unit_price", line.unit_price.currency
        if line.retail_price is not None:
            yield f"/lines/{index}/retail_price", line.retail_price.currency


def _check_ids(tx: Tx, draft: Draft, supplier: Supplier | None) -> None:
    events = purchasing.known_events(tx, [line.event_id for line in draft.lines])
    faults = [
        Fault(f"/lines/{index}/event_id", "unknown_id", f"There is no event {line.event_id}.")
        for index, line in enumerate(draft.lines)
        if line.event_id not in events
    ]
    if supplier is None:
        faults.insert(0, Fault("/supplier_id", "unknown_id", f"There is no supplier {draft.supplier_id}."))
    if faults:
        raise Refused("unknown_id", faults[0].message, errors=tuple(faults))


def _line(line: DraftLine, index: int, currency: str) -> LineTerms:
    """A line with its total. Raises Refused `invalid` at the amount that is none."""
    retail = None if line.retail_price is None else _retail(line.retail_price, f"/lines/{index}/retail_price")
    try:
        unit_price = check_unit_price(line.unit_price.amount)
        total = line_total(line.quantity, unit_price, currency)
    except BadMoney as bad:
        raise Refused("invalid", bad.words, pointer=f"/lines/{index}/unit_price") from bad
    return LineTerms(
        event_id=line.event_id,
        description=line.description,
        quantity=line.quantity,
        unit_price=unit_price,
        retail_price=retail,
        seats=line.seats,
        line_total=total.amount,
    )


def _retail(price: Price, pointer: str) -> Decimal:
    return check_retail(price.amount, price.currency, pointer=pointer)


def check_retail(amount: Decimal, currency: str, *, pointer: str) -> Decimal:
    """A price customers can pay: not negative, in the currency's decimals. Raises Refused `invalid`."""
    try:
        price = Money(amount, currency)
    except BadMoney as bad:
        raise Refused("invalid", bad.words, pointer=pointer) from bad
    if price.amount < 0:
        raise Refused("invalid", "A retail price is 0 or more.", pointer=pointer)
    return price.amount


def _check_seats(tx: Tx, lines: Sequence[DraftLine]) -> None:
    """Every seat a line names exists in the line's event."""
    events = {line.event_id for line in lines if line.seats}
    if not events:
        return
    halls: dict[UUID, dict[tuple[str, str, str], UUID]] = {event: {} for event in events}
    for seat in receiving.hall(tx, event_ids=list(events)):
        halls[seat.event_id][seat.name] = seat.id
    for index, line in enumerate(lines):
        if line.seats:
            _resolve(line, index, halls[line.event_id])


def _resolve(line: DraftLine, index: int, seats: dict[tuple[str, str, str], UUID]) -> None:
    selectors.resolve(line.seats, seats=seats, pointer=lambda place: f"/lines/{index}/seats/{place}")
