"""The crowd before the doors: clients in several processes, spread over all APIs, sent off together volley by volley."""

from __future__ import annotations

import multiprocessing
from collections.abc import Sequence
from contextlib import suppress
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from typing import Self
from urllib.parse import urlsplit

from prove.races import clients
from prove.races.clients import Answer, Ask, Door

PROCESSES = 4
STOP_SECONDS = 10


class Crowd:
    """So many clients, each with a connection of its own; client n stands in process n modulo their number."""

    def __init__(self, urls: Sequence[str], *, clients: int, processes: int = PROCESSES) -> None:
        self.urls = tuple(urls)
        self.clients = clients
        self.processes = min(processes, clients)
        self._orders: list[Connection] = []
        self._hands: list[BaseProcess] = []

    def __enter__(self) -> Self:
        spawn = multiprocessing.get_context("spawn")
        barrier = self._barrier = spawn.Barrier(
            self.processes
        )  # Kept: it is gone from the system with its last name here.
        doors: list[Door] = [(str(urlsplit(url).hostname), int(urlsplit(url).port or 80)) for url in self.urls]
        for number in range(self.processes):
            places = range(number, self.clients, self.processes)
            mine = [doors[(client // self.processes) % len(doors)] for client in places]
            ours, theirs = spawn.Pipe()
            hand = spawn.Process(target=clients.serve, args=(mine, theirs, barrier), daemon=True)
            hand.start()
            theirs.close()
            self._orders.append(ours)
            self._hands.append(hand)
        return self

    def __exit__(self, *exc: object) -> None:
        for orders in self._orders:
            with suppress(OSError):
                orders.send(None)
        for orders, hand in zip(self._orders, self._hands, strict=True):
            hand.join(STOP_SECONDS)
            hand.close()
            orders.close()

    def volley(self, asks: Sequence[Ask]) -> list[Answer]:
        """Everything asked at once, or each at its moment; more asks than clients queue behind the first ones."""
        shares: list[list[tuple[int, int, bytes, float]]] = [[] for _ in range(self.processes)]
        for number, ask in enumerate(asks):
            client = number % self.clients
            shares[client % self.processes].append((number, client // self.processes, ask.wire, ask.at))
        for orders, share in zip(self._orders, shares, strict=True):
            orders.send(share)
        found: dict[int, Answer] = {}
        for orders in self._orders:
            found |= orders.recv()
        return [found.get(number, Answer(0, b"", clients.PATIENCE)) for number in range(len(asks))]
