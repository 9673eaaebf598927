"""Money: exact, of one currency, and split without losing a cent."""

import pickle
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.money import BadMoney, InexactMoney, MixedCurrencies, Money, quantum, ratio, round_money, split

CURRENCIES = st.sampled_from(["EUR", "USD", "JPY", "BHD"])
WEIGHTS = st.lists(
    st.one_of(st.integers(0, 10**6), st.decimals(0, 10**6, places=4, allow_nan=False)), min_size=1, max_size=60
)


@st.composite
def amounts(draw: st.DrawFn) -> Money:
    currency = draw(CURRENCIES)
    return Money(draw(st.integers(-(10**9), 10**9)) * quantum(currency), currency)


@given(amounts(), WEIGHTS)
def test_the_parts_of_a_split_add_up_to_the_whole(total: Money, weights: list[Decimal | int]) -> None:
    parts = split(total, weights)

    assert Money.total(parts, currency=total.currency) == total
    assert len(parts) == len(weights)


@given(amounts(), WEIGHTS)
def test_no_part_is_a_unit_away_from_its_exact_share(total: Money, weights: list[Decimal | int]) -> None:
    whole = sum(map(Decimal, weights))

    for part, weight in zip(split(total, weights), weights, strict=True):
        exact = total.amount * weight / whole if whole else total.amount / len(weights)
        assert abs(part.amount - exact) < quantum(total.currency) * Decimal("1.0001")


@given(amounts(), WEIGHTS)
def test_the_split_of_the_opposite_is_the_opposite(total: Money, weights: list[Decimal | int]) -> None:
    assert split(-total, weights) == tuple(-part for part in split(total, weights))


@pytest.mark.parametrize(
    ("total", "weights", "parts"),
    [
        ("10.00", [1, 1, 1], ["3.34", "3.33", "3.33"]),
        ("-10.00", [1, 1, 1], ["-3.34", "-3.33", "-3.33"]),
        ("0.05", [0, 0], ["0.03", "0.02"]),
        ("0.02", [1, 1, 1], ["0.01", "0.01", "0.00"]),
        ("22.98", [Decimal("39.90"), Decimal("39.90"), Decimal("150.00")], ["3.99", "3.99", "15.00"]),
        ("1.00", [0, 3, 0], ["0.00", "1.00", "0.00"]),
        ("0.00", [], []),
    ],
)
def test_residual_cents_go_to_the_first_of_equals(total: str, weights: list[Decimal], parts: list[str]) -> None:
    assert [str(part.amount) for part in split(Money.of(total, "EUR"), weights)] == parts


@pytest.mark.parametrize("weights", [[], [1, -1]])
def test_nothing_is_split_over_nobody_or_a_debtor(weights: list[int]) -> None:
    with pytest.raises(ValueError, match=r"nothing to split|not negative"):
        split(Money.of("1.00", "EUR"), weights)


@given(amounts(), amounts())
def test_sums_are_exact_within_a_currency_and_refused_across(one: Money, other: Money) -> None:
    if one.currency != other.currency:
        with pytest.raises(MixedCurrencies):
            one + other
        with pytest.raises(MixedCurrencies):
            assert one < other
        return

    assert one + other - other == one
    assert (one < other) == (one.amount < other.amount)
    assert (one >= other) == (one.amount >= other.amount)
    assert one + -one == Money.zero(one.currency)


@pytest.mark.parametrize(
    ("text", "currency", "written"),
    [("85", "EUR", "85.00"), ("-0.00", "EUR", "0.00"), ("5", "JPY", "5"), ("1.005", "BHD", "1.005")],
)
def test_amounts_are_written_with_the_currencys_own_decimals(text: str, currency: str, written: str) -> None:
    assert Money.of(text, currency).as_json() == {"amount": written, "currency": currency}


@pytest.mark.parametrize(
    "text", ["", " 85", "85 ", "1e3", "1_000", "1,000.00", ".5", "5.", "+5", "NaN", "Infinity", "\u0663", "0x10", "--1"]
)
def test_only_plain_decimal_text_is_an_amount(text: str) -> None:
    with pytest.raises(BadMoney):
        Money.of(text, "EUR")


@pytest.mark.parametrize(
    "amount", [0.1, 85.0, True, Decimal("NaN"), Decimal("Infinity"), Decimal("0.001"), Decimal("1E-20"), None]
)
def test_what_is_not_exact_is_no_money(amount: Any) -> None:
    with pytest.raises(InexactMoney):
        Money.of(amount, "EUR")


@pytest.mark.parametrize("factor", [0.5, True, Decimal("NaN"), "2"])
def test_money_is_not_multiplied_by_what_is_not_exact(factor: Any) -> None:
    with pytest.raises(InexactMoney):
        Money.of("1.00", "EUR").times(factor)


@pytest.mark.parametrize("currency", ["DEM", "eur", "XAU", "XXX", "EURO", "", "ABC"])
def test_only_currencies_in_use_are_known(currency: str) -> None:
    with pytest.raises(BadMoney, match="currency_not_supported"):
        Money.zero(currency)


def test_an_amount_has_an_end() -> None:
    assert Money.of("999999999999.99", "EUR").is_positive
    with pytest.raises(BadMoney, match="below"):
        Money.of("1000000000000.00", "EUR")


@pytest.mark.parametrize(
    ("amount", "rounded"), [("0.005", "0.01"), ("0.0049999", "0.00"), ("-0.005", "-0.01"), ("2.675", "2.68")]
)
def test_rounding_is_half_up_away_from_zero(amount: str, rounded: str) -> None:
    assert str(round_money(Decimal(amount), "EUR").amount) == rounded


def test_a_product_is_rounded_once() -> None:
    assert Money.of("229.80", "EUR").times(Decimal("0.1")) == Money.of("22.98", "EUR")
    assert Money.of("999999999999.99", "EUR").times(Decimal("0.0000000000005")) == Money.of("0.50", "EUR")
    assert Money.of("0.01", "EUR").times(3) == Money.of("0.03", "EUR")


@pytest.mark.parametrize(
    ("numerator", "denominator", "expected"),
    [
        ("15", "35", "0.4286"),
        ("15", "20", "0.7500"),
        ("-5", "20", "-0.2500"),
        ("1", "0", None),
        ("1", "-3", None),
        ("0.00005", "1", "0.0001"),
    ],
)
def test_a_ratio_has_four_decimals_or_is_unknown(numerator: str, denominator: str, expected: str | None) -> None:
    value = ratio(Decimal(numerator), Decimal(denominator))

    assert (None if value is None else str(value)) == expected


def test_refusals_of_money_are_value_errors_and_survive_a_pickle() -> None:
    with pytest.raises(ValueError, match="decimal number") as caught:
        Money.of("one", "EUR")

    assert pickle.loads(pickle.dumps(caught.value)).words  # noqa: S301 -- our own bytes


def test_money_reads_as_people_write_it() -> None:
    assert str(Money.of("85.00", "EUR")) == "85.00 EUR"
