"""The demo from a fresh home to the oracle's word: bring up, trade, print the books, compare, leave the papers, stop."""

import signal
import time
from datetime import UTC, datetime
from pathlib import Path

import httpx2

from demo import books, buying, inputs, letters, papers, printing, selling, ties
from demo.caller import Caller, Office, Refusal
from demo.instance import Instance, InstanceFailed, instance
from demo.month import Checks, Month
from demo.screen import Screen
from settings import ROOT

OUT = ROOT / "out"
PASSWORD = "allotment-demo"  # noqa: S105 -- of the agency that --demo makes
SHOP_SCOPES = (
    "events:read",
    "inventory:read",
    "customers:read",
    "bookings:write",
    "payments:write",
    "tickets:read",
    "operations:read",
)


def main(*, engine: str | None = None) -> int:
    """Everything; 0 when all of it held, 1 when something did not, with a line that says what."""
    office, screen = Office(), Screen()
    checks = Checks(screen)
    _listen(office)
    began = time.monotonic()
    try:
        screen.title("A month of trading, against a fresh home")
        with instance(engine=engine, say=screen.say, is_fine=lambda: not checks.failed) as running:
            with _http(running) as http:
                _trade(running, Caller(http, office=office), screen, checks)
            _ask_oracle(running, screen, checks)
    except (InstanceFailed, Refusal, TimeoutError) as failed:
        checks.failed.append(str(failed))
    except KeyboardInterrupt:
        checks.failed.append("stopped before the end")
    return conclude(screen, checks, seconds=time.monotonic() - began)


def _trade(running: Instance, nobody: Caller, screen: Screen, checks: Checks) -> None:
    """The month, step by step, as a client that knows nothing but the API."""
    month = _people(nobody, screen, checks)
    for words, steps in (
        ("Places and suppliers", (buying.make_places,)),
        ("Buying", (buying.place_orders, buying.pay_before_delivery, buying.take_deliveries, buying.cancel_rests)),
        ("Opening sales", (buying.pay_suppliers, buying.set_prices, selling.meet_customers)),
        ("Selling", (selling.sell, selling.await_ends, selling.await_write_off)),
    ):
        screen.title(words)
        began = time.monotonic()
        for step in steps:
            step(month)
        screen.say(f"{time.monotonic() - began:.0f} s")
    reports, lists = books.read_reports(month), books.read_lists(month)
    screen.title("The books")
    printing.print_month(month, reports, lists)
    printing.print_trial_balance(month, reports)
    printing.print_profit(month, reports)
    printing.print_stock(month, reports)
    printing.print_ageing(month, reports, lists)
    screen.title("Derived twice")
    ties.check_books(month, reports, lists)
    screen.title("Documents and letters")
    number = papers.fetch(month, reports, lists, out=OUT)
    sent = letters.check_letters(month, lists, running.mail)
    screen.tell(f"{number} documents in {OUT}, {sent} letters sent")
    office = nobody.office
    screen.tell(f"{office.requests:,} requests, {office.repeated:,} of them asked again because something was busy")


def _people(nobody: Caller, screen: Screen, checks: Checks) -> Month:
    """The agency's people log in, and its owner gives the web shop a key."""

    def person(name: str) -> Caller:
        return nobody.as_person(email=f"{name}@parkside.example", password=PASSWORD)

    owner = person("owner")
    made = owner.post("/api/api-keys", {"name": "Web shop", "scopes": list(SHOP_SCOPES)}, key="key of the web shop")
    return Month(
        inputs=inputs.load(),
        screen=screen,
        checks=checks,
        buyer=person("buyer"),
        finance=person("finance"),
        boxoffice=person("boxoffice"),
        shop=nobody.as_program(made["key"]),
        began=datetime.now(UTC),
    )


def _http(running: Instance) -> httpx2.Client:
    limits = httpx2.Limits(max_connections=40, max_keepalive_connections=20)
    # A proxy has no business between us and loopback.
    return httpx2.Client(base_url=running.url, timeout=60, limits=limits, trust_env=False)


def _ask_oracle(running: Instance, screen: Screen, checks: Checks) -> None:
    screen.title("The oracle")
    answer = running.run("verify")
    for line in (answer.stdout + answer.stderr).splitlines():
        screen.tell(line)
    checks.expect("exit status of `allotment verify`", answer.returncode, wanted=0)


def conclude(screen: Screen, checks: Checks, *, seconds: float) -> int:
    """The last words, kept with the books; 1 when anything did not hold."""
    screen.title("The end")
    for words in checks.failed:
        screen.tell(f"does not hold: {words}")
    verdict = "all of it held" if not checks.failed else f"{len(checks.failed)} things did not hold"
    screen.tell(f"{checks.made:,} checks, {verdict}; {seconds:.0f} s")
    _keep(screen)
    return 1 if checks.failed else 0


def _keep(screen: Screen) -> None:
    Path(OUT).mkdir(exist_ok=True)
    screen.keep(OUT / "books.txt")


def _listen(office: Office) -> None:
    """The first Ctrl-C or SIGTERM closes the office, so that every thread goes home; later ones find it closing."""

    def stop(_number: int, _frame: object) -> None:
        if not office.closing.is_set():
            office.closing.set()
            raise KeyboardInterrupt

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, stop)
