"""Several exporters on one channel, and a gate that closes at once when the channel pauses."""

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest

from services.exporter.effects import Exported
from shared.domain.messages import Envelope
from shared.messaging.broker import Broker
from shared.messaging.connect import connect
from shared.messaging.topology import exporter_queue, topology_for
from shared.persistence import pauses
from shared.runtime.consumer import Consumer, Subscription
from shared.runtime.lifecycle import Worker
from shared.runtime.loops import Beat
from shared.runtime.pauses import PauseGate
from shared.runtime.received import Received
from tests.integration.exporter.outpost import LEASE_SECONDS, Outpost, about
from tests.integration.importer.shops import first_of, of_store
from tests.integration.importer.station import CHANNEL
from tests.integration.runtime.rig import eventually, patience

QUEUE = exporter_queue(CHANNEL)


def test_two_exporters_never_act_on_one_customer_at_once(outpost: Outpost) -> None:
    """While one writes, the other leaves the customer's second message for later."""
    number = first_of(outpost.shop, 1)
    outpost.arrive(number)
    first, second = outpost.due()
    meanwhile: list[list[str]] = []

    def other() -> None:
        outpost.transport.before_write = lambda: None
        meanwhile.append(outpost.export(second, owner="two"))

    outpost.transport.before_write = other

    outcomes = outpost.export(first, owner="one")
    [row] = outpost.owed().values()
    outpost.station.clock.advance(LEASE_SECONDS)

    assert (outcomes, meanwhile) == (["done"], [["deferred"]])
    assert (row.id, row.attempts, row.published_at) == (second.message_id, 0, None)
    assert outpost.export() == ["done"]
    assert outpost.puts() == 2


def test_two_exporters_share_customers(outpost: Outpost) -> None:
    """Another customer's messages are free while one is written."""
    one, two, *_ = sorted(int(number) for number in of_store(outpost.shop, 1))
    outpost.arrive(one, two)
    batch = outpost.due()
    meanwhile: list[list[str]] = []

    def other() -> None:
        outpost.transport.before_write = lambda: None
        meanwhile.append(outpost.export(*about(batch, two), owner="two"))

    outpost.transport.before_write = other

    outcomes = outpost.export(*about(batch, one), owner="one")

    assert (outcomes, meanwhile) == (["done", "done"], [["done", "done"]])
    assert outpost.puts() == 2


def test_a_dead_exporters_customers_are_free_when_its_leases_end(outpost: Outpost) -> None:
    """What it had in hand is done by another one, without a second write."""
    number = first_of(outpost.shop, 1)
    outpost.arrive(number)
    batch = outpost.due()

    class Killed(BaseException):
        pass

    class DyingHandler:
        def perform(self, envelopes: Sequence[Envelope[Any]], beat: Beat) -> None:
            outpost.effects().perform(envelopes, beat)
            raise Killed

    dying = outpost.handler("one")
    dying._effects = DyingHandler()  # type: ignore[assignment]
    with pytest.raises(Killed):
        dying.handle(batch, patience())

    too_early = outpost.export(*batch, owner="two")
    outpost.station.clock.advance(LEASE_SECONDS)

    assert too_early == ["deferred", "deferred"]
    assert outpost.export(owner="two") == ["done", "done"]
    assert outpost.puts() == 1


def test_leases_last_as_long_as_the_effects(outpost: Outpost) -> None:
    """A shop that takes its time does not make the leases run out under us."""
    number = first_of(outpost.shop, 1)
    outpost.arrive(number)
    batch = outpost.due()
    leased: list[object] = []
    handler = outpost.handler("one", lease=0.0)
    effects = outpost.effects()

    class Slow:
        def perform(self, envelopes: Sequence[Envelope[Any]], beat: Beat) -> Sequence[Exported]:
            for _ in range(3):
                outpost.station.clock.advance(10)
                beat()
                leased.append({row.leased_until for row in outpost.owed().values()})
            return effects.perform(envelopes, beat)

        record = staticmethod(effects.record)

    handler._effects = Slow()

    outcomes = [result.outcome for result in handler.handle(batch, patience())]

    assert outcomes == ["done", "done"]
    assert len(set(map(str, leased))) == 3


def test_a_pause_stops_the_consumer_at_once(sqlite_outpost: Outpost) -> None:
    """After the batch that met the missing field, nothing more is handed to the shop."""
    outpost = sqlite_outpost
    outpost.arrive()
    outpost.shop.control.remove_attribute("erp_customer_number")
    outpost.shop.control.remove_attribute("erp_template")
    outpost.shop.control.remove_attribute("erp_price_group")
    gate = SeldomLooking(outpost)
    with _consuming(outpost, gate, waiting=outpost.due()) as (broker, _):
        eventually(lambda: gate.is_closed)

        assert outpost.puts() == 1
        waiting = len(of_store(outpost.shop, 1)) * 2 - 2
        eventually(lambda: broker.depth(QUEUE) == waiting)


def test_a_consumer_that_waits_is_told_of_a_pause(sqlite_outpost: Outpost) -> None:
    """What comes after somebody else paused the channel stays where it is until that is over."""
    outpost = sqlite_outpost
    outpost.arrive()
    units = outpost.station.units
    gate = SeldomLooking(outpost)
    with _consuming(outpost, gate) as (broker, consumer):
        eventually(lambda: consumer.is_active and gate.is_closed is False)
        with units.begin() as work:
            soon = work.now + timedelta(hours=1)
            pauses.pause(work, CHANNEL, reason="configuration", detail="a field", retry_at=soon)

        consumer.look_again()
        broker.publish([each.delivery.message for each in outpost.due()])
        eventually(lambda: gate.is_closed)
        before = outpost.puts()
        with units.begin() as work:
            pauses.lift(work, [CHANNEL])
        consumer.look_again()
        eventually(lambda: outpost.owed() == {})

    assert (before, outpost.puts()) == (0, len(of_store(outpost.shop, 1)))


class SeldomLooking(PauseGate):
    """A gate that looks once an hour: what it sees in time, it was told to look at."""

    def __init__(self, outpost: Outpost) -> None:
        """Keep back from the outpost's channel."""
        super().__init__(CHANNEL, outpost.station.units, look_every_seconds=3600)
        self.is_closed: bool | None = None

    def closed_for(self) -> float:
        """Answer, and remember what."""
        seconds = super().closed_for()
        self.is_closed = seconds > 0
        return seconds


@contextmanager
def _consuming(
    outpost: Outpost, gate: PauseGate, *, waiting: Sequence[Received] = ()
) -> Iterator[tuple[Broker, Consumer]]:
    """Run a consumer of the channel's queue, in which is what has been waiting."""
    broker = connect("memory://", topology_for([CHANNEL]), "test")
    broker.publish([each.delivery.message for each in waiting])
    consumer = Consumer(
        Subscription("exporter", QUEUE, batch_size=2, prefetch=2),
        broker,
        outpost.station.units,
        outpost.handler(),
        failures=outpost.failures,
        metrics=outpost.station.metrics,
        gate=gate,
    )
    worker = Worker("exporter", [consumer])
    deaths: list[BaseException] = []
    worker.start(lambda name, error: deaths.append(error))
    yield broker, consumer
    worker.stop_intake()
    assert worker.wait(until=time.monotonic() + 20)
    broker.close()
    assert deaths == []
