"""A processor's desk on a real database, for tests: messages go in, rows and exports come out."""

from collections.abc import Sequence
from dataclasses import dataclass, field, fields
from typing import Any
from uuid import UUID, uuid4

import orjson
import sqlalchemy as sa
from stdnum.iso7064 import mod_11_10

from services.processor.plan import Plan
from services.processor.worker import process_batch
from shared.domain.customer import Customer, FieldWarning, Model, Source, SourceKey
from shared.domain.messages import (
    CustomerDeleted,
    CustomerExport,
    CustomerUnreadable,
    Envelope,
    Parcel,
    type_of,
)
from shared.domain.policy import (
    ChannelPolicy,
    NumberSeries,
    Policy,
    ProcessingMethod,
    StoreViewPolicy,
)
from shared.messaging.codec import decode, to_wire
from shared.persistence.tables import (
    customer_addresses,
    customers,
    history,
    links,
    messages,
    number_series,
    staging_customers,
)
from shared.persistence.unit_of_work import UnitsOfWork
from tests.builders import ADDITIONAL, NOON, a_policy, imported

SERIES = NumberSeries("debtors", prefix="D", width=5, start=10001)


@dataclass
class Desk:
    """Processes messages, each batch in a unit of work of its own, and reads what came of it."""

    engine: sa.Engine
    units: UnitsOfWork
    policy: Policy = field(default_factory=lambda: two_shops(ProcessingMethod.CREATE_AND_UPDATE))

    def take(self, *messages_: Envelope[Any] | Customer, policy: Policy | None = None) -> Plan:
        """Process a batch; customers stand for the messages that they were imported."""
        batch = [imported(m) if isinstance(m, Customer) else m for m in messages_]
        with self.units.begin() as work:
            return process_batch(batch, work, policy or self.policy)

    def one_by_one(self, *messages_: Envelope[Any] | Customer) -> None:
        """Process each message in a batch of its own."""
        for message in messages_:
            self.take(message)

    def rows(self, table: sa.Table, *order: sa.ColumnElement[Any]) -> Sequence[sa.Row[Any]]:
        """Return a table's rows, in the order of its primary key unless told otherwise."""
        query = sa.select(table).order_by(*(order or table.primary_key.columns))
        with self.units.read() as work:
            return work.connection.execute(query).all()

    def customers(self) -> Sequence[sa.Row[Any]]:
        """Return the directory by number."""
        return self.rows(customers, customers.c.number)

    def customer(self) -> sa.Row[Any]:
        """Return the only customer of the directory."""
        [row] = self.customers()
        return row

    def addresses(self) -> Sequence[sa.Row[Any]]:
        """Return all addresses by the shop's ids."""
        return self.rows(customer_addresses, customer_addresses.c.external_id)

    def links(self) -> dict[SourceKey, sa.Row[Any]]:
        """Return the links by what they link."""
        return {SourceKey(row.channel, row.external_id): row for row in self.rows(links)}

    def link(self) -> sa.Row[Any]:
        """Return the only link."""
        [row] = self.links().values()
        return row

    def linked(self, external_id: str, channel: str = "shop") -> sa.Row[Any]:
        """Return the link of a remote record."""
        return self.links()[SourceKey(channel, external_id)]

    def staging(self) -> Sequence[sa.Row[Any]]:
        """Return the staging records, oldest first."""
        return self.rows(staging_customers)

    def staged(self) -> sa.Row[Any]:
        """Return the only staging record."""
        [row] = self.staging()
        return row

    def events(self, external_id: str | None = None) -> list[str]:
        """Return the events of the timeline, of one remote record if it is named."""
        return [row.event for row in self.rows(history) if external_id in {None, row.external_id}]

    def next_number(self) -> int:
        """Return the number that would be drawn next."""
        return int(self.rows(number_series)[0].next_value)

    def exports(self) -> list[Envelope[CustomerExport]]:
        """Return the owed exports as an exporter decodes them, in the order they were sent."""
        names = ["id" if each.name == "message_id" else each.name for each in fields(Parcel)]
        rows = self.rows(messages, messages.c.id)
        parcels = [Parcel(*(row._mapping[name] for name in names)) for row in rows]
        return [decode(to_wire(parcel)) for parcel in parcels]  # type: ignore[misc]

    def effects(self) -> list[tuple[str, str, str]]:
        """Return what is to be written: channel, external id and effect, sorted."""
        bodies = [export.body for export in self.exports()]
        return sorted((body.channel, body.external_id, body.effect) for body in bodies)


def two_shops(
    method: ProcessingMethod = ProcessingMethod.CREATE_AND_UPDATE, **changes: Any
) -> Policy:
    """Return a policy of the channels `shop` and `outlet`, each with the store view `de`."""
    views = {"de": StoreViewPolicy("de", method)}
    channels = {name: ChannelPolicy(name, views, ADDITIONAL) for name in ("shop", "outlet")}
    return a_policy(channels=channels, **changes)


def a_message(body: Model, source: Source, **changes: Any) -> Envelope[Any]:
    """Return a received message about `source`."""
    message_id = uuid4()
    given: dict[str, Any] = {
        "message_id": message_id,
        "type": type_of(body).name,
        "schema_version": 1,
        "correlation_id": message_id,
        "occurred_at": NOON,
        "channel": source.channel,
        "subject": source.external_id,
        "body": body,
        "raw": body.to_json(),
    }
    return Envelope(**(given | changes))


def unreadable(source: Source, *problems: tuple[str, str]) -> Envelope[CustomerUnreadable]:
    """Return the message that a record could not be read."""
    named = problems or (("birth_date", "is no date"),)
    warnings = tuple(FieldWarning(field=name, problem=text) for name, text in named)
    return a_message(CustomerUnreadable(source=source, problems=warnings), source)


def deleted(source: Source) -> Envelope[CustomerDeleted]:
    """Return the message that a record is gone."""
    return a_message(CustomerDeleted(source=source), source)


def explanation(row: sa.Row[Any]) -> dict[str, Any]:
    """Return why a staging record is as it is."""
    read: dict[str, Any] = orjson.loads(row.explanation)
    return read


def ids(rows: Sequence[sa.Row[Any]]) -> list[UUID]:
    """Return the ids of rows."""
    return [row.id for row in rows]


def a_tax_id(number: int) -> str:
    """Return a German tax id that passes its check, another for each number."""
    digits = f"1{number:07}"
    return f"DE{digits}{mod_11_10.calc_check_digit(digits)}"
