"""The outbox: what is written with a change is handed out once at a time until somebody has taken it."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from db import history, operations, outbox
from db.ids import new_id
from db.outbox import Message
from db.transaction import Database
from tests import ground
from tests.makers.access import Agency, an_agency

LEASE = timedelta(seconds=30)
AN_ID = UUID("01a21c0b-baab-7715-8ead-b4ff9e4464f9")


@pytest.fixture(scope="module")
def quiet(worker_name: str) -> Iterator[Database]:
    """A database of its own: the queue is everybody's, and here nobody else puts anything into it."""
    with ground.clone(f"{worker_name}_outbox") as clone, Database(clone.app_url, size=8) as database:
        yield database


@pytest.fixture
def agency(quiet: Database) -> Agency:
    return an_agency(quiet)


def put(database: Database, agency: Agency, key: str) -> None:
    with database.transaction(agency.id) as tx:
        outbox.put(tx, kind="MAIL", key=key, payload={"letter": key})


def due(database: Database, agency: Agency) -> list[UUID]:
    return outbox.due(database, most=1000).get(agency.id, [])


def claim(database: Database, agency: Agency, *, lease: timedelta = LEASE) -> list[Message]:
    with database.transaction(agency.id) as tx:
        return outbox.claim(tx, due(database, agency), lease=lease)


def test_a_message_is_due_once_its_change_is_kept(quiet: Database, agency: Agency) -> None:
    with quiet.transaction(agency.id) as tx:
        outbox.mail(tx, key="receipt 1", letter="receipt", subject_id=new_id(), to="ada@example.org")
        assert due(quiet, agency) == []

    found = claim(quiet, agency)

    assert [(message.kind, message.key, message.attempts) for message in found] == [("MAIL", "mail receipt 1", 1)]
    assert found[0].payload["to"] == "ada@example.org"


def test_a_message_of_a_change_that_failed_was_never_there(quiet: Database, agency: Agency) -> None:
    def fail() -> None:
        with quiet.transaction(agency.id) as tx:
            outbox.put(tx, kind="MAIL", key="never", payload={})
            raise ArithmeticError

    with pytest.raises(ArithmeticError):
        fail()

    assert due(quiet, agency) == []


def test_the_same_key_is_one_message(quiet: Database, agency: Agency) -> None:
    for _ in range(3):
        put(quiet, agency, "once")

    assert len(claim(quiet, agency)) == 1


def test_two_agencies_may_use_the_same_key(quiet: Database, agency: Agency) -> None:
    other = an_agency(quiet, name="Harbour")
    put(quiet, agency, "same")
    put(quiet, other, "same")

    found = outbox.due(quiet, most=1000)

    assert (len(found[agency.id]), len(found[other.id])) == (1, 1)


def test_a_claimed_message_is_nobody_elses_until_the_lease_ends(quiet: Database, agency: Agency) -> None:
    put(quiet, agency, "leased")
    first = claim(quiet, agency, lease=timedelta(seconds=0.2))
    during = (due(quiet, agency), claim(quiet, agency))

    while not (second := claim(quiet, agency)):
        pass

    assert during == ([], [])
    assert (first[0].id, second[0].id, second[0].attempts) == (second[0].id, first[0].id, 2)


def test_a_delivered_message_is_gone(quiet: Database, agency: Agency) -> None:
    put(quiet, agency, "sent")
    message = claim(quiet, agency, lease=timedelta(0))[0]

    with quiet.transaction(agency.id) as tx:
        outbox.delivered(tx, [message])

    assert due(quiet, agency) == []


def an_operation(database: Database, agency: Agency) -> UUID:
    """Queued, with the message that carries it."""
    with database.transaction(agency.id) as tx:
        subject = operations.Subject(object="booking", id=new_id())
        operation_id = operations.open_operation(tx, kind="booking.cancel", subject=subject, payload={})
        outbox.update(tx, process="cancellation", process_id="c", argument={}, verb="cancel", operation_id=operation_id)
    return operation_id


def status(database: Database, agency: Agency, operation_id: UUID) -> str:
    with database.transaction(agency.id) as tx:
        operation = operations.find(tx, operation_id)
    assert operation is not None
    return operation.status


def test_an_operation_runs_once_its_message_is_delivered(quiet: Database, agency: Agency) -> None:
    operation_id = an_operation(quiet, agency)
    message = claim(quiet, agency)[0]

    with quiet.transaction(agency.id) as tx:
        outbox.delivered(tx, [message])

    assert status(quiet, agency, operation_id) == "running"


@pytest.mark.parametrize(
    ("kind", "key", "carries"),
    [
        ("UPDATE", f"update {AN_ID}", AN_ID),
        ("START", f"start supplier-payment/{AN_ID}", AN_ID),
        ("START", f"start document/{AN_ID}/now", None),
        ("MAIL", f"mail receipt_to_buyer {AN_ID}", None),
        ("PAPER", f"paper {AN_ID}", None),
    ],
)
def test_only_what_speaks_to_a_process_carries_an_operation(kind: str, key: str, carries: UUID | None) -> None:
    now = datetime.now(UTC)
    message = Message(tenant_id=AN_ID, id=AN_ID, kind=kind, key=key, payload={}, attempts=1, created_at=now)

    assert message.carries == carries


def test_delivering_waits_for_no_operation_that_is_being_carried_out(quiet: Database, agency: Agency) -> None:
    """Waiting for one with the others in hand is half of a deadlock."""
    held, others = an_operation(quiet, agency), [an_operation(quiet, agency) for _ in range(3)]
    messages = claim(quiet, agency)

    with quiet.transaction(agency.id) as step:
        operations.take(step, held)
        with quiet.transaction(agency.id) as tx:
            tx.run("SET LOCAL lock_timeout = '100ms'")
            outbox.delivered(tx, messages)
        operations.succeed(step, held, result={})

    assert [status(quiet, agency, one) for one in (held, *others)] == ["succeeded", *["running"] * 3]
    assert due(quiet, agency) == []


def test_a_refused_message_comes_again_after_a_while(quiet: Database, agency: Agency) -> None:
    put(quiet, agency, "later")
    message = claim(quiet, agency)[0]
    with quiet.transaction(agency.id) as tx:
        outbox.again(tx, message.id, wait=timedelta(hours=1), error="nobody answers")
    before = due(quiet, agency)

    with quiet.transaction(agency.id) as tx:
        outbox.again(tx, message.id, wait=timedelta(0), error="nobody answers")

    assert (before, due(quiet, agency)) == ([], [message.id])


def a_letter(database: Database, agency: Agency, *, about: UUID, paper: UUID) -> Message:
    with database.transaction(agency.id) as tx:
        outbox.mail(tx, key="x", letter="booking_confirmed", subject_id=about, to="ada@a.example", documents=[paper])
    return claim(database, agency, lease=timedelta(0))[0]


def given_up(database: Database, agency: Agency, letter: Message) -> None:
    with database.transaction(agency.id) as tx:
        outbox.give_up(tx, letter, error="550 no such mailbox")


def test_a_letter_refused_for_good_is_never_due_again_and_the_history_says_why(quiet: Database, agency: Agency) -> None:
    booking_id = new_id()
    letter = a_letter(quiet, agency, about=booking_id, paper=new_id())

    given_up(quiet, agency, letter)
    given_up(quiet, agency, letter)

    with quiet.transaction(agency.id) as tx:
        told = [(change.to_status, change.reason) for change in history.of(tx, booking_id)]
        kept = tx.dicts("SELECT delivered_at, last_error FROM outbox WHERE id = %s", (letter.id,))
    assert due(quiet, agency) == []
    assert told == [("letter UNDELIVERABLE", "booking_confirmed: 550 no such mailbox")]
    assert kept == [{"delivered_at": None, "last_error": "550 no such mailbox"}]


def test_a_letter_refused_for_good_is_not_woken_by_its_paper_but_goes_when_it_is_sent_again(
    quiet: Database, agency: Agency
) -> None:
    paper = new_id()
    letter = a_letter(quiet, agency, about=new_id(), paper=paper)
    given_up(quiet, agency, letter)

    with quiet.transaction(agency.id) as tx:
        outbox.wake_letters(tx, paper)
    woken = due(quiet, agency)
    with quiet.transaction(agency.id) as tx:
        outbox.send_again(tx, [letter.id])

    assert (woken, due(quiet, agency)) == ([], [letter.id])


def test_many_dispatchers_share_the_queue_without_overlap(quiet: Database, agency: Agency) -> None:
    for number in range(40):
        put(quiet, agency, f"message {number}")

    with ThreadPoolExecutor(4) as pool:
        claims = list(pool.map(lambda _: claim(quiet, agency), range(8)))

    taken = [message.id for messages in claims for message in messages]
    assert len(taken) == len(set(taken)) == 40


def test_a_process_to_start_and_one_to_update_carry_what_they_need(quiet: Database, agency: Agency) -> None:
    operation = new_id()
    at = datetime(2026, 12, 1, tzinfo=UTC)
    with quiet.transaction(agency.id) as tx:
        outbox.start(tx, process="booking", process_id="booking/1", argument={"id": 1}, starts_at=at)
        outbox.update(
            tx, process="booking", process_id="booking/1", argument={"id": 1}, verb="pay", operation_id=operation
        )

    found = {message.kind: message for message in claim(quiet, agency)}

    assert found["START"].key == "start booking/1"
    assert found["START"].payload["starts_at"] == at.isoformat()
    assert found["UPDATE"].key == f"update {operation}"
    assert found["UPDATE"].payload["verb"] == "pay"
