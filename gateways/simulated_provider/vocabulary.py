"""The provider's own words: what can be asked of it, what became of it, and what a charge amounts to."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum


class Kind(StrEnum):
    """What a caller can ask for."""

    AUTHORISE = "authorise"
    CAPTURE = "capture"
    VOID = "void"
    REFUND = "refund"


class State(StrEnum):
    """What became of it. Only PENDING is not final."""

    AUTHORISED = "authorised"
    CAPTURED = "captured"
    VOIDED = "voided"
    REFUNDED = "refunded"
    PENDING = "pending"
    DECLINED = "declined"
    FAILED = "failed"
    REFUSED = "refused"


DONE = {
    Kind.AUTHORISE: State.AUTHORISED,
    Kind.CAPTURE: State.CAPTURED,
    Kind.VOID: State.VOIDED,
    Kind.REFUND: State.REFUNDED,
}
"""What a demand becomes when nothing speaks against it."""


@dataclass(frozen=True)
class Demand:
    """One thing asked under one idempotency key; `token` and `merchant_reference` come with an authorisation only."""

    key: str
    kind: Kind
    amount: Decimal | None = None
    currency: str | None = None
    charge: str | None = None
    token: str | None = None
    merchant_reference: str = ""


@dataclass(frozen=True)
class Verdict:
    """What becomes of a demand, and why when it is not done."""

    state: State
    reason: str | None = None


@dataclass(frozen=True)
class Effect:
    """A demand as the book keeps it; never changed again but for PENDING, whose end is due at `due_at`."""

    key: str
    kind: Kind
    state: State
    reason: str | None
    charge: str | None
    amount: Decimal | None
    currency: str | None
    occurred_at: datetime
    due_at: datetime | None
    answer_at: datetime
    fingerprint: str


@dataclass(frozen=True)
class Standing:
    """What a charge amounts to, summed from its effects."""

    currency: str
    authorised: Decimal = Decimal(0)
    captured: Decimal = Decimal(0)
    refunded: Decimal = Decimal(0)
    is_voided: bool = False
    refunds_refused: int = 0
    """Refunds the provider would not make, apart from those that asked for more than there is."""

    @property
    def voided(self) -> Decimal:
        """A promise is let go whole or not at all."""
        return self.authorised if self.is_voided else Decimal(0)


@dataclass(frozen=True)
class Charge:
    """One line of the book: money that was really promised, and what happened to it since."""

    sequence: int
    reference: str
    merchant_reference: str
    currency: str
    authorised: Decimal
    captured: Decimal
    refunded: Decimal
    voided: Decimal
    authorised_at: datetime
    captured_at: datetime | None
    refunded_at: datetime | None
    voided_at: datetime | None
