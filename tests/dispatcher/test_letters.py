"""The courier's letters that do not go at once: refused for good, refused for now, or with a paper whose bytes are gone."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest

from db import history
from db.transaction import Database
from dispatcher import LETTERS, Courier
from gateways.storage import FolderStorage
from settings import Settings
from tests.makers.mail import a_server_saying
from tests.makers.printing import print_all
from tests.makers.selling import Shop, authorised, refused


def a_letter(shop: Shop, *, place: int = 1) -> UUID:
    """A letter without papers, alone in the queue with its like; the booking it is about."""
    booking_id = shop.basket(place)
    payment_id = shop.pay(booking_id)
    shop.settle(payment_id, authorised())
    shop.capture(payment_id, refused("capture_refused"))
    clear_all_but(shop, "payment_failed")
    return booking_id


def a_letter_with_a_paper(shop: Shop, storage: FolderStorage) -> None:
    """Alone in the queue; its paper is made."""
    shop.sold(1)
    clear_all_but(shop, "booking_confirmed")
    print_all(shop.database, shop.tenant_id, storage)


def clear_all_but(shop: Shop, letter: str) -> None:
    with shop.tx() as tx:
        tx.run(
            "UPDATE outbox SET delivered_at = now() WHERE delivered_at IS NULL AND payload ->> 'letter' IS DISTINCT FROM %s",
            (letter,),
        )


def undelivered(shop: Shop, kind: str = "MAIL") -> list[dict[str, Any]]:
    with shop.tx() as tx:
        found: list[dict[str, Any]] = tx.dicts(
            """SELECT attempts, last_error, next_at = 'infinity' AS given_up FROM outbox
               WHERE delivered_at IS NULL AND kind = %s""",
            (kind,),
        )
        return found


def make_due(shop: Shop) -> None:
    """As if its wait were over; what waits for nothing stays as it is."""
    with shop.tx() as tx:
        tx.run("UPDATE outbox SET next_at = now() WHERE next_at < 'infinity'")


def told(shop: Shop, booking_id: UUID) -> list[str | None]:
    """What the booking's history says of its letters."""
    with shop.tx() as tx:
        return [line.reason for line in history.of(tx, booking_id) if line.to_status == "letter UNDELIVERABLE"]


def letters(settings: Settings) -> int:
    return len(list(settings.mail_dir.glob("*.eml")))


@pytest.mark.parametrize("reply", [{"RCPT": "550 no such mailbox"}, {".": "554 that is spam"}])
async def test_a_letter_refused_for_good_is_tried_once_and_its_bookings_history_says_so(
    quiet: Database, shop: Shop, settings: Settings, reply: dict[str, str]
) -> None:
    booking_id = a_letter(shop)
    (words,) = reply.values()

    with a_server_saying(reply) as url:
        strict = settings.model_copy(update={"smtp_url": url})
        with Courier(quiet, strict, lane=LETTERS) as courier:
            taken = [await courier.deliver_due()]
            make_due(shop)
            taken.append(await courier.deliver_due())

    assert taken == [1, 0]
    assert undelivered(shop) == [{"attempts": 1, "last_error": words, "given_up": True}]
    assert told(shop, booking_id) == [f"payment_failed: {words}"]


async def test_a_letter_to_an_impossible_address_is_given_up_and_keeps_no_other(
    quiet: Database, shop: Shop, settings: Settings
) -> None:
    impossible, possible = a_letter(shop), a_letter(shop, place=2)
    with shop.tx() as tx:
        tx.run(
            """UPDATE outbox SET payload = payload || '{"to": "ada@home.example, eve@evil.example"}'
               WHERE payload ->> 'subject_id' = %s AND kind = 'MAIL'""",
            (str(impossible),),
        )

    with Courier(quiet, settings, lane=LETTERS) as courier:
        await courier.deliver_due()

    assert [row["given_up"] for row in undelivered(shop)] == [True]
    assert (len(told(shop, impossible)), told(shop, possible)) == (1, [])
    assert letters(settings) == 1


@pytest.mark.parametrize("reply", [{"RCPT": "451 greylisted"}, {"MAIL": "530 log in first"}, {"hello": "554 closed"}])
async def test_a_letter_refused_for_now_goes_on_being_tried(
    quiet: Database, shop: Shop, settings: Settings, reply: dict[str, str]
) -> None:
    booking_id = a_letter(shop)

    with a_server_saying(reply) as url:
        strict = settings.model_copy(update={"smtp_url": url})
        with Courier(quiet, strict, lane=LETTERS) as courier:
            await courier.deliver_due()
    kept = undelivered(shop)
    make_due(shop)
    with Courier(quiet, settings, lane=LETTERS) as courier:
        await courier.deliver_due()

    assert [(row["attempts"], row["given_up"]) for row in kept] == [(1, False)]
    assert (undelivered(shop), told(shop, booking_id), letters(settings)) == ([], [], 1)


async def test_a_letter_whose_paper_was_lost_asks_for_it_and_leaves_when_it_is_made_again(
    quiet: Database, shop: Shop, settings: Settings
) -> None:
    storage = FolderStorage(settings.documents_dir)
    a_letter_with_a_paper(shop, storage)
    for path in settings.documents_dir.rglob("*.pdf"):
        path.unlink()

    with Courier(quiet, settings, lane=LETTERS) as courier:
        await courier.deliver_due()
        kept, asked = undelivered(shop), undelivered(shop, "PAPER")
        print_all(quiet, shop.tenant_id, storage)
        await courier.deliver_due()

    assert [row["last_error"] for row in kept] == ["tickets was lost and is made again"]
    assert len(asked) == 1
    assert (undelivered(shop), letters(settings)) == ([], 1)
