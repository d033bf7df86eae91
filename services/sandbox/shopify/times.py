"""Moments as the API writes them: whole seconds, in UTC, with a Z.

Its promise: `moment(iso(n)) == n`.
"""

import time
from datetime import UTC, datetime, tzinfo


def iso(moment_: int) -> str:
    """Write a moment as the API does: `2026-11-20T08:03:17Z`."""
    # An f-string is several times faster than strftime, and every seeded customer passes here.
    t = time.gmtime(moment_)
    return (
        f"{t.tm_year:04}-{t.tm_mon:02}-{t.tm_mday:02}T{t.tm_hour:02}:{t.tm_min:02}:{t.tm_sec:02}Z"
    )


def moment(text: str) -> int:
    """Read a moment, dropping fractions of a second. Raises ValueError for what is none."""
    return int(_parsed(text, UTC).timestamp())


def local(text: str, zone: tzinfo) -> int:
    """Read a moment or a date; what names no zone is meant in `zone`."""
    return int(_parsed(text, zone).timestamp())


def _parsed(text: str, zone: tzinfo) -> datetime:
    found = datetime.fromisoformat(text)
    return found if found.tzinfo else found.replace(tzinfo=zone)
