"""/api/bookings from outside: shapes, refusals in their order, replays, quotes and cancellations to the cent."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import psycopg
import pytest

from db.ids import new_id
from db.transaction import Database, Opened, Params
from tests.makers.access import Agency
from tests.makers.callers import Caller, faults, refusal
from tests.makers.counter import Counter, a_counter
from tests.makers.selling import Shop, a_shop, declined

FIELDS = {
    *("id", "booking_number", "event_id", "customer_id", "status", "payment_status", "reserved_until", "ticket_count"),
    *("subtotal", "discount_amount", "service_fee", "tax_amount", "total_amount", "tickets", "can"),
}
TICKET_FIELDS = {"id", "ticket_number", "status", "event_seat_id", "section", "row", "seat_number", "price"}
EUR = "EUR"


@pytest.fixture
def shop(database: Database, tenant: Agency) -> Shop:
    return a_shop(database, tenant)


@pytest.fixture
def counter(boxoffice: Caller, shop: Shop) -> Counter:
    return a_counter(boxoffice, shop)


def eur(amount: str) -> dict[str, str]:
    return {"amount": amount, "currency": EUR}


# Reserving


def test_a_reservation_answers_with_everything_a_client_needs(counter: Counter) -> None:
    answer = counter.ask(2, 1)

    made = answer.json()
    assert answer.status_code == 201
    assert set(made) >= FIELDS
    assert (made["status"], made["payment_status"], made["ticket_count"]) == ("RESERVED", "PENDING", 2)
    assert (made["subtotal"], made["service_fee"], made["total_amount"]) == (eur("70.00"), eur("7.00"), eur("77.00"))
    assert made["discount_amount"] == made["tax_amount"] == eur("0.00")
    assert made["can"] == ["pay", "release"]
    left = datetime.fromisoformat(made["reserved_until"]) - datetime.fromisoformat(made["created_at"])
    assert left == timedelta(minutes=15)
    assert [ticket["seat_number"] for ticket in made["tickets"]] == ["1", "2"]
    assert all(set(ticket) >= TICKET_FIELDS for ticket in made["tickets"])
    assert {ticket["status"] for ticket in made["tickets"]} == {"RESERVED"}
    assert {ticket["barcode"] for ticket in made["tickets"]} == {None}


def test_a_booking_reads_as_it_was_answered_by_id_and_by_number(counter: Counter) -> None:
    made = counter.reserved(1, 2)

    assert counter.read(made) == made
    assert counter.caller.read(f"/api/bookings/{made['booking_number']}") == made
    tickets = counter.caller.read(f"/api/bookings/{made['id']}/tickets")
    assert (tickets["data"], tickets["has_more"]) == (made["tickets"], False)


def test_what_a_booking_holds_is_read_page_by_page_too(counter: Counter) -> None:
    sold = counter.sold(1, 2, 3)

    for name in ("tickets", "history", "refunds"):
        path = f"/api/bookings/{sold['id']}/{name}"
        whole = counter.caller.read(path)["data"]
        assert counter.caller.everything(path, limit=1) == counter.caller.everything(path, limit=2) == whole
        assert refusal(counter.caller.get(f"{path}?after=bm9uc2Vuc2U")) == (422, "invalid")


def test_a_page_of_a_history_goes_on_where_it_ended_though_something_has_happened_since(counter: Counter) -> None:
    sold = counter.sold(1, 2)
    path = f"/api/bookings/{sold['id']}/history"
    whole = counter.caller.read(path)["data"]
    first = counter.caller.read(f"{path}?limit=1")
    counter.given_up(counter.caller.delete(f"/api/bookings/{sold['id']}?reason=CUSTOMER_REQUEST"))

    rest = counter.caller.read(f"{path}?after={first['next']}")

    assert [*first["data"], *rest["data"]] == whole
    assert len(counter.caller.read(path)["data"]) > len(whole)


def test_the_code_of_a_ticket_is_hidden_until_it_is_confirmed(counter: Counter) -> None:
    waiting = counter.reserved(1)
    sold = counter.sold(2)

    assert waiting["tickets"][0]["barcode"] is None
    assert len(sold["tickets"][0]["barcode"]) == 25
    assert sold["tickets"][0]["confirmed_at"] is not None
    assert (sold["status"], sold["payment_status"], sold["can"]) == ("CONFIRMED", "COMPLETED", ["cancel"])


def test_lost_seats_are_named_beside_those_that_are_left(counter: Counter) -> None:
    counter.reserved(2)

    answer = counter.ask(1, 2, 3)

    assert refusal(answer) == (409, "seats_unavailable")
    assert answer.json()["unavailable"] == [str(seat_id) for seat_id in counter.shop.seats(2)]
    assert answer.json()["still_available"] == [str(seat_id) for seat_id in counter.shop.seats(1, 3)]


def test_a_basket_is_of_one_to_fifty_different_seats(counter: Counter) -> None:
    none, twice = counter.ask(), counter.ask(1, 2, 1)
    many = counter.caller.post(
        "/api/bookings",
        {"customer_id": counter.customer_id, "event_id": str(new_id()), "seats": [str(new_id()) for _ in range(51)]},
    )

    assert refusal(none) == refusal(many) == (422, "invalid")
    assert refusal(twice) == (422, "duplicate_seat")
    assert faults(twice) == [("/seats/2", "duplicate_seat")]


def test_unknown_ids_point_at_their_fields(counter: Counter) -> None:
    answer = counter.caller.post(
        "/api/bookings",
        {"customer_id": str(new_id()), "event_id": str(counter.shop.stock.event_id), "seats": [str(new_id())]},
    )

    assert refusal(answer) == (422, "unknown_id")
    assert faults(answer) == [("/customer_id", "unknown_id"), ("/seats/0", "unknown_id")]


def test_a_closed_sale_and_a_seat_without_a_price_are_refused(counter: Counter, owner: Caller) -> None:
    with counter.shop.tx() as tx:
        tx.run("UPDATE event_seats SET retail_price = NULL WHERE id = %s", counter.shop.seats(1))

    assert refusal(counter.ask(1)) == (409, "no_price")

    owner.made(f"/api/events/{counter.shop.stock.event_id}/close-sales")
    assert refusal(counter.ask(2)) == (409, "not_on_sale")


def test_only_who_may_sell_sells_and_others_see_nothing(
    counter: Counter, finance: Caller, buyer: Caller, stranger: Caller, anonymous: Caller
) -> None:
    booking = counter.reserved(1)
    body = {
        "customer_id": counter.customer_id,
        "event_id": str(counter.shop.stock.event_id),
        "seats": [str(seat_id) for seat_id in counter.shop.seats(2)],
    }

    assert refusal(anonymous.post("/api/bookings", body)) == (401, "unauthenticated")
    assert refusal(finance.post("/api/bookings", body)) == (403, "forbidden")
    assert refusal(buyer.get(f"/api/bookings/{booking['id']}")) == (403, "forbidden")
    assert refusal(stranger.post("/api/bookings", body)) == (422, "unknown_id")
    assert finance.read(f"/api/bookings/{booking['id']}")["id"] == booking["id"]
    for path in ("", "/tickets", "/summary", "/history", "/refunds"):
        assert refusal(stranger.get(f"/api/bookings/{booking['id']}{path}")) == (404, "not_found")
        assert refusal(stranger.get(f"/api/bookings/{booking['booking_number']}{path}")) == (404, "not_found")
    assert refusal(stranger.delete(f"/api/bookings/{booking['id']}")) == (404, "not_found")


def test_strange_fields_and_parameters_are_refused(counter: Counter) -> None:
    body = {"customer_id": counter.customer_id, "event_id": str(new_id()), "seats": [str(new_id())], "price": "1"}

    assert refusal(counter.caller.post("/api/bookings", body)) == (422, "unknown_field")
    assert refusal(counter.caller.get("/api/bookings?colour=red")) == (400, "unknown_parameter")


def test_a_list_of_bookings_is_newest_first_and_asked_by_state_event_customer_and_number(counter: Counter) -> None:
    first, second, third = counter.reserved(1), counter.sold(2), counter.reserved(3)

    def found(query: str) -> list[str]:
        return [row["id"] for row in counter.caller.everything(f"/api/bookings{query}", limit=1)]

    assert found("") == [third["id"], second["id"], first["id"]]
    assert found("?status=CONFIRMED") == [second["id"]]
    assert found("?status=CONFIRMED&status=RESERVED") == [third["id"], second["id"], first["id"]]
    assert found(f"?event_id={new_id()}") == []
    assert found(f"?q={first['booking_number'][-6:].lower()}") == [first["id"]]
    assert found("?q=%25") == found("?q=_") == found("?q=%5C") == []
    assert found(f"/customer/{counter.customer_id}") == [third["id"], second["id"], first["id"]]


# Once


def test_twenty_callers_with_one_key_make_one_booking(counter: Counter) -> None:
    barrier = threading.Barrier(20)

    def ask(_: int) -> Any:
        barrier.wait(timeout=30)
        return counter.ask(1, headers={"Idempotency-Key": "basket-1"})

    with ThreadPoolExecutor(20) as pool:
        answers = list(pool.map(ask, range(20)))

    made = [answer for answer in answers if answer.status_code == 201]
    assert len({answer.text for answer in made}) == 1
    assert {refusal(answer) for answer in answers if answer.status_code != 201} <= {(409, "request_in_progress")}
    assert sum("Idempotent-Replayed" not in answer.headers for answer in made) == 1
    assert len(counter.caller.everything("/api/bookings")) == 1


def test_a_key_gives_the_first_answer_again_and_serves_for_nothing_else(counter: Counter, owner: Caller) -> None:
    key = {"Idempotency-Key": "basket-2"}
    first = counter.ask(1, headers=key)

    again, other, anew = counter.ask(1, headers=key), counter.ask(2, headers=key), counter.ask(1)

    assert (again.status_code, again.text) == (201, first.text)
    assert again.headers["Idempotent-Replayed"] == "true"
    assert refusal(other) == (422, "idempotency_key_reused")
    assert refusal(anew) == (409, "seats_unavailable")
    assert Counter(owner, counter.shop, counter.customer_id).ask(2, headers=key).status_code == 201


def test_a_refusal_is_not_remembered(counter: Counter) -> None:
    key = {"Idempotency-Key": "basket-3"}
    blocking = counter.reserved(1)
    assert refusal(counter.ask(1, headers=key)) == (409, "seats_unavailable")

    counter.given_up(counter.caller.delete(f"/api/bookings/{blocking['id']}"))

    assert counter.ask(1, headers=key).status_code == 201


# Letting go


def test_an_unpaid_booking_is_released_by_an_operation(counter: Counter) -> None:
    booking = counter.reserved(1, 2)

    answer = counter.caller.delete(f"/api/bookings/{booking['id']}?reason=DUPLICATE")

    asked = answer.json()
    assert answer.status_code == 202
    assert answer.headers["Location"] == f"/api/operations/{asked['id']}"
    assert (asked["object"], asked["kind"], asked["status"]) == ("operation", "booking.cancel", "queued")
    assert asked["subject"]["number"] == booking["booking_number"]

    done = counter.given_up(answer)

    found = counter.read(booking)
    assert done["result"] == {"booking_id": booking["id"], "status": "CANCELLED", "seats_released": 2}
    assert (found["status"], found["cancellation_reason"], found["can"]) == ("CANCELLED", "DUPLICATE", [])
    assert counter.summary(booking)["balance"] == "0.00"
    assert refusal(counter.caller.delete(f"/api/bookings/{booking['id']}")) == (409, "wrong_state")


def test_a_release_can_be_looked_at_first(counter: Counter) -> None:
    booking = counter.reserved(1)

    answer = counter.caller.delete(f"/api/bookings/{booking['id']}?preview=true")

    assert answer.status_code == 200
    assert (answer.json()["refund_total"], answer.json()["lines"][0]["refund"]) == (eur("0.00"), eur("0.00"))
    assert counter.read(booking) == booking

    counter.pay(booking)
    for preview in ("?preview=true", ""):
        refused = counter.caller.delete(f"/api/bookings/{booking['id']}{preview}")
        assert refusal(refused) == (409, "payment_in_progress")


@pytest.mark.parametrize("reason", ["EXPIRED", "PAYMENT_FAILED", "BOREDOM"])
def test_people_may_not_give_the_clocks_or_the_providers_reasons(counter: Counter, reason: str) -> None:
    booking = counter.reserved(1)

    assert refusal(counter.caller.delete(f"/api/bookings/{booking['id']}?reason={reason}")) == (422, "invalid")


def test_a_reservation_whose_time_is_over_reads_expired(counter: Counter) -> None:
    booking = counter.reserved(1)
    counter.shop.lapse(UUID(booking["id"]))
    counter.shop.expire(UUID(booking["id"]))

    found = counter.read(booking)
    assert (found["status"], found["cancellation_reason"], found["payment_status"]) == (
        "CANCELLED",
        "EXPIRED",
        "PENDING",
    )
    assert found["cancelled_at"] is not None
    assert counter.summary(booking)["balance"] == "0.00"


def test_a_declined_card_leaves_the_booking_as_it_was(counter: Counter) -> None:
    booking = counter.reserved(1)

    counter.taken(counter.pay(booking), said=declined())

    assert counter.read(booking) == booking


# The hot path


def test_reserving_speaks_to_the_database_three_times_after_it_began(
    counter: Counter, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    file = tmp_path / "trace"
    with traced(monkeypatch, file):
        counter.reserved(1, 2, 3)

    spoken = [line for line in file.read_text().splitlines() if "\tSync" in line or "\tQuery\t" in line]
    assert len(spoken) == 3  # read the basket; take it; COMMIT


@contextmanager
def traced(monkeypatch: pytest.MonkeyPatch, file: Path) -> Iterator[None]:
    """Writes down what goes over the wire between the opening and the end of every transaction meanwhile."""
    fresh, give_back = Database._fresh, Database._give_back

    def watched(database: Database, opening: str, params: Params) -> Opened:
        opened = fresh(database, opening, params)
        connection = opened.connection
        connection.prepare_threshold = None  # A statement met often is prepared, which is one more, once.
        connection.pgconn.trace(trace.fileno())
        return opened

    def released(database: Database, connection: psycopg.Connection[Any]) -> None:
        connection.pgconn.untrace()
        give_back(database, connection)

    with file.open("w") as trace, monkeypatch.context() as patches:
        patches.setattr(Database, "_fresh", watched)
        patches.setattr(Database, "_give_back", released)
        yield
