"""Fingerprints: one text for one content."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from uuid import UUID

import pytest

from domain import fingerprints
from domain.money import Money


@dataclass(frozen=True)
class Thing:
    price: Decimal
    seats: tuple[str, ...]


@pytest.mark.parametrize(
    ("one", "same"),
    [
        ({"a": 1, "b": None}, {"b": None, "a": 1}),
        (Decimal(20), Decimal("20.0000")),
        (Decimal("-0.0"), Decimal(0)),
        (Decimal("1E+3"), Decimal(1000)),
        (("a", "b"), ["a", "b"]),
        (datetime(2026, 11, 21, 13, tzinfo=timezone(timedelta(hours=1))), datetime(2026, 11, 21, 12, tzinfo=UTC)),
        (UUID(int=5), str(UUID(int=5))),
        (date(2026, 11, 21), "2026-11-21"),
        (Thing(Decimal("1.50"), ("a",)), {"price": Decimal("1.5"), "seats": ["a"]}),
        (Money.of("5", "EUR"), {"amount": Decimal(5), "currency": "EUR"}),
    ],
)
def test_the_same_content_has_the_same_fingerprint(one: object, same: object) -> None:
    assert fingerprints.of(one) == fingerprints.of(same)


@pytest.mark.parametrize(
    ("one", "other"), [(["a", "b"], ["b", "a"]), ({"a": 1}, {"a": "1"}), (True, 1), (["ab"], ["a", "b"]), (None, "")]
)
def test_other_content_has_another(one: object, other: object) -> None:
    assert fingerprints.of(one) != fingerprints.of(other)


@pytest.mark.parametrize("content", [0.1, {"a": [0.1]}, object(), b"x", Thing])
def test_what_has_no_one_spelling_is_refused(content: object) -> None:
    with pytest.raises(TypeError):
        fingerprints.of(content)
