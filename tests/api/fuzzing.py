"""Random requests against the API in this process: generated from its own description, steered towards things that exist.

`python -m tests.api.fuzzing --minutes 60` runs them for an hour on a database of its own.
"""

from __future__ import annotations

import argparse
import json
import logging
import random
import shlex
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any, cast
from uuid import UUID

import schemathesis
import structlog
from fastapi import FastAPI
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st
from schemathesis import GenerationMode
from schemathesis.core.failures import Failure, FailureGroup
from schemathesis.core.result import Ok
from schemathesis.core.transport import Response
from schemathesis.python import asgi
from schemathesis.schemas import APIOperation
from schemathesis.specs.openapi.checks import response_schema_conformance
from typing_extensions import override

from api import documents
from api.app import build
from api.problems import PROBLEMS
from api.resources import RESOURCES
from db.transaction import Database
from settings import Settings
from tests import ground
from tests.makers import trade
from tests.makers.access import Agency, an_agency
from tests.makers.payments import our_side_of_a_provider

Case = schemathesis.Case[Any]
Call = APIOperation[Any, Any, Any, Any]

TOKENS = ("tok_ok", "tok_declined", "tok_unknown_then_ok", "tok_late_300", "tok_capture_fails")
SELECTORS = ("Parkett/A/1-5", "Parkett/A/*", "*/*/*", "Parkett/A/3,5-7", "Parkett/B/1", "Parkett/A/9-1")
NOBODY_PRINTS = "document_pending"
"""The one 503 that is right here: the API holds a request for a document that no other process makes."""


@dataclass(frozen=True)
class Finding:
    """An answer that the description does not allow, and the request that brought it."""

    operation: str
    words: str
    request: str

    @override
    def __str__(self) -> str:
        return f"{self.operation}: {self.words}\n    {self.request}"


class World:
    """An agency with something of everything, the API on it, and the ids that requests may name."""

    def __init__(self, app: FastAPI, agency: Agency, pools: Mapping[str, Sequence[str]]) -> None:
        self.agency = agency
        self.pools = pools
        self.asked = 0
        self.schema = schemathesis.openapi.from_dict(app.openapi())
        self.client = asgi.get_client(cast("Any", app))

    def operations(self) -> dict[str, Call]:
        """Every operation by `METHOD /path`."""
        found = [result.ok() for result in self.schema.get_all_operations() if isinstance(result, Ok)]
        return {f"{one.method.upper()} {one.path}": one for one in found}

    def try_out(self, case: Case, chance: random.Random) -> Finding | None:
        """Send the request, bent towards what exists; what is wrong with its answer."""
        steer(case, self.pools, chance)
        case.headers.pop("Prefer", None)
        name = f"{case.method.upper()} {case.path}"
        try:
            answer = self.answer(case)
        except Exception as raised:  # noqa: BLE001 -- whatever the application did not expect is what is looked for
            return Finding(name, f"500: {raised!r}"[:600], str(case.as_curl_command())[:1500])
        fault = fault_of(case, answer)
        return Finding(name, fault, as_curl(answer)) if fault else None

    def answer(self, case: Case) -> Response:
        """What the owner is answered."""
        self.asked += 1
        return case.call(session=self.client, headers={"Authorization": f"Bearer {self.agency.owner.token}"})


@contextmanager
def a_world(clone: ground.Clone) -> Iterator[World]:
    """The world on this database, until the block ends."""
    documents.LONGEST = 0.02
    with Database(clone.app_url, size=24, name="fuzzing") as database:
        agency = furnished(database)
        app = build(Settings(build_id="test"), database)
        yield World(app, agency, pools_of(database, agency))


def furnished(database: Database) -> Agency:
    """An agency that has bought, sold, been refused and given back."""
    agency = an_agency(database)
    with tempfile.TemporaryDirectory() as home, our_side_of_a_provider(Path(home)) as provider:
        stock = trade.a_stock(database, agency, seats=30)
        trade.a_sale(database, stock, stock.seats[:3], provider=provider)
        refunded = trade.a_sale(database, stock, stock.seats[3:6], provider=provider)
        trade.a_cancellation(database, agency.id, refunded, provider=provider, tickets=1)
        trade.a_basket(database, stock, stock.seats[6:8], window=timedelta(days=1))
        trade.a_payment(database, agency.id, trade.a_basket(database, stock, stock.seats[8:9]))
    with database.transaction(agency.id, actor=agency.buyer.email) as tx:
        for _ in range(3):
            trade.an_order(tx, stock.event_id, stock.supplier_id, seats=5)
    return agency


def pools_of(database: Database, agency: Agency) -> dict[str, list[str]]:
    """What there is, by the name under which requests speak of it."""
    pools: dict[str, list[str]] = {}
    with database.transaction(agency.id) as tx:
        for name, resource in RESOURCES.items():
            columns = filter(None, ["id", resource.number])
            queries = [f"SELECT {column}::text FROM {resource.table} LIMIT 40" for column in columns]
            pools[name] = [one for query in queries for one in tx.values(query, ())]
        pools["line_id"] = [str(one) for one in tx.values("SELECT id FROM purchase_order_lines", ())]
        pools["barcode"] = [str(one) for one in tx.values("SELECT barcode FROM tickets", ())]
    pools["ticket_ids"] = pools["ticket_id"]
    pools["token"] = list(TOKENS)
    pools["currency"] = [agency.currency]
    return pools


def steer(case: Case, pools: Mapping[str, Sequence[str]], chance: random.Random) -> None:
    """Name things that exist, mostly: a random id only ever finds 404."""
    for name in case.path_parameters:
        if pools.get(name) and chance.random() < 0.85:
            case.path_parameters[name] = chance.choice(pools[name])
    for name in case.query:
        if pools.get(name) and chance.random() < 0.7:
            case.query[name] = chance.choice(pools[name])
    if isinstance(case.body, (dict, list)):
        case.body = steered(case.body, pools, chance)


def steered(value: Any, pools: Mapping[str, Sequence[str]], chance: random.Random, name: str = "") -> Any:
    """The same body with known ids, codes and selectors in some of its places."""
    if isinstance(value, dict):
        return {key: steered(one, pools, chance, key) for key, one in value.items()}
    if isinstance(value, list):
        return [steered(one, pools, chance, name) for one in value[:50]]
    known: Sequence[str] = pools.get(name) or ()
    if name == "seats":
        known = pools["event_seat_id"] if is_uuid(value) else SELECTORS
    return chance.choice(known) if known and isinstance(value, str) and chance.random() < 0.7 else value


def is_uuid(value: Any) -> bool:
    """Whether it is written like an id."""
    try:
        return isinstance(value, str) and bool(UUID(value))
    except ValueError:
        return False


def fault_of(case: Case, answer: Response) -> str | None:
    """What the description does not allow about this answer."""
    status, kind = answer.status_code, "".join(answer.headers.get("content-type", [""]))
    if status < 400:
        return success_fault(case, answer)
    if not kind.startswith("application/problem+json"):
        return f"{status} as {kind}"
    problem = json.loads(answer.content)
    code = problem["code"]
    if status >= 500 and code != NOBODY_PRINTS:
        return f"{status} {code}: {problem['detail']}"
    if PROBLEMS[code].status != status:
        return f"{status} for {code}"
    known = case.operation.definition.raw
    if code not in known["x-problems"] or str(status) not in known["responses"]:
        return f"{status} {code} is not documented"
    return None


def success_fault(case: Case, answer: Response) -> str | None:
    """A success of another status or shape than described."""
    if str(answer.status_code) not in case.operation.definition.raw["responses"]:
        return f"{answer.status_code} is not documented"
    try:
        case.validate_response(answer, checks=[response_schema_conformance])
    except (FailureGroup, Failure) as wrong:
        return f"{answer.status_code} does not fit its shape: {str(wrong)[:600]}"
    return None


def as_curl(answer: Response) -> str:
    """The request as one can repeat it."""
    request = answer.request
    body = request.body.decode("utf-8", "replace") if isinstance(request.body, bytes) else request.body
    sent = ["-H", f"Content-Type: {request.headers['Content-Type']!s}", "-d", str(body)] if body else []
    extra = [
        f"{name}: {request.headers[name]!s}" for name in ("If-Match", "Idempotency-Key") if name in request.headers
    ]
    words = [
        "curl",
        "-X",
        str(request.method),
        str(request.url),
        *sent,
        *(part for one in extra for part in ("-H", one)),
    ]
    return shlex.join(words)[:1500]


def requests_for(operation: Call) -> st.SearchStrategy[Case]:
    """Good and bad requests, as many of each."""
    good = operation.as_strategy(GenerationMode.POSITIVE)
    if not (operation.body or operation.query or operation.path_parameters):
        return good
    return st.one_of(good, operation.as_strategy(GenerationMode.NEGATIVE))


def search(world: World, name: str, *, examples: int, number: int) -> list[Finding]:
    """Try so many requests of one operation; each different fault once."""
    found: dict[str, Finding] = {}
    chance = random.Random(number)

    @seed(number)
    @settings(
        max_examples=examples,
        deadline=None,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(requests_for(world.operations()[name]))
    def run(case: Case) -> None:
        finding = world.try_out(case, chance)
        if finding is not None:
            found.setdefault(finding.words[:80], finding)

    run()
    return list(found.values())


def main() -> int:
    """Random requests for as long as asked; exit status 1 when something was found."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("--minutes", type=float, default=60)
    parser.add_argument("--seed", type=int, default=int(time.time()))
    given_words = parser.parse_args()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    ground.begin_run()
    seen: set[str] = set()
    try:
        with ground.clone("fuzzing") as clone, a_world(clone) as world:
            for finding in endless(world, number=given_words.seed, seconds=given_words.minutes * 60):
                if f"{finding.operation} {finding.words[:80]}" not in seen:
                    seen.add(f"{finding.operation} {finding.words[:80]}")
                    sys.stdout.write(f"{finding}\n")
                    sys.stdout.flush()
            sys.stdout.write(f"{world.asked} requests, {len(seen)} findings\n")
    finally:
        ground.end_run()
    return 1 if seen else 0


def endless(world: World, *, number: int, seconds: float) -> Iterator[Finding]:
    """Operation after operation, each round with another seed, until the time is over."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        for name in world.operations():
            yield from search(world, name, examples=20, number=number)
            if time.monotonic() > end:
                return
        number += 1


if __name__ == "__main__":
    sys.exit(main())
