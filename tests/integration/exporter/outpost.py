"""An exporter at a shop, for tests: customers are imported and processed, then written back."""

import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, fields, replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import httpx2
import sqlalchemy as sa

from services.exporter.effects import ChannelEffects, Exported
from services.importer.schedule import ChannelSchedule
from services.processor.worker import process_batch
from services.sandbox.magento import SandboxMagento
from shared.connectors.deadline import DeadlineTransport
from shared.connectors.ports import Connector, CustomerSink
from shared.domain.messages import Envelope, Parcel
from shared.messaging.broker import Delivery
from shared.messaging.codec import decode, to_wire
from shared.messaging.topology import exporter_queue
from shared.persistence.store import GRACE_SECONDS
from shared.persistence.tables import (
    channel_pauses,
    dead_letters,
    history,
    links,
    messages,
)
from shared.runtime.effects import EffectHandler
from shared.runtime.failures import FailureRecorder
from shared.runtime.patience import Patience
from shared.runtime.received import Received, Result
from shared.runtime.recoverability import Recoverability
from tests.builders import ADDITIONAL, a_policy
from tests.integration.importer.station import CHANNEL, Station
from tests.services.plain import PLAIN

PUT = ("PUT", "customers/{id}")
FIELDS = tuple(ADDITIONAL)
LEASE_SECONDS = 60.0
FIRST_DELAY_SECONDS, PAUSE_SECONDS = 5.0, 300.0


class Watched(httpx2.BaseTransport):
    """Real connections, and a deed before each request that is a write."""

    def __init__(self) -> None:
        """Open nothing yet."""
        self._real = DeadlineTransport(connections=8, tls=PLAIN)
        self.before_write: Callable[[], object] = lambda: None

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        """Do the deed, then pass on."""
        if request.method == "PUT":
            self.before_write()
        return self._real.handle_request(request)

    def close(self) -> None:
        """Close the connections."""
        self._real.close()


@dataclass
class Outpost:
    """A shop, its importer and processor, and exporters of its channel."""

    station: Station
    shop: SandboxMagento
    connector: Connector
    transport: Watched
    threads: ThreadPoolExecutor

    def __post_init__(self) -> None:
        """Have what the exports write defined in the shop."""
        for code in FIELDS:
            self.shop.control.add_attribute(code)
        self.schedule: ChannelSchedule = self.station.schedule(self.connector.reading)
        recoverability = Recoverability(
            first_delay_seconds=FIRST_DELAY_SECONDS,
            pause_seconds=PAUSE_SECONDS,
            jitter=lambda: 0.0,
        )
        self.failures = FailureRecorder("exporter", recoverability, config_version="c1")

    def poll(self) -> list[str]:
        """Let time pass and poll the shop; return whom messages were sent about."""
        self.station.new_subjects()
        self.station.poll_again(self.schedule)
        return self.station.new_subjects()

    def process(self) -> None:
        """Decide about every customer that was imported."""
        batch = [m for m in self.station.messages() if m.type == "customer.imported"]
        with self.station.units.begin() as work:
            work.store.claim([message.message_id for message in batch])
            process_batch(batch, work, a_policy())

    def arrive(self, *numbers: int) -> None:
        """Import and process the shop's customers; owe the exports of `numbers` (none: of all)."""
        self.poll()
        self.process()
        if numbers:
            wanted = [str(number) for number in numbers]
            with self.station.units.begin() as work:
                others = sa.delete(messages).where(messages.c.subject.not_in(wanted))
                work.connection.execute(others)

    def effects(self, sink: CustomerSink | None = None) -> ChannelEffects:
        """Return what an exporter does with exports."""
        return ChannelEffects(
            CHANNEL,
            sink or self.connector.sink,
            self.station.units,
            self.threads,
            self.station.metrics,
        )

    def handler(
        self, owner: str = "one", sink: CustomerSink | None = None, lease: float = LEASE_SECONDS
    ) -> EffectHandler[Exported]:
        """Return an exporter's handler."""
        return EffectHandler(
            self.effects(sink),
            self.station.units,
            self.failures,
            lambda _sent: None,
            owner=owner,
            lease_seconds=lease,
        )

    def export(
        self, *received: Received, owner: str = "one", sink: CustomerSink | None = None
    ) -> list[str]:
        """Handle deliveries, or else all that are due, in one batch; return the outcomes."""
        results = self.results(*received, owner=owner, sink=sink)
        return [result.outcome for result in results]

    def results(
        self, *received: Received, owner: str = "one", sink: CustomerSink | None = None
    ) -> Sequence[Result]:
        """Do so, and return what became of each."""
        batch = received or self.due()
        return self.handler(owner, sink).handle(batch, Patience(threading.Event()))

    def due(self) -> list[Received]:
        """Return the exports that a broker would bring now."""
        soon = self.station.clock.now + timedelta(seconds=GRACE_SECONDS)
        return [_received(parcel) for parcel, at in self._owed() if at <= soon]

    def owed(self) -> dict[UUID, sa.Row[Any]]:
        """Return the rows of exports that are not done."""
        query = sa.select(messages).where(messages.c.type == "customer.export")
        return {row.id: row for row in self._rows(query)}

    def link(self, number: int) -> sa.Row[Any]:
        """Return the link of a customer of the shop."""
        [row] = self._rows(sa.select(links).where(links.c.external_id == str(number)))
        return row

    def events(self, number: int) -> list[str]:
        """Return the exporter's lines in a customer's timeline, sorted."""
        query = sa.select(history).where(
            history.c.external_id == str(number), history.c.worker == "exporter"
        )
        return sorted(row.event for row in self._rows(query))

    def buried(self) -> Sequence[sa.Row[Any]]:
        """Return the dead letters."""
        return self._rows(sa.select(dead_letters))

    def pauses(self) -> Sequence[sa.Row[Any]]:
        """Return the channels that are paused."""
        return self._rows(sa.select(channel_pauses))

    def puts(self) -> int:
        """Return how many writes the shop has seen."""
        return self.shop.control.requests(*PUT)

    def attributes(self, number: int) -> dict[str, str]:
        """Return the custom attributes that the shop has of a customer."""
        record = self.shop.control.customer(number)
        return {a["attribute_code"]: a["value"] for a in record.get("custom_attributes") or ()}

    def _owed(self) -> Iterator[tuple[Parcel, datetime]]:
        names = ["id" if each.name == "message_id" else each.name for each in fields(Parcel)]
        for row in sorted(self.owed().values(), key=lambda row: row.id):
            yield Parcel(*(row._mapping[name] for name in names)), row.available_at

    def _rows(self, query: sa.Select[Any]) -> Sequence[sa.Row[Any]]:
        with self.station.units.read() as work:
            return work.connection.execute(query).all()


def _received(parcel: Parcel) -> Received:
    return Received(decode(to_wire(parcel)), _delivery(parcel))


def _delivery(parcel: Parcel) -> Delivery:
    return Delivery(to_wire(parcel), exporter_queue(CHANNEL), redelivered=False, tag=uuid4())


def about(received: Sequence[Received], number: int) -> list[Received]:
    """Return the deliveries about one customer."""
    return [each for each in received if each.envelope.subject == str(number)]


def with_body(received: Received, **changes: Any) -> Received:
    """Return a delivery whose body is changed."""
    envelope: Envelope[Any] = received.envelope
    body = envelope.body.model_copy(update=changes)
    return replace(received, envelope=replace(envelope, body=body))
