"""What nobody planned: a step that a release broke says so and is healed by the next, and a letter leaves with its late paper."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
import pytest

from tests import engine, ground
from tests.ground import Clone
from tests.makers.access import password_hash
from tests.makers.box_office import BoxOffice, a_box_office
from tests.makers.house import House, a_house, eventually


@pytest.fixture(scope="module")
def clone(worker_name: str) -> Iterator[Clone]:
    with ground.clone(f"{worker_name}_faults") as made:
        yield made


@pytest.fixture(scope="module")
def namespace(worker_name: str) -> str:
    return engine.namespace(f"{worker_name}-faults")


@pytest.fixture(scope="module")
def house(clone: Clone, namespace: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """A house whose tables may be broken; nobody prints papers yet."""
    password_hash()
    with a_house(tmp_path_factory.mktemp("house"), clone) as made:
        made.begin(engine.address(), namespace)
        yield made


@pytest.fixture
def office(house: House) -> BoxOffice:
    return a_box_office(house)


@contextmanager
def a_broken_release(clone: Clone) -> Iterator[None]:
    """The books' column has another name than the steps know, as long as the block lasts."""
    with psycopg.connect(clone.owner_url, autocommit=True) as owner:
        owner.execute("ALTER TABLE journal_legs RENAME COLUMN amount TO sum")
        try:
            yield
        finally:
            owner.execute("ALTER TABLE journal_legs RENAME COLUMN sum TO amount")


def speaks_of_repair(operation: Any) -> bool:
    return "repair" in (operation["waiting_for"] or "")


def letter_of_sale(office: BoxOffice) -> dict[str, Any]:
    with office.shop.tx() as tx:
        (found,) = tx.dicts(
            """SELECT o.attempts, o.delivered_at, o.delivered_at - d.stored_at AS late
               FROM outbox o JOIN documents d ON o.payload -> 'documents' ? d.id::text
               WHERE o.payload ->> 'letter' = 'booking_confirmed'"""
        )
    return dict(found)


def test_a_step_that_a_release_broke_says_so_and_goes_on_when_it_is_repaired(office: BoxOffice, clone: Clone) -> None:
    booking = office.reserved(1)

    with a_broken_release(clone):
        answer = office.pay(booking)
        stuck = eventually(lambda: office.operation(answer), until=speaks_of_repair, seconds=60)
    ended = office.ended(answer, seconds=60)

    assert stuck["status"] in {"running", "waiting"}
    assert stuck["waiting_for"].startswith("a repair of step ")
    assert re.search(r"which has failed \d+ times since 20\S+ \S+ UTC$", stuck["waiting_for"])
    assert (ended["status"], ended["waiting_for"]) == ("succeeded", None)
    assert office.stands(booking) == ("CONFIRMED", None, "COMPLETED")
    assert office.differences() == []


def test_a_letter_leaves_within_a_second_of_its_late_paper(office: BoxOffice, house: House, namespace: str) -> None:
    office.paid(1)
    eventually(lambda: letter_of_sale(office), until=lambda letter: letter["attempts"] >= 6, seconds=60)

    house.work(engine.address(), namespace, queues=("documents",))
    sent = eventually(
        lambda: letter_of_sale(office), until=lambda letter: letter["delivered_at"] is not None, seconds=90
    )

    assert sent["late"].total_seconds() < 1
    (letter,) = house.letters(to=office.email)
    assert [part.get_content_type() for part in letter.iter_attachments()] == ["application/pdf"]
