"""Money: an exact decimal amount of one ISO 4217 currency, and the ways it may be rounded and split."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Context, Decimal
from functools import cache

from babel.core import get_global
from babel.numbers import get_currency_precision
from typing_extensions import override

from domain.states import Refused

# Wide enough for 14 digits times 28 digits, so that nothing is rounded before it is quantised.
_EXACT = Context(prec=60, rounding=ROUND_HALF_UP)
# Amounts are stored as numeric(14,2).
_LIMIT = Decimal(10) ** 12
_PLAIN = re.compile(r"-?[0-9]{1,30}(\.[0-9]{1,30})?", re.ASCII)
_RATIO = Decimal("0.0001")


class BadMoney(Refused, ValueError):
    """An amount or a currency that is none. A ValueError too, so that schema validation can point at the field."""


class InexactMoney(BadMoney):
    """An amount that the currency cannot express: too many decimals, a float, NaN or infinity."""


class MixedCurrencies(Refused):
    """Two currencies met in one sum or comparison."""


@cache
def _digits_in_use() -> dict[str, int]:
    """Currency code -> decimals, for every currency that is tender somewhere today (CLDR through babel)."""
    territories = get_global("territory_currencies")
    codes = {code for entries in territories.values() for code, _, end, tender in entries if tender and end is None}
    return {code: get_currency_precision(code) for code in codes}


@cache
def quantum(currency: str) -> Decimal:
    """The smallest amount of a currency: 0.01 for EUR, 1 for JPY, 0.001 for BHD. Raises BadMoney."""
    digits = _digits_in_use().get(currency)
    if digits is None:
        raise BadMoney("currency_not_supported", f"{currency!r} is not a currency in use (ISO 4217).")
    return Decimal(1).scaleb(-digits)


@dataclass(frozen=True, slots=True)
class Money:
    """An amount (quantised to the currency's decimals) and its currency. Raises BadMoney, InexactMoney."""

    amount: Decimal
    currency: str

    def __post_init__(self) -> None:
        if not isinstance(self.amount, Decimal):
            raise InexactMoney("invalid", f"An amount is a decimal number, not a {type(self.amount).__name__}.")
        object.__setattr__(self, "amount", _exact(self.amount, self.currency))

    @classmethod
    def of(cls, amount: str | int | Decimal, currency: str) -> "Money":
        """From text as people and JSON write it (`85.00`), a whole number or a Decimal."""
        if isinstance(amount, str):
            return cls(plain_decimal(amount), currency)
        return cls(_decimal(amount), currency)

    @classmethod
    def zero(cls, currency: str) -> "Money":
        return cls(Decimal(0), currency)

    @classmethod
    def total(cls, parts: Iterable["Money"], *, currency: str) -> "Money":
        """The sum of any number of amounts, none included. Raises MixedCurrencies."""
        amounts = []
        for part in parts:
            if part.currency != currency:
                raise MixedCurrencies("currency_not_supported", f"{currency} and {part.currency} do not add up.")
            amounts.append(part.amount)
        return cls(sum(amounts, Decimal(0)), currency)

    @property
    def is_zero(self) -> bool:
        return self.amount == 0

    @property
    def is_positive(self) -> bool:
        return self.amount > 0

    def __add__(self, other: "Money") -> "Money":
        return Money(self.amount + self._same(other), self.currency)

    def __sub__(self, other: "Money") -> "Money":
        return Money(self.amount - self._same(other), self.currency)

    def __neg__(self) -> "Money":
        return Money(-self.amount, self.currency)

    def __lt__(self, other: "Money") -> bool:
        return self.amount < self._same(other)

    def __le__(self, other: "Money") -> bool:
        return self.amount <= self._same(other)

    def __gt__(self, other: "Money") -> bool:
        return self.amount > self._same(other)

    def __ge__(self, other: "Money") -> bool:
        return self.amount >= self._same(other)

    def times(self, factor: Decimal | int) -> "Money":
        """The amount times a factor, half-up to the currency's decimals."""
        return round_money(_EXACT.multiply(self.amount, _decimal(factor)), self.currency)

    def as_json(self) -> dict[str, str]:
        """The shape that money has in every answer (contract section 2)."""
        return {"amount": str(self.amount), "currency": self.currency}

    @override
    def __str__(self) -> str:
        return f"{self.amount} {self.currency}"

    def _same(self, other: "Money") -> Decimal:
        if self.currency != other.currency:
            raise MixedCurrencies("currency_not_supported", f"{self.currency} and {other.currency} do not add up.")
        return other.amount


def round_money(amount: Decimal, currency: str) -> Money:
    """Any exact decimal, half-up to the currency's decimals (accounting.md D)."""
    return Money(_decimal(amount).quantize(quantum(currency), context=_EXACT), currency)


def split(total: Money, weights: Sequence[Decimal | int]) -> tuple[Money, ...]:
    """Parts in proportion to the weights that add up to the total: largest remainder, ties in the sequence's order.

    Weights are not negative; all zero means equal parts. A negative total gives the negated parts of its opposite.
    Raises ValueError for no weights with something to split, or a negative weight.
    """
    if not weights:
        if total.is_zero:
            return ()
        raise ValueError("there is nothing to split the amount over")
    shares = _whole_weights(weights)
    if total.is_zero:
        return (total,) * len(shares)
    step = quantum(total.currency)
    units = int(abs(total.amount) / step)
    sign = -1 if total.amount < 0 else 1
    parts = _largest_remainder(units, shares)
    # Thousands of equal shares have two sizes.
    amounts = {part: Money(sign * part * step, total.currency) for part in set(parts)}
    return tuple(amounts[part] for part in parts)


def ratio(numerator: Decimal, denominator: Decimal) -> Decimal | None:
    """Four decimals half-up; None, not 0, unless the denominator is above zero (accounting.md C)."""
    if denominator <= 0:
        return None
    return _EXACT.divide(numerator, denominator).quantize(_RATIO, context=_EXACT)


def plain_decimal(text: str) -> Decimal:
    """A number as people write it, digits and one point: no exponent, no blanks, no other script's digits."""
    if not _PLAIN.fullmatch(text):
        raise BadMoney("invalid", f"{text[:40]!r} is not a decimal number such as 85.00.")
    return Decimal(text)


def _exact(amount: Decimal, currency: str) -> Decimal:
    step = quantum(currency)
    # Nearly every amount comes as it is kept; the minus of -0.00 does not.
    if amount and amount.same_quantum(step) and -_LIMIT < amount < _LIMIT:
        return amount
    if not amount.is_finite():
        raise InexactMoney("invalid", f"{amount} is not an amount.")
    if abs(amount) >= _LIMIT:
        raise BadMoney("invalid", f"Amounts stay below {_LIMIT:,} {currency}.")
    quantised = amount.quantize(step, context=_EXACT)
    if quantised != amount:
        raise InexactMoney("invalid", f"{amount} has more decimals than {currency} has.")
    return quantised + 0  # adding zero turns -0.00 into 0.00


def _decimal(number: Decimal | int) -> Decimal:
    if isinstance(number, bool) or not isinstance(number, Decimal | int):
        raise InexactMoney("invalid", f"Reckon with decimals, not with a {type(number).__name__}.")
    value = Decimal(number)
    if not value.is_finite():
        raise InexactMoney("invalid", f"{value} is not a number to reckon with.")
    return value


def _whole_weights(weights: Sequence[Decimal | int]) -> list[int]:
    """The weights as whole numbers in the same proportion; all ones when they are all zero."""
    exact = [_decimal(weight) for weight in weights]
    if any(weight < 0 for weight in exact):
        raise ValueError("weights are not negative")
    if not any(exact):
        return [1] * len(exact)
    # Most baskets have one price, and most others two.
    distinct = set(exact)
    decimals = max(max(0, -int(weight.as_tuple().exponent)) for weight in distinct)
    whole = {weight: int(weight.scaleb(decimals, context=_EXACT)) for weight in distinct}
    return [whole[weight] for weight in exact]


def _largest_remainder(units: int, shares: list[int]) -> list[int]:
    whole = sum(shares)
    parts = [units * share // whole for share in shares]
    remainders = [units * share % whole for share in shares]
    order = sorted(range(len(shares)), key=lambda index: -remainders[index])
    for index in order[: units - sum(parts)]:
        parts[index] += 1
    return parts
