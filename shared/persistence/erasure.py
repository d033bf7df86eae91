"""Erasing a person: everything stored about it goes, and a tombstone keeps it from coming back.

For the operator's desk. One transaction, in which nobody decides about the person and nothing of
it is imported. What stays: the customer's row with its id and number and nothing else, so that
the books agree; lines of history and of the audit log without the person's ids and without texts;
tombstones. Its promise: afterwards no row of any table says who the person was (ASK-20, NEW-11).
"""

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

import orjson
import sqlalchemy as sa

from shared.domain.customer import SourceKey
from shared.domain.ids import new_id
from shared.persistence import audit, contacts, history, person, pushes, strays
from shared.persistence.person import ERASED, Person
from shared.persistence.tables import (
    audit_log,
    cursors,
    customer_addresses,
    customer_contacts,
    customers,
    dead_letters,
    import_requests,
    links,
    messages,
    push_emails,
    push_items,
    raw_payloads,
    replay_jobs,
    source_records,
    staging_customers,
)
from shared.persistence.tables import history as lines
from shared.persistence.tombstones import ERASED_ID, Tombstones, wait_for_imports
from shared.persistence.unit_of_work import UnitOfWork

ACTION: Final = "customer.erased"
_ROUNDS: Final = 5
_REDACTED: Final = "(erased)"
_BY_ACCOUNT: Final = (
    staging_customers, import_requests, links, raw_payloads, source_records, push_items,
    push_emails,
)  # fmt: skip


class NotErased(Exception):
    """Nothing was erased; the text says why, and `advice` what to do."""

    def __init__(self, text: str, advice: str = "") -> None:
        super().__init__(text)
        self.advice = advice


@dataclass(frozen=True, slots=True)
class Erasure:
    """What was erased: how many rows of which table, and the digests that keep it away."""

    customer_id: UUID | None
    number: str | None
    digests: tuple[str, ...]
    rows: dict[str, int]


def erase(
    work: UnitOfWork, name: str, tombstones: Tombstones, *, actor: str, why: str | None = None
) -> Erasure:
    """Erase whom `name` means. Raises `NotErased`, or `TombstoneKeyMissing` for another key."""
    if not tombstones.is_keyed:
        raise NotErased("privacy.key is not set, and without it nobody could be kept away")
    wait_for_imports(work)
    tombstones.verify(work)
    someone = _locked(work, name)
    digests = tuple(tombstones.set_for(work, someone.accounts))
    # An e-mail address may have been the key of an account, or become it.
    tombstones.set_for(work, pushes.accounts_by_email(work, someone.accounts))
    gone = _Gone(work, someone)
    gone.delete()
    _redact_history(work, someone.accounts)
    _redact_audit(work, someone, digests, gone.ids)
    _redact_replays(work, someone.accounts)
    erasure = Erasure(someone.customer_id, someone.number, digests, gone.rows)
    _tell(work, someone, erasure, actor=actor, why=why)
    return erasure


def _locked(work: UnitOfWork, name: str) -> Person:
    """Return the person once nobody else can decide about it.

    A processor that links one more account meanwhile has the customer's row locked: it is waited
    for, and the account is found the next time round.
    """
    held: Person | None = None
    for _ in range(_ROUNDS):
        someone = _erasable(work, name)
        if someone == held:
            return someone
        work.lock_identities(map(str, someone.accounts))
        row = sa.select(customers.c.id).where(customers.c.id == someone.customer_id)
        work.connection.execute(row.with_for_update()).all()
        held = someone
    raise NotErased(f"{name} gets new accounts all the time", "Try again in a while.")


def _erasable(work: UnitOfWork, name: str) -> Person:
    someone = person.find(work, name)
    if someone is None:
        raise NotErased(f"nothing is known of a customer {name}")
    if someone.is_erased:
        raise NotErased(f"customer {name} is erased already")
    if someone.guests:
        raise NotErased(
            f"customer {name} stands for {someone.guests} guests, not for one person",
            "Erase a guest by its account, CHANNEL/EXTERNAL_ID.",
        )
    return someone


class _Gone:
    """Deletes what is about a person; `rows` says how much, `ids` what it was called."""

    def __init__(self, work: UnitOfWork, someone: Person) -> None:
        self._work = work
        self._person = someone
        self.rows: dict[str, int] = {}
        self.ids: set[str] = set()

    def delete(self) -> None:
        """Delete all of it, and empty the customer's row."""
        # Looked for first: they are found by what is deleted next.
        owed, dead = strays.owed(self._work, self._person), strays.dead(self._work, self._person)
        companies = contacts.companies_of(self._work, self._person.accounts)
        self._delete(messages, messages.c.subject, owed)
        self._delete(dead_letters, dead_letters.c.subject, dead)
        for table in _BY_ACCOUNT:
            self._delete(table, table.c.external_id)
        self._delete(customer_contacts, customer_contacts.c.record)
        named = contacts.forget(self._work, self._person.accounts, companies)
        self._count(customer_contacts, named)
        if self._person.customer_id:
            self._empty(self._person.customer_id)

    def _delete(
        self, table: sa.Table, external_id: sa.Column[Any], also: Collection[UUID] = ()
    ) -> None:
        condition = _is_about(table.c.channel, external_id, self._person.accounts)
        if also:
            condition = sa.or_(condition, table.c.id.in_(sorted(also)))
        deletion = sa.delete(table).where(condition)
        if "id" not in table.c:
            self._count(table, self._work.connection.execute(deletion).rowcount)
            return
        ids = self._work.connection.execute(deletion.returning(table.c.id)).scalars().all()
        self.ids.update(map(str, ids))
        self._count(table, len(ids))

    def _empty(self, customer_id: UUID) -> None:
        """Leave the customer's id and number, and nothing it could be found or recognised by."""
        its_addresses = sa.delete(customer_addresses).where(
            customer_addresses.c.customer_id == customer_id
        )
        self._count(customer_addresses, self._work.connection.execute(its_addresses).rowcount)
        its_contacts = sa.delete(customer_contacts).where(
            customer_contacts.c.customer_id == customer_id
        )
        self._count(customer_contacts, self._work.connection.execute(its_contacts).rowcount)
        nothing = {c.name: None for c in customers.c if c.nullable and c.name != "number"}
        emptied = {
            **nothing, "state": ERASED, "kind": "individual", "defaults": b"{}",
            "updated_at": self._work.now,
        }  # fmt: skip
        its_row = sa.update(customers).where(customers.c.id == customer_id).values(emptied)
        self._count(customers, self._work.connection.execute(its_row).rowcount)

    def _count(self, table: sa.Table, many: int) -> None:
        if many:
            name = f"{table.name}"  # a plain text, which JSON takes for a key
            self.rows[name] = self.rows.get(name, 0) + many


def _redact_history(work: UnitOfWork, accounts: Collection[SourceKey]) -> None:
    """Leave of each line when what happened, and to which customer; not to which account."""
    about = _is_about(lines.c.channel, lines.c.external_id, accounts)
    work.connection.execute(
        sa.update(lines).where(about).values(external_id=ERASED_ID, detail=None)
    )


def _redact_audit(
    work: UnitOfWork, someone: Person, digests: Sequence[str], gone: Collection[str]
) -> None:
    """Leave of each line who did what and when; digests for accounts, no texts."""
    renamed = {
        name: digest
        for account, digest in zip(someone.accounts, digests, strict=True)
        for name in _names(work, account)
    }
    subjects = {*renamed, *gone} | ({someone.number} if someone.number else set())
    columns = (audit_log.c.id, audit_log.c.subject, audit_log.c.reason)
    rows = [
        {
            "id": row.id,
            "subject": renamed.get(row.subject, row.subject),
            "reason": row.reason and _REDACTED,
            "detail": None,
        }
        for row in work.bulk.select(columns, audit_log.c.subject, subjects)
    ]
    work.bulk.update(audit_log, rows, key=("id",))


def _names(work: UnitOfWork, account: SourceKey) -> list[str]:
    """Return how the audit log calls an account: with and without a store view."""
    views = sa.select(cursors.c.store_view).where(cursors.c.channel == account.channel)
    found = work.connection.execute(views).scalars()
    with_view = [f"{account.channel}/{view}/{account.external_id}" for view in found]
    return [str(account), *with_view]


def _redact_replays(work: UnitOfWork, accounts: Collection[SourceKey]) -> None:
    """Leave of the replays that were asked for by an account's id that there were any."""
    if not accounts:
        return
    ids = "|".join(re.escape(account.external_id) for account in accounts)
    names_one = re.compile(rf"(?<![\w-])(?:{ids})(?![\w-])")
    columns = (replay_jobs.c.id, replay_jobs.c.selection)
    rows = [
        {"id": row.id, "selection": _REDACTED, "reason": _REDACTED}
        for row in work.connection.execute(sa.select(*columns))
        if names_one.search(row.selection)
    ]
    work.bulk.update(replay_jobs, rows, key=("id",))


def _tell(
    work: UnitOfWork, someone: Person, erasure: Erasure, *, actor: str, why: str | None
) -> None:
    detail = {"digests": erasure.digests, "rows": erasure.rows}
    subject = someone.number or next(iter(erasure.digests), str(someone.customer_id))
    audit.note(
        work, actor=actor, action=ACTION, subject=subject, reason=why,
        detail=orjson.dumps(detail).decode(),
    )  # fmt: skip
    line = history.line(
        at=work.now,
        correlation_id=new_id(),
        channel=someone.accounts[0].channel if someone.accounts else "-",
        external_id=ERASED_ID,
        customer_id=someone.customer_id,
        worker="console",
        event=ACTION,
    )
    history.append(work.connection, [line])


def _is_about(
    channel: sa.Column[Any], external_id: sa.Column[Any], accounts: Collection[SourceKey]
) -> sa.ColumnElement[bool]:
    return sa.or_(
        sa.false(),
        *(sa.and_(channel == each.channel, external_id == each.external_id) for each in accounts),
    )
