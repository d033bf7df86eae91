"""Everything that is stored about a person, as one document: what a request for information needs.

For the operator's desk. Its promise: what erasing the person would remove is in it (ASK-20).
"""

from collections.abc import Collection, Mapping
from dataclasses import asdict
from typing import Any, Final
from uuid import UUID

import orjson
import sqlalchemy as sa

from shared.persistence import raw_payloads, strays
from shared.persistence.person import Person
from shared.persistence.sets import Found
from shared.persistence.tables import (
    amendments,
    audit_log,
    customer_addresses,
    customer_contacts,
    customers,
    dead_letters,
    history,
    import_requests,
    links,
    messages,
    push_emails,
    push_items,
    source_records,
    staging_customers,
)
from shared.persistence.unit_of_work import UnitOfWork

Document = dict[str, Any]

_BY_ACCOUNT: Final[Mapping[str, tuple[sa.Table, str]]] = {
    "links": (links, "external_id"),
    "staging": (staging_customers, "external_id"),
    "dead_letters": (dead_letters, "subject"),
    "owed_messages": (messages, "subject"),
    "import_requests": (import_requests, "external_id"),
    "source_records": (source_records, "external_id"),
    "push_items": (push_items, "external_id"),
    "push_emails": (push_emails, "external_id"),
}


def document(work: UnitOfWork, someone: Person) -> Document:
    """Return all that is stored about a person, table by table, oldest first."""
    found = {
        name: _about(work, table, table.c[key], someone)
        for name, (table, key) in _BY_ACCOUNT.items()
    }
    found["dead_letters"] += _with_ids(work, dead_letters, strays.dead(work, someone), found)
    found["owed_messages"] += _with_ids(work, messages, strays.owed(work, someone), found)
    letters = [row["id"] for row in found["dead_letters"]]
    found["amendments"] = _rows(work, amendments, amendments.c.dead_letter_id.in_(letters))
    ids = {str(row["id"]) for rows in found.values() for row in rows if "id" in row}
    subjects = ids | {str(account) for account in someone.accounts} | {someone.number or ""}
    return {
        "written_at": work.now,
        "accounts": [account._asdict() for account in someone.accounts],
        "customer": next(iter(_of_customer(work, customers, "id", someone)), None),
        "addresses": _of_customer(work, customer_addresses, "customer_id", someone),
        "contacts": _rows(work, customer_contacts, _is_contact(someone)),
        **found,
        "raw_payloads": [asdict(each) for each in raw_payloads.of_accounts(work, someone.accounts)],
        "history": _history(work, someone),
        "audit_log": _rows(work, audit_log, audit_log.c.subject.in_(sorted(subjects))),
    }


def _about(
    work: UnitOfWork, table: sa.Table, external_id: sa.Column[Any], someone: Person
) -> list[Document]:
    return _rows(work, table, _is_account(table.c.channel, external_id, someone))


def _of_customer(work: UnitOfWork, table: sa.Table, column: str, someone: Person) -> list[Document]:
    return _rows(work, table, table.c[column] == someone.customer_id)


def _is_contact(someone: Person) -> sa.ColumnElement[bool]:
    """Return the condition for the contacts of a company, and for those that are the person."""
    columns = customer_contacts.c
    condition = sa.or_(
        _is_account(columns.channel, columns.account, someone),
        _is_account(columns.channel, columns.record, someone),
    )
    if someone.customer_id:
        condition = sa.or_(condition, columns.customer_id == someone.customer_id)
    return condition


def _history(work: UnitOfWork, someone: Person) -> list[Document]:
    condition = _is_account(history.c.channel, history.c.external_id, someone)
    if someone.customer_id:
        condition = sa.or_(condition, history.c.customer_id == someone.customer_id)
    return _rows(work, history, condition)


def _with_ids(
    work: UnitOfWork, table: sa.Table, ids: Collection[UUID], found: Mapping[str, list[Document]]
) -> list[Document]:
    """Return further rows of a table, those that were not found by account."""
    known = {row["id"] for rows in found.values() for row in rows if "id" in row}
    return _rows(work, table, table.c.id.in_(sorted(set(ids) - known)))


def _rows(work: UnitOfWork, table: sa.Table, condition: sa.ColumnElement[bool]) -> list[Document]:
    query = sa.select(table).where(condition).order_by(*table.primary_key.columns)
    return [_readable(row) for row in work.connection.execute(query)]


def _readable(row: Found) -> Document:
    """Return a row by name; what is kept as bytes of JSON as the JSON it is."""
    values = row._mapping  # noqa: SLF001 - the documented way to read by name
    return {
        name: _parsed(value) if isinstance(value, bytes) else value
        for name, value in values.items()
    }


def _parsed(body: bytes) -> Any:
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError:
        return body.decode("utf-8", "backslashreplace")


def _is_account(
    channel: sa.Column[Any], external_id: sa.Column[Any], someone: Person
) -> sa.ColumnElement[bool]:
    return sa.or_(
        sa.false(),
        *(sa.and_(channel == x.channel, external_id == x.external_id) for x in someone.accounts),
    )
