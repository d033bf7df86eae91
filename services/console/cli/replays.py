"""`patron replays`: dead letters being sent again, job by job."""

from typing import Annotated
from uuid import UUID

import orjson
import typer

from services.console.cli.failures import EXIT_USAGE, Refused
from services.console.cli.invocation import invocation, operator
from services.console.cli.output import Output, OutputOption, say, show_rows
from services.console.cli.replay_progress import advise, outcome_of, show_outcome
from shared.persistence import audit, replay_reader, replays
from shared.persistence.replays import Job
from shared.persistence.unit_of_work import UnitOfWork

app = typer.Typer(no_args_is_help=True, help="See and cancel replays of dead letters, job by job.")

CANCELLED = "replay.cancelled"
JobArgument = Annotated[
    UUID, typer.Argument(metavar="JOB", help="As `patron replays list` shows it.")
]
_COLUMNS = {
    "job": "job",
    "created_at": "since",
    "state": "state",
    "letters": "letters",
    "done": "done",
    "failed": "failed",
    "skipped": "skipped",
    "waiting": "to go",
    "rate": "rate",
    "by": "by",
    "selection": "letters meant",
    "because": "because",
}


@app.command("list")
def list_replays(
    context: typer.Context,
    *,
    limit: Annotated[
        int, typer.Option("--limit", "-n", min=1, max=10_000, help="How many at the most.")
    ] = 20,
    output: OutputOption = Output.TABLE,
) -> None:
    """List replays, the newest first: how far each is, who asked for it, and why."""
    with invocation(context).reading() as work:
        jobs = replays.latest(work, limit)
        counts = replay_reader.progress(work, [job.id for job in jobs])
    rows = [
        {
            "job": job.id,
            "created_at": job.created_at,
            "finished_at": job.finished_at,
            "state": job.state,
            "detail": job.detail,
            "letters": job.total,
            **{state: counts[job.id][state] for state in ("done", "failed", "skipped")},
            "already_done": counts[job.id]["already_done"],
            "waiting": counts[job.id]["pending"] + counts[job.id]["sent"],
            "rate": f"{job.rate_per_second:g}/s",
            "by": job.author,
            "selection": job.selection,
            "because": job.reason,
        }
        for job in jobs
    ]
    show_rows(rows, _COLUMNS, output, nothing="nothing was ever replayed")


@app.command()
def show(context: typer.Context, job_id: JobArgument, output: OutputOption = Output.TABLE) -> None:
    """Show one replay: how far it is, who asked for it and why, and what failed again."""
    with invocation(context).reading() as work:
        outcome = outcome_of(work, _found(work, job_id))
    show_outcome(outcome, output, in_full=True)
    advise(outcome)


@app.command()
def cancel(
    context: typer.Context,
    job_id: JobArgument,
    *,
    why: Annotated[
        str | None,
        typer.Option("--because", metavar="TEXT", help="Why, for the audit log; no personal data."),
    ] = None,
    output: OutputOption = Output.TABLE,
) -> None:
    """Send nothing more of a replay: the rest of its letters is open again.

    What was sent goes its way, and `patron replays show` tells what becomes of it. A replay that
    has ended is left as it is.
    """
    with invocation(context).opened() as units, units.begin() as work:
        job, unsent = _found(work, job_id), replays.progress(work, job_id)["pending"]
        is_ended = replays.end(work, job_id, "cancelled", f"by {operator()}")
        if is_ended:
            kept = orjson.dumps({"not_sent": unsent}).decode()
            audit.note(
                work, actor=operator(), action=CANCELLED, subject=str(job_id), reason=why,
                detail=kept,
            )  # fmt: skip
        outcome = outcome_of(work, replays.get(work, job_id) or job)
    if output is Output.JSON:
        show_outcome(outcome, output, in_full=True)
        return
    if is_ended:
        say(f"cancelled; of its letters {unsent} are open again")
    else:
        say(f"nothing to cancel: it is {job.state} since {job.finished_at:%Y-%m-%d %H:%M:%SZ}")


def _found(work: UnitOfWork, job_id: UUID) -> Job:
    job = replays.get(work, job_id)
    if job is None:
        text, advice = f"there is no replay {job_id}", "`patron replays list` shows which are."
        raise Refused(text, advice, exit_code=EXIT_USAGE)
    return job
