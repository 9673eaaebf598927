"""What each test token makes the provider do."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from types import MappingProxyType

from gateways.simulated_provider.vocabulary import Kind, State, Verdict

AUTHORISED = Verdict(State.AUTHORISED)
NO_DELAY = timedelta(0)
TIMED = re.compile(r"(?P<name>tok_slow|tok_late|tok_late_refund_unknown)_(?P<ms>[0-9]{1,8})")


@dataclass(frozen=True)
class Behaviour:
    """How a charge made with a token runs, from its authorisation to its refunds."""

    authorisation: Verdict = AUTHORISED
    answer_delay: timedelta = NO_DELAY
    """How long the authorisation's answer is held back; it has happened by then."""
    captures_itself_after: timedelta | None = None
    """When a pending authorisation succeeds, money and all."""
    silent: frozenset[Kind] = frozenset()
    """The kinds whose first call is never answered; what became of it is told by look-up only."""
    refuses_capture: bool = False
    refunds_refused: int = 0
    """How many refund attempts of a charge are finally refused before one may succeed."""


def behaviour_of(token: str) -> Behaviour:
    """The behaviour behind a token; one that nobody issued is a card that is declined as `invalid_token`."""
    if token in _PLAIN:
        return _PLAIN[token]
    timed = TIMED.fullmatch(token)
    if timed is None:
        return _declined("invalid_token")
    return _TIMED[timed["name"]](timedelta(milliseconds=int(timed["ms"])))


def _declined(reason: str) -> Behaviour:
    return Behaviour(authorisation=Verdict(State.DECLINED, reason))


def _slow(delay: timedelta) -> Behaviour:
    return Behaviour(answer_delay=delay)


def _late(delay: timedelta, *more_silent: Kind) -> Behaviour:
    silent = frozenset({Kind.AUTHORISE, *more_silent})
    return Behaviour(authorisation=Verdict(State.PENDING), captures_itself_after=delay, silent=silent)


def _late_refund_unknown(delay: timedelta) -> Behaviour:
    return _late(delay, Kind.REFUND)


_PLAIN: Mapping[str, Behaviour] = MappingProxyType(
    {
        "tok_ok": Behaviour(),
        "tok_declined": _declined("card_declined"),
        "tok_insufficient_funds": _declined("insufficient_funds"),
        "tok_unknown_then_ok": Behaviour(silent=frozenset({Kind.AUTHORISE})),
        "tok_unknown_then_failed": Behaviour(
            authorisation=Verdict(State.FAILED, "payment_failed"), silent=frozenset({Kind.AUTHORISE})
        ),
        "tok_capture_fails": Behaviour(refuses_capture=True),
        "tok_refund_fails_once": Behaviour(refunds_refused=1),
        # The two ways in which money itself can go unanswered: W9 and W10 of the reliability plan need them to be seen.
        "tok_capture_unknown_then_ok": Behaviour(silent=frozenset({Kind.CAPTURE})),
        "tok_refund_unknown_then_ok": Behaviour(silent=frozenset({Kind.REFUND})),
    }
)

_TIMED: Mapping[str, Callable[[timedelta], Behaviour]] = MappingProxyType(
    {"tok_slow": _slow, "tok_late": _late, "tok_late_refund_unknown": _late_refund_unknown}
)
