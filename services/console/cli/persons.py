"""How commands name a customer, and what they say of one that is not there."""

from typing import Annotated, Any

import orjson
import typer

from services.console.cli.failures import Refused
from services.console.cli.invocation import Invocation
from shared.persistence import person, timeline
from shared.persistence.person import Person
from shared.persistence.tombstones import Tombstones
from shared.persistence.unit_of_work import UnitOfWork

CustomerArgument = Annotated[
    str,
    typer.Argument(
        metavar="CUSTOMER",
        help="The customer number, or CHANNEL/EXTERNAL_ID: a shop as it is called in the"
        " configuration, and the customer's id there.",
    ),
]


def found(call: Invocation, work: UnitOfWork, name: str) -> Person:
    """Return whom `name` means. Raises `Refused` if nothing is known."""
    someone = person.find(work, name)
    if someone is None:
        raise _unknown(call, work, name)
    return someone


def _unknown(call: Invocation, work: UnitOfWork, name: str) -> Refused:
    """Return why nothing can be said of a customer."""
    if account := person.account_named(name):
        tombstones = Tombstones(call.installation.settings.privacy.key)
        if tombstones.is_keyed and account in tombstones.erased(work, [account]):
            return Refused(f"{name} was erased")
        text = f"nothing is known of a customer {account.external_id} in {account.channel}"
        return Refused(text, "Is its store view imported? `patron cursor list` shows how far.")
    return Refused(
        f"there is no customer {name}",
        "Name it by its customer number, or as CHANNEL/EXTERNAL_ID by its id in a shop.",
    )


def said_last(work: UnitOfWork, someone: Person) -> str:
    """Return what was said last in a person's history; nothing if there is none."""
    lines = timeline.of_person(work, someone, limit=1).lines
    return f"{lines[0].event} {in_words(lines[0].detail) or ''}".strip() if lines else ""


def in_words(text: str | None) -> str | None:
    """Return the facts of a detail, `name: value`; what is not JSON as it is."""
    if not text:
        return None
    said = facts(text)
    if not isinstance(said, dict):
        return text
    return "; ".join(
        f"{name}: {', '.join(map(str, value)) if isinstance(value, list) else value}"
        for name, value in said.items()
    )


def facts(text: str | None) -> Any:
    """Return a detail as the value that was written; what is not JSON as text."""
    try:
        return orjson.loads(text) if text else None
    except orjson.JSONDecodeError:
        return text
