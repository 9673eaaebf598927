"""Every row of the bench, group by group, in the order of PERFORMANCE.md."""

from bench import papers, processes, receiving, reserving, volume
from bench.row import Group

GROUPS: tuple[Group, ...] = (
    *reserving.GROUPS,
    *receiving.GROUPS,
    *volume.GROUPS,
    *processes.GROUPS,
    *papers.GROUPS,
)
