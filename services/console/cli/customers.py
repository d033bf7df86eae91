"""`patron customer`: why a customer was decided so, and everything that happened to it."""

from dataclasses import asdict
from typing import Annotated, Any

import orjson
import typer

from services.console.cli.decision import explained, laid_out
from services.console.cli.failures import Refused
from services.console.cli.invocation import invocation
from services.console.cli.output import (
    Output,
    OutputOption,
    say,
    show_json,
    show_rich,
    show_rows,
)
from services.console.cli.staging import LimitOption
from shared.persistence import directory_reader, staging, timeline
from shared.persistence.timeline import TimelineLine
from shared.persistence.unit_of_work import UnitOfWork

app = typer.Typer(no_args_is_help=True, help="Ask about one customer.")

ChannelArgument = Annotated[
    str, typer.Argument(metavar="CHANNEL", help="The shop, as it is called in the configuration.")
]
ExternalIdArgument = Annotated[
    str, typer.Argument(metavar="EXTERNAL_ID", help="The customer's id in that shop.")
]
TIMELINE_COLUMNS = {"at": "at (UTC)", "worker": "worker", "event": "what", "detail": "detail"}


@app.command("explain")
def explain_customer(
    context: typer.Context,
    channel: ChannelArgument,
    external_id: ExternalIdArgument,
    output: OutputOption = Output.TABLE,
) -> None:
    """Explain the last decision about a customer of a shop.

    Which matching rules were tried with what evidence, whom they found, which template was
    chosen, what was changed, and by which version of the configuration.
    """
    with invocation(context).reading() as work:
        record = staging.latest_of(work, channel, external_id)
        if record is None:
            raise _unknown(work, channel, external_id)
        decision = explained(record, work)
    if output is Output.JSON:
        show_json({**asdict(record.line), "decision": asdict(decision)})
        return
    line = record.line
    say(f"{line.channel}/{line.external_id} of store view {line.store_view}")
    show_rich(laid_out(decision))
    say(f"decided         {line.updated_at:%Y-%m-%d %H:%M:%S}Z, staging record {line.id}")


@app.command("history")
def customer_history(
    context: typer.Context,
    channel: ChannelArgument,
    external_id: ExternalIdArgument,
    limit: LimitOption = 100,
    output: OutputOption = Output.TABLE,
) -> None:
    """Show what happened to a customer of a shop: decisions, writes, failures, in order."""
    with invocation(context).reading() as work:
        lines = timeline.of_source(work, channel, external_id, limit=limit)
        link = directory_reader.link_of(work, channel, external_id)
        if not lines and link is None:
            raise _unknown(work, channel, external_id)
        number = link and directory_reader.numbers(work, [link.customer_id])[link.customer_id]
    if output is Output.JSON:
        show_json([{**asdict(line), "detail": _facts(line.detail)} for line in lines])
        return
    if link:
        written = "written back" if link.exported_number else "not written back yet"
        say(f"customer {number or link.customer_id}, link {link.status}, number {written}")
    rows = timeline_rows(lines)
    show_rows(rows, TIMELINE_COLUMNS, output, nothing="nothing happened yet")


def timeline_rows(lines: list[TimelineLine]) -> list[dict[str, Any]]:
    """Return the lines of a timeline as rows, details in words."""
    return [{**asdict(line), "detail": _detail(line.detail)} for line in lines]


def _detail(text: str | None) -> str | None:
    """Return the facts of a detail, `name: value`; what is not JSON as it is."""
    if not text:
        return None
    facts = _facts(text)
    if not isinstance(facts, dict):
        return text
    return "; ".join(
        f"{name}: {', '.join(map(str, value)) if isinstance(value, list) else value}"
        for name, value in facts.items()
    )


def _facts(text: str | None) -> Any:
    """Return a detail as the value that was written; what is not JSON as text."""
    try:
        return orjson.loads(text) if text else None
    except orjson.JSONDecodeError:
        return text


def _unknown(work: UnitOfWork, channel: str, external_id: str) -> Refused:
    """Return why nothing can be said of a customer."""
    happened = timeline.of_source(work, channel, external_id, limit=1)
    if happened:
        last = happened[0]
        said = f"{last.event} {_detail(last.detail) or ''}".strip()
        return Refused(f"{channel}/{external_id} was never staged; last: {said}")
    return Refused(
        f"nothing is known of a customer {external_id} in {channel}",
        "Is its store view imported? `patron cursor list` shows how far.",
    )
