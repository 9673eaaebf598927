"""One report in JSON and CSV: exact, in the contract's shape, harmless in a spreadsheet, and made without pandas."""

import csv
import io
import subprocess
import sys
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.money import InexactMoney
from reports.tables import Column, Report, Value, is_formula, to_csv, to_json
from tests.reports.samples import AS_OF, a_profit_report

ROOT = Path(__file__).resolve().parents[2]
DANGEROUS = ['=HYPERLINK("x")', "+1+1", "-2+3", "@SUM(A1)", "\t=1", "\r=1", "\uff1d1+1", " =1+1"]


def a_report(label: str = "Faust", *, amount: Value = Decimal("1234.5"), share: Value = Decimal("0.25")) -> Report:
    return Report(
        name="sample",
        title="Sample",
        columns=(
            Column("key", "Key", "id"),
            Column("label", "Event", "text"),
            Column("day", "Day", "date"),
            Column("seats", "Seats", "count"),
            Column("value", "Value", "money"),
            Column("share", "Share", "ratio"),
        ),
        rows=(("018f", label, date(2026, 11, 21), 3, amount, share),),
        totals={"seats": 3, "value": amount, "share": None},
        as_of=AS_OF,
        currency="EUR",
    )


def cells(report: Report) -> list[list[str]]:
    return list(csv.reader(io.StringIO(to_csv(report).decode(), newline="")))


def test_json_has_the_contracts_shape() -> None:
    answer = to_json(a_report())

    assert answer["as_of"] == answer["known_at"] == "2026-11-20T23:00:00Z"
    assert answer["rows"] == [
        {
            "key": "018f",
            "label": "Faust",
            "day": "2026-11-21",
            "seats": 3,
            "value": {"amount": "1234.50", "currency": "EUR"},
            "share": "0.2500",
        }
    ]
    assert answer["totals"] == {"seats": 3, "value": {"amount": "1234.50", "currency": "EUR"}, "share": None}


def test_the_profit_report_has_every_word_of_the_contract() -> None:
    answer = to_json(a_profit_report())

    words = [
        "key",
        "label",
        "tickets_sold",
        "tickets_refunded",
        "gross_sales",
        "discounts",
        "refunds",
        "net_revenue",
        "fees",
        "cancellation_income",
        "cost_of_sales",
        "gross_profit",
        "margin",
        "markup",
        "unsold_seats",
        "unsold_cost",
        "written_off_seats",
        "written_off_cost",
        "provider_fees",
        "contribution",
    ]
    assert [list(row) for row in answer["rows"]] == [words] * 3
    assert list(answer["totals"]) == words[2:]


def test_a_margin_of_nothing_is_null() -> None:
    answer = to_json(a_profit_report(rows=2))

    assert [row["margin"] for row in answer["rows"]] == [None, "0.1667"]


def test_a_moment_keeps_its_fraction_and_known_at_its_own_time() -> None:
    report = replace(a_report(), known_at=datetime(2026, 11, 21, 1, 2, 3, 400, tzinfo=UTC))

    assert to_json(report)["known_at"] == "2026-11-21T01:02:03.000400Z"


def test_a_lost_cent_is_refused() -> None:
    with pytest.raises(InexactMoney):
        to_json(a_report(amount=Decimal("1.005")))


def test_csv_has_names_on_top_plain_values_between_and_totals_last() -> None:
    assert cells(a_report()) == [
        ["key", "label", "day", "seats", "value", "share"],
        ["018f", "Faust", "2026-11-21", "3", "1234.50", "0.2500"],
        ["", "Total", "", "3", "1234.50", ""],
    ]


def test_csv_lines_end_as_the_standard_says_and_start_without_a_mark() -> None:
    content = to_csv(a_report("Käthe"))

    assert content.startswith(b"key,label")
    assert content.count(b"\r\n") == content.count(b"\n") == 3
    assert "Käthe".encode() in content


@pytest.mark.parametrize("label", DANGEROUS)
def test_what_a_spreadsheet_would_run_is_defused(label: str) -> None:
    assert cells(a_report(label))[1][1] == "'" + label


@pytest.mark.parametrize("label", ["-12.50", "+49", "Faust", "a=b", "", "2 + 2"])
def test_numbers_and_plain_words_are_left_alone(label: str) -> None:
    assert cells(a_report(label))[1][1] == label


def test_a_loss_stays_a_number() -> None:
    assert cells(a_report(amount=Decimal("-12.50"), share=Decimal("-0.5")))[1][4:] == ["-12.50", "-0.5000"]


@given(st.text())
def test_no_text_is_read_back_as_a_formula_or_as_another(label: str) -> None:
    if "\x00" in label or any("\ud800" <= letter <= "\udfff" for letter in label):
        return

    back = cells(a_report(label))[1][1]

    assert not is_formula(back)
    assert back.removeprefix("'" if is_formula(label) else "") == label


def test_the_same_report_gives_the_same_bytes() -> None:
    assert to_csv(a_profit_report()) == to_csv(a_profit_report())


def test_totals_in_csv_equal_those_in_json() -> None:
    report = a_profit_report(rows=9)
    last = dict(zip(cells(report)[0], cells(report)[-1], strict=True))

    for name, value in to_json(report)["totals"].items():
        said = value["amount"] if isinstance(value, dict) else "" if value is None else str(value)
        assert last[name] == said


def test_json_and_csv_are_made_without_heavy_libraries() -> None:
    script = (
        "import sys; from tests.reports.samples import a_profit_report; from reports import tables, letters, press, frames;"
        "tables.to_json(a_profit_report()); tables.to_csv(a_profit_report());"
        "print(sorted({'pandas', 'weasyprint', 'xlsxwriter', 'numpy'} & set(sys.modules)))"
    )

    there = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True, timeout=60
    )

    assert there.stdout.strip() == "[]"
