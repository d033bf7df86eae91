"""Importer, processor and exporter around a shop on a real socket, one step at a time.

Its promise: whatever is not asked to run stands still, so that every interleaving can be had.
"""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from typing import Any, Final

import httpx2
import sqlalchemy as sa

from services.processor.worker import process_batch
from services.sandbox.magento import SandboxMagento
from shared.domain.messages import Envelope
from shared.domain.policy import ChannelPolicy, StoreViewPolicy
from shared.persistence.tables import customer_addresses, customers, links, messages
from tests.builders import ADDITIONAL, a_policy
from tests.integration.exporter.outpost import FIELDS, Outpost, Watched
from tests.integration.importer.shops import STORE_VIEWS, connected
from tests.integration.importer.station import CHANNEL, Station
from tests.integration.persistence.builders import SettableClock
from tests.services.plain import PLAIN

VIEWS: Final = tuple(STORE_VIEWS)
MOST_ROUNDS: Final = 8


class Loop:
    """The pipeline of one shop with two store views, each on a website of its own."""

    def __init__(self, engine: sa.Engine, threads: ThreadPoolExecutor) -> None:
        self._life = ExitStack()
        self.station = Station(engine, SettableClock())
        self.shop = self._life.enter_context(SandboxMagento(customers=0))
        self.shop.control.freeze_clock(self.station.clock.now)
        transport = Watched()
        connector = self._life.enter_context(connected(self.shop, *FIELDS, transport=transport))
        self.outpost = Outpost(self.station, self.shop, connector, transport, threads)
        self.schedule = self.station.schedule(connector.reading, *VIEWS)
        views = {code: StoreViewPolicy(code) for code in VIEWS}
        self._policy = a_policy(channels={CHANNEL: ChannelPolicy(CHANNEL, views, ADDITIONAL)})

    def close(self) -> None:
        """Close the shop."""
        self._life.close()

    def wait(self, seconds: int) -> None:
        """Let time pass, here and in the shop."""
        self.station.clock.advance(seconds)
        self.shop.control.advance_clock(seconds)

    def read(self, *, sweep: bool) -> list[str]:
        """Poll every store view, or sweep it besides; return whom messages were sent about."""
        self.station.new_subjects()
        self.station.request(*VIEWS, sweep=sweep)
        self.station.run_due(self.schedule)
        return self.station.new_subjects()

    def imported(self) -> list[Envelope[Any]]:
        """Return what the processor owes."""
        return [m for m in self.station.messages() if m.type != "customer.export"]

    def process(self, batch: Sequence[Envelope[Any]]) -> None:
        """Decide about these."""
        if not batch:
            return
        with self.station.units.begin() as work:
            work.store.claim([message.message_id for message in batch])
            process_batch(batch, work, self._policy)

    def export(self, which: Sequence[int]) -> None:
        """Write some of what is owed to the shop, or all of it."""
        due = self.outpost.due()
        chosen = [due[each % len(due)] for each in which] if which and due else due
        once = {each.message_id: each for each in chosen}
        if once:
            outcomes = self.outpost.export(*once.values())
            assert set(outcomes) == {"done"}

    def come_to_rest(self, sweep: Callable[[], list[str]]) -> None:
        """Sweep, decide and write until nothing is left to do."""
        for _ in range(MOST_ROUNDS):
            if not (sweep() or self.is_busy()):
                return
            self.process(self.imported())
            self.export(())
        raise AssertionError("there is always more to do")

    def is_busy(self) -> bool:
        """Whether any message is owed."""
        with self.station.units.read() as work:
            return work.connection.execute(sa.select(messages.c.id)).first() is not None

    def directory(self) -> dict[str, sa.Row[Any]]:
        """Return the customer of each account."""
        query = sa.select(customers, links.c.external_id, links.c.status).join(
            links, links.c.customer_id == customers.c.id
        )
        return {row.external_id: row for row in self._rows(query)}

    def people(self) -> Sequence[sa.Row[Any]]:
        """Return all customers by number."""
        return self._rows(sa.select(customers).order_by(customers.c.number))

    def book(self, customer_id: object) -> dict[str, sa.Row[Any]]:
        """Return a customer's addresses by the shop's ids."""
        query = sa.select(customer_addresses).where(customer_addresses.c.customer_id == customer_id)
        return {row.external_id: row for row in self._rows(query)}

    def _rows(self, query: sa.Select[Any]) -> Sequence[sa.Row[Any]]:
        with self.station.units.read() as work:
            return work.connection.execute(query).all()


def accounts(shop: SandboxMagento) -> Iterator[dict[str, Any]]:
    """Yield every account that the shop has, as its API tells."""
    query = {"searchCriteria[pageSize]": "1000"}
    url = f"{shop.url}/rest/V1/customers/search"
    answer = httpx2.get(url, params=query, headers=shop.bearer(), verify=PLAIN)
    yield from answer.json()["items"]
