"""`patron run` and `patron up`: the workers as processes."""

import fcntl
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum
from importlib import import_module
from pathlib import Path
from typing import Annotated, Final

import sqlalchemy as sa
import typer

from services.console.cli.failures import EXIT_USAGE, Refused
from services.console.cli.invocation import Invocation, invocation
from services.console.redacted import redacted_url
from shared.messaging.connect import is_rabbitmq
from shared.persistence.failures import translated
from shared.runtime.foundation import migrate_embedded
from shared.runtime.main import Build, run_roles


class WorkerName(StrEnum):
    """The three workers, and the keeper of what they and the broker gave up."""

    IMPORTER = "importer"
    PROCESSOR = "processor"
    EXPORTER = "exporter"
    KEEPER = "keeper"


_MODULES: Final = {WorkerName.KEEPER: "services.console.keeper.__main__"}


class LogFormat(StrEnum):
    """How events are logged."""

    JSON = "json"
    CONSOLE = "console"


class LogLevel(StrEnum):
    """From which importance on events are logged."""

    DEBUG = "debug"
    INFO = "info"
    WARNING = "warning"
    ERROR = "error"


FormatOption = Annotated[
    LogFormat | None,
    typer.Option("--log-format", help="Instead of logs.format: JSON for programs, or for people."),
]
LevelOption = Annotated[LogLevel | None, typer.Option("--log-level", help="Instead of logs.level.")]


def run_one(
    context: typer.Context,
    worker: Annotated[WorkerName, typer.Argument(help="Which worker this process is.")],
    log_format: FormatOption = None,
    log_level: LevelOption = None,
) -> None:
    """Run one worker until SIGTERM or SIGINT; any number of each may run.

    The first signal lets it finish what it has in hand; SIGHUP has the configuration read again.
    Needs RabbitMQ with the queues in place (`patron broker provision`) and a migrated database
    (`patron db upgrade`). Without RabbitMQ all of them must share one process: `patron up`.
    """
    call = _with_logs(invocation(context), log_format, log_level)
    if call.broker_url.startswith("memory:"):
        raise Refused(
            f"the broker {call.broker_url} lives inside one process, so no other worker would"
            f" hear this {worker}",
            "Run all of them with `patron up`, or configure RabbitMQ (broker.url or AMQP_URL).",
            exit_code=EXIT_USAGE,
        )
    with translated():
        code = run_roles(call.installation, worker.value, _builds(worker), load=call.load)
    raise typer.Exit(code)


def up(
    context: typer.Context, log_format: FormatOption = None, log_level: LevelOption = None
) -> None:
    """Run importer, processor, exporter and keeper in this process, until Ctrl-C.

    Without a configuration the state is kept in .patron/patron.db and messages in memory; no
    server is needed, and nothing is lost when the process is killed. An SQLite database is
    created and migrated; any other must have been migrated before: `patron db upgrade`. SIGHUP
    has the configuration read again.
    """
    if log_format is None and sys.stderr.isatty():
        log_format = LogFormat.CONSOLE
    call = _with_logs(invocation(context), log_format, log_level)
    with _alone(call):
        migrate_embedded(call.installation)
        _greet(call)
        with translated():
            code = run_roles(call.installation, "patron", _builds(*WorkerName), load=call.load)
    raise typer.Exit(code)


def _builds(*workers: WorkerName) -> dict[str, Build]:
    """Return how to build these workers; the others are not imported."""
    modules = {each: _MODULES.get(each, f"services.{each.value}.__main__") for each in workers}
    return {each.value: import_module(module).build for each, module in modules.items()}


def _with_logs(call: Invocation, form: LogFormat | None, level: LogLevel | None) -> Invocation:
    return call.with_environment(PATRON_LOGS__FORMAT=form, PATRON_LOGS__LEVEL=level)


def _greet(call: Invocation) -> None:
    installation = call.installation
    database, broker = redacted_url(call.database_url), redacted_url(call.broker_url)
    typer.echo(f"Patron runs on {database} and {broker}. Ctrl-C ends it.", err=True)
    if not installation.settings.channels:
        typer.echo(
            "No channel is configured, so there is nothing to read: patron.example.toml shows how."
            " `patron demo` needs no configuration.",
            err=True,
        )


@contextmanager
def _alone(call: Invocation) -> Iterator[None]:
    """Keep a second process away from the messages of an embedded broker.

    Each would take the other's for its own and carry them out again.
    """
    address = sa.make_url(call.database_url)
    if is_rabbitmq(call.broker_url) or address.get_backend_name() != "sqlite":
        yield
        return
    path = Path(f"{address.database or 'patron'}.lock")
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise Refused(
                f"Patron is running already on {address.database}",
                "End the other `patron up` first, or configure another database.url.",
            ) from None
        yield
