"""The provider's word as it travels through a process: no card, no name, no amount."""

from dataclasses import dataclass
from datetime import datetime
from typing import Self

from temporalio.exceptions import ApplicationError

from domain.money import Money
from gateways.payments import ProviderAnswer, ProviderState


@dataclass(frozen=True, kw_only=True)
class Word:
    """A final answer of the provider."""

    state: ProviderState
    reference: str | None = None
    reason: str | None = None
    occurred_at: datetime | None = None

    @classmethod
    def of(cls, answer: ProviderAnswer, *, about: Money) -> Self:
        """Without the amount, which the database knows.

        Raises ApplicationError `WrongAmount` when the provider speaks of other money than we do: such a word is never
        acted on, and the step is tried until somebody has looked into it.
        """
        if answer.amount is not None and answer.amount != about:
            raise ApplicationError(f"the provider says {answer.amount} where we say {about}", type="WrongAmount")
        return cls(state=answer.state, reference=answer.reference, reason=answer.reason, occurred_at=answer.occurred_at)

    @property
    def final(self) -> bool:
        """Whether asking again would tell nothing new."""
        return self.state not in (ProviderState.PENDING, ProviderState.UNKNOWN, ProviderState.MISSING)
