"""The books: every posting of accounting.md A, balanced, aggregated, and tied to its seats."""

import time
from collections import defaultdict
from collections.abc import Callable, Iterable
from decimal import Decimal
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain import ledger
from domain.ledger import (
    Account,
    CancelledTicket,
    CapturedShare,
    Entry,
    EntryKind,
    Leg,
    Lot,
    SoldTicket,
    Unbalanced,
)
from domain.money import Money

EVENT, OTHER_EVENT, SUPPLIER, OTHER_SUPPLIER = (UUID(int=n) for n in range(4))
SEAT_ACCOUNTS = {Account.TICKET_INVENTORY, Account.COST_OF_SALES, Account.UNSOLD_WRITTEN_OFF}


def eur(amount: str | int | Decimal) -> Money:
    return Money.of(amount, "EUR")


def a_seat(
    number: int = 1, *, cost: str = "20.00", event: UUID = EVENT, supplier: UUID = SUPPLIER, section: str = "Stalls"
) -> Lot:
    return Lot((UUID(int=100 + number),), event, supplier, section, eur(cost))


def a_sold_ticket(
    number: int = 1,
    *,
    price: str = "35.00",
    discount: str = "0",
    fee: str = "3.50",
    tax: str = "0",
    cost: str = "20.00",
    section: str = "Stalls",
) -> SoldTicket:
    return SoldTicket(
        UUID(int=100 + number), EVENT, SUPPLIER, section, eur(price), eur(discount), eur(fee), eur(tax), eur(cost)
    )


def a_cancelled_ticket(
    *,
    price: str = "35.00",
    discount: str = "0",
    refund_due: str = "35.00",
    fee_back: str = "0",
    tax_back: str = "0",
    cost: str = "20.00",
) -> CancelledTicket:
    return CancelledTicket(
        UUID(int=101), EVENT, SUPPLIER, "Stalls", eur(price), eur(discount), eur(cost), eur(refund_due), eur(fee_back), eur(tax_back)
    )  # fmt: skip


def booked(entry: Entry) -> dict[str, str]:
    """Account code -> signed sum, as a clerk would write the entry down."""
    sums: dict[str, Decimal] = defaultdict(Decimal)
    for leg in entry.legs:
        sums[leg.account.code] += leg.amount
    return {code: str(amount) for code, amount in sums.items()}


def counted(entry: Entry) -> dict[str, int]:
    return {leg.account.code: leg.quantity for leg in entry.legs if leg.quantity}


@pytest.mark.parametrize(
    ("entry", "kind", "expected"),
    [
        (ledger.advance_paid(eur(100), supplier_id=SUPPLIER), "ADVANCE_PAID", {"1000": "-100.00", "1300": "100.00"}),
        (ledger.delivery([a_seat(1), a_seat(2)]), "DELIVERY", {"1200": "40.00", "2110": "-40.00"}),
        (ledger.bill_drafted(eur(40), supplier_id=SUPPLIER), "BILL_DRAFTED", {"2100": "-40.00", "2110": "40.00"}),
        (ledger.bill_drafted(eur(40), supplier_id=SUPPLIER, input_tax=eur("7.60")), "BILL_DRAFTED", {"1400": "7.60", "2100": "-47.60", "2110": "40.00"}),
        (ledger.advance_applied(eur(40), supplier_id=SUPPLIER), "ADVANCE_APPLIED", {"1300": "-40.00", "2100": "40.00"}),
        (ledger.bill_paid(eur(40), supplier_id=SUPPLIER), "BILL_PAID", {"1000": "-40.00", "2100": "40.00"}),
        (ledger.sale([a_sold_ticket()]), "SALE", {"1110": "38.50", "1200": "-20.00", "4000": "-35.00", "4100": "-3.50", "5000": "20.00"}),
        (
            ledger.sale([a_sold_ticket(discount="5.00", tax="5.70")]),
            "SALE",
            {"1110": "39.20", "1200": "-20.00", "2300": "-5.70", "4000": "-35.00", "4080": "5.00", "4100": "-3.50", "5000": "20.00"},
        ),
        (ledger.captured(eur("38.50")), "CAPTURED", {"1100": "38.50", "1110": "-38.50"}),
        (ledger.sale_reversed([a_sold_ticket()]), "SALE_REVERSED", {"1110": "-38.50", "1200": "20.00", "4000": "35.00", "4100": "3.50", "5000": "-20.00"}),
        (ledger.late_money(eur("38.50")), "LATE_MONEY", {"1100": "38.50", "2210": "-38.50"}),
        (ledger.late_retaken(eur("38.50")), "LATE_RETAKEN", {"1110": "-38.50", "2210": "38.50"}),
        (ledger.late_refundable(eur("38.50")), "LATE_REFUNDABLE", {"2200": "-38.50", "2210": "38.50"}),
        (ledger.cancellation([a_cancelled_ticket()]), "CANCELLATION", {"1200": "20.00", "2200": "-35.00", "4090": "35.00", "5000": "-20.00"}),
        (
            ledger.cancellation([a_cancelled_ticket(discount="5.00", refund_due="21.35", fee_back="3.50", tax_back="2.85")]),
            "CANCELLATION",
            {"1200": "20.00", "2200": "-21.35", "2300": "2.85", "4090": "30.00", "4100": "3.50", "4200": "-15.00", "5000": "-20.00"},
        ),
        (ledger.cancellation([a_cancelled_ticket()], resellable=False), "CANCELLATION", {"2200": "-35.00", "4090": "35.00"}),
        (ledger.refund_settled(eur(35)), "REFUND_SETTLED", {"1100": "-35.00", "2200": "35.00"}),
        (ledger.refund_bounced(eur(35)), "REFUND_BOUNCED", {"1100": "35.00", "2200": "-35.00"}),
        (ledger.provider_fee(eur("0.77"), shares=[CapturedShare(EVENT, SUPPLIER, "Stalls", eur("38.50"))]), "PROVIDER_FEE", {"1100": "-0.77", "6100": "0.77"}),
        (ledger.payout(eur(30)), "PAYOUT", {"1000": "30.00", "1100": "-30.00"}),
        (ledger.written_off([a_seat()]), "WRITTEN_OFF", {"1200": "-20.00", "5200": "20.00"}),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)  # fmt: skip
def test_each_posting_is_what_the_table_says(entry: Entry, kind: str, expected: dict[str, str]) -> None:
    assert entry.kind == kind
    assert booked(entry) == expected
    assert entry.currency == "EUR"
    _check(entry)


@pytest.mark.parametrize(
    ("entry", "quantities"),
    [
        (ledger.delivery([a_seat(1), a_seat(2)]), {"1200": 2}),
        (ledger.sale([a_sold_ticket(1), a_sold_ticket(2)]), {"1200": -2, "4000": 2, "5000": 2}),
        (ledger.sale_reversed([a_sold_ticket()]), {"1200": 1, "4000": -1, "5000": -1}),
        (ledger.cancellation([a_cancelled_ticket()]), {"1200": 1, "4090": 1, "5000": -1}),
        (ledger.cancellation([a_cancelled_ticket()], resellable=False), {"4090": 1}),
        (ledger.written_off([a_seat(1), a_seat(2)]), {"1200": -2, "5200": 2}),
        (ledger.captured(eur(1)), {}),
    ],
)
def test_quantities_follow_the_business_and_not_the_sides(entry: Entry, quantities: dict[str, int]) -> None:
    assert counted(entry) == quantities


def test_legs_are_one_per_event_supplier_and_section() -> None:
    seats = [
        a_seat(1),
        a_seat(2),
        a_seat(3, section="Box"),
        a_seat(4, event=OTHER_EVENT),
        a_seat(5, supplier=OTHER_SUPPLIER),
    ]

    entry = ledger.delivery(seats)

    assert entry.legs == (
        Leg(Account.TICKET_INVENTORY, Decimal("20.00"), EVENT, SUPPLIER, "Box", 1),
        Leg(Account.TICKET_INVENTORY, Decimal("40.00"), EVENT, SUPPLIER, "Stalls", 2),
        Leg(Account.TICKET_INVENTORY, Decimal("20.00"), EVENT, OTHER_SUPPLIER, "Stalls", 1),
        Leg(Account.TICKET_INVENTORY, Decimal("20.00"), OTHER_EVENT, SUPPLIER, "Stalls", 1),
        Leg(Account.GOODS_RECEIVED_NOT_BILLED, Decimal("-80.00"), supplier_id=SUPPLIER),
        Leg(Account.GOODS_RECEIVED_NOT_BILLED, Decimal("-20.00"), supplier_id=OTHER_SUPPLIER),
    )
    _check(entry)


def test_a_free_ticket_is_still_counted() -> None:
    entry = ledger.sale([a_sold_ticket(price="0", fee="0", cost="0")])

    assert counted(entry) == {"1200": -1, "4000": 1, "5000": 1}
    assert {leg.account.code for leg in entry.legs} == {"1200", "4000", "5000"}


def test_a_provider_fee_follows_what_was_captured() -> None:
    shares = [CapturedShare(EVENT, SUPPLIER, "Box", eur(100)), CapturedShare(EVENT, SUPPLIER, "Stalls", eur(50))]

    entry = ledger.provider_fee(eur("1.00"), shares=shares)

    assert [(leg.section, leg.amount) for leg in entry.legs if leg.account == Account.PROVIDER_FEES] == [
        ("Box", Decimal("0.67")),
        ("Stalls", Decimal("0.33")),
    ]


@pytest.mark.parametrize("build", [ledger.delivery, ledger.sale, ledger.cancellation, ledger.written_off])
def test_an_entry_about_no_seats_is_refused(build: Callable[[list[object]], Entry]) -> None:
    with pytest.raises(Unbalanced):
        build([])


def test_an_entry_in_two_currencies_is_refused() -> None:
    dollars = Lot((UUID(int=9),), EVENT, SUPPLIER, "Stalls", Money.of("20.00", "USD"))

    with pytest.raises(Unbalanced, match="one currency"):
        ledger.delivery([a_seat(), dollars])


def test_legs_that_do_not_sum_to_zero_are_refused() -> None:
    with pytest.raises(Unbalanced, match="sum to zero"):
        ledger._entry(EntryKind.SALE, "EUR", [Leg(Account.BANK, Decimal("0.01"))])


CENTS = st.integers(0, 20_000).map(lambda cents: eur(Decimal(cents).scaleb(-2)))
PLACES = st.tuples(
    st.sampled_from([EVENT, OTHER_EVENT]),
    st.sampled_from([SUPPLIER, OTHER_SUPPLIER]),
    st.sampled_from(["Stalls", "Box"]),
)


@st.composite
def sold_tickets(draw: st.DrawFn) -> list[SoldTicket]:
    count = draw(st.integers(1, 12))
    return [
        SoldTicket(UUID(int=n), *draw(PLACES), draw(CENTS), draw(CENTS), draw(CENTS), draw(CENTS), draw(CENTS))
        for n in range(count)
    ]


@given(sold_tickets())
def test_any_sale_balances_ties_to_its_seats_and_reverses_to_nothing(tickets: list[SoldTicket]) -> None:
    entry = ledger.sale(tickets)
    back = ledger.reversal(entry)

    _check(entry)
    _check(back)
    assert back.kind == EntryKind.REVERSAL
    assert ledger.reversal(back, kind=EntryKind.SALE) == entry
    assert {code: -Decimal(amount) for code, amount in booked(entry).items()} == {
        code: Decimal(amount) for code, amount in booked(back).items()
    }


@given(sold_tickets(), st.data())
def test_any_cancellation_balances_and_gives_the_seats_back_at_their_cost(
    tickets: list[SoldTicket], data: st.DataObject
) -> None:
    cancelled = [
        CancelledTicket(t.event_seat_id, t.event_id, t.supplier_id, t.section, t.price, t.discount, t.cost, data.draw(CENTS), data.draw(CENTS), data.draw(CENTS))
        for t in tickets
    ]  # fmt: skip

    entry = ledger.cancellation(cancelled)

    _check(entry)
    sold, back = booked(ledger.sale(tickets)), booked(entry)
    assert Decimal(sold.get("1200", 0)) == -Decimal(back.get("1200", 0))
    assert Decimal(sold.get("5000", 0)) == -Decimal(back.get("5000", 0))


def test_ten_thousand_seats_are_one_quick_entry() -> None:
    seats = [a_seat(number, section=str(number % 10)) for number in range(10_000)]
    start = time.perf_counter()

    entry = ledger.delivery(seats)

    assert time.perf_counter() - start < 1
    assert (len(entry.legs), len(entry.moves)) == (11, 10_000)


def test_every_account_has_a_code_and_a_label() -> None:
    assert Account("1200") is Account.TICKET_INVENTORY
    assert Account.TICKET_INVENTORY.label == "Ticket inventory"
    assert [account.code for account in Account] == sorted(account.code for account in Account)
    assert all(account.label and len(account.code) == 4 for account in Account)


def _check(entry: Entry) -> None:
    """Sums to zero, no leg that says nothing, one leg per dimension, and the seats behind 1200, 5000 and 5200 tie."""
    places = [(leg.account, leg.event_id, leg.supplier_id, leg.section) for leg in entry.legs]
    assert sum(leg.amount for leg in entry.legs) == 0
    assert all(leg.amount or leg.quantity for leg in entry.legs)
    assert len(set(places)) == len(places)
    assert _sums(
        (
            m.account,
            m.event_id,
            m.supplier_id,
            m.section,
            m.quantity * m.cost * len(m.event_seat_ids),
            m.quantity * len(m.event_seat_ids),
        )
        for m in entry.moves
    ) == _sums(
        (leg.account, leg.event_id, leg.supplier_id, leg.section, leg.amount, leg.quantity)
        for leg in entry.legs
        if leg.account in SEAT_ACCOUNTS
    )


def _sums(
    items: Iterable[tuple[Account, UUID | None, UUID | None, str | None, Decimal, int]],
) -> dict[tuple[object, ...], tuple[Decimal, int]]:
    sums: dict[tuple[object, ...], tuple[Decimal, int]] = {}
    for *place, amount, quantity in items:
        before = sums.get(tuple(place), (Decimal(0), 0))
        sums[tuple(place)] = (before[0] + amount, before[1] + quantity)
    return {place: total for place, total in sums.items() if any(total)}
