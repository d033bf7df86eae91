"""`patron channel`: the shops and ERPs that are connected, and what they have to say.

The commands that look at a configuration or a shop as a whole are here; `read` is in
`channel_read`. But for `channel_resume`, nothing here writes anything, anywhere.
"""

from collections.abc import Iterator
from typing import Annotated, Any

import typer

from services.console.channel_uses import used_for
from services.console.cli.channel_read import read
from services.console.cli.channel_resume import resume
from services.console.cli.failures import EXIT_FAILED, EXIT_USAGE, Refused
from services.console.cli.invocation import Invocation, invocation
from services.console.cli.output import Output, OutputOption, say, show_json, show_rows
from services.console.cli.reading import connected, known_channel
from services.console.settings_schema import platform_fields, platform_schema
from shared.connectors.registry import PLATFORMS
from shared.runtime.installation import Installation

app = typer.Typer(no_args_is_help=True, help="Look at the shops and ERPs that are connected.")


@app.command("list")
def list_channels(context: typer.Context, output: OutputOption = Output.TABLE) -> None:
    """List the channels with their store views, and the platforms that nobody uses yet.

    The entity is what the platform keeps the records of a store view as.
    """
    installation = invocation(context).installation
    used = set(installation.platforms.values())
    rows = [row for name in installation.settings.channels for row in _views(installation, name)]
    rows += [{"platform": platform} for platform in sorted(PLATFORMS.keys() - used)]
    columns = {
        "channel": "channel",
        "platform": "platform",
        "store_view": "store view",
        "entity": "entity",
        "is_imported": "imported",
    }
    show_rows(rows, columns, output, nothing="")


@app.command()
def spec(
    platform: Annotated[str, typer.Argument(metavar="PLATFORM", help="A platform's name.")],
    output: OutputOption = Output.TABLE,
) -> None:
    """Show what can be configured of a platform: its `connector` table, and `remote` of its views.

    As JSON it is a JSON Schema, secrets marked `writeOnly`. Each text may be given by a file
    instead: `token_file` for `token`.
    """
    if platform not in PLATFORMS:
        known = ", ".join(sorted(PLATFORMS))
        raise Refused(f"there is no platform {platform!r}; known are {known}", exit_code=EXIT_USAGE)
    if output is Output.JSON:
        show_json(platform_schema(platform))
        return
    columns = {"key": "key", "kind": "kind", "required": "required", "default": "default"}
    rows = [field._asdict() for field in platform_fields(platform)]
    show_rows(rows, columns, output, nothing="nothing can be configured")
    say(
        "\nEach text may be given by a file: x_file for x. docs/configuration.md explains the keys."
    )


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
    names = [channel] if channel else list(call.installation.settings.channels)
    rows = [row for name in names for row in _findings(call, name)]
    columns = {"channel": "channel", "subject": "subject", "found": "found", "advice": "advice"}
    nothing = "nothing has to be verified" if names else "no channel is configured"
    show_rows(rows, columns, output, nothing=nothing)
    if any(row["problem"] for row in rows):
        raise typer.Exit(EXIT_FAILED)


@app.command()
def discover(
    context: typer.Context,
    channel: Annotated[str, typer.Argument(metavar="CHANNEL", help="The channel's name.")],
    output: OutputOption = Output.TABLE,
) -> None:
    """List what a shop has that a configuration may name, and what this one uses it for.

    Store views, custom fields by family, groups: as far as the credentials may see them.
    """
    call = invocation(context)
    with connected(call, channel) as connector:
        found = connector.reading.discover()
    uses = used_for(call.installation, channel, found)
    rows = [
        {"family": each.family, "name": each.name, "detail": each.detail, "used_for": used}
        for each, used in zip(found, uses, strict=True)
    ]
    columns = {"family": "family", "name": "name", "detail": "detail", "used_for": "used for"}
    show_rows(rows, columns, output, nothing=f"{channel} has nothing to be configured")


app.command("read")(read)
app.command("resume")(resume)


def _views(installation: Installation, channel: str) -> Iterator[dict[str, Any]]:
    settings = installation.settings.channels[channel]
    for view in settings.store_views:
        yield {
            "channel": channel,
            "platform": settings.platform,
            "store_view": view.code,
            "entity": "companies" if view.reads_companies else "customers",
            "is_imported": view.import_enabled,
        }


def _findings(call: Invocation, channel: str) -> Iterator[dict[str, Any]]:
    with connected(call, known_channel(call.installation, channel)) as connector:
        for finding in connector.sink.check():
            yield {
                "channel": channel,
                "subject": finding.subject,
                "found": finding.problem or "in order",
                "problem": finding.problem,
                "advice": finding.advice,
            }
