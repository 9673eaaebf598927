"""What travels over HTTP: bodies in, answers out; amounts are decimal strings, never numbers."""

import hashlib
from datetime import datetime
from decimal import Decimal
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, StringConstraints

from gateways.simulated_provider.tables import stamp
from gateways.simulated_provider.vocabulary import Charge, Demand, Effect, Kind, State


def _above_zero(amount: str) -> str:
    if not Decimal(amount):
        raise ValueError("an amount is above zero")
    return amount


Amount = Annotated[str, StringConstraints(pattern=r"^[0-9]{1,12}(\.[0-9]{1,4})?$"), AfterValidator(_above_zero)]
Currency = Annotated[str, StringConstraints(pattern=r"^[A-Z]{3}$")]

STATUS = {
    State.PENDING: 202,
    State.DECLINED: 402,
    State.FAILED: 402,
    State.REFUSED: 409,
}
"""HTTP status by state; what was done is 200."""


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class AuthorisationBody(_Body):
    """A card is to be charged up to an amount."""

    amount: Amount
    currency: Currency
    token: Annotated[str, StringConstraints(min_length=1, max_length=100)]
    merchant_reference: Annotated[str, StringConstraints(max_length=200)] = ""

    def demand(self, key: str) -> Demand:
        """The body in the book's words."""
        return Demand(
            key=key,
            kind=Kind.AUTHORISE,
            amount=Decimal(self.amount),
            currency=self.currency,
            token=self.token,
            merchant_reference=self.merchant_reference,
        )


class MoneyBody(_Body):
    """How much of a charge is to be captured or given back."""

    amount: Amount
    currency: Currency

    @property
    def decimal(self) -> Decimal:
        """The amount as the book reckons."""
        return Decimal(self.amount)


class VoidBody(_Body):
    """A charge is to be let go whole: there is nothing to say about it."""


def effect_json(effect: Effect) -> dict[str, Any]:
    """An effect as its caller, and whoever looks it up, reads it."""
    return {
        "key": effect.key,
        "kind": effect.kind,
        "state": effect.state,
        "reference": _reference(effect),
        "reason": effect.reason,
        "amount": _amount(effect.amount),
        "currency": effect.currency,
        "occurred_at": None if effect.state is State.PENDING else stamp(effect.occurred_at),
    }


def _reference(effect: Effect) -> str | None:
    """The provider's own name for it: the charge's, but each refund has one of its own."""
    if effect.kind is not Kind.REFUND or effect.state is not State.REFUNDED:
        return effect.charge
    return f"re_{hashlib.sha256(effect.key.encode()).hexdigest()[:24]}"


def charge_json(charge: Charge) -> dict[str, Any]:
    """A line of the book; no token leaves the provider."""
    return {
        "sequence": charge.sequence,
        "reference": charge.reference,
        "merchant_reference": charge.merchant_reference,
        "currency": charge.currency,
        "authorised": _amount(charge.authorised),
        "captured": _amount(charge.captured),
        "refunded": _amount(charge.refunded),
        "voided": _amount(charge.voided),
        "authorised_at": _at(charge.authorised_at),
        "captured_at": _at(charge.captured_at),
        "refunded_at": _at(charge.refunded_at),
        "voided_at": _at(charge.voided_at),
    }


def _amount(amount: Decimal | None) -> str | None:
    return None if amount is None else f"{amount:f}"


def _at(at: datetime | None) -> str | None:
    return None if at is None else stamp(at)
