"""Ports: kept across restarts where they are free, never given twice."""

import json
import socket
from pathlib import Path

import pytest

from supervisor import ports
from supervisor.errors import CannotStart


def test_a_home_gets_the_same_ports_again(tmp_path: Path) -> None:
    first = ports.assign(tmp_path / "ports.json", ["postgres", "temporal"])

    second = ports.assign(tmp_path / "ports.json", ["temporal", "postgres", "mail"])

    assert {name: second[name] for name in first} == first
    assert len(set(second.values())) == 3


def test_a_port_that_somebody_took_meanwhile_is_replaced(tmp_path: Path) -> None:
    first = ports.assign(tmp_path / "ports.json", ["postgres"])

    with socket.create_server(("127.0.0.1", first["postgres"])):
        second = ports.assign(tmp_path / "ports.json", ["postgres"])

    assert second["postgres"] != first["postgres"]


def test_a_port_kept_for_a_part_that_is_away_is_given_to_nobody_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = ports.assign(tmp_path / "ports.json", ["postgres"])
    offered = iter([first["postgres"], first["postgres"] + 1])
    monkeypatch.setattr("supervisor.ports.random.randrange", lambda *_: next(offered))
    monkeypatch.setattr("supervisor.ports.is_free", lambda _: True)

    second = ports.assign(tmp_path / "ports.json", ["api-1"])

    assert second["api-1"] != first["postgres"]


@pytest.mark.parametrize("text", ["", "[1]", '{"postgres": "x"}', "{"])
def test_a_file_that_was_spoilt_is_made_anew(tmp_path: Path, text: str) -> None:
    (tmp_path / "ports.json").write_text(text)

    found = ports.assign(tmp_path / "ports.json", ["postgres"])

    assert json.loads((tmp_path / "ports.json").read_text()) == found


def test_ports_lie_below_those_the_kernel_gives_to_outgoing_connections() -> None:
    assert all(ports.free_port() < 32_768 for _ in range(50))


def test_a_free_port_may_be_required() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        taken = server.getsockname()[1]
        with pytest.raises(CannotStart, match=f"port {taken} is in use"):
            ports.require_free(taken)

    ports.require_free(taken)
