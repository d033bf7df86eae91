"""The root of the command line: global options, the commands, exits.

A call imports the one command that it names, so that a worker starts soon; help imports all.
"""

import logging
import sys
from collections.abc import Iterator, Sequence
from importlib import import_module
from importlib.metadata import version as version_of
from io import TextIOWrapper
from pathlib import Path
from typing import Annotated, Final, NamedTuple

import typer

from services.console.cli.failures import failure_of, tell
from services.console.cli.invocation import from_process
from services.console.cli.output import say
from shared.observability import logs

_WORK: Final = "Work"
_LOOK: Final = "Look"
_SET_UP: Final = "Set up"
_EPILOG: Final = (
    "Exit codes: 0 done, 1 failed, 2 usage or configuration, 3 partly done, 75 temporary: try"
    " again. Results go to standard output, everything else to standard error. NO_COLOR is"
    " respected."
)


class Command(NamedTuple):
    """Where a command or a group of commands is, and beside which others help shows it."""

    module: str
    attribute: str
    panel: str


COMMANDS: Final[dict[str, Command]] = {
    "demo": Command("tour", "demo", _WORK),
    "up": Command("workers", "up", _WORK),
    "run": Command("workers", "run_one", _WORK),
    "import": Command("imports", "import_now", _WORK),
    "retention": Command("retention", "app", _WORK),
    "reconcile": Command("reconcile", "reconcile", _WORK),
    "staging": Command("staging", "app", _LOOK),
    "customer": Command("customers", "app", _LOOK),
    "directory": Command("directory", "app", _LOOK),
    "number-series": Command("series", "app", _LOOK),
    "cursor": Command("cursors", "cursor_app", _LOOK),
    "queues": Command("queues", "queues", _LOOK),
    "dead-letters": Command("dead_letters", "app", _LOOK),
    "replays": Command("replays", "app", _LOOK),
    "config": Command("configuration", "app", _SET_UP),
    "db": Command("database", "app", _SET_UP),
    "broker": Command("broker", "app", _SET_UP),
    "channel": Command("channels", "app", _SET_UP),
    "version": Command("app", "version", _SET_UP),
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; return the exit code."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    _accept_any_text()
    try:
        app_for(words)(args=words, prog_name="patron")
    except SystemExit as ending:
        return ending.code if isinstance(ending.code, int) else int(ending.code is not None)
    except Exception as error:  # noqa: BLE001 - put into words here, for all commands
        sys.stdout.flush()
        return tell(failure_of(error))
    return 0


def app_for(words: Sequence[str]) -> typer.Typer:
    """Return the command line with what `words` need: one command, or all of them."""
    app = typer.Typer(
        name="patron",
        epilog=_EPILOG,
        no_args_is_help=True,
        pretty_exceptions_enable=False,
        rich_markup_mode="markdown",
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    app.callback()(root)
    wanted = next(_plain_words(words), None)
    names = [wanted] if wanted in COMMANDS and "--show-completion" not in words else [*COMMANDS]
    for name in names:
        _add(app, name, COMMANDS[name])
    return app


def root(
    context: typer.Context,
    config: Annotated[
        Path | None,
        typer.Option(
            "--config",
            "-c",
            envvar="PATRON_CONFIG",
            metavar="FILE",
            help="The configuration. Without it: patron.toml in this directory if there is one, "
            "else the defaults, which need no server.",
        ),
    ] = None,
) -> None:
    """Patron keeps the customers of every web shop and of the ERP in step.

    `patron demo` shows it at work. `patron up` runs it here, without any server. For production,
    `patron run` starts one worker, on RabbitMQ and PostgreSQL.
    """
    context.obj = from_process(config)
    logs.configure("console", "error", service="patron")
    # What the broker's client library thinks of a failure is told by us, in one sentence.
    logging.getLogger("pika").setLevel(logging.CRITICAL)


def version() -> None:
    """Print the version."""
    say(f"patron {version_of('patron')}")


def _accept_any_text() -> None:
    """Let a terminal that cannot show a character show a question mark instead of failing."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="replace")


def _add(app: typer.Typer, name: str, command: Command) -> None:
    part = getattr(import_module(f"services.console.cli.{command.module}"), command.attribute)
    if isinstance(part, typer.Typer):
        app.add_typer(part, name=name, rich_help_panel=command.panel)
    else:
        app.command(name, rich_help_panel=command.panel)(part)


def _plain_words(words: Sequence[str]) -> Iterator[str]:
    """Yield the words that are neither options nor the value of `--config`."""
    rest = iter(words)
    for word in rest:
        if word in {"--config", "-c"}:
            next(rest, None)
        elif not word.startswith("-"):
            yield word
