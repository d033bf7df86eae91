"""Wait for a replay job, and tell how far it is and what became of its letters.

Its promise: what is told is what the database says; a letter whose end is not known yet is called
so, never counted as done. Ending the wait does not end the job.
"""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final
from uuid import UUID

import typer

from services.console.cli.failures import EXIT_DONE, EXIT_FAILED, EXIT_PARTLY, EXIT_TEMPORARY
from services.console.cli.output import Output, say, show_json, show_record
from services.console.cli.replay_refusals import Refusal, in_number
from shared.persistence import replay_reader, replays
from shared.persistence.replays import ItemState, Job
from shared.persistence.unit_of_work import UnitOfWork, UnitsOfWork

EXIT_INTERRUPTED: Final = 130
_POLL_SECONDS: Final = 0.2
_TELL_SECONDS: Final = 2.0
_WORDS: Final[Mapping[ItemState, str]] = {
    "done": "done",
    "failed": "failed again",
    "skipped": "skipped",
    "already_done": "already done",
    "sent": "on their way",
    "pending": "not sent yet",
}


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a job: its letters by state, why some failed again, what it left alone.

    `keeper` is who works on it; `retried` says why messages are to be tried once more.
    """

    job: Job
    counts: Mapping[ItemState, int]
    failures: Mapping[str, int]
    retried: Mapping[str, int]
    keeper: str | None
    is_over: bool
    left_alone: Sequence[Refusal] = field(default=())

    @property
    def is_short(self) -> bool:
        """Whether somebody was meant who is not done."""
        left = [each for each in self.left_alone if each.result != "already_done"]
        return bool(self.counts["failed"] or self.counts["skipped"] or left)


def follow(units: UnitsOfWork, job_id: UUID, patience_seconds: float) -> None:
    """Wait until a job is over, or nothing happened for so long; tell how far it is.

    Interrupted, it says that the job goes on, and raises `typer.Exit`.
    """
    try:
        typer.echo(f"replay {job_id}", err=True)
        _follow(units, job_id, patience_seconds)
    except KeyboardInterrupt:
        typer.echo(
            f"\nthe replay goes on; `patron replays show {job_id}` tells how far it is,"
            f" `patron replays cancel {job_id}` ends it",
            err=True,
        )
        raise typer.Exit(EXIT_INTERRUPTED) from None


def _follow(units: UnitsOfWork, job_id: UUID, patience_seconds: float) -> None:
    told_at = time.monotonic()
    until, before, told = told_at + patience_seconds, None, ""
    while True:
        with units.read() as work:
            job, counts = replays.get(work, job_id), replays.progress(work, job_id)
            keeper = replay_reader.keeper_of(work, job_id)
        if job is None or _is_over(job, counts):
            return
        now = time.monotonic()
        if counts != before:
            until, before = now + patience_seconds, counts
        if now >= until:
            return
        text = f"{in_sum(counts, job.total)}{'' if keeper else '; no keeper works on it now'}"
        if now - told_at > _TELL_SECONDS and text != told:
            told_at, told = now, text
            typer.echo(text, err=True)
        time.sleep(_POLL_SECONDS)


def outcome_of(work: UnitOfWork, job: Job, left: Sequence[Refusal] = ()) -> Outcome:
    """Return what became of a job until now."""
    counts = replays.progress(work, job.id)
    return Outcome(
        job=job,
        counts=counts,
        failures=replay_reader.failures(work, job.id),
        retried=replay_reader.retried(work, job.id),
        keeper=replay_reader.keeper_of(work, job.id),
        is_over=_is_over(job, counts),
        left_alone=tuple(left),
    )


def in_sum(counts: Mapping[ItemState, int], total: int) -> str:
    """Return how far a job is, in words."""
    parts = (f"{counts[state]} {word}" for state, word in _WORDS.items() if counts[state])
    return f"{in_number(total)}: {', '.join(parts)}"


def as_record(outcome: Outcome) -> dict[str, Any]:
    """Return an outcome as JSON has it."""
    job, counts = outcome.job, outcome.counts
    return {
        "job": job.id,
        "state": job.state,
        "detail": job.detail,
        "by": job.author,
        "because": job.reason,
        "selection": job.selection,
        "created_at": job.created_at,
        "finished_at": job.finished_at,
        "rate_per_second": job.rate_per_second,
        "stop_at_percent": round(job.failure_limit * 100),
        "keeper": outcome.keeper,
        "letters": job.total,
        **{state: counts[state] for state in _WORDS},
        "failures": dict(outcome.failures),
        "to_be_tried_again": dict(outcome.retried),
    }


def show_outcome(outcome: Outcome, output: Output, *, in_full: bool = False) -> None:
    """Print what became of a job; `in_full` with who asked for it and why."""
    if output is Output.JSON:
        left = [
            {"letter": x.letter, "count": x.count, "result": x.result, "why": x.why}
            for x in outcome.left_alone
        ]
        show_json(as_record(outcome) | ({} if in_full else {"left_alone": left}))
        return
    if in_full:
        _show_record(outcome)
    else:
        say(f"{in_sum(outcome.counts, outcome.job.total)}{_ending(outcome.job)}")
    for reason, count in outcome.failures.items():
        say(f"failed again: {count} {reason}")
    for reason, count in outcome.retried.items():
        say(f"to be tried again: {count} {reason}")


def _show_record(outcome: Outcome) -> None:
    record = as_record(outcome)
    hidden = {"failures", "to_be_tried_again", "keeper"} | {
        state for state in _WORDS if not record[state]
    }
    shown = {key: value for key, value in record.items() if key not in hidden}
    shown["rate_per_second"] = f"{outcome.job.rate_per_second:g}"
    shown["stop_at_percent"] = f"{record['stop_at_percent']} %"
    if not outcome.is_over:
        shown["keeper"] = outcome.keeper or "nobody works on it"
    show_record(shown, Output.TABLE)


def advise(outcome: Outcome) -> None:
    """Say on standard error what is in the way, and what can be done."""
    job_id, job = outcome.job.id, outcome.job
    if outcome.is_over:
        if outcome.counts["failed"]:
            _tell("`patron dead-letters groups` shows what failed again, and why")
        return
    if job.state == "running" and not outcome.keeper:
        _tell(
            f"nobody works on {job_id}: no keeper is running. `patron run keeper` starts one, and"
            " `patron up` has one; the job waits for it"
        )
    elif outcome.counts["sent"]:
        _tell(
            f"{outcome.counts['sent']} were sent and are not handled yet; see `patron queues`."
            f" The job goes on: `patron replays show {job_id}`"
        )
    else:
        _tell(f"the job goes on: `patron replays show {job_id}`")


def exit_code(outcome: Outcome) -> int:
    """Return 0 if all is done, 3 if not all, 1 if the job was stopped, 75 if it is not over."""
    if outcome.job.state in {"stopped", "cancelled"}:
        return EXIT_FAILED
    if not outcome.is_over:
        return EXIT_TEMPORARY
    return EXIT_PARTLY if outcome.is_short else EXIT_DONE


def _is_over(job: Job, counts: Mapping[ItemState, int]) -> bool:
    """Whether nothing more will become of a job: it has ended, and what it sent as well."""
    return job.state != "running" and not counts["sent"]


def _ending(job: Job) -> str:
    if job.state not in {"stopped", "cancelled"}:
        return ""
    return f"; {job.state}: {job.detail}" if job.detail else f"; {job.state}"


def _tell(text: str) -> None:
    typer.echo(text, err=True)
