"""C7: one delivery sent by many, one bill paid by many, and two orders that deliver the same seats."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

from demo.caller import Json
from prove.races.clients import Answer, Ask
from prove.races.ground import Ground, errors, operations_of, refused_cleanly, succeeded, token_of
from prove.races.race import Race
from prove.races.tally import Tally
from stand.agency import PASSWORD, Agency

SENDERS = 20
PAYERS = 20
RIVALS = 10
"""Senders of each of the two orders."""
COST = "20.00"
CLEAN_DELIVERY = ("202",)
OWNED = "seat_already_owned"


@dataclass(frozen=True)
class Office:
    """An agency whose two finance people pay its bills."""

    owner: Agency
    payers: tuple[str, str]


def run(ground: Ground, rounds: int) -> Tally:
    """A delivery and its bill a round, then a seat that two orders deliver."""
    tally = Tally(rounds=rounds)
    office = _office(ground)
    order = _order(office.owner, seats=rounds)
    for seat in range(1, rounds + 1):
        bill_id = _one_delivery(ground, tally, office.owner, order, seat)
        if bill_id is not None:
            _one_bill(ground, tally, office, bill_id)
    event_id = office.owner.event(office.owner.hall(["Stalls"], seats=rounds))
    pair = [_order(office.owner, seats=rounds, event_id=event_id) for _ in range(2)]
    for seat in range(1, rounds + 1):
        _two_orders(ground, tally, office.owner, pair, seat)
    return tally


def _office(ground: Ground) -> Office:
    owner = ground.agency()
    tokens = []
    for name in ("frieda", "fritz"):
        email = f"{name}-{secrets.token_hex(4)}@office.example"
        owner.post("/api/users", {"email": email, "name": name, "role": "finance", "password": PASSWORD})
        person = owner.caller.as_person(email=email, password=PASSWORD)
        tokens.append(token_of(replace(owner, caller=person)))
    return Office(owner, (tokens[0], tokens[1]))


def _order(owner: Agency, *, seats: int, event_id: str | None = None) -> Json:
    event = event_id or owner.event(owner.hall(["Stalls"], seats=seats))
    order = owner.order(owner.supplier(), event, quantity=seats, cost=COST)
    for verb in ("submit", "confirm"):
        owner.does(order, verb)
    return order


def _delivers(owner: Agency, order: Json, seat: int) -> Ask:
    place = f"Stalls/{(seat - 1) // 100 + 1}/{(seat - 1) % 100 + 1}"
    body = {"delivery_reference": f"LS-{seat}", "lines": [{"line_id": order["lines"][0]["id"], "seats": [place]}]}
    return Ask(method="POST", path=f"/api/purchase-orders/{order['id']}/receive", token=token_of(owner), body=body)


def _one_delivery(ground: Ground, tally: Tally, owner: Agency, order: Json, seat: int) -> str | None:
    """Twenty clerks send the same note: one receipt, one bill, and everybody is told of it."""
    answers = ground.crowd.volley([_delivers(owner, order, seat)] * SENDERS)
    tally.heard(answers, clean=CLEAN_DELIVERY)
    operations = list(ground.ended(owner, operations_of(answers)).values())
    refused_cleanly(tally, operations, clean=())
    told = {(one["result"]["receipt_id"], one["result"]["bill_id"]) for one in succeeded(operations)}
    receipts = owner.caller.everything("/api/receipts", purchase_order_id=order["id"])
    bills = owner.caller.everything("/api/accounts-payable", purchase_order_id=order["id"])
    tally.expect(len(told), 1, "receipts that the senders were told of")
    tally.expect(sum(one["delivery_reference"] == f"LS-{seat}" for one in receipts), 1, "receipts of one note")
    tally.expect((len(receipts), len(bills)), (seat, seat), "receipts and bills of the order")
    tally.count("receipts", len(told))
    return told.pop()[1] if told else None


def _one_bill(ground: Ground, tally: Tally, office: Office, bill_id: str) -> None:
    """Two finance people press the button ten times each: the bill is paid once."""
    body = {"method": "BANK_TRANSFER", "reference": f"SEPA {bill_id}"}
    asks = [
        Ask(method="POST", path=f"/api/accounts-payable/{bill_id}/pay", token=token, body=body)
        for token in office.payers
    ]
    answers = ground.crowd.volley([asks[number % 2] for number in range(PAYERS)])
    tally.heard(answers, clean=("202", "409 overpayment"))
    operations = list(ground.ended(office.owner, operations_of(answers)).values())
    refused_cleanly(tally, operations, clean=("overpayment",))
    bill = office.owner.caller.get(f"/api/accounts-payable/{bill_id}")
    paid = sum((Decimal(one["result"]["amount"]["amount"]) for one in succeeded(operations)), Decimal(0))
    tally.expect(len(succeeded(operations)), 1, "payments of one bill")
    tally.expect(paid, Decimal(bill["amount"]["amount"]), "what was paid on one bill")
    tally.expect((bill["status"], Decimal(bill["open_amount"]["amount"])), ("PAID", Decimal(0)), "the bill")
    tally.count("bills paid", len(succeeded(operations)))


def _two_orders(ground: Ground, tally: Tally, owner: Agency, pair: Sequence[Json], seat: int) -> None:
    """The same seat from two suppliers: one of the orders brings it, the other is told who has it."""
    asks = [_delivers(owner, order, seat) for order in pair]
    answers = ground.crowd.volley([asks[number % 2] for number in range(2 * RIVALS)])
    tally.heard(answers, clean=("202", f"409 {OWNED}"))
    brought = [_brought(ground, tally, owner, answers[number::2]) for number in range(2)]
    tally.expect(sorted(brought), [0, 1], "receipts of the one order and of the other")
    tally.count("seats brought by one order of two", sum(brought))


def _brought(ground: Ground, tally: Tally, owner: Agency, answers: Sequence[Answer]) -> int:
    """How many receipts one order's senders were told of; either all of them succeed or none does."""
    operations = list(ground.ended(owner, operations_of(answers)).values())
    refused_cleanly(tally, operations, clean=(OWNED,))
    receipts = {one["result"]["receipt_id"] for one in succeeded(operations)}
    failed = len(errors(operations)) + sum(answer.status == 409 for answer in answers)
    if receipts and failed:
        tally.fault(f"{failed} senders were told no, {len(succeeded(operations))} yes, of the same delivery")
    return len(receipts)


RACE = Race(
    name="c7",
    sentence="20 senders of one delivery note; two finance people paying one bill 20 times; two orders delivering one seat",
    expected="one receipt and one bill a note, one payment a bill, one of the two orders owns the seat",
    rounds=40,
    run=run,
)
