"""A worker at an armed point waits for the harness; nobody else does."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import pytest

from prove.kills.signals import SignalBox, Signals

PLACE, ELSEWHERE = "Booking/payments.capture/effect", "Booking/payments.capture/before"
SOON = 10.0


@pytest.fixture
def run() -> Iterator[Path]:
    """A folder with a name short enough for a socket."""
    with tempfile.TemporaryDirectory() as folder:
        yield Path(folder)


@pytest.fixture
def box(run: Path) -> Iterator[SignalBox]:
    with SignalBox(run) as made:
        yield made


@pytest.fixture
def signals(run: Path) -> Signals:
    return Signals(run, part="worker-1")


@pytest.fixture
def threads() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(4) as pool:
        yield pool


def arrives(
    threads: ThreadPoolExecutor, signals: Signals, place: str = PLACE, process: str = "booking/1"
) -> Future[None]:
    return threads.submit(signals.arrive, place, process_id=process)


def test_whoever_comes_to_an_armed_place_is_held_until_let_go(
    box: SignalBox, signals: Signals, threads: ThreadPoolExecutor
) -> None:
    box.arm([PLACE])
    coming = arrives(threads, signals)

    (held,) = box.gather(seconds=SOON, patience=lambda _: SOON)

    assert (held.arrival.place, held.arrival.process_id, held.arrival.part) == (PLACE, "booking/1", "worker-1")
    assert not coming.done()
    held.let_go()
    coming.result(SOON)


def test_a_place_strikes_once(box: SignalBox, signals: Signals, threads: ThreadPoolExecutor) -> None:
    box.arm([PLACE])
    first = arrives(threads, signals)
    (held,) = box.gather(seconds=SOON, patience=lambda _: SOON)

    arrives(threads, signals, process="booking/2").result(SOON)

    assert not first.done()
    held.let_go()
    first.result(SOON)


def test_whoever_is_spared_passes_and_the_place_stays_armed(
    box: SignalBox, signals: Signals, threads: ThreadPoolExecutor
) -> None:
    box.arm([PLACE])
    box.spare("booking/1")

    arrives(threads, signals).result(SOON)

    assert (box.waiting, box.holding) == (1, 0)


def test_nobody_is_held_where_nothing_is_armed(box: SignalBox, signals: Signals) -> None:
    box.arm([PLACE])

    signals.arrive(ELSEWHERE, process_id="booking/1")

    assert box.holding == 0
    assert box.disarm() == {PLACE}


def test_a_worker_without_a_harness_goes_on(run: Path, signals: Signals) -> None:
    with SignalBox(run) as box:
        box.arm([PLACE])

    signals.arrive(PLACE, process_id="booking/1")

    assert not signals.is_armed(PLACE)


def test_disarming_lets_everybody_go(box: SignalBox, signals: Signals, threads: ThreadPoolExecutor) -> None:
    box.arm([PLACE])
    coming = arrives(threads, signals)
    while not box.holding:
        continue

    box.disarm()

    coming.result(SOON)


def test_waiting_ends_with_the_patience_of_the_first(
    box: SignalBox, signals: Signals, threads: ThreadPoolExecutor
) -> None:
    box.arm([PLACE, ELSEWHERE])
    arrives(threads, signals)

    held = box.gather(seconds=SOON, patience=lambda _: 0.2)

    assert [one.arrival.place for one in held] == [PLACE]
    assert box.waiting == 1
    held[0].let_go()
