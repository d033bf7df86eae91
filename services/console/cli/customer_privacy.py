"""`patron customer export` and `patron customer erase`: what a person may ask for (ASK-20)."""

import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Annotated, Final, TypeVar

import typer

from services.console.cli.customer_history import headline
from services.console.cli.failures import EXIT_USAGE, Refused
from services.console.cli.invocation import Invocation, invocation, operator
from services.console.cli.output import (
    Output,
    OutputOption,
    json_text,
    say,
    show_json,
    show_rows,
)
from services.console.cli.persons import CustomerArgument, found
from shared.domain.customer import SourceKey
from shared.messaging.connect import is_rabbitmq
from shared.persistence import audit, erasure, person, subject_access
from shared.persistence.erasure import Erasure, NotErased
from shared.persistence.failures import DatabaseContended
from shared.persistence.person import Person
from shared.persistence.tombstones import Tombstones
from shared.persistence.unit_of_work import UnitsOfWork

EXPORTED: Final = "customer.exported"
_ATTEMPTS: Final = 5
_HOW_TO_MAKE_A_KEY: Final = (
    "Make one with `openssl rand -hex 32`, and give it to every worker and to whoever erases:"
    " key_file in [privacy], or PATRON_PRIVACY__KEY. Keep it like a password, and for ever."
)
_OUT_OF_REACH: Final = (
    "Not reached by Patron, see docs/privacy.md:",
    "  the shops and the ERP themselves: erase the person there as well",
    "  backups of the database: after restoring one, erase again",
    "  files that were exported or printed, and the logs of shops and proxies",
)
_DEAD_QUEUES: Final = "  RabbitMQ's dead queues: `rabbitmqctl purge_queue patron.<worker>.dead`"

Result = TypeVar("Result")


def export_customer(
    context: typer.Context,
    customer: CustomerArgument,
    *,
    file: Annotated[
        Path | None,
        typer.Option("--file", help="A new file that only you can read, instead of the output."),
    ] = None,
) -> None:
    """Write everything that is stored about a person as one JSON document: a data request.

    The directory, all accounts with what was last agreed, staging and archive, history, dead
    letters, owed messages, raw payloads and requests. That it was exported is written down.
    """
    if file and file.exists():
        raise Refused(f"{file} exists", "Name a file that does not.")
    call = invocation(context)
    with call.opened() as units, units.begin() as work:
        someone = found(call, work, customer)
        text = json_text(subject_access.document(work, someone))
        audit.note(work, actor=operator(), action=EXPORTED, subject=someone.name)
    # Only now: nothing leaves before it is written down that it did.
    _write(text, file)
    if file:
        say(f"everything about {headline(someone)} is in {file}")


def erase_customer(
    context: typer.Context,
    customer: CustomerArgument,
    *,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    reason: Annotated[
        str | None,
        typer.Option("--reason", help="Why, for the audit log. Do not name the person in it."),
    ] = None,
    output: OutputOption = Output.TABLE,
) -> None:
    """Erase a person: everything stored about it, in all accounts. There is no way back.

    The customer number stays, with nothing behind it. A keyed digest of each account keeps the
    person from being imported again; it needs [privacy] key.
    """
    call = invocation(context)
    tombstones = _tombstones(call)
    with call.opened() as units:
        with units.read() as work:
            someone = _erasable(found(call, work, customer))
            others = person.once_taken_for(work, someone)
        if not yes:
            _ask(someone)
        erased = _patiently(lambda: _erase(units, customer, tombstones, reason))
    if output is Output.JSON:
        show_json(
            {"customer_number": erased.number, "digests": erased.digests, "rows": erased.rows}
        )
        return
    _tell(someone, erased, others, is_on_rabbitmq=is_rabbitmq(call.broker_url))


def _tombstones(call: Invocation) -> Tombstones:
    key = call.installation.settings.privacy.key
    if key is None:
        text = "privacy.key is not set: without it, nobody could be kept from coming back"
        raise Refused(text, _HOW_TO_MAKE_A_KEY, exit_code=EXIT_USAGE)
    return Tombstones(key)


def _erasable(someone: Person) -> Person:
    if someone.is_erased:
        raise Refused(f"customer {someone.name} is erased already")
    return someone


def _ask(someone: Person) -> None:
    """Have the person's name typed. Raises `Refused` if something else is."""
    typer.echo(f"This erases {headline(someone)}. There is no way back.", err=True)
    if not sys.stdin.isatty():
        raise Refused("nobody is there to confirm", "--yes erases without asking.")
    typed = typer.prompt(f"Type {someone.name} to go on", default="", show_default=False, err=True)
    if typed != someone.name:
        raise Refused("nothing was erased")


def _erase(units: UnitsOfWork, name: str, tombstones: Tombstones, reason: str | None) -> Erasure:
    with units.begin() as work:
        try:
            return erasure.erase(work, name, tombstones, actor=operator(), why=reason)
        except NotErased as error:
            raise Refused(str(error), error.advice) from None


def _patiently(deed: Callable[[], Result]) -> Result:
    """Do it again when a worker was in the way."""
    for _ in range(_ATTEMPTS - 1):
        try:
            return deed()
        except DatabaseContended:
            continue
    return deed()


def _tell(
    someone: Person, erased: Erasure, others: Sequence[SourceKey], *, is_on_rabbitmq: bool
) -> None:
    say(f"erased {headline(someone)}")
    rows = [{"table": table, "rows": many} for table, many in erased.rows.items()]
    show_rows(rows, {"table": "table", "rows": "rows"}, Output.TABLE, nothing="nothing was stored")
    say(f"\ntombstones that keep it from being imported again: {len(erased.digests)}")
    if others:
        names = ", ".join(map(str, others))
        say(
            f"Once taken for this customer, and not erased: {names}. Is it the same person?", "bold"
        )
    for line in _OUT_OF_REACH:
        say(line, "dim")
    if is_on_rabbitmq:
        say(_DEAD_QUEUES, "dim")


def _write(text: str, file: Path | None) -> None:
    """Write to standard output, or into a new file that others cannot read."""
    if file is None:
        sys.stdout.write(text)
        return
    try:
        descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except OSError as error:
        raise Refused(f"{file} cannot be written: {error.strerror}") from None
    with os.fdopen(descriptor, "w", encoding="utf-8") as target:
        target.write(text)
