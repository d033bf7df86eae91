"""Which customer each pushed one is: by its id, or by its e-mail address where that is the key.

Its promise: in a channel that knows its customers by e-mail, an address leads to one of them; who
changes it stays who he was (D365-5), and whoever comes with another's is parked (D365-1).
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, NamedTuple

from services.importer.intake.reading import Door, Given
from shared.connectors.push.customer import Fault, PushedCustomer
from shared.domain.customer import SourceKey
from shared.domain.normalise.email import email_key
from shared.persistence import pushes
from shared.persistence.tombstones import Tombstones
from shared.persistence.unit_of_work import UnitOfWork

MISSING_EMAIL: Final = "is missing, and customers of this channel are known by it"
NO_EMAIL: Final = "is no e-mail address, and customers of this channel are known by it"
DUPLICATE_EMAIL: Final = "is that of another customer of this channel"
_TWICE: Final = Fault("", "is another state of a customer before it; send only the last")
_ERASED: Final = Fault("", "was erased here and is not taken again; see your data protection")


@dataclass(frozen=True, slots=True)
class Identified:
    """A customer that is known which one it is; it waits where it has `problems`."""

    position: int
    pointer: str
    external_id: str
    store_view: str
    customer: PushedCustomer
    record: Mapping[str, Any]
    email: str | None
    problems: tuple[tuple[str, str], ...] = ()


class Found(NamedTuple):
    """What is to be taken, and what is not."""

    taken: Sequence[Identified]
    refused: Sequence[Given]


def identify(given: Sequence[Given], door: Door, tombstones: Tombstones, work: UnitOfWork) -> Found:
    """Say who each customer of a request is, and refuse who is told twice or was erased."""
    readable = [each for each in given if each.customer is not None]
    refused = [each for each in given if each.customer is None]
    named = list(_named(readable, door, work))
    erased = _erased(named, door, tombstones, work)
    taken: dict[str, Identified] = {}
    for each, origin in zip(named, readable, strict=True):
        if each.external_id in erased or each.email in erased:
            refused.append(origin.refused(_ERASED))
        elif each.external_id in taken:
            refused.append(origin.refused(_TWICE))
        else:
            taken[each.external_id] = each
    return Found(_parked(list(taken.values()), door, work), refused)


def _named(given: Sequence[Given], door: Door, work: UnitOfWork) -> Iterator[Identified]:
    """Yield each with its id: what it says, or whoever has, or had, its e-mail address."""
    owners: Mapping[str, str] = {}
    if door.knows_by_email:
        customers = [each.customer for each in given if each.customer]
        emails = {email_key(c.email) for c in customers}
        emails |= {email_key(c.previous_email) for c in customers}
        owners = pushes.email_owners(work, door.channel, sorted(email for email in emails if email))
    for each in given:
        if (customer := each.customer) is None:
            continue
        email = email_key(customer.email) if door.knows_by_email else None
        before = email_key(customer.previous_email) if door.knows_by_email else None
        found = owners.get(before or "") or owners.get(email or "") or email or ""
        yield Identified(
            each.position, each.pointer, customer.external_id or found, each.store_view,
            customer, each.record, email,
        )  # fmt: skip


def _erased(
    named: Sequence[Identified], door: Door, tombstones: Tombstones, work: UnitOfWork
) -> set[str]:
    """Return the ids, and the addresses that are ids, of those who were erased."""
    ids = {each.external_id for each in named} | {each.email for each in named if each.email}
    found = tombstones.erased(work, {SourceKey(door.channel, each) for each in ids})
    return {account.external_id for account in found}


def _parked(taken: Sequence[Identified], door: Door, work: UnitOfWork) -> Sequence[Identified]:
    """Claim the addresses, and park whoever has none, or another's."""
    if not door.knows_by_email:
        return taken
    claims: dict[str, str] = {}
    for each in taken:
        if each.email:
            claims.setdefault(each.email, each.external_id)
    owners = pushes.claim_emails(work, door.channel, claims)
    result = [_with_problem(each, owners) for each in taken]
    # An address that was given up is free again; as an id it stays its customer's.
    kept = {
        each.external_id: each.email
        for each in result
        if each.email and not each.problems and each.customer.external_id
    }
    pushes.release_emails(work, door.channel, kept)
    return result


def _with_problem(each: Identified, owners: Mapping[str, str]) -> Identified:
    if each.email is None:
        problem = NO_EMAIL if each.customer.email else MISSING_EMAIL
    elif owners[each.email] != each.external_id:
        problem = DUPLICATE_EMAIL
    else:
        return each
    return replace(each, problems=(("email", problem),))
