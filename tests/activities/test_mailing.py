"""Letters as they are handed over: under their agency's name, with their papers, which are made again if they are lost."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from uuid import UUID

import pytest

from activities.mailing import NotYet, post_letter
from db import outbox
from db.outbox import Message
from db.transaction import Database
from gateways.storage import FolderStorage
from tests.gateways.parts import Part
from tests.makers.access import an_agency
from tests.makers.printing import print_all, waiting
from tests.makers.selling import Shop, a_shop


@pytest.fixture
def storage(tmp_path: Path) -> FolderStorage:
    return FolderStorage(tmp_path / "documents")


def the_letter(shop: Shop) -> Message:
    """Of a sale, as the dispatcher would find it in the queue."""
    with shop.tx() as tx:
        (found,) = tx.values("SELECT id FROM outbox WHERE payload ->> 'letter' = 'booking_confirmed'")
        tx.run("UPDATE outbox SET next_at = now() WHERE id = %s", (found,))
    with shop.tx() as tx:
        (letter,) = outbox.claim(tx, [found], lease=timedelta(0))
        return letter


def asked_for(shop: Shop) -> list[str]:
    with shop.tx() as tx:
        found: list[str] = tx.values("SELECT payload ->> 'document_id' FROM outbox WHERE kind = 'PAPER' ORDER BY id")
        return found


def arrived(sink: Part) -> list[EmailMessage]:
    return [message_from_bytes(path.read_bytes(), policy=policy.default) for path in sink.home.glob("mail/*.eml")]


def lose(path: Path) -> None:
    path.unlink()


def damage(path: Path) -> None:
    path.write_bytes(b"%PDF-1.7 half of i")


@pytest.mark.parametrize("mishap", [lose, damage])
def test_a_letter_whose_paper_is_lost_or_damaged_asks_for_it_once_more_and_goes_with_the_new_one(
    database: Database, shop: Shop, storage: FolderStorage, sink: Part, tmp_path: Path, mishap: Callable[[Path], None]
) -> None:
    shop.sold(1, 2)
    letter = the_letter(shop)
    (paper,) = letter.payload["documents"]
    print_all(database, shop.tenant_id, storage)
    before = asked_for(shop)
    for path in tmp_path.glob("documents/*/*"):
        mishap(path)

    with pytest.raises(NotYet, match="made again"):
        post_letter(database, letter, storage=storage, smtp_url=sink.url)
    with pytest.raises(NotYet, match="not rendered yet"):
        post_letter(database, letter, storage=storage, smtp_url=sink.url)

    assert asked_for(shop) == [*before, paper]
    assert waiting(database, shop.tenant_id) == [UUID(paper)]
    assert arrived(sink) == []
    print_all(database, shop.tenant_id, storage)
    post_letter(database, letter, storage=storage, smtp_url=sink.url)
    (message,) = arrived(sink)
    assert [part.get_content()[:5] for part in message.iter_attachments()] == [b"%PDF-"]


def test_an_agency_with_brackets_in_its_name_sends_letters_too(
    database: Database, storage: FolderStorage, sink: Part
) -> None:
    shop = a_shop(database, an_agency(database, name="Seats <& more>"))
    shop.sold(1)
    letter = the_letter(shop)
    print_all(database, shop.tenant_id, storage)

    post_letter(database, letter, storage=storage, smtp_url=sink.url)

    (message,) = arrived(sink)
    assert message["From"].addresses[0].display_name.startswith("Seats & more")
