"""`python -m stand HOME`: brings the home's plan up, says `ready`, keeps every part alive, stops in order on SIGTERM."""

from __future__ import annotations

import re
import sys
from collections.abc import Mapping
from dataclasses import dataclass, replace
from http import HTTPStatus
from pathlib import Path

from settings import Settings
from stand.plan import Plan
from supervisor import base, parts, ports
from supervisor.console import Console
from supervisor.crew import Crew
from supervisor.home import Addresses, Home
from supervisor.process import Spec
from supervisor.up import hand_over_work, status_of, supervised

READY_SECONDS = 180
# Which variable leads a part to a service.
WAYS = {
    "postgres": "ALLOTMENT_APP_DATABASE_URL",
    "temporal": "TEMPORAL_ADDRESS",
    "provider": "ALLOTMENT_PROVIDER_URL",
    "mail": "ALLOTMENT_SMTP_URL",
}
QUEUES = {"worker-documents": ("documents",)}


def main(home: Path) -> int:
    """Until a signal; the exit status of the supervisor."""
    plan = Plan.kept(home)
    settings = Settings(home=home, build_id=plan.build_id)
    order = (plan.api_names, (*plan.worker_names, "dispatcher"), ("temporal", "provider", "mail"), ("postgres",))
    return supervised(settings, lambda h, crew, console: Bringing(plan, settings, h, crew, console).up(), order=order)


@dataclass(frozen=True)
class Bringing:
    """One start of a stand."""

    plan: Plan
    settings: Settings
    home: Home
    crew: Crew
    console: Console

    def up(self) -> None:
        """Bring everything up, then watch; raises StopRequested when told to stop."""
        plan, crew = self.plan, self.crew
        numbers = ports.assign(self.home.run / "ports.json", (*plan.api_names, *plan.worker_names))
        ground = base.survey(self.settings, home=self.home, crew=crew, console=self.console, engine=plan.engine)
        addresses = replace(base.start(ground), api_url=f"http://127.0.0.1:{numbers[plan.api_names[0]]}")
        self.home.write_addresses(addresses)
        self._start_parts(addresses, numbers, ground.ports)
        where = "/readyz" if plan.worker_names else "/healthz"
        if plan.worker_names:
            hand_over_work(crew, addresses)
        doors = [numbers[name] for name in plan.api_names]
        crew.until(
            lambda: all(_answers(port, where) for port in doors), seconds=READY_SECONDS, what="every API to answer"
        )
        self.console.ready(addresses.api_url)
        crew.watch()

    def _start_parts(self, addresses: Addresses, numbers: Mapping[str, int], metered: dict[str, int]) -> None:
        plan, crew = self.plan, self.crew
        if plan.provider:
            crew.start(parts.provider(self._told("provider", addresses)))
        if plan.mail:
            crew.start(parts.mail(self._told("mail", addresses)))
        for name in plan.worker_names:
            told = self._told(name, addresses, ALLOTMENT_METRICS_PORT=str(numbers[name]))
            crew.start(self._run_as(parts.worker(name, told, queues=QUEUES.get(name, ("core", "bulk")))))
        if plan.worker_names:
            crew.start(parts.dispatcher(parts.metered(self._told("dispatcher", addresses), "dispatcher", metered)))
        for name in plan.api_names:
            told = self._told(name, addresses, ALLOTMENT_PORT=str(numbers[name]))
            crew.start(self._run_as(parts.api(told, name=name)))

    def _told(self, name: str, addresses: Addresses, **more: str) -> dict[str, str]:
        """A part's environment: everybody's, then what is its own."""
        plan = self.plan
        ways = addresses.environment()
        detours = {WAYS[service]: port for service, port in plan.detours.get(name, {}).items()}
        return {
            **parts.base_environment(self.home.path, port=int(more.get("ALLOTMENT_PORT", "8000")), is_demo=False),
            **ways,
            **{way: through(ways[way], port) for way, port in detours.items()},
            "ALLOTMENT_RESERVATION_WINDOW": plan.window,
            "ALLOTMENT_PAYMENT_GRACE": plan.grace,
            **more,
            **plan.told.get(name, {}),
        }

    def _run_as(self, spec: Spec) -> Spec:
        """The part's own command, or another module that is called the same way, or another release's."""
        module = self.plan.commands.get(spec.name, "cli")
        command = tuple(module if word == "cli" else str(word) for word in spec.command)
        return replace(spec, command=command, folder=Path(self.plan.checkouts.get(spec.name, spec.folder)))


def through(address: str, port: int) -> str:
    """The same address by another port of this machine."""
    return re.sub(r":\d+(?=/|$)", f":{port}", address, count=1)


def _answers(port: int, path: str) -> bool:
    return status_of(port, path) == HTTPStatus.OK


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
