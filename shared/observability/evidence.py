"""What may be told of a failure: enough to find its cause, nothing about a customer.

Texts of our own errors are written to be shown. Texts of all other exceptions may quote the data
they stumbled over (a driver's parameters, a parser's input), so of those only the class, the
database's code for the fault and our own frame nearest to it are kept.
"""

import traceback
from types import FrameType, TracebackType
from typing import NamedTuple

from shared.domain.errors import PatronError, UnreadableRecord

_OUR_PACKAGES = ("shared.", "services.")
_SPEAK_FOR_THEMSELVES = (PatronError, UnreadableRecord)


class Evidence(NamedTuple):
    """A failure's class, what may be said about it, and our own function nearest to it.

    `frame` has no line number: failures with the same cause keep it when the code is edited.
    """

    error_class: str
    text: str
    frame: str | None = None


def evidence(error: BaseException) -> Evidence:
    """Describe `error` without personal data."""
    name = class_name(error)
    nearest = _nearest_own_frame(error.__traceback__)
    frame = _function(nearest[0]) if nearest else None
    if isinstance(error, _SPEAK_FOR_THEMSELVES):
        return Evidence(name, str(error) or name, frame)
    parts = [name, *_database_facts(error)]
    if nearest:
        parts.append(f"in {_place(*nearest)}")
    return Evidence(name, " ".join(parts), frame)


def class_name(error: BaseException) -> str:
    """Return the qualified name of the error's class, without `builtins`."""
    kind = type(error)
    return (
        kind.__qualname__
        if kind.__module__ == "builtins"
        else f"{kind.__module__}.{kind.__qualname__}"
    )


def frames(error: BaseException) -> list[str]:
    """Return the error's call stack as `module:line function`, outermost first."""
    return [_place(frame, line) for frame, line in traceback.walk_tb(error.__traceback__)]


def _nearest_own_frame(trace: TracebackType | None) -> tuple[FrameType, int] | None:
    own = [
        (frame, line)
        for frame, line in traceback.walk_tb(trace)
        if frame.f_globals.get("__name__", "").startswith(_OUR_PACKAGES)
    ]
    return own[-1] if own else None


def _place(frame: FrameType, line: int) -> str:
    return f"{_module(frame)}:{line} {frame.f_code.co_name}"


def _function(frame: FrameType) -> str:
    return f"{_module(frame)} {frame.f_code.co_name}"


def _module(frame: FrameType) -> str:
    return str(frame.f_globals.get("__name__", "?"))


def _database_facts(error: BaseException) -> list[str]:
    """Name the driver's error, its SQLSTATE and the constraint: identifiers of ours, not data."""
    cause = getattr(error, "orig", None) or error
    facts = [] if cause is error else [f"({class_name(cause)})"]
    if state := getattr(cause, "sqlstate", None):
        facts.append(str(state))
    if constraint := getattr(getattr(cause, "diag", None), "constraint_name", None):
        facts.append(str(constraint))
    return facts
