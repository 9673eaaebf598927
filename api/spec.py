"""What a route declares about itself, for the desk and for the description."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, kw_only=True, slots=True)
class Spec:
    """What a route declares about itself; paths as in the code, without `/api`."""

    call: Callable[..., Any]
    path: str
    needs: str
    status: int
    writes: bool
    single: bool
    is_operation: bool
    requires_if_match: bool
    rush: bool
    path_parameters: tuple[str, ...]
