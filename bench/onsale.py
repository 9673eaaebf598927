"""An on-sale simulated: 200,000 visitors for 20,000 seats behind an admission limit, fed with measured service times."""

from __future__ import annotations

import math
import random
from collections import deque
from collections.abc import Generator
from dataclasses import dataclass, field
from statistics import quantiles

import simpy

Wait = Generator[simpy.Event, None, None]

PARTY = ((1, 0.15), (2, 0.50), (3, 0.10), (4, 0.25))
"""How many seats a visitor wants, and how often."""
MEAN_PARTY = sum(number * share for number, share in PARTY)
CHOOSING, PAYING, AGAIN = (60.0, 40.0), (90.0, 60.0), (15.0, 10.0)
"""Seconds of choosing seats, of paying, of choosing once more: mean and standard deviation of a lognormal time."""
LOOKED_AT = 5.0
"""How many seconds old the map of free seats is when somebody clicks."""
WANTED_MOST = 3.0
"""Everybody wants the same good seats: how much likelier than by chance a seat just taken is one of mine."""
TRIES = 5
NEARLY = 0.95
CROWD = 1.5
"""Nobody is let in to find nothing: at most so many wanted seats inside for each that is free."""
LOOK_AGAIN = 2.0
"""While it is crowded the doors stay shut, and look again after so many seconds."""
AT_THE_DOOR, IN_THE_RUSH, RUSH = 0.4, 0.4, 600.0
"""Shares of those who wait before the sale opens and who come in its first ten minutes; the others come within the hour."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Sale:
    """What is sold, to how many, at which pace. Rates are per second, times in seconds."""

    visitors: int = 200_000
    seats: int = 20_000
    admitted_per_second: float
    most_inside: int
    reserves_per_second: float
    pays_per_second: float
    window: float = 600.0
    abandons: float = 0.25
    seed: int = 1


@dataclass(kw_only=True, slots=True)
class Told:
    """What happened. `waited` are the seconds in the waiting room of those admitted; `taken_from` refusals of a choice.

    `all_held_at`, `nearly_at` and `over_at`: when every seat was in a basket, when 95 % were paid for, and the last.
    """

    sold: int = 0
    bookings: int = 0
    admitted: int = 0
    turned_away: int = 0
    left_with_nothing: int = 0
    taken_from: int = 0
    over_at: float = 0.0
    all_held_at: float = 0.0
    nearly_at: float = 0.0
    waited: list[float] = field(default_factory=list)
    answered: list[float] = field(default_factory=list)

    def wait(self, percent: int) -> float:
        """A percentile of the wait of those admitted."""
        return quantiles(self.waited, n=100)[percent - 1]

    def answer(self, percent: int) -> float:
        """A percentile of the time a reservation took, queueing included."""
        return quantiles(self.answered, n=100)[percent - 1]


class Hall:
    """The seats and the two things that are scarce besides them: reservations and payments per second."""

    def __init__(self, sale: Sale) -> None:
        self.sale = sale
        self.env = simpy.Environment()
        self.chance = random.Random(sale.seed)
        self.free = sale.seats
        self.told = Told()
        self.inside = simpy.Resource(self.env, sale.most_inside)
        self.desk = simpy.Resource(self.env, 1)
        self.till = simpy.Resource(self.env, 1)
        self.takings: deque[tuple[float, int]] = deque()
        self.taken_lately = 0

    @property
    def is_over(self) -> bool:
        """Whether every seat is sold, so that nobody else need wait."""
        return self.told.sold == self.sale.seats

    @property
    def is_crowded(self) -> bool:
        """Whether those inside will hardly find seats for all of them."""
        return self.inside.count * MEAN_PARTY >= CROWD * self.free

    def open(self) -> Told:
        """The whole sale."""
        self.env.process(self._doors())
        self.env.run()
        return self.told

    def _doors(self) -> Wait:
        """Let them in one after the other: so many per second, so many inside at a time."""
        for arrived in sorted(self._arrival() for _ in range(self.sale.visitors)):
            if self.env.now < arrived:
                yield self.env.timeout(arrived - self.env.now)
            while self.is_crowded and not self.is_over:
                yield self.env.timeout(LOOK_AGAIN)
            if self.is_over:
                break
            place = self.inside.request()
            yield place
            self.told.admitted += 1
            self.told.waited.append(self.env.now - arrived)
            self.env.process(self._visit(place))
            yield self.env.timeout(1 / self.sale.admitted_per_second)
        self.told.turned_away = self.sale.visitors - self.told.admitted

    def _arrival(self) -> float:
        draw = self.chance.random()
        if draw < AT_THE_DOOR:
            return 0.0
        if draw < AT_THE_DOOR + IN_THE_RUSH:
            return min(self.chance.expovariate(3 / RUSH), RUSH)
        return self.chance.uniform(0, 3600.0)

    def _visit(self, place: simpy.resources.resource.Request) -> Wait:
        """Choose, reserve, pay; or leave."""
        wanted = self.chance.choices([n for n, _ in PARTY], [share for _, share in PARTY])[0]
        yield from self._take_time(CHOOSING)
        for _ in range(TRIES):
            if self.free < wanted:
                break
            if (yield from self._reserve(wanted)):
                self.env.process(self._pay(wanted))
                self.inside.release(place)
                return
            self.told.taken_from += 1
            yield from self._take_time(AGAIN)
        self.told.left_with_nothing += 1
        self.inside.release(place)

    def _reserve(self, wanted: int) -> Generator[simpy.Event, None, bool]:
        """One request; what was chosen may have been taken since the map was looked at."""
        began = self.env.now
        lost = self._is_taken(wanted, looked_at=began - LOOKED_AT)
        with self.desk.request() as turn:
            yield turn
            yield self.env.timeout(1 / self.sale.reserves_per_second)
        self.told.answered.append(self.env.now - began)
        if lost or self.free < wanted:
            return False
        self.free -= wanted
        self.takings.append((self.env.now, wanted))
        self.taken_lately += wanted
        if self.free == 0 and not self.told.all_held_at:
            self.told.all_held_at = self.env.now
        return True

    def _is_taken(self, wanted: int, *, looked_at: float) -> bool:
        while self.takings and self.takings[0][0] < looked_at:
            self.taken_lately -= self.takings.popleft()[1]
        each = min(WANTED_MOST * self.taken_lately / (self.free + self.taken_lately + 1), 1.0)
        return self.chance.random() > (1 - each) ** wanted

    def _pay(self, wanted: int) -> Wait:
        """Pay in time, or let the seats go when the window ends."""
        if self.chance.random() < self.sale.abandons:
            yield self.env.timeout(self.sale.window)
            self.free += wanted
            return
        yield from self._take_time(PAYING)
        with self.till.request() as turn:
            yield turn
            yield self.env.timeout(1 / self.sale.pays_per_second)
        self.told.sold += wanted
        self.told.bookings += 1
        if not self.told.nearly_at and self.told.sold >= NEARLY * self.sale.seats:
            self.told.nearly_at = self.env.now
        self.told.over_at = self.env.now

    def _take_time(self, around: tuple[float, float]) -> Wait:
        yield self.env.timeout(lognormal(self.chance, *around))


def lognormal(chance: random.Random, mean: float, deviation: float) -> float:
    """A time with this mean and standard deviation, never negative, now and then long."""
    variance = math.log(1 + (deviation / mean) ** 2)
    return chance.lognormvariate(math.log(mean) - variance / 2, math.sqrt(variance))
