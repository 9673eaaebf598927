"""/api/sales/reports and /api/inventory/reports, as finance and buyers read them."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from starlette.testclient import TestClient

from api import documents
from db.transaction import Database
from gateways.payments import SimulatedPayments
from gateways.storage import FolderStorage
from tests.ground import Clone
from tests.makers.access import Agency
from tests.makers.callers import Caller, faults, refusal, with_token
from tests.makers.payments import our_side_of_a_provider
from tests.makers.printing import a_printer, an_api
from tests.makers.trade import a_cancellation, a_sale, a_stock

PROFIT, REVENUE, VALUE = "/api/sales/reports/profit", "/api/sales/reports/revenue", "/api/inventory/reports/value"


@pytest.fixture(scope="module")
def provider(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SimulatedPayments]:
    with our_side_of_a_provider(tmp_path_factory.mktemp("provider")) as ours:
        yield ours


@pytest.fixture(autouse=True)
def patience(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whether a busy machine prints within twenty seconds is not what is tested."""
    monkeypatch.setattr(documents, "LONGEST", 120.0)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("home")


@pytest.fixture(scope="module")
def http(clone: Clone, home: Path) -> Iterator[TestClient]:
    with an_api(clone.app_url, home) as client:
        yield client


@pytest.fixture
def traded(database: Database, tenant: Agency, provider: SimulatedPayments) -> str:
    """Faust: ten seats bought at 20, three sold at 35, one of them given back; the event's id."""
    stock = a_stock(database, tenant)
    booking_id = a_sale(database, stock, stock.seats[:3], provider=provider)
    a_cancellation(database, tenant.id, booking_id, provider=provider, tickets=1)
    return str(stock.event_id)


@pytest.fixture
def finance(http: TestClient, tenant: Agency) -> Caller:
    return with_token(http, tenant.finance.token)


def euros(amount: str) -> dict[str, str]:
    return {"amount": amount, "currency": "EUR"}


def test_the_profit_of_an_event(finance: Caller, traded: str) -> None:
    told = finance.read(PROFIT, params={"event_id": traded})

    assert told["rows"] == [
        {
            "key": traded,
            "label": "Faust",
            "tickets_sold": 3,
            "tickets_refunded": 1,
            "gross_sales": euros("105.00"),
            "discounts": euros("0.00"),
            "refunds": euros("35.00"),
            "net_revenue": euros("70.00"),
            "fees": euros("10.50"),
            "cancellation_income": euros("0.00"),
            "cost_of_sales": euros("40.00"),
            "gross_profit": euros("30.00"),
            "margin": "0.4286",
            "markup": "0.7500",
            "unsold_seats": 8,
            "unsold_cost": euros("160.00"),
            "written_off_seats": 0,
            "written_off_cost": euros("0.00"),
            "provider_fees": euros("0.00"),
            "contribution": euros("40.50"),
        }
    ]
    assert told["totals"]["contribution"] == euros("40.50")


def test_revenue_and_value_say_the_same_as_profit(finance: Caller, traded: str) -> None:
    profit, revenue, value = (finance.read(path)["totals"] for path in (PROFIT, REVENUE, VALUE))

    assert {name: profit[name] for name in revenue} == revenue
    assert value == {"seats": profit["unsold_seats"], "value": profit["unsold_cost"]}


@pytest.mark.parametrize(
    ("group_by", "label"), [("event", "Faust"), ("supplier", "Theater AG"), ("section", "Parkett")]
)
def test_rows_are_what_was_asked_for(finance: Caller, traded: str, group_by: str, label: str) -> None:
    told = [finance.read(path, params={"group_by": group_by})["rows"] for path in (PROFIT, REVENUE, VALUE)]

    assert [[row["label"] for row in rows] for rows in told] == [[label]] * 3


def test_the_moment_is_told_and_gives_the_same_bytes_again(
    finance: Caller, traded: str, database: Database, tenant: Agency
) -> None:
    first = finance.get(PROFIT)
    asked = {"as_of": first.json()["as_of"]}
    a_stock(database, tenant, title="Carmen")

    again = finance.get(PROFIT, params=asked)

    assert again.content == first.content
    assert len({finance.get(PROFIT, params={**asked, "format": "csv"}).content for _ in range(2)}) == 1


def test_csv_has_the_rows_and_the_totals_last(finance: Caller, traded: str) -> None:
    answer = finance.get(PROFIT, params={"format": "csv"})

    rows = list(csv.DictReader(io.StringIO(answer.text)))
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert 'filename="profit-' in answer.headers["content-disposition"]
    assert [(row["label"], row["net_revenue"], row["margin"]) for row in rows] == [
        ("Faust", "70.00", "0.4286"),
        ("Total", "70.00", "0.4286"),
    ]


@pytest.mark.parametrize(("form", "start"), [("pdf", b"%PDF-"), ("xlsx", b"PK")])
def test_files_are_made_elsewhere_and_handed_out(
    finance: Caller, traded: str, database: Database, tenant: Agency, home: Path, form: str, start: bytes
) -> None:
    moment = finance.read(PROFIT)["as_of"]

    with a_printer(database, tenant.id, FolderStorage(home / "documents")):
        answers = [finance.get(PROFIT, params={"format": form, "as_of": moment}) for _ in range(2)]

    assert [answer.status_code for answer in answers] == [200, 200]
    assert answers[0].content.startswith(start)
    assert answers[0].content == answers[1].content
    assert answers[0].headers["etag"] == answers[1].headers["etag"]
    assert f'.{form}"' in answers[0].headers["content-disposition"]


@pytest.mark.parametrize("name", ["as_of", "known_at"])
@pytest.mark.parametrize(
    "moment",
    [
        "tomorrow",
        "",
        "2026-02-30",
        "2026-11-21T25:00:00Z",
        "2026-11-21T10:00:00",
        "20261121",
        "0001-01-01T00:00:00Z",
        "9999-12-31",
        "\u0662\u0660\u0662\u0666-01-01",
    ],
)
def test_a_moment_that_is_none_is_refused(finance: Caller, name: str, moment: str) -> None:
    answer = finance.get(PROFIT, params={name: moment})

    assert (refusal(answer), faults(answer)) == ((422, "invalid"), [(f"?{name}", "invalid")])


@pytest.mark.parametrize("path", [PROFIT, REVENUE, VALUE])
def test_the_future_is_refused(finance: Caller, path: str) -> None:
    later = datetime.now(UTC) + timedelta(minutes=1)

    answer = finance.get(path, params={"as_of": later.isoformat()})

    assert (refusal(answer), faults(answer)) == ((422, "invalid"), [("?as_of", "invalid")])


def test_today_is_not_over(finance: Caller) -> None:
    answer = finance.get(PROFIT, params={"as_of": datetime.now(ZoneInfo("Europe/Berlin")).date().isoformat()})

    assert refusal(answer) == (422, "invalid")


@pytest.mark.parametrize(
    ("asked", "meant"),
    [
        ("2026-03-31", "2026-03-31T21:59:59.999999Z"),
        ("2026-01-15", "2026-01-15T22:59:59.999999Z"),
        ("2026-03-31T12:00:00Z", "2026-03-31T12:00:00Z"),
        ("2026-03-31t14:00:00.25+02:00", "2026-03-31T12:00:00.250000Z"),
        ("2026-03-31T12:00:00.1234567890Z"[:-2] + "Z", "2026-03-31T12:00:00.123456Z"),
    ],
)
def test_moments_and_days_of_the_past_are_understood(finance: Caller, asked: str, meant: str) -> None:
    assert finance.read(PROFIT, params={"as_of": asked})["as_of"] == meant


def test_a_plus_sign_that_nobody_encoded_is_understood(finance: Caller) -> None:
    assert finance.read(f"{PROFIT}?as_of=2026-03-31T14:00:00+02:00")["as_of"] == "2026-03-31T12:00:00Z"


def test_days_that_run_backward_are_refused(finance: Caller) -> None:
    answer = finance.get(PROFIT, params={"from": "2026-03-31", "to": "2026-03-30"})

    assert (refusal(answer), faults(answer)) == ((422, "invalid"), [("?from", "invalid")])


@pytest.mark.parametrize(
    "wrong", [{"group_by": "weather"}, {"format": "doc"}, {"event_id": "x"}, {"from": "May"}, {"to": "86400"}]
)
def test_what_is_not_offered_is_refused(finance: Caller, wrong: dict[str, str]) -> None:
    assert refusal(finance.get(PROFIT, params=wrong)) == (422, "invalid")


def test_an_unknown_parameter_is_refused(finance: Caller) -> None:
    assert refusal(finance.get(PROFIT, params={"groupby": "event"})) == (400, "unknown_parameter")


@pytest.mark.parametrize("path", [PROFIT, REVENUE, VALUE])
def test_reports_are_for_owner_buyer_and_finance(http: TestClient, tenant: Agency, path: str) -> None:
    roles = ("owner", "buyer", "finance", "boxoffice")

    answers = [with_token(http, tenant.person(role).token).get(path).status_code for role in roles]

    assert answers == [200, 200, 200, 403]


@pytest.mark.parametrize("path", [PROFIT, REVENUE, VALUE])
def test_nobody_reads_without_a_login(http: TestClient, path: str) -> None:
    assert refusal(Caller(http).get(path)) == (401, "unauthenticated")


@pytest.mark.parametrize("path", [PROFIT, REVENUE, VALUE])
def test_the_stranger_sees_books_of_their_own(stranger: Caller, traded: str, path: str) -> None:
    assert stranger.read(path)["rows"] == []
    assert stranger.read(path, params={"event_id": traded})["rows"] == []
