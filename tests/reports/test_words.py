"""How an agency writes: English words, the numbers and dates of its country, and names without tricks."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.money import Money
from reports.words import Words, clean, fulfilment, language, locale_for, one_line, terms

BERLIN = Words(locale="en_DE", timezone="Europe/Berlin", currency="EUR")
NEW_YORK = Words(locale="en_US", timezone="America/New_York", currency="USD")
TOKYO = Words(locale="en_JP", timezone="Asia/Tokyo", currency="JPY")


@pytest.mark.parametrize(
    ("timezone", "locale"),
    [
        ("Europe/Berlin", "en_DE"),
        ("America/New_York", "en_US"),
        ("Europe/London", "en_GB"),
        ("Europe/Minsk", "en_150"),
        ("Asia/Almaty", "en"),
        ("UTC", "en_001"),
        ("Nowhere/Land", "en_001"),
    ],
)
def test_the_zone_tells_the_country(timezone: str, locale: str) -> None:
    assert locale_for(timezone) == locale


def test_money_is_written_as_the_country_does() -> None:
    assert BERLIN.money(Money.of("1234567.50", "EUR")) == "1.234.567,50\u00a0€"
    assert NEW_YORK.money(Money.of("-1234.50", "USD")) == "-$1,234.50"
    assert BERLIN.amount(Decimal("-1234.5")) == "-1.234,50"


def test_a_currency_without_cents_has_none() -> None:
    yen = Words(locale="en_001", timezone="Asia/Tokyo", currency="JPY")

    assert yen.amount(Decimal(1200)) == "1,200"
    assert yen.unit_price(Decimal(1200)) == "1,200"


@pytest.mark.parametrize(
    ("price", "said"),
    [("42.5", "42,50"), ("31.0000", "31,00"), ("28.3333", "28,3333"), ("1000", "1.000,00"), ("0.125", "0,125")],
)
def test_a_unit_price_keeps_what_was_agreed(price: str, said: str) -> None:
    assert BERLIN.unit_price(Decimal(price)) == said


def test_ratios_are_percentages_and_nothing_is_a_dash() -> None:
    assert BERLIN.percent(Decimal("0.1667")) == "16,7%"
    assert [BERLIN.percent(None), BERLIN.count(None), BERLIN.amount(None), BERLIN.money(None), BERLIN.day(None)] == [
        "\u2013"
    ] * 5


def test_an_instant_is_told_where_it_happens() -> None:
    summer = datetime(2026, 7, 1, 22, 30, tzinfo=UTC)

    assert BERLIN.moment(summer) == "2 July 2026, 00:30 (Europe/Berlin)"
    assert BERLIN.moment(summer, zone="America/New_York") == "1 July 2026, 18:30 (America/New_York)"
    assert BERLIN.zone_name(summer) == "Central European Summer Time"
    assert NEW_YORK.full_day(summer) == "Wednesday, July 1, 2026"
    assert str(BERLIN.local_day(summer)) == "2026-07-02"


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("IMMEDIATE", "Payable immediately on each delivery"),
        ("NET_30", "Net 30: each delivery is payable within 30 calendar days of its date"),
        ("NET_7", "Net 7: each delivery is payable within 7 calendar days of its date"),
        ("ON_THE_NIGHT", "On the night"),
    ],
)
def test_terms_are_said_in_words(code: str, said: str) -> None:
    assert terms(code) == said


def test_fulfilment_is_said_in_words() -> None:
    assert fulfilment("PDF_DELIVERY") == "PDF tickets by e-mail"
    assert fulfilment("CARRIER_PIGEON") == "Carrier pigeon"


def test_a_locale_is_a_language_tag() -> None:
    assert language("en_DE") == "en-DE"


@given(st.text())
def test_a_line_is_one_line_and_no_longer_than_asked(text: str) -> None:
    line = one_line(text, limit=20)

    assert len(line) <= 20
    assert len(line.splitlines()) <= 1


def test_a_line_keeps_a_number_and_its_sign_together() -> None:
    assert one_line("  12,50\u00a0€ \n for\tyou ") == "12,50\u00a0€ for you"


def test_letters_that_turn_the_text_around_are_taken_out() -> None:
    assert clean("abc\u202egpj.exe\x00\x1b[31m") == "abcgpj.exe[31m"
    assert clean("שלום \U0001f469\u200d\U0001f3a4") == "שלום \U0001f469\u200d\U0001f3a4"
