"""The order's status as SQL is the rule's own: every combination of facts, read both ways."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime

from db.purchasing_lists import STATUS_SQL
from db.transaction import Database
from domain.purchasing import LineFacts, OrderFacts, order_status
from tests.makers.access import Agency

NOW = datetime(2026, 11, 21, tzinfo=UTC)

LINES = (
    LineFacts(10),
    LineFacts(10, confirmed=10),
    LineFacts(10, confirmed=8, rejected=2, received=3),
    LineFacts(10, confirmed=8, rejected=2, received=8),
    LineFacts(10, confirmed=10, received=3, cancelled=7),
    LineFacts(10, rejected=10),
    LineFacts(10, confirmed=10, cancelled=10),
    LineFacts(10, cancelled=10),
)


def test_the_derived_status_is_the_same_in_sql_for_every_combination_of_facts(
    database: Database, tenant: Agency
) -> None:
    facts = [
        OrderFacts(submitted=submitted, confirmed=confirmed, cancelled=cancelled, lines=lines)
        for submitted, confirmed, cancelled in itertools.product((False, True), repeat=3)
        for lines in itertools.product(LINES, repeat=2)
    ]

    with database.transaction(tenant.id) as tx:
        found = tx.values(
            f"""SELECT {STATUS_SQL} FROM unnest(%s::timestamptz[], %s::timestamptz[], %s::timestamptz[], %s::int[], %s::int[])
                WITH ORDINALITY AS facts(submitted_at, confirmed_at, cancelled_at, received, open, n) ORDER BY n""",
            (
                [NOW if one.submitted else None for one in facts],
                [NOW if one.confirmed else None for one in facts],
                [NOW if one.cancelled else None for one in facts],
                [one.received for one in facts],
                [one.open for one in facts],
            ),
        )

    assert found == [str(order_status(one)) for one in facts]
    assert len(set(found)) == 6
