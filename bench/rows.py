"""Every row of the bench, group by group, in the order of PERFORMANCE.md."""

from bench import papers, processes
from bench.row import Group

GROUPS: tuple[Group, ...] = (
    *processes.GROUPS,
    *papers.GROUPS,
)
