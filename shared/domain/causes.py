"""What kind of cause a reason points to, and with it what helps. Pure.

For grouping dead letters: what was away comes back by itself and is replayed; data is mended at
its source or by amending; a wrong set-up is mended and what it blocked is replayed; a defect is
reported.
"""

from typing import Final, Literal

Cause = Literal["passing", "data", "setup", "defect"]

SETUP: Final = frozenset(
    {
        "configuration", "access_denied", "attribute_missing", "tombstone_key", "database_restored",
        "schema_too_new", "unknown_type", "forbidden", "unroutable", "broker_rejected",
        "broker_unknown",
    }
)  # fmt: skip
_DATA: Final = frozenset(
    {
        "remote_rejected", "remote_gone", "permanent", "undecodable", "oversized", "wrong_schema",
        "value_refused", "not_sent",
    }
)  # fmt: skip
_DEFECT: Final = frozenset({"bug", "poison", "delivery_limit", "constraint_violated", "failed"})


def cause_of(reason: str) -> Cause:
    """Return what a reason points to; whatever is not of our own making may pass."""
    if reason in SETUP:
        return "setup"
    if reason in _DATA:
        return "data"
    return "defect" if reason in _DEFECT else "passing"
