"""`patron connector`: the platforms that Patron talks to."""

from collections.abc import Iterator
from typing import Annotated, Any

import typer

from services.console.cli.failures import EXIT_FAILED, EXIT_TEMPORARY, EXIT_USAGE, Refused
from services.console.cli.invocation import Invocation, invocation
from services.console.cli.output import Output, OutputOption, show_rows
from shared.connectors.registry import PLATFORMS
from shared.domain.errors import TransientError
from shared.runtime.installation import Installation

app = typer.Typer(no_args_is_help=True, help="Look at the shops and ERPs that are connected.")


@app.command("list")
def list_connectors(context: typer.Context, output: OutputOption = Output.TABLE) -> None:
    """List the platforms that this version knows, and the channels that use them."""
    settings = invocation(context).installation.settings
    rows = [
        {
            "platform": platform,
            "channels": [
                name for name, channel in settings.channels.items() if channel.platform == platform
            ],
        }
        for platform in sorted(PLATFORMS)
    ]
    show_rows(rows, {"platform": "platform", "channels": "channels"}, output, nothing="")


@app.command()
def check(
    context: typer.Context,
    channel: Annotated[
        str | None, typer.Argument(metavar="[CHANNEL]", help="One channel; all without it.")
    ] = None,
    output: OutputOption = Output.TABLE,
) -> None:
    """Ask the shops whether they let Patron do its work: rights, store views, attributes.

    Reads only. Exits with 1 if there is a problem, with 75 if a shop does not answer.
    """
    call = invocation(context)
    names = [known_channel(call.installation, channel)] if channel else _channels(call)
    rows = [row for name in names for row in _findings(call.installation, name)]
    columns = {"channel": "channel", "subject": "subject", "found": "found", "advice": "advice"}
    show_rows(rows, columns, output, nothing="no channel is configured")
    if any(row["problem"] for row in rows):
        raise typer.Exit(EXIT_FAILED)


def known_channel(installation: Installation, name: str) -> str:
    """Return the name of a configured channel. Raises `Refused` naming those there are."""
    channels = installation.settings.channels
    if name not in channels:
        known = ", ".join(sorted(channels)) or "none"
        raise Refused(f"there is no channel {name!r}; configured are {known}", exit_code=EXIT_USAGE)
    return name


def _channels(call: Invocation) -> list[str]:
    return list(call.installation.settings.channels)


def _findings(installation: Installation, channel: str) -> Iterator[dict[str, Any]]:
    connector = installation.connect(channel)
    try:
        for finding in connector.sink.check():
            yield {
                "channel": channel,
                "subject": finding.subject,
                "found": finding.problem or "in order",
                "problem": finding.problem,
                "advice": finding.advice,
            }
    except TransientError as error:
        text = f"{channel} does not answer as it should: {error}"
        raise Refused(text, "Try again in a while.", exit_code=EXIT_TEMPORARY) from None
    finally:
        connector.close()
