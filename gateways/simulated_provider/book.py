"""The provider's book: every demand once, by its key, on disk before it is answered."""

import hashlib
import json
import secrets
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

from gateways.simulated_provider import tables
from gateways.simulated_provider.rules import judge
from gateways.simulated_provider.tokens import Behaviour, behaviour_of
from gateways.simulated_provider.vocabulary import (
    Charge,
    Demand,
    Effect,
    Kind,
    Standing,
    State,
    Verdict,
)

PROMISED = (State.AUTHORISED, State.CAPTURED)
"""States of an authorisation behind which there is money; a late one goes straight to the second."""


class KeyReused(Exception):
    """The idempotency key already stands for another demand."""


class Book:
    """One SQLite file; each method is one transaction and first brings in what fell due meanwhile."""

    def __init__(self, path: Path) -> None:
        self._db = tables.open_book(path)

    def close(self) -> None:
        """Lets go of the file."""
        self._db.close()

    def perform(self, demand: Demand) -> tuple[Effect, Behaviour | None]:
        """The effect of the demand, and the token's behaviour when this call is the first with its key.

        The same demand again gives the same effect. Raises KeyReused when the key stands for another one.
        """
        with self._transaction() as now:
            known = self._find(demand.key)
            if known is None:
                return self._enter(demand, now)
            if known.fingerprint != _fingerprint(demand):
                raise KeyReused(demand.key)
            return known, None

    def look_up(self, key: str) -> Effect | None:
        """What became of the demand with this key; None when it was never heard of."""
        with self._transaction():
            return self._find(key)

    def charges(self, *, merchant_reference: str | None, after: int, limit: int) -> list[Charge]:
        """Promised or taken money by sequence, from the one after `after` on; a pending charge is not in it yet."""
        with self._transaction():
            rows = self._db.execute(
                """SELECT sequence, reference, merchant_reference, currency FROM charges
                   WHERE sequence > ? AND (? IS NULL OR merchant_reference = ?)
                     AND EXISTS (SELECT 1 FROM effects WHERE charge = reference AND kind = 'authorise'
                                 AND state IN ('authorised', 'captured'))
                   ORDER BY sequence LIMIT ?""",
                (after, merchant_reference, merchant_reference, limit),
            ).fetchall()
            return [_charge_of(row, self._effects(row["reference"])) for row in rows]

    @contextmanager
    def _transaction(self) -> Iterator[datetime]:
        self._db.execute("BEGIN IMMEDIATE")
        try:
            # The provider's clock is this machine's; due times are stored, so that a restart forgets none.
            now = datetime.now(UTC)
            self._bring_in_what_is_due(now)
            yield now
        except BaseException:
            self._db.execute("ROLLBACK")
            raise
        self._db.execute("COMMIT")

    def _bring_in_what_is_due(self, now: datetime) -> None:
        self._db.execute(
            "UPDATE effects SET state = 'captured', occurred_at = due_at WHERE state = 'pending' AND due_at <= ?",
            (tables.stamp(now),),
        )

    def _find(self, key: str) -> Effect | None:
        row = self._db.execute(f"SELECT {tables.EFFECT_COLUMNS} FROM effects WHERE key = ?", (key,)).fetchone()  # noqa: S608 -- the columns are a constant
        return None if row is None else tables.effect_of(row)

    def _effects(self, charge: str) -> list[Effect]:
        rows = self._db.execute(
            f"SELECT {tables.EFFECT_COLUMNS} FROM effects WHERE charge = ? ORDER BY occurred_at, key",  # noqa: S608 -- as above
            (charge,),
        )
        return [tables.effect_of(row) for row in rows]

    def _enter(self, demand: Demand, now: datetime) -> tuple[Effect, Behaviour]:
        authorises = demand.kind is Kind.AUTHORISE
        effect, behaviour = self._authorise(demand, now) if authorises else self._follow_up(demand, now)
        marks = ", ".join("?" for _ in tables.row_of(effect))
        self._db.execute(
            f"INSERT INTO effects ({tables.EFFECT_COLUMNS}) VALUES ({marks})",  # noqa: S608 -- as above
            tables.row_of(effect),
        )
        return effect, behaviour

    def _authorise(self, demand: Demand, now: datetime) -> tuple[Effect, Behaviour]:
        assert demand.token is not None
        behaviour = behaviour_of(demand.token)
        wait = behaviour.captures_itself_after
        effect = _effect(
            demand,
            verdict=behaviour.authorisation,
            charge=self._open_charge(demand, behaviour),
            now=now,
            due_at=None if wait is None else now + wait,
            answer_at=now + behaviour.answer_delay,
        )
        return effect, behaviour

    def _open_charge(self, demand: Demand, behaviour: Behaviour) -> str | None:
        if behaviour.authorisation.state not in {State.AUTHORISED, State.PENDING}:
            return None
        reference = f"ch_{secrets.token_hex(12)}"
        self._db.execute(
            "INSERT INTO charges (reference, token, currency, merchant_reference) VALUES (?, ?, ?, ?)",
            (reference, demand.token, demand.currency, demand.merchant_reference),
        )
        return reference

    def _follow_up(self, demand: Demand, now: datetime) -> tuple[Effect, Behaviour]:
        charge = self._db.execute(
            "SELECT reference, token, currency FROM charges WHERE reference = ?", (demand.charge,)
        ).fetchone()
        if charge is None:
            verdict = Verdict(State.REFUSED, "no_such_charge")
            return _effect(demand, verdict=verdict, charge=None, now=now), Behaviour()
        behaviour = behaviour_of(charge["token"])
        standing = standing_of(self._effects(charge["reference"]), currency=charge["currency"])
        verdict = judge(demand, standing=standing, behaviour=behaviour)
        return _effect(demand, verdict=verdict, charge=charge["reference"], now=now), behaviour


def standing_of(effects: Iterable[Effect], *, currency: str) -> Standing:
    """What a charge amounts to after these effects."""
    effects = list(effects)
    return Standing(
        currency=currency,
        authorised=_sum(e for e in effects if e.kind is Kind.AUTHORISE and e.state in PROMISED),
        captured=_sum(e for e in effects if e.state is State.CAPTURED),
        refunded=_sum(e for e in effects if e.state is State.REFUNDED),
        is_voided=any(e.state is State.VOIDED for e in effects),
        refunds_refused=sum(e.reason == "refund_refused" for e in effects),
    )


def _sum(effects: Iterable[Effect]) -> Decimal:
    return sum((e.amount for e in effects if e.amount is not None), Decimal(0))


def _effect(
    demand: Demand,
    *,
    verdict: Verdict,
    charge: str | None,
    now: datetime,
    due_at: datetime | None = None,
    answer_at: datetime | None = None,
) -> Effect:
    return Effect(
        key=demand.key,
        kind=demand.kind,
        state=verdict.state,
        reason=verdict.reason,
        charge=charge,
        amount=demand.amount,
        currency=demand.currency,
        occurred_at=now,
        due_at=due_at,
        answer_at=answer_at or now,
        fingerprint=_fingerprint(demand),
    )


def _fingerprint(demand: Demand) -> str:
    # 85.0 and 85.00 ask for the same.
    content = json.dumps(asdict(demand), sort_keys=True, default=lambda amount: f"{amount.normalize():f}")
    return hashlib.sha256(content.encode()).hexdigest()


def _charge_of(row: sqlite3.Row, effects: list[Effect]) -> Charge:
    standing = standing_of(effects, currency=row["currency"])
    # 0.00, not 0, where the charge speaks of cents.
    nothing = standing.authorised - standing.authorised
    last = {effect.state: effect.occurred_at for effect in effects}
    authorised_at = next(e.occurred_at for e in effects if e.kind is Kind.AUTHORISE)
    return Charge(
        sequence=row["sequence"],
        reference=row["reference"],
        merchant_reference=row["merchant_reference"],
        currency=row["currency"],
        authorised=standing.authorised,
        captured=standing.captured or nothing,
        refunded=standing.refunded or nothing,
        voided=standing.voided or nothing,
        authorised_at=authorised_at,
        captured_at=last.get(State.CAPTURED),
        refunded_at=last.get(State.REFUNDED),
        voided_at=last.get(State.VOIDED),
    )
