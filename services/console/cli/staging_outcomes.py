"""Wait until the processor has decided what was asked for, and tell what became of it.

For `patron staging process` and `link`. Its promise: what is told is what the database says; a
message that nobody has taken yet is called so, never counted as done.
"""

import time
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Final, Literal
from uuid import UUID

import typer

from services.console.cli.failures import EXIT_DONE, EXIT_FAILED, EXIT_PARTLY, EXIT_TEMPORARY
from services.console.cli.output import Output, say, show_json, show_rows
from services.console.explained import why
from shared.persistence import dead_letter_reader, owed, staging
from shared.persistence.staging import OPEN, StagingLine
from shared.persistence.staging_desk import SLICE
from shared.persistence.unit_of_work import UnitOfWork, UnitsOfWork

Result = Literal["processed", "closed", "asked", "waits", "not_taken", "given_up", "missing"]

MOST_SHOWN: Final = 50
_AS_WANTED: Final[frozenset[Result]] = frozenset({"processed", "closed", "asked"})
_POLL_SECONDS: Final = 0.2
_TELL_SECONDS: Final = 2.0
_ADVICE: Final[Mapping[Result, str]] = {
    "asked": "asked for; `patron staging list` shows what still waits",
    "waits": "`patron staging explain ID` says why one waits, and what can be done",
    "not_taken": "no processor has taken them yet; they stay asked for. Is one running? See"
    " `patron queues`",
    "given_up": "see `patron dead-letters list --worker processor`",
    "missing": "`patron staging list --state all` shows which records there are",
}
_WORDS: Final[Mapping[Result, str]] = {
    "processed": "processed",
    "closed": "closed",
    "asked": "asked for",
    "waits": "still wait",
    "not_taken": "not taken yet",
    "given_up": "given up",
    "missing": "do not exist",
}
_COLUMNS: Final = {
    "customer": "customer",
    "id": "id",
    "result": "result",
    "customer_number": "number",
    "note": "",
}


@dataclass(frozen=True, slots=True)
class Fate:
    """What became of one record that something was asked for."""

    id: UUID
    result: Result
    channel: str | None = None
    external_id: str | None = None
    state: str | None = None
    reason: str | None = None
    customer_number: str | None = None
    note: str = ""


Asked = Mapping[UUID, UUID | None]
"""Message ids by record; None for a record that there was nothing to ask for."""


def follow(units: UnitsOfWork, asked: Asked, patience_seconds: float) -> None:
    """Wait until all is decided, or nothing was for `patience_seconds`; tell how far it is."""
    waiting = [message_id for message_id in asked.values() if message_id]
    total, told_at = len(waiting), time.monotonic()
    until = told_at + patience_seconds
    while waiting and time.monotonic() < until:
        first, rest = waiting[:SLICE], waiting[SLICE:]
        with units.read() as work:
            left = owed.among(work, first)
        if len(left) == len(first):
            time.sleep(_POLL_SECONDS)
            continue
        until = time.monotonic() + patience_seconds
        waiting = [message_id for message_id in first if message_id in left] + rest
        if time.monotonic() - told_at > _TELL_SECONDS:
            told_at = time.monotonic()
            typer.echo(f"{total - len(waiting)} of {total} decided", err=True)


def fates(units: UnitsOfWork, asked: Asked) -> list[Fate]:
    """Return what became of everything, in the order it was asked for."""
    found: list[Fate] = []
    for some in in_slices(list(asked)):
        messages = {id_: message_id for id_ in some if (message_id := asked[id_])}
        with units.read() as work:
            found += _fates(work, some, messages)
    return found


def show_fates(found: Sequence[Fate], output: Output) -> None:
    """Print what became of what: each record, or many in sum with those that did not arrive."""
    if output is Output.JSON:
        show_json([asdict(fate) for fate in found])
        return
    is_short = len(found) <= MOST_SHOWN
    shown = [fate for fate in found if is_short or fate.result not in _AS_WANTED]
    rows = [{**asdict(each), "customer": _customer(each)} for each in shown[:MOST_SHOWN]]
    if rows:
        show_rows([{**row, "result": _word(row["result"])} for row in rows], _COLUMNS, output,
                  nothing="")  # fmt: skip
    if len(found) > 1:
        counts = Counter(fate.result for fate in found)
        parts = (f"{counts[result]} {word}" for result, word in _WORDS.items() if counts[result])
        say(", ".join(parts))
    if len(shown) > MOST_SHOWN:
        say(f"{len(shown) - MOST_SHOWN} more are not shown; --output json has all")
    for result in dict.fromkeys(fate.result for fate in found):
        if advice := _ADVICE.get(result):
            say(advice)


def exit_code(found: Collection[Fate]) -> int:
    """Return 0 if all is done, 3 if some is, 1 if nothing is, 75 if nobody took it in time."""
    results = {fate.result for fate in found}
    if "not_taken" in results:
        return EXIT_TEMPORARY
    done = results & _AS_WANTED
    if results == done:
        return EXIT_DONE
    return EXIT_PARTLY if done else EXIT_FAILED


def _fates(work: UnitOfWork, ids: Sequence[UUID], messages: Mapping[UUID, UUID]) -> list[Fate]:
    lines = staging.lines(work, ids)
    left = owed.among(work, messages.values())
    dead = dead_letter_reader.reasons(work, messages.values())
    return [_fate(id_, lines.get(id_), messages.get(id_), left=left, dead=dead) for id_ in ids]


def _fate(
    staging_id: UUID,
    line: StagingLine | None,
    message_id: UUID | None,
    *,
    left: Mapping[UUID, str | None],
    dead: Mapping[UUID, str],
) -> Fate:
    if line is None:
        return Fate(staging_id, "missing", note="there is no such record")
    result, note = _result(line)
    if message_id and message_id in left:
        reason = left[message_id]
        result, note = "not_taken", f"to be tried again: {reason}" if reason else ""
    elif message_id and message_id in dead:
        result, note = "given_up", dead[message_id]
    elif message_id is None and line.state not in OPEN:
        note = f"was {line.state} before; nothing was done"
    return Fate(
        id=staging_id,
        result=result,
        channel=line.channel,
        external_id=line.external_id,
        state=line.state,
        reason=line.reason,
        customer_number=line.customer_number,
        note=note,
    )


def _result(line: StagingLine) -> tuple[Result, str]:
    if line.state == "processed":
        return "processed", "existing customer" if line.is_existing else "new customer"
    return "waits" if line.state in OPEN else "closed", why(line.state, line.reason)


def _customer(fate: Fate) -> str | None:
    return f"{fate.channel}/{fate.external_id}" if fate.channel else None


def _word(result: Result) -> str:
    return "waits" if result == "waits" else _WORDS[result]


def in_slices(ids: Sequence[UUID]) -> Iterator[Sequence[UUID]]:
    """Yield the ids, as many at a time as one transaction takes."""
    for start in range(0, len(ids), SLICE):
        yield ids[start : start + SLICE]
