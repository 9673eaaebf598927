"""An edge does what is asked of it: through a real proxy to a real listener."""

from __future__ import annotations

import socket
import socketserver
import threading
from collections.abc import Iterator

import pytest
from typing_extensions import override

from prove.kills import proxies
from prove.kills.cells import EDGES, Edge
from prove.kills.proxies import Ways
from stand.__main__ import through
from stand.plan import Plan
from supervisor import ports
from supervisor.home import Home

SILENCE = 1.0


class Echo(socketserver.BaseRequestHandler):
    """Says again what it hears, and remembers it."""

    heard: list[bytes]

    @override
    def handle(self) -> None:
        while words := self.request.recv(100):
            self.heard.append(words)
            self.request.sendall(words)


@pytest.fixture(scope="module")
def heard() -> list[bytes]:
    return []


@pytest.fixture(scope="module")
def ways(tmp_path_factory: pytest.TempPathFactory, heard: list[bytes]) -> Iterator[Ways]:
    """Proxies to a listener that stands where Postgres would."""
    server = proxies.program()
    if server is None:
        pytest.skip("toxiproxy is built by Go, and there is none")
    home = Home(tmp_path_factory.mktemp("edges"))
    with proxies.laid(home, server) as laid:
        port = ports.assign(home.run / "ports.json", ["postgres"])["postgres"]
        handler = type("Heard", (Echo,), {"heard": heard})
        with socketserver.ThreadingTCPServer(("127.0.0.1", port), handler) as listener:
            threading.Thread(target=listener.serve_forever, daemon=True).start()
            yield laid
            listener.shutdown()


def call(ways: Ways) -> socket.socket:
    """A line to the listener by the proxy."""
    line = socket.create_connection(("127.0.0.1", ways.proxies["api-postgres"].listens), timeout=5)
    line.settimeout(SILENCE)
    return line


def answer(line: socket.socket, words: bytes) -> bytes | None:
    """What comes back; None when nothing does."""
    line.sendall(words)
    try:
        return line.recv(100)
    except TimeoutError:
        return None


def struck(ways: Ways, fault: str) -> proxies.Proxy:
    return ways.strike(Edge("api", "postgres", fault))


def test_a_whole_edge_lets_everything_through(ways: Ways) -> None:
    with call(ways) as line:
        assert answer(line, b"good morning") == b"good morning"


def test_a_cut_edge_ends_its_lines_and_takes_none(ways: Ways) -> None:
    with call(ways) as line:
        assert answer(line, b"before") == b"before"

        proxy = struck(ways, "cut")

        assert line.recv(100) == b""
        with pytest.raises(ConnectionRefusedError):
            call(ways)
    proxy.mend()
    with call(ways) as line:
        assert answer(line, b"after") == b"after"


def test_a_mute_edge_is_heard_and_not_answered(ways: Ways, heard: list[bytes]) -> None:
    with call(ways) as line:
        proxy = struck(ways, "mute")

        assert answer(line, b"is anybody there") is None
        assert heard[-1] == b"is anybody there"
        proxy.mend()


def test_a_deaf_edge_is_not_even_heard(ways: Ways, heard: list[bytes]) -> None:
    with call(ways) as line:
        proxy = struck(ways, "deaf")

        assert answer(line, b"hello") is None
        assert b"hello" not in heard
        proxy.mend()


def test_a_stopped_edge_goes_on_where_it_was(ways: Ways) -> None:
    with call(ways) as line:
        assert answer(line, b"one") == b"one"

        proxy = struck(ways, "pause")

        assert answer(line, b"two") is None
        proxy.mend()
        line.settimeout(10)
        assert line.recv(100) == b"two"


def test_every_part_is_led_through_its_proxies(ways: Ways) -> None:
    plan = Plan(apis=2, workers=2)

    detours = ways.detours(plan)

    assert set(detours) == {*plan.api_names, *plan.worker_names, "dispatcher"}
    assert set(detours["worker-2"]) == {service for part, service in EDGES if part == "worker"}
    assert detours["api-1"] == {"postgres": ways.proxies["api-postgres"].listens}


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("postgresql://app:word@127.0.0.1:5432/allotment", "postgresql://app:word@127.0.0.1:21000/allotment"),
        ("127.0.0.1:7233", "127.0.0.1:21000"),
        ("http://127.0.0.1:8100", "http://127.0.0.1:21000"),
        ("smtp://127.0.0.1:2525", "smtp://127.0.0.1:21000"),
    ],
)
def test_a_detour_keeps_all_of_an_address_but_its_port(address: str, expected: str) -> None:
    assert through(address, 21000) == expected


def test_the_pinned_proxy_is_named_once() -> None:
    pinned = (proxies.MODULE / "go.mod").read_text()

    assert "github.com/Shopify/toxiproxy/v2 v2." in pinned
    assert (proxies.MODULE / "go.sum").stat().st_size > 1000
