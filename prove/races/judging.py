"""Judging duels at a deadline: what the API says in the end against what it answered on the way."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal

from demo.caller import Json
from prove.races.clients import Answer
from prove.races.ground import GRACE_SECONDS, OPERATION_SECONDS, Ground
from prove.races.tally import Tally
from stand.agency import Agency

WINDOW_SECONDS = 4
"""How long a reservation of these races lasts."""
TICK = 0.001
"""What an instant may lose on its way through JSON."""
CLEAN_PAYMENT = ("reservation_expired",)
CLEAN_RELEASE = ("wrong_state", "payment_in_progress", "booking_ended")


@dataclass
class Duel:
    """One seat whose reservation runs out, and what was asked around that instant: each ask with its answer."""

    kind: str
    seat_id: str
    booking: Json
    heard: list[tuple[str, Answer]] = field(default_factory=list)

    @property
    def ends_at(self) -> float:
        """The reservation's end, in seconds since the epoch."""
        return moment(self.booking["reserved_until"])

    def yes(self, act: str) -> list[Json]:
        """The bodies of the accepted ones."""
        return [answer.json for name, answer in self.heard if name == act and answer.status < 300]


def moment(text: str) -> float:
    """An instant of the API, in seconds since the epoch."""
    return datetime.fromisoformat(text).astimezone(UTC).timestamp()


def judge(ground: Ground, tally: Tally, agency: Agency, event_id: str, duels: Sequence[Duel]) -> None:
    """Every duel; all bookings of the event are read once, and every operation that was accepted; refunds are waited for."""
    accepted = [one["id"] for duel in duels for act in ("pay", "let go") for one in duel.yes(act)]
    ended = ground.ended(agency, accepted)
    known = _known(agency, event_id)
    give_up = time.monotonic() + OPERATION_SECONDS
    while any(map(_is_owed, known.values())) and time.monotonic() < give_up:
        time.sleep(1)
        known = _known(agency, event_id)
    promised = {duel.booking["id"] for duel in duels} | {one["id"] for duel in duels for one in duel.yes("buy")}
    tally.expect(sorted(known), sorted(promised), "the bookings that exist")
    for duel in duels:
        for words in _faults(duel, known, ended):
            tally.fault(f"{duel.kind}, booking {duel.booking['booking_number']}: {words}")
        tally.count(_ending(duel, known))


def _known(agency: Agency, event_id: str) -> dict[str, Json]:
    return {one["id"]: one for one in agency.caller.everything("/api/bookings", event_id=event_id)}


def _is_owed(booking: Json) -> bool:
    """Money has come for it that is still to go back."""
    return bool(booking["status"] != "CONFIRMED" and _left(booking) != _kept(booking))


def _was_given_back(booking: Json) -> bool:
    """It was sold in time, and cancelled by a release that came a moment after."""
    return bool(booking["confirmed_at"] and booking["cancellation_reason"] == "CUSTOMER_REQUEST")


def _kept(booking: Json) -> Decimal:
    """What the agency may keep of a booking that is over: the fee of one that was sold."""
    return Decimal(booking["service_fee"]["amount"]) if _was_given_back(booking) else Decimal(0)


def _left(booking: Json) -> Decimal:
    return Decimal(booking["paid"]["amount"]) - Decimal(booking["refunded"]["amount"])


def _ending(duel: Duel, known: Mapping[str, Json]) -> str:
    """How the duel ended, in words to count."""
    first = known[duel.booking["id"]]
    end = "sold" if first["status"] == "CONFIRMED" else str(first["cancellation_reason"]).lower()
    end += ", money given back" if first["status"] == "REFUNDED" or first["payment_status"] == "REFUNDED" else ""
    return f"{duel.kind}: {end}{', the next had it in a basket' if duel.yes('buy') else ''}"


def _faults(duel: Duel, known: Mapping[str, Json], ended: Mapping[str, Json]) -> Iterator[str]:
    first = known[duel.booking["id"]]
    if first["status"] not in ("CONFIRMED", "CANCELLED", "REFUNDED"):
        yield f"has no end: {first['status']}"
    nexts = [known[one["id"]] for one in duel.yes("buy")]
    yield from _payment_faults(duel, first, ended)
    yield from _release_faults(duel, first, ended)
    yield from _buyer_faults(duel, first, nexts)


def _payment_faults(duel: Duel, first: Json, ended: Mapping[str, Json]) -> Iterator[str]:
    payments = [ended[one["id"]] for one in duel.yes("pay")]
    paid, refunded = first["paid"]["amount"], first["refunded"]["amount"]
    sold = first["status"] == "CONFIRMED"
    if len(payments) > 1 or (sold or _was_given_back(first)) != any(one["status"] == "succeeded" for one in payments):
        yield f"is {first['status']} after payments {[one['status'] for one in payments]}"
    if sold and (paid, refunded) != (first["total_amount"]["amount"], "0.00"):
        yield f"is sold with {paid} paid and {refunded} given back"
    if not sold and _is_owed(first):
        yield f"is not sold, but {paid} was paid and {refunded} given back"
    yield from _unclean(payments, CLEAN_PAYMENT)


def _release_faults(duel: Duel, first: Json, ended: Mapping[str, Json]) -> Iterator[str]:
    releases = [ended[one["id"]] for one in duel.yes("let go")]
    released = first["cancellation_reason"] == "CUSTOMER_REQUEST"
    if released != any(one["status"] == "succeeded" for one in releases):
        yield f"ended as {first['cancellation_reason']} after releases {[one['status'] for one in releases]}"
    yield from _unclean(releases, CLEAN_RELEASE)


def _unclean(operations: Sequence[Json], clean: Sequence[str]) -> Iterator[str]:
    for one in operations:
        code = str((one["error"] or {}).get("code", one["status"]))
        if one["status"] != "succeeded" and code not in clean:
            yield f"its {one['kind']} ended with {code}"


def _buyer_faults(duel: Duel, first: Json, nexts: Sequence[Json]) -> Iterator[str]:
    """The hold of one and the hold of the next never overlap; who began to pay in time holds the seat over the grace."""
    bought = sorted(moment(one["created_at"]) for one in nexts)
    if not bought:
        return
    over = duel.ends_at + (GRACE_SECONDS if duel.yes("pay") else 0.0)
    if first["cancellation_reason"] != "CUSTOMER_REQUEST" and bought[0] < over - TICK:
        yield f"its seat was sold {over - bought[0]:.3f} s before its time was over"
    if len(bought) > 1 and bought[1] - bought[0] < WINDOW_SECONDS - TICK:
        yield "two buyers were promised its seat at once"
    if first["status"] == "CONFIRMED" and moment(first["confirmed_at"]) - bought[0] < WINDOW_SECONDS - TICK:
        yield "is sold, and so is its seat to the next"
