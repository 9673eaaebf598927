"""The edges: a toxiproxy of its own on each, so that any one way between two parts can be stopped, cut or made silent."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2

from prove.kills.cells import EDGES, Edge
from settings import ROOT
from stand.plan import Plan
from stand.running import LAUNCH
from supervisor import base, builder, ports
from supervisor.home import Home

MODULE = ROOT / "tools" / "toxiproxy"
PACKAGE = "github.com/Shopify/toxiproxy/v2/cmd/server"
STARTS_WITHIN = 10.0


def program() -> Path | None:
    """The proxy, built once for this machine from the pinned module; None where there is no Go."""
    target = Path.home() / ".cache" / "allotment" / f"toxiproxy-{builder.pin(MODULE)}" / "toxiproxy-server"
    if target.exists():
        return target
    go = builder.installed_go()
    return target if go and builder.build(go, module=MODULE, package=PACKAGE, target=target) == 0 else None


@dataclass
class Proxy:
    """One way from a kind of part to a service."""

    process: subprocess.Popen[bytes]
    control: int
    listens: int
    upstream: int

    def cut(self) -> None:
        """Every line closed, none taken."""
        self._say("POST", "/proxies/edge", {"enabled": False})

    def silence(self, stream: str) -> None:
        """`downstream`: nothing comes back any more; `upstream`: nothing arrives; nobody is told."""
        toxic = {"name": "silence", "type": "timeout", "stream": stream, "attributes": {"timeout": 0}}
        self._say("POST", "/proxies/edge/toxics", toxic)

    def stop(self) -> None:
        """SIGSTOP: lines stay open and nothing moves, once every thread of it has heard."""
        self.process.send_signal(signal.SIGSTOP)
        os.waitid(os.P_PID, self.process.pid, os.WSTOPPED | os.WEXITED | os.WNOWAIT)

    def mend(self) -> None:
        """As good as new."""
        self.process.send_signal(signal.SIGCONT)
        self._say("POST", "/reset", None)

    def make(self) -> None:
        """Wait until the proxy answers, and lay its way."""
        deadline = time.monotonic() + STARTS_WITHIN
        while not ports.answers(self.control):
            if time.monotonic() > deadline or self.process.poll() is not None:
                raise RuntimeError("a proxy does not start")
            time.sleep(0.05)
        way = {"name": "edge", "listen": f"127.0.0.1:{self.listens}", "upstream": f"127.0.0.1:{self.upstream}"}
        self._say("POST", "/proxies", way)

    def _say(self, method: str, path: str, body: Any) -> None:
        url = f"http://127.0.0.1:{self.control}{path}"
        httpx2.request(method, url, json=body, timeout=10.0, trust_env=False).raise_for_status()


@dataclass
class Ways:
    """The proxies of a home by `part-service`, and the detours by which its parts are led through them."""

    proxies: Mapping[str, Proxy]

    def strike(self, edge: Edge) -> Proxy:
        """Let an edge fail in its way; `mend` of the proxy ends it."""
        proxy = self.proxies[f"{edge.part}-{edge.service}"]
        match edge.fault:
            case "pause":
                proxy.stop()
            case "cut":
                proxy.cut()
            case "deaf":
                proxy.silence("upstream")
            case "mute":
                proxy.silence("downstream")
        return proxy

    def detours(self, plan: Plan) -> dict[str, dict[str, int]]:
        """For the plan of a stand: which part reaches which service by which port."""
        named = {"api": plan.api_names, "worker": plan.worker_names, "dispatcher": ("dispatcher",)}
        found: dict[str, dict[str, int]] = {}
        for part, service in EDGES:
            for name in named[part]:
                found.setdefault(name, {})[service] = self.proxies[f"{part}-{service}"].listens
        return found


@contextmanager
def laid(home: Home, server: Path) -> Iterator[Ways]:
    """A proxy on every edge of a home that is not up yet, for as long as the block lasts."""
    home.make()
    services = ports.assign(home.run / "ports.json", base.PORTS)
    names = [f"{part}-{service}" for part, service in EDGES]
    numbers = ports.assign(home.run / "ports.json", [*names, *(f"{name}-control" for name in names)])
    proxies: dict[str, Proxy] = {}
    try:
        for (_, service), name in zip(EDGES, names, strict=True):
            control = numbers[f"{name}-control"]
            proxies[name] = Proxy(_started(server, control, home), control, numbers[name], services[service])
        for proxy in proxies.values():
            proxy.make()
        yield Ways(proxies)
    finally:
        for proxy in proxies.values():
            proxy.process.kill()
            proxy.process.wait()


def _started(server: Path, control: int, home: Home) -> subprocess.Popen[bytes]:
    with (home.logs / "proxies.log").open("ab") as log:
        # Told to die with us, however we end.
        launched = (sys.executable, "-I", "-S", str(LAUNCH), str(int(signal.SIGKILL)), str(os.getpid()), "-", "-")
        command = (*launched, str(server), "-host", "127.0.0.1", "-port", str(control))
        return subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True)
