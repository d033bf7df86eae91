"""What every connector reads in the same way: moments, digests of content, what does not fit."""

from datetime import UTC, datetime
from hashlib import blake2b
from typing import Any, Final

import orjson
from pydantic import ValidationError

_DIGEST_BYTES: Final = 16


def moment(text: Any) -> datetime | None:
    """Read an ISO moment, in UTC where it names no zone; None for anything else."""
    try:
        read = datetime.fromisoformat(text)
        return read.replace(tzinfo=UTC) if read.tzinfo is None else read.astimezone(UTC)
    except (TypeError, ValueError, OverflowError):
        return None


def digest(content: Any) -> str:
    """Return what is equal for equal JSON, in whatever order its keys came."""
    data = orjson.dumps(content, option=orjson.OPT_SORT_KEYS | orjson.OPT_NON_STR_KEYS)
    return blake2b(data, digest_size=_DIGEST_BYTES).hexdigest()


def problems_of(error: ValidationError, prefix: str = "") -> list[tuple[str, str]]:
    """Return the fields that do not fit and why, without their values."""
    return [
        (prefix + ".".join(map(str, problem["loc"])), problem["msg"])
        for problem in error.errors(include_url=False, include_context=False, include_input=False)
    ]
