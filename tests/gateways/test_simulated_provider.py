"""The provider itself: its HTTP, and its book under any order of demands, kills and repeats."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from decimal import Decimal
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from uuid import uuid4

import httpx2
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, invariant, rule
from typing_extensions import override

from gateways.payments import SimulatedPayments
from gateways.simulated_provider import main
from gateways.simulated_provider.book import Book
from gateways.simulated_provider.tables import ForeignBook
from gateways.simulated_provider.vocabulary import Demand, Effect, Kind, State
from tests.gateways.parts import Part

BODY = {"amount": "85.00", "currency": "EUR", "token": "tok_ok", "merchant_reference": "payment 1"}


@pytest.fixture(scope="module")
def http(shared_provider: Part) -> Iterator[httpx2.Client]:
    with httpx2.Client(base_url=shared_provider.url) as client:
        yield client


def a_key() -> dict[str, str]:
    return {"Idempotency-Key": f"test/{uuid4()}"}


def a_demand(key: str, amount: str = "85.00", *, token: str = "tok_ok", about: str = "payment") -> Demand:
    return Demand(
        key=key, kind=Kind.AUTHORISE, amount=Decimal(amount), currency="EUR", token=token, merchant_reference=about
    )


def test_it_says_that_it_is_well(http: httpx2.Client) -> None:
    assert http.get("/healthz").json() == {"status": "ok"}


def test_the_same_key_gives_the_same_bytes(http: httpx2.Client) -> None:
    key = a_key()

    first = http.post("/v1/authorisations", json=BODY, headers=key)
    second = http.post("/v1/authorisations", json=BODY | {"amount": "85.0"}, headers=key)

    assert first.status_code == second.status_code == 200
    assert first.content == second.content


@pytest.mark.parametrize(
    "change", [{"amount": "85.01"}, {"currency": "USD"}, {"token": "tok_declined"}, {"merchant_reference": "payment 2"}]
)
def test_the_same_key_with_other_content_is_422(http: httpx2.Client, change: dict[str, str]) -> None:
    key = a_key()
    http.post("/v1/authorisations", json=BODY, headers=key)

    answer = http.post("/v1/authorisations", json=BODY | change, headers=key)

    assert (answer.status_code, answer.json()["error"]) == (422, "idempotency_key_reused")


def test_the_same_key_for_another_step_is_422(http: httpx2.Client) -> None:
    key = a_key()
    reference = http.post("/v1/authorisations", json=BODY, headers=key).json()["reference"]

    answer = http.post(f"/v1/charges/{reference}/voids", headers=key)

    assert (answer.status_code, answer.json()["error"]) == (422, "idempotency_key_reused")


@pytest.mark.parametrize(
    "change",
    [
        {"amount": 85.0},
        {"amount": 85},
        {"amount": "0.00"},
        {"amount": "-1.00"},
        {"amount": "1e2"},
        {"amount": "NaN"},
        {"amount": "٨٥"},
        {"amount": "1.00001"},
        {"currency": "euro"},
        {"token": ""},
        {"card": "4242"},
    ],
)
def test_what_is_no_money_or_no_card_is_422_and_not_in_the_book(http: httpx2.Client, change: dict[str, Any]) -> None:
    key = a_key()

    answer = http.post("/v1/authorisations", json=BODY | change, headers=key)

    assert (answer.status_code, answer.json()["error"]) == (422, "invalid_request")
    assert http.get("/v1/effects", params={"key": key["Idempotency-Key"]}).status_code == 404


@pytest.mark.parametrize("headers", [{}, {"Idempotency-Key": ""}, {"Idempotency-Key": "x" * 256}])
def test_a_demand_without_a_fit_key_is_422(http: httpx2.Client, headers: dict[str, str]) -> None:
    assert http.post("/v1/authorisations", json=BODY, headers=headers).status_code == 422


def test_every_refund_has_a_name_of_its_own_that_looking_up_tells_again(http: httpx2.Client) -> None:
    asked, part = {"amount": "85.00", "currency": "EUR"}, {"amount": "1.00", "currency": "EUR"}
    charge = http.post("/v1/authorisations", json={**asked, "token": "tok_ok"}, headers=a_key()).json()["reference"]
    http.post(f"/v1/charges/{charge}/captures", json=asked, headers=a_key())

    refunds = [http.post(f"/v1/charges/{charge}/refunds", json=part, headers=a_key()).json() for _ in range(2)]

    assert len({charge, *(refund["reference"] for refund in refunds)}) == 3
    assert [http.get("/v1/effects", params={"key": one["key"]}).json() for one in refunds] == refunds


def test_no_card_is_shown_in_the_book(http: httpx2.Client) -> None:
    http.post("/v1/authorisations", json=BODY, headers=a_key())

    assert "tok_" not in http.get("/v1/book").text


def test_the_book_is_read_in_pages_and_by_merchant_reference(http: httpx2.Client) -> None:
    about = f"payment {uuid4()}"
    made = [
        http.post("/v1/authorisations", json=BODY | {"merchant_reference": about}, headers=a_key()).json()["reference"]
        for _ in range(3)
    ]

    first = http.get("/v1/book", params={"merchant_reference": about, "limit": 2}).json()
    second = http.get("/v1/book", params={"merchant_reference": about, "limit": 2, "after": first["next"]}).json()

    assert [line["reference"] for line in first["charges"] + second["charges"]] == made
    assert second["next"] is None
    assert http.get("/v1/book", params={"merchant": about}).status_code == 422


def test_a_book_of_many_pages_is_read_whole(provider: Part) -> None:
    provider.kill()
    with closing(Book(provider.home / "provider" / "book.sqlite3")) as book:
        for number in range(1001):
            book.perform(a_demand(f"k{number}", f"{number + 1}.10"))
    provider.start()

    with closing(SimulatedPayments(provider.url)) as ours:
        lines = ours.book()

    assert len({line.reference for line in lines}) == 1001
    assert sum(line.authorised.amount for line in lines) == Decimal("501601.10")


def test_every_commit_is_on_disk_before_it_is_answered(tmp_path: Path) -> None:
    with closing(Book(tmp_path / "book.sqlite3")) as book:
        settings_in_force = [
            book._db.execute(f"PRAGMA {name}").fetchone()[0] for name in ("journal_mode", "synchronous")
        ]

    assert settings_in_force == ["wal", 2]


def test_a_book_of_another_layout_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "book.sqlite3"
    with closing(sqlite3.connect(path)) as other:
        other.execute("PRAGMA user_version = 99")

    with pytest.raises(ForeignBook, match="layout 99"):
        Book(path)


def test_two_processes_on_one_book_agree(tmp_path: Path) -> None:
    path = tmp_path / "book.sqlite3"

    with closing(Book(path)) as one, closing(Book(path)) as other:
        first, _ = one.perform(a_demand("k"))
        second, behaviour = other.perform(a_demand("k"))

    assert first == second
    assert behaviour is None


def test_a_provider_without_an_address_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    import settings as house

    monkeypatch.setattr(house, "current", house.Settings)
    monkeypatch.delenv("ALLOTMENT_PROVIDER_URL", raising=False)

    with pytest.raises(SystemExit, match="ALLOTMENT_PROVIDER_URL"):
        main()


AMOUNTS = st.decimals(min_value="0.01", max_value="120.00", places=2)
TOKENS = st.sampled_from(["tok_ok", "tok_declined", "tok_late_0", "tok_capture_fails", "tok_refund_fails_once"])
FOLLOW_UPS = st.sampled_from([Kind.CAPTURE, Kind.VOID, Kind.REFUND])


class AnyOrderOfDemands(RuleBasedStateMachine):
    """Authorise, capture, void, refund, repeat and reopen in any order: money is never made and nothing is forgotten."""

    charges: Bundle[str] = Bundle("charges")
    demands: Bundle[Demand] = Bundle("demands")

    def __init__(self) -> None:
        super().__init__()
        self.folder = TemporaryDirectory()
        self.path = Path(self.folder.name) / "book.sqlite3"
        self.book = Book(self.path)
        self.said: dict[str, Effect] = {}

    @override
    def teardown(self) -> None:
        self.book.close()
        self.folder.cleanup()

    @rule(target=charges, amount=AMOUNTS, token=TOKENS)
    def authorise(self, amount: Decimal, token: str) -> str:
        return self.perform(a_demand(self.new_key(), str(amount), token=token)).charge or "ch_none"

    @rule(target=demands, charge=charges, kind=FOLLOW_UPS, amount=AMOUNTS)
    def follow_up(self, charge: str, kind: Kind, amount: Decimal) -> Demand:
        money = {} if kind is Kind.VOID else {"amount": amount, "currency": "EUR"}
        demand = Demand(key=self.new_key(), kind=kind, charge=charge, **money)  # type: ignore[arg-type]  # a dict of two kinds
        self.perform(demand)
        return demand

    @rule(demand=demands)
    def repeat(self, demand: Demand) -> None:
        effect, behaviour = self.book.perform(demand)

        assert behaviour is None
        assert effect == self.said[demand.key]

    @rule()
    def reopen(self) -> None:
        self.book.close()
        self.book = Book(self.path)

    @invariant()
    def money_is_never_made(self) -> None:
        for line in self.book.charges(merchant_reference=None, after=0, limit=1000):
            assert 0 <= line.refunded <= line.captured <= line.authorised
            assert line.voided in {0, line.authorised}
            assert not (line.voided and line.captured)

    @invariant()
    def the_book_adds_up_to_what_was_said(self) -> None:
        lines = self.book.charges(merchant_reference=None, after=0, limit=1000)
        for state, total in (
            (State.CAPTURED, sum(line.captured for line in lines)),
            (State.REFUNDED, sum(line.refunded for line in lines)),
        ):
            assert total == sum(e.amount or 0 for e in map(self.told, self.said) if e.state is state)

    def perform(self, demand: Demand) -> Effect:
        effect, _ = self.book.perform(demand)
        self.said[demand.key] = effect
        return effect

    def told(self, key: str) -> Effect:
        effect = self.book.look_up(key)
        assert effect is not None
        return effect

    def new_key(self) -> str:
        return f"k{len(self.said)}"


TestAnyOrderOfDemands = AnyOrderOfDemands.TestCase
TestAnyOrderOfDemands.settings = settings(max_examples=25, stateful_step_count=25, deadline=None)
