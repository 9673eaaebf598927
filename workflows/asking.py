"""What an Update brings to a process: the operation it is to carry out."""

from dataclasses import dataclass
from uuid import UUID


@dataclass(frozen=True, kw_only=True)
class Ask:
    """The id of an operation whose row holds everything else."""

    operation_id: UUID
