"""What a payment provider can be asked in our words, and what its answers mean."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from functools import cache
from types import MappingProxyType
from typing import Any, Protocol

import httpx2
from pydantic import AwareDatetime, BaseModel, ValidationError

from domain.money import Money

TIMEOUT = 5.0
"""Seconds until a call counts as unanswered (contract section 6)."""


class ProviderState(StrEnum):
    """What became of a call. Final are all but PENDING, UNKNOWN and MISSING."""

    AUTHORISED = "AUTHORISED"
    """The money is promised."""
    CAPTURED = "CAPTURED"
    """The money is taken; an authorisation that took it by itself (late money) is this too."""
    VOIDED = "VOIDED"
    """The promise is let go."""
    REFUNDED = "REFUNDED"
    """The money is given back."""
    DECLINED = "DECLINED"
    """The card was turned down; another may do."""
    FAILED = "FAILED"
    """The authorisation came to nothing at the provider."""
    REFUSED = "REFUSED"
    """A capture, void or refund will not be done, or the call was not understood; nothing happened."""
    PENDING = "PENDING"
    """The provider has it and has not decided: ask again."""
    UNKNOWN = "UNKNOWN"
    """No answer, or none that can be read: it may have happened. Look it up; never use another key."""
    MISSING = "MISSING"
    """Look-up only: the provider never heard of the key. Sending the same call with the same key is safe."""


@dataclass(frozen=True)
class ProviderAnswer:
    """The provider's word on one key.

    `reference` names the charge (None when there is none); `reason` is a code such as `card_declined`;
    `occurred_at` is the provider's time of the effect in UTC, which the journal uses (accounting.md A), None while
    nothing has happened; `amount` is what the provider believes the call was about, to be compared with ours (W6).
    """

    state: ProviderState
    reference: str | None = None
    reason: str | None = None
    occurred_at: datetime | None = None
    amount: Money | None = None


@dataclass(frozen=True)
class BookLine:
    """One charge in the provider's book: money that was really promised, and what happened to it since."""

    reference: str
    description: str
    currency: str
    authorised: Money
    captured: Money
    refunded: Money
    voided: Money
    authorised_at: datetime
    captured_at: datetime | None
    refunded_at: datetime | None
    voided_at: datetime | None


class PaymentProvider(Protocol):
    """A payment provider. Each call blocks for at most the provider's timeout and never raises for what it answers.

    `key` is at most 255 visible ASCII characters, made from workflow id and step: the same call with the same key
    has one effect, however often and from how many places it is sent (reliability-security.md W9 to W11).
    """

    def authorise(self, *, key: str, amount: Money, token: str, description: str) -> ProviderAnswer:
        """Asks for the promise of money: AUTHORISED, DECLINED, FAILED, PENDING or UNKNOWN."""
        ...

    def capture(self, *, key: str, authorisation: str, amount: Money) -> ProviderAnswer:
        """Takes promised money, at most what was promised: CAPTURED, REFUSED or UNKNOWN."""
        ...

    def void(self, *, key: str, authorisation: str) -> ProviderAnswer:
        """Lets a promise go of which nothing was taken: VOIDED, REFUSED or UNKNOWN."""
        ...

    def refund(self, *, key: str, authorisation: str, amount: Money) -> ProviderAnswer:
        """Gives money back, at most what was taken: REFUNDED, REFUSED or UNKNOWN."""
        ...

    def look_up(self, *, key: str) -> ProviderAnswer:
        """The truth about a call by its key; MISSING when it never arrived, UNKNOWN when nobody could be asked."""
        ...

    def book(self, *, description: str | None = None) -> list[BookLine]:
        """Every charge, oldest first, or those with this description. Raises ProviderUnavailable."""
        ...


class ProviderUnavailable(Exception):
    """The provider's book cannot be read now."""


class SimulatedPayments:
    """The simulated provider over HTTP; safe to share between threads."""

    def __init__(
        self, base_url: str, *, transport: httpx2.BaseTransport | None = None, timeout: float = TIMEOUT
    ) -> None:
        self._http = httpx2.Client(
            base_url=base_url,
            transport=transport,
            timeout=httpx2.Timeout(timeout, connect=min(timeout, 2.0)),
            limits=httpx2.Limits(max_connections=100, max_keepalive_connections=20),
            trust_env=False,  # A proxy has no business between us and loopback.
        )

    def authorise(self, *, key: str, amount: Money, token: str, description: str) -> ProviderAnswer:
        """Asks for the promise of money under `description`, which the provider's book shows."""
        return self._post(
            "/v1/authorisations", key, {**_money(amount), "token": token, "merchant_reference": description}
        )

    def capture(self, *, key: str, authorisation: str, amount: Money) -> ProviderAnswer:
        """Takes promised money."""
        return self._post(f"/v1/charges/{authorisation}/captures", key, _money(amount))

    def void(self, *, key: str, authorisation: str) -> ProviderAnswer:
        """Lets a promise go."""
        return self._post(f"/v1/charges/{authorisation}/voids", key, {})

    def refund(self, *, key: str, authorisation: str, amount: Money) -> ProviderAnswer:
        """Gives money back."""
        return self._post(f"/v1/charges/{authorisation}/refunds", key, _money(amount))

    def look_up(self, *, key: str) -> ProviderAnswer:
        """The truth about a call by its key."""
        return self._ask(self._http.build_request("GET", "/v1/effects", params={"key": key}))

    def book(self, *, description: str | None = None) -> list[BookLine]:
        """Every charge, oldest first, or those with this description. Raises ProviderUnavailable."""
        wanted: dict[str, str | int] = {} if description is None else {"merchant_reference": description}
        lines: list[BookLine] = []
        after: int | None = 0
        while after is not None:
            page = self._page({**wanted, "after": after})
            lines += [_line(charge) for charge in page.charges]
            after = page.next
        return lines

    def close(self) -> None:
        """Lets the connections go."""
        self._http.close()

    def _post(self, path: str, key: str, body: dict[str, str]) -> ProviderAnswer:
        return self._ask(self._http.build_request("POST", path, json=body, headers={"Idempotency-Key": key}))

    def _ask(self, request: httpx2.Request) -> ProviderAnswer:
        try:
            return _answer(self._http.send(request))
        except httpx2.TimeoutException:
            return _unknown("no_answer_in_time")
        except httpx2.HTTPError:
            return _unknown("provider_unreachable")

    def _page(self, params: dict[str, str | int]) -> "_BookPage":
        try:
            response = self._http.get("/v1/book", params=params).raise_for_status()
            return _BookPage.model_validate_json(response.content)
        except (httpx2.HTTPError, ValidationError) as failure:
            raise ProviderUnavailable(str(failure)) from failure


class _Effect(BaseModel):
    state: str
    reference: str | None
    reason: str | None
    amount: str | None
    currency: str | None
    occurred_at: AwareDatetime | None

    @property
    def money(self) -> Money | None:
        return Money(Decimal(self.amount), self.currency) if self.amount and self.currency else None


class _Charge(BaseModel):
    reference: str
    merchant_reference: str
    currency: str
    authorised: str
    captured: str
    refunded: str
    voided: str
    authorised_at: AwareDatetime
    captured_at: AwareDatetime | None
    refunded_at: AwareDatetime | None
    voided_at: AwareDatetime | None


class _BookPage(BaseModel):
    charges: list[_Charge]
    next: int | None


def _money(amount: Money) -> dict[str, str]:
    return {"amount": f"{amount.amount:f}", "currency": amount.currency}


def _unknown(reason: str) -> ProviderAnswer:
    return ProviderAnswer(ProviderState.UNKNOWN, reason=reason)


def _answer(response: httpx2.Response) -> ProviderAnswer:
    """The provider's HTTP in our words; whatever is not surely one of its own words is UNKNOWN."""
    if response.status_code >= httpx2.codes.INTERNAL_SERVER_ERROR:
        return _unknown("provider_error")
    try:
        said: Any = response.json()
        match said:
            case {"state": "missing"}:
                return ProviderAnswer(ProviderState.MISSING)
            case {"error": "invalid_request"}:
                return ProviderAnswer(ProviderState.REFUSED, reason="invalid_request")
            case {"error": str(code)}:
                # A reused key is no refusal: under it something else happened, and look-up says what.
                return _unknown(code)
        return _effect_answer(_Effect.model_validate(said))
    except ValueError:
        return _unknown("unreadable_answer")


def _effect_answer(effect: _Effect) -> ProviderAnswer:
    return ProviderAnswer(
        state=ProviderState(effect.state.upper()),
        reference=effect.reference,
        reason=effect.reason,
        occurred_at=effect.occurred_at,
        amount=effect.money,
    )


def _line(charge: _Charge) -> BookLine:
    def money(amount: str) -> Money:
        return Money(Decimal(amount), charge.currency)

    return BookLine(
        reference=charge.reference,
        description=charge.merchant_reference,
        currency=charge.currency,
        authorised=money(charge.authorised),
        captured=money(charge.captured),
        refunded=money(charge.refunded),
        voided=money(charge.voided),
        authorised_at=charge.authorised_at,
        captured_at=charge.captured_at,
        refunded_at=charge.refunded_at,
        voided_at=charge.voided_at,
    )


class ProviderSettings(Protocol):
    """What a provider may need to know of the environment."""

    @property
    def provider_url(self) -> str | None:
        """Where the simulated provider answers."""
        ...


def provider_named(name: str, *, settings: ProviderSettings) -> PaymentProvider:
    """The provider a payment names; one per process and address, so that its connections are used again.

    Raises ValueError for a name nobody wrote yet, or one that the environment does not set up.
    """
    if name not in _PROVIDERS:
        raise ValueError(f"no payment provider is called {name!r}")
    return _PROVIDERS[name](settings)


def _simulated(settings: ProviderSettings) -> PaymentProvider:
    if settings.provider_url is None:
        raise ValueError("the simulated provider needs ALLOTMENT_PROVIDER_URL")
    return _simulated_at(settings.provider_url)


@cache
def _simulated_at(url: str) -> PaymentProvider:
    return SimulatedPayments(url)


_PROVIDERS: Mapping[str, Callable[[ProviderSettings], PaymentProvider]] = MappingProxyType({"simulated": _simulated})
