"""The profit report tells what the books say at a moment, to the cent, and says it again whatever happens later."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from db import labels, reports
from db.reports import GroupBy
from db.stretches import Scope
from db.transaction import Database, Tx
from domain import ledger as postings
from domain.ledger import CapturedShare
from domain.money import Money
from reports import profit, revenue, trial_balance, valuation
from reports.tables import Report, to_csv, to_json
from tests.makers.access import Agency
from tests.makers.books import Place, a_place, at, buy, cancel, post, scope, sell, write_off

MARCH, APRIL = at("2026-03-31T21:59"), at("2026-04-30T21:59")
GROUPS: tuple[GroupBy, ...] = ("event", "supplier", "section")


@pytest.fixture
def tx(database: Database, tenant: Agency) -> Iterator[Tx]:
    """The agency's books, as one long day of posting."""
    with database.transaction(tenant.id) as opened:
        yield opened


def a_resold_seat(tx: Tx) -> Place:
    """The check of accounting.md C: sold on 30 March, cancelled on 2 April, sold again on 9 April."""
    place = a_place(tx)
    buy(tx, place, on=at("2026-03-01T12:00"))
    sell(tx, place, on=at("2026-03-30T12:00"))
    cancel(tx, place, on=at("2026-04-02T12:00"))
    sell(tx, place, on=at("2026-04-09T12:00"))
    return place


def row(report: Report, number: int = 0) -> dict[str, Any]:
    return dict(zip((column.name for column in report.columns), report.rows[number], strict=True))


def figures(report: Report, *names: str) -> dict[str, Any]:
    return {name: report.totals[name] for name in names}


def balance(tx: Tx, code: str, when: datetime) -> Decimal:
    rows = trial_balance.read(tx, scope(when)).rows
    return sum((Decimal(str(row[5])) for row in rows if row[0] == code), Decimal(0))


def test_a_cancellation_in_april_never_changes_march(tx: Tx) -> None:
    a_resold_seat(tx)

    told = profit.read(tx, scope(MARCH))

    assert figures(told, "tickets_sold", "tickets_refunded", "gross_sales", "refunds", "fees", "cost_of_sales") == {
        "tickets_sold": 1,
        "tickets_refunded": 0,
        "gross_sales": Decimal("35.00"),
        "refunds": Decimal("0.00"),
        "fees": Decimal("3.50"),
        "cost_of_sales": Decimal("20.00"),
    }


def test_a_seat_sold_again_counts_again_and_its_kept_fee_stays(tx: Tx) -> None:
    a_resold_seat(tx)

    told = profit.read(tx, scope(APRIL))

    assert row(told) == {
        "key": row(told)["key"],
        "label": "Faust",
        "tickets_sold": 2,
        "tickets_refunded": 1,
        "gross_sales": Decimal("70.00"),
        "discounts": Decimal("0.00"),
        "refunds": Decimal("35.00"),
        "net_revenue": Decimal("35.00"),
        "fees": Decimal("7.00"),
        "cancellation_income": Decimal("0.00"),
        "cost_of_sales": Decimal("20.00"),
        "gross_profit": Decimal("15.00"),
        "margin": Decimal("0.4286"),
        "markup": Decimal("0.7500"),
        "unsold_seats": 0,
        "unsold_cost": Decimal("0.00"),
        "written_off_seats": 0,
        "written_off_cost": Decimal("0.00"),
        "provider_fees": Decimal("0.00"),
        "contribution": Decimal("22.00"),
    }


def test_days_bound_what_happened_and_never_what_is_in_stock(tx: Tx) -> None:
    place = a_resold_seat(tx)
    buy(tx, place.another(), on=at("2026-03-01T12:00"))

    told = profit.read(tx, scope(APRIL, from_date=date(2026, 4, 1), to_date=date(2026, 4, 5)))

    wanted = ("tickets_sold", "tickets_refunded", "net_revenue", "unsold_seats", "unsold_cost")
    assert figures(told, *wanted) == {
        "tickets_sold": 0,
        "tickets_refunded": 1,
        "net_revenue": Decimal("-35.00"),
        "unsold_seats": 1,
        "unsold_cost": Decimal("20.00"),
    }


def test_a_day_is_the_agencys_day(tx: Tx) -> None:
    place = a_place(tx)
    buy(tx, place, on=at("2026-03-01T12:00"))
    sell(tx, place, on=at("2026-03-31T22:30"))

    in_march = profit.read(tx, scope(APRIL, to_date=date(2026, 3, 31)))
    in_april = profit.read(tx, scope(APRIL, from_date=date(2026, 4, 1)))

    assert (in_march.totals["tickets_sold"], in_april.totals["tickets_sold"]) == (0, 1)


def test_a_late_entry_is_not_known_before_it_was_recorded(tx: Tx) -> None:
    before = reports.database_now(tx)
    a_resold_seat(tx)

    told = profit.read(tx, scope(APRIL, known_at=before))

    assert (told.rows, told.totals["gross_sales"]) == ((), Decimal("0.00"))


def test_ratios_have_no_value_without_a_denominator(tx: Tx) -> None:
    place = a_place(tx)
    buy(tx, place, on=at("2026-03-01T12:00"))

    told = row(profit.read(tx, scope(MARCH)))

    assert (told["margin"], told["markup"], told["unsold_seats"]) == (None, None, 1)


def test_groups_that_say_nothing_are_left_out(tx: Tx) -> None:
    place = a_place(tx, title="Sold out and over")
    buy(tx, place, on=at("2026-03-01T12:00"))
    buy(tx, a_place(tx, title="Still to come"), on=at("2026-04-01T12:00"))

    told = profit.read(tx, scope(MARCH))

    assert [line[1] for line in told.rows] == ["Sold out and over"]


def test_rows_stand_in_the_order_people_read(tx: Tx) -> None:
    for title in ("Show 10", "Show 2", "Ärger", "Zorn"):
        buy(tx, a_place(tx, title=title), on=at("2026-03-01T12:00"))

    told = profit.read(tx, scope(MARCH))

    assert [line[1] for line in told.rows] == ["Ärger", "Show 2", "Show 10", "Zorn"]


def test_one_event_can_be_looked_at_alone(tx: Tx) -> None:
    place = a_resold_seat(tx)
    buy(tx, a_place(tx, title="Carmen"), on=at("2026-03-01T12:00"))

    told = profit.read(tx, scope(APRIL, event_id=place.event_id), group_by="section")

    assert ([line[1] for line in told.rows], told.parameters) == (["Parkett"], (("Event", "Faust"),))


def test_what_was_kept_of_a_price_is_income_of_its_own(tx: Tx) -> None:
    place = a_place(tx)
    buy(tx, place, on=at("2026-03-01T12:00"))
    sell(tx, place, on=at("2026-03-02T12:00"))
    cancel(tx, place, on=at("2026-03-03T12:00"), refund=Decimal("25.00"))

    told = figures(profit.read(tx, scope(MARCH)), "refunds", "net_revenue", "cancellation_income", "contribution")

    assert told == {
        "refunds": Decimal("35.00"),
        "net_revenue": Decimal("0.00"),
        "cancellation_income": Decimal("10.00"),
        "contribution": Decimal("13.50"),
    }


def test_provider_fees_and_write_offs_lower_the_contribution(tx: Tx) -> None:
    place = a_place(tx)
    neighbour = place.another()
    for seat in (place, neighbour):
        buy(tx, seat, on=at("2026-03-01T12:00"))
    sell(tx, place, on=at("2026-03-02T12:00"))
    write_off(tx, neighbour, on=at("2026-03-20T12:00"))
    share = CapturedShare(place.event_id, place.supplier_id, place.section, Money(Decimal("38.50"), "EUR"))
    post(tx, postings.provider_fee(Money(Decimal("0.90"), "EUR"), shares=[share]), on=at("2026-03-21T12:00"))

    told = row(profit.read(tx, scope(MARCH)))

    assert (told["written_off_seats"], told["written_off_cost"], told["provider_fees"], told["contribution"]) == (
        1,
        Decimal("20.00"),
        Decimal("0.90"),
        Decimal("-2.40"),
    )


def test_a_report_of_the_past_uses_the_names_of_the_past(tx: Tx) -> None:
    place = a_resold_seat(tx)
    renamed = reports.database_now(tx)
    labels.name(tx, object="event", subject_id=place.event_id, label="Faust II")
    labels.name(tx, object="supplier", subject_id=place.supplier_id, label="Theater SE")

    before = [profit.read(tx, scope(renamed), group_by=group).rows[0][1] for group in GROUPS]
    after = [profit.read(tx, scope(reports.database_now(tx)), group_by=group).rows[0][1] for group in GROUPS]

    assert (before, after) == (["Faust", "Theater AG", "Parkett"], ["Faust II", "Theater SE", "Parkett"])


def test_the_same_moment_gives_the_same_bytes_whatever_happens_later(database: Database, tenant: Agency) -> None:
    with database.transaction(tenant.id) as tx:
        place = a_resold_seat(tx)
    with database.transaction(tenant.id) as tx:
        moment = reports.database_now(tx)
        asked = scope(moment, known_at=moment)
        before = [(to_json(read), to_csv(read)) for read in every_report(tx, asked)]

    with database.transaction(tenant.id) as tx:
        labels.name(tx, object="event", subject_id=place.event_id, label="Faust II")
        cancel(tx, place, on=at("2026-04-10T12:00"))
        buy(tx, a_place(tx, title="Backdated"), on=at("2026-01-10T12:00"))

    with database.transaction(tenant.id) as tx:
        assert [(to_json(read), to_csv(read)) for read in every_report(tx, asked)] == before


def every_report(tx: Tx, asked: Scope) -> list[Report]:
    grouped = [
        read(tx, asked, group_by=group) for read in (profit.read, revenue.read, valuation.read) for group in GROUPS
    ]
    return [*grouped, trial_balance.read(tx, asked)]


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(st.tuples(st.integers(1, 28), st.sampled_from(["buy", "sell", "cancel", "write off"])), max_size=25),
    st.integers(1, 31),
)
def test_totals_equal_the_accounts_at_any_moment(
    database: Database, tenant: Agency, days: list[tuple[int, str]], day: int
) -> None:
    moment = at(f"2026-03-{day:02d}T12:30")
    with database.transaction(tenant.id) as tx:
        tx.keep = False
        trade(tx, sorted(days))

        told = profit.read(tx, scope(moment)).totals

        accounts = {
            "gross_sales": -balance(tx, "4000", moment),
            "discounts": balance(tx, "4080", moment),
            "refunds": balance(tx, "4090", moment),
            "fees": -balance(tx, "4100", moment),
            "cancellation_income": -balance(tx, "4200", moment),
            "cost_of_sales": balance(tx, "5000", moment),
            "unsold_cost": balance(tx, "1200", moment),
            "written_off_cost": balance(tx, "5200", moment),
        }
        assert {name: told[name] for name in accounts} == accounts


def trade(tx: Tx, days: list[tuple[int, str]]) -> None:
    """Whatever the days ask for, as far as it is possible: nothing is sold that is not in stock."""
    first, stock, sold = a_place(tx), list[Place](), list[Place]()
    for day, verb in days:
        on = at(f"2026-03-{day:02d}T12:00")
        if verb == "buy":
            stock.append(first.another())
            buy(tx, stock[-1], on=on)
        elif verb == "sell" and stock:
            sold.append(stock.pop())
            sell(tx, sold[-1], on=on, discount=Decimal("1.25"))
        elif verb == "cancel" and sold:
            stock.append(sold.pop())
            cancel(tx, stock[-1], on=on, refund=Decimal("20.00"))
        elif verb == "write off" and stock:
            write_off(tx, stock.pop(), on=on)


def test_an_answer_waits_for_who_is_posting_at_its_moment(database: Database, tenant: Agency) -> None:
    posted, seen = threading.Event(), list[int]()
    with database.transaction(tenant.id) as writing:
        a_resold_seat(writing)
        moment = reports.database_now(writing)
        reader = threading.Thread(target=lambda: seen.append(rows_at(database, tenant.id, moment, posted)))
        reader.start()
        assert not posted.wait(0.4), "the reader did not wait"

    assert posted.wait(5)
    reader.join()
    assert seen == [1]


def test_an_answer_waits_for_who_is_naming_things_at_its_moment(database: Database, tenant: Agency) -> None:
    with database.transaction(tenant.id) as tx:
        place = a_resold_seat(tx)
    done, seen = threading.Event(), list[str]()
    with database.transaction(tenant.id) as writing:
        labels.name(writing, object="event", subject_id=place.event_id, label="Faust II")
        moment = reports.database_now(writing)
        reader = threading.Thread(target=lambda: seen.extend(names_at(database, tenant.id, moment, done)))
        reader.start()
        assert not done.wait(0.4), "the reader did not wait"

    assert done.wait(5)
    reader.join()
    assert seen == ["Faust II"]


def test_an_answer_for_long_ago_waits_for_nobody(database: Database, tenant: Agency) -> None:
    posted = threading.Event()
    moment = datetime.now(UTC) - reports.QUIET - timedelta(seconds=1)
    with database.transaction(tenant.id) as writing:
        a_resold_seat(writing)

        assert rows_at(database, tenant.id, moment, posted) == 0


def test_whoever_has_read_holds_nobody_up(database: Database, tenant: Agency) -> None:
    with database.transaction(tenant.id) as reading:
        profit.read(reading, scope(reports.database_now(reading)))

        with database.transaction(tenant.id) as writing:
            writing.run("SET LOCAL lock_timeout = '300ms'")
            a_resold_seat(writing)


def names_at(database: Database, tenant_id: UUID, moment: datetime, done: threading.Event) -> list[str]:
    with database.transaction(tenant_id) as tx:
        found = [str(line[1]) for line in profit.read(tx, scope(moment, known_at=moment)).rows]
    done.set()
    return found


def rows_at(database: Database, tenant_id: UUID, moment: datetime, done: threading.Event) -> int:
    return len(names_at(database, tenant_id, moment, done))
