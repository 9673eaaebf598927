"""New ids: UUIDv7, made by the application because PostgreSQL before 18 cannot."""

from __future__ import annotations

import sys
from uuid import UUID

if sys.version_info >= (3, 14):
    from uuid import uuid7 as _uuid7
else:
    from uuid_utils.compat import uuid7 as _uuid7


def new_id() -> UUID:
    """A time-ordered id, unique across agencies and machines (RFC 9562 version 7)."""
    return _uuid7()
