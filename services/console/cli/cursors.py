"""`patron cursor`: how far each store view is imported, and setting it back (C365-2)."""

from dataclasses import asdict
from datetime import UTC, datetime
from typing import Annotated, Any, Final

import typer

from services.console.cli.failures import EXIT_USAGE, Refused
from services.console.cli.invocation import Invocation, invocation, operator
from services.console.cli.output import (
    Output,
    OutputOption,
    readable,
    say,
    show_json,
    show_record,
    show_rows,
)
from shared.persistence import audit, source_records
from shared.persistence.cursors import Cursor, Cursors
from shared.persistence.unit_of_work import UnitOfWork

cursor_app = typer.Typer(
    no_args_is_help=True, help="See how far each store view is imported, and set it back."
)

BEGINNING: Final = "beginning"

ChannelArgument = Annotated[str, typer.Argument(metavar="CHANNEL", help="The channel's name.")]
ViewArgument = Annotated[str, typer.Argument(metavar="STORE_VIEW", help="The store view's code.")]


@cursor_app.command("list")
def list_cursors(context: typer.Context, output: OutputOption = Output.TABLE) -> None:
    """List the store views: how far each is read, when last, when next, by whom now.

    The last import is the change time of the last customer handled. A poll reads on from there, a
    sweep reads everything.
    """
    with invocation(context).reading() as work:
        rows: list[dict[str, Any]] = [
            {
                **asdict(cursor),
                "leased": _holder(cursor),
                "all_failures": cursor.failures + cursor.sweep_failures,
                "errors": [e for e in (cursor.last_error, cursor.sweep_error) if e],
            }
            for cursor in Cursors(work).all()
        ]
    columns = {
        "channel": "channel",
        "store_view": "store view",
        "enabled_at": "enabled since",
        "watermark_at": "last import",
        "last_success_at": "last success",
        "poll_due_at": "next poll",
        "sweep_due_at": "next sweep",
        "sweep_mode": "mode",
        "leased": "leased by",
        "all_failures": "failures",
        "errors": "last error",
    }
    show_rows(rows, columns, output, nothing="no store view was ever read; is Patron running?")


@cursor_app.command()
def show(
    context: typer.Context,
    channel: ChannelArgument,
    store_view: ViewArgument,
    output: OutputOption = Output.TABLE,
) -> None:
    """Show one store view: its last import, what comes next, a sweep in progress, what failed.

    Polls and sweeps fail and wait each for itself.
    """
    call = invocation(context)
    with call.reading() as work:
        cursor = Cursors(work).find(channel, store_view)
        if cursor is None:
            raise _unknown(call, work, channel, store_view)
        record = _record(cursor, work)
    show_record(record, output)


@cursor_app.command("set")
def set_cursor(  # noqa: PLR0917 - arguments of the command line
    context: typer.Context,
    channel: ChannelArgument,
    store_view: ViewArgument,
    moment: Annotated[
        str,
        typer.Argument(
            metavar="MOMENT",
            help="2026-11-22, 2026-11-22T06:30 or 2026-11-22T06:30+01:00; UTC unless it says"
            " otherwise. `beginning`: read everybody.",
        ),
    ],
    skip: Annotated[
        bool,
        typer.Option(
            "--skip",
            help="Go forward: what changed in between is not read by polls. A sweep finds it.",
        ),
    ] = False,
    output: OutputOption = Output.TABLE,
) -> None:
    """Set the last import date of a store view; the next poll reads what changed since, at once.

    Back is harmless: what is known is dropped, and the start date of the store view holds. Forward
    needs --skip. An import in progress stops and leaves off where it is. The old and the new date
    are kept in the audit log.
    """
    call, at = invocation(context), read_moment(moment)
    with call.opened() as units, units.begin() as work:
        before = _set(call, work, channel, store_view, at, may_skip=skip)
    if output is Output.JSON:
        show_json({"channel": channel, "store_view": store_view, "before": before, "after": at})
    else:
        say(f"{channel}/{store_view}: last import set from {_in_words(before)} to {_in_words(at)}")


def read_moment(text: str) -> datetime | None:
    """Read a date or moment, in UTC unless it names an offset; None is the beginning."""
    if text.strip().lower() == BEGINNING:
        return None
    try:
        read = datetime.fromisoformat(text.strip())
    except ValueError:
        raise Refused(
            f"{text!r} is neither a date, nor a moment, nor `{BEGINNING}`",
            "Write it like 2026-11-22, 2026-11-22T06:30 or 2026-11-22T06:30+01:00.",
            exit_code=EXIT_USAGE,
        ) from None
    try:
        return read.astimezone(UTC) if read.tzinfo else read.replace(tzinfo=UTC)
    except OverflowError:
        raise Refused(f"{text!r} is no moment in UTC", exit_code=EXIT_USAGE) from None


def _set(
    call: Invocation,
    work: UnitOfWork,
    channel: str,
    store_view: str,
    at: datetime | None,
    *,
    may_skip: bool,
) -> datetime | None:
    """Set the date, with a line in the audit log; return what it was."""
    cursors = Cursors(work)
    if _is_configured(call, channel, store_view):
        # It may be set before the importer has ever run.
        cursors.ensure([(channel, store_view)])
    cursor = cursors.find(channel, store_view, to_change=True)
    if cursor is None:
        raise _unknown(call, work, channel, store_view)
    if at and at > work.now:
        raise Refused(f"{_in_words(at)} lies in the future", exit_code=EXIT_USAGE)
    if at and (cursor.watermark_at is None or at > cursor.watermark_at) and not may_skip:
        raise Refused(
            f"{_in_words(at)} is later than the last import, {_in_words(cursor.watermark_at)}:"
            " polls would not read what changed in between",
            "Add --skip if that is meant; a sweep finds it still: `patron import --sweep`.",
            exit_code=EXIT_USAGE,
        )
    cursors.set_watermark(channel, store_view, at)
    audit.note(
        work,
        actor=operator(),
        action="cursor.set",
        subject=f"{channel}/{store_view}",
        detail=f"last import: {_in_words(cursor.watermark_at)} -> {_in_words(at)}",
    )
    return cursor.watermark_at


def _record(cursor: Cursor, work: UnitOfWork) -> dict[str, Any]:
    return {
        "channel": cursor.channel,
        "store_view": cursor.store_view,
        "enabled_since": cursor.enabled_at,
        "last_import": cursor.watermark_at,
        "last_success": cursor.last_success_at,
        "next_poll": cursor.poll_due_at,
        "poll_failures": cursor.failures,
        "last_poll_error": cursor.last_error,
        "next_sweep": cursor.sweep_due_at,
        "sweep_mode": cursor.sweep_mode,
        "last_sweep_began": cursor.sweep_started_at,
        "last_sweep_ended": cursor.sweep_finished_at,
        "sweep_progress": _progress(cursor, work),
        "sweep_failures": cursor.sweep_failures,
        "last_sweep_error": cursor.sweep_error,
        "leased_by": _holder(cursor),
        "leased_until": cursor.leased_until,
    }


def _progress(cursor: Cursor, work: UnitOfWork) -> str | None:
    """Return how many of those who are known a sweep in progress has passed."""
    if cursor.sweep_key is None:
        return None
    known = source_records.count(work, cursor.channel, cursor.store_view)
    passed = source_records.count(
        work, cursor.channel, cursor.store_view, up_to_key=cursor.sweep_key
    )
    return f"{passed} of {known} known customers"


def _holder(cursor: Cursor) -> str | None:
    return cursor.lease_owner.rpartition("/")[0] if cursor.lease_owner else None


def _in_words(at: datetime | None) -> str:
    return readable(at) if at else "the beginning"


def _is_configured(call: Invocation, channel: str, store_view: str) -> bool:
    found = call.installation.settings.channels.get(channel)
    return found is not None and any(view.code == store_view for view in found.store_views)


def _unknown(call: Invocation, work: UnitOfWork, channel: str, store_view: str) -> Refused:
    known = sorted(f"{each.channel} {each.store_view}" for each in Cursors(work).all())
    if _is_configured(call, channel, store_view):
        return Refused(
            f"{channel} {store_view} was never read", "The importer does that: `patron up`."
        )
    return Refused(
        f"there is no store view {store_view!r} of a channel {channel!r};"
        f" known are {', '.join(known) or 'none'}",
        exit_code=EXIT_USAGE,
    )
