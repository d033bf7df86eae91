"""`patron dead-letters replay`: have dead letters handled again, now that their cause is gone.

Starts a job that the keeper carries out, and follows it. Its promises: a letter is in one job at
the most, however many operators ask at once; who asked for it, and why, is written down in the
same transaction; and what is told is what the database says.
"""

import sys
from typing import Annotated

import orjson
import typer

from services.console.cli.failures import EXIT_DONE, EXIT_FAILED, Refused
from services.console.cli.invocation import invocation, operator
from services.console.cli.output import Output, OutputOption, say, show_json
from services.console.cli.replay_choice import (
    AllOption,
    ChannelOption,
    CuredOption,
    GroupOption,
    IdsArgument,
    InsistOption,
    RateOption,
    ReasonOption,
    StopOption,
    TypeOption,
    WorkerOption,
    chosen,
    in_words,
)
from services.console.cli.replay_dry_run import dry_run as show_what_would_be
from services.console.cli.replay_progress import (
    advise,
    exit_code,
    follow,
    outcome_of,
    show_outcome,
)
from services.console.cli.replay_refusals import Refusal, in_number, refusals
from shared.persistence import audit, dead_letter_reader, replay_reader, replays
from shared.persistence.dead_letter_reader import Selection
from shared.persistence.replays import Job, Wish
from shared.persistence.unit_of_work import UnitOfWork, UnitsOfWork

STARTED = "replay.started"


def replay(
    context: typer.Context,
    letter_ids: IdsArgument = None,
    *,
    why: Annotated[
        str | None,
        typer.Option(
            "--because",
            metavar="TEXT",
            help="What has changed, for the audit log; no personal data. Required.",
        ),
    ] = None,
    everything: AllOption = False,
    group: GroupOption = None,
    cured: CuredOption = False,
    reason: ReasonOption = None,
    channel: ChannelOption = None,
    worker: WorkerOption = None,
    type_: TypeOption = None,
    rate: RateOption = 50.0,
    stop_at: StopOption = 50.0,
    insist: InsistOption = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only tell what would come of it; change nothing.")
    ] = False,
    limit: Annotated[
        int,
        typer.Option(
            "--limit", "-n", min=0, max=10_000, help="How many letters --dry-run shows one by one."
        ),
    ] = 50,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask for confirmation.")] = False,
    wait: Annotated[
        bool, typer.Option("--wait/--no-wait", help="Wait for the end, or just print the job's id.")
    ] = True,
    timeout: Annotated[
        float,
        typer.Option(
            "--timeout", min=0, metavar="SECONDS", help="How long to wait while nothing happens."
        ),
    ] = 60.0,
    output: OutputOption = Output.TABLE,
) -> None:
    """Have dead letters handled again, some by id or many by filters, after their cause is gone.

    Every message keeps its id: one that was handled after all is not handled twice, and nothing
    older replaces what is newer. What fails again is the same letter, open again. The job belongs
    to the keeper: it goes on when this command ends (Ctrl-C), and `patron replays` shows and
    cancels it.

    Exit codes: 0 all are done, 3 some failed again or were skipped, 1 nothing to replay, or the
    job was stopped, 75 nothing happened for --timeout seconds.
    """  # fmt: skip
    call = invocation(context)
    filters = Selection(
        group=group, reason=reason, channel=channel, worker=worker and worker.value, type=type_
    )
    version = call.installation.policy.version if cured else None
    selection = chosen(letter_ids, filters, everything=everything, cured_by=version)
    if dry_run:
        show_what_would_be(call, selection, insists=insist, limit=limit, output=output)
        return
    wish = Wish(operator(), _said(why), in_words(selection), rate, stop_at / 100)
    with call.opened() as units:
        if not selection.ids:
            _confirm(units, selection, insists=insist, is_sure=yes)
        job, left = _start(units, wish, selection, insists=insist)
        _finish(units, job, left, output, patience_seconds=timeout if wait else None)


def _said(why: str | None) -> str:
    if why is None or not why.strip():
        raise typer.BadParameter(
            "say what has changed since they failed: --because 'attribute created'",
            param_hint="--because",
        )
    return why.strip()


def _confirm(units: UnitsOfWork, selection: Selection, *, insists: bool, is_sure: bool) -> None:
    """At a terminal say how many are meant, and let the operator think again."""
    if is_sure or not sys.stdin.isatty():
        return
    with units.read() as work:
        many = replay_reader.ready_count(work, selection, insists=insists)
    if many:
        typer.confirm(f"Replay {in_number(many)}?", abort=True, err=True)


def _start(
    units: UnitsOfWork, wish: Wish, selection: Selection, *, insists: bool
) -> tuple[Job, list[Refusal]]:
    """Begin the job and note who did it, or raise `Refused` when there is nothing to do."""
    with units.begin() as work:
        job = replays.start(work, wish, selection, insists=insists)
        mine = replay_reader.taken(work, job.id) if selection.ids else frozenset()
        left = refusals(work, selection, mine, insists=insists)
        counts = replays.progress(work, job.id)
        if not (counts["pending"] or counts["already_done"]):
            raise _nothing(work, selection, left)
        detail = {
            "letters": counts["pending"],
            "selection": wish.selection,
            "rate_per_second": wish.rate_per_second,
            "stop_at_percent": round(wish.failure_limit * 100),
            "insists": insists,
        }
        audit.note(
            work, actor=wish.author, action=STARTED, subject=str(job.id), reason=wish.reason,
            detail=orjson.dumps(detail).decode(),
        )  # fmt: skip
    return job, left


def _nothing(work: UnitOfWork, selection: Selection, left: list[Refusal]) -> Refused:
    """Say why there is nothing to replay."""
    if left:
        lines = (f"{each.letters}: {each.why}" for each in left)
        return Refused("nothing to replay: " + "; ".join(lines), exit_code=EXIT_FAILED)
    is_any = dead_letter_reader.count(work, Selection(states=("open",)))
    advice = "`patron dead-letters groups` shows what is open." if is_any else ""
    text = f"nothing to replay: no open letter fits {in_words(selection)}"
    return Refused(text, advice, exit_code=EXIT_FAILED)


def _finish(
    units: UnitsOfWork,
    job: Job,
    left: list[Refusal],
    output: Output,
    *,
    patience_seconds: float | None,
) -> None:
    """Tell of the job: its id, or after waiting for it what became of it; end with its code."""
    if patience_seconds is None:
        _show_started(job, left, output)
        raise typer.Exit(EXIT_DONE)
    _tell(left)
    follow(units, job.id, patience_seconds)
    with units.read() as work:
        outcome = outcome_of(work, replays.get(work, job.id) or job, left)
    show_outcome(outcome, output)
    advise(outcome)
    raise typer.Exit(exit_code(outcome))


def _show_started(job: Job, left: list[Refusal], output: Output) -> None:
    if output is Output.JSON:
        show_json({"job": job.id, "letters": job.total, "left_alone": left})
        return
    _tell(left)
    say(str(job.id))


def _tell(left: list[Refusal]) -> None:
    for each in left:
        typer.echo(f"left alone: {each.letters}: {each.why}", err=True)
