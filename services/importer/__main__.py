"""Runs the importer: `python -m services.importer` or `patron run importer`."""

import gc
import sys
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Protocol

if __name__ == "__main__":
    gc.disable()  # what is imported stays: looking through it is a sixth of a start

from services.importer.canary import Canary
from services.importer.on_demand import Deadlines, OnDemand
from services.importer.pages import StoreViewReader
from services.importer.requests import WakingHandler, take_requests
from services.importer.schedule import ChannelSchedule
from services.importer.tasks import Tasks
from services.importer.timetable import timetable_of
from shared.connectors.ports import CustomerSource
from shared.messaging.topology import IMPORTER_QUEUE
from shared.runtime.checks import Probed
from shared.runtime.consumer import Consumer, Subscription
from shared.runtime.foundation import Foundation
from shared.runtime.lifecycle import Worker
from shared.runtime.loops import Loop, Periodic
from shared.runtime.main import Role, main_of
from shared.runtime.transactional import TransactionalHandler

NAME = "importer"


class Door(Loop, Probed, Protocol):
    """A loop that others send to."""


def build(foundation: Foundation) -> Role:
    """Return the importer on top of `foundation`: two loops for each channel, and requests.

    What is pushed to us has no loops.
    """
    settings = foundation.installation.settings
    sources = {channel: foundation.connector(channel).source for channel in settings.channels}
    loops = {name: _loops(name, source, foundation) for name, source in sources.items() if source}
    deadlines = Periodic(
        "deadlines",
        Deadlines(foundation.units, foundation.outbox.offer).run,
        settings.importer.idle_seconds,
    )
    requests = _requests(foundation, loops)
    every: list[Loop] = [loop for of_channel in loops.values() for loop in of_channel]
    every += _canaries(foundation)
    doors = [_intake(foundation, loops)] if settings.intake.enabled else []
    return Role(Worker(NAME, [*every, *doors, deadlines, requests]), [requests], doors=doors)


def _canaries(foundation: Foundation) -> list[Periodic]:
    """Return what sends canaries, if somebody wants them."""
    seconds = foundation.installation.settings.canary.interval_seconds
    canary = Canary(foundation.units, foundation.outbox.offer)
    return [Periodic("canary", canary.send, seconds)] if seconds else []


def _intake(foundation: Foundation, loops: Mapping[str, Sequence[Periodic]]) -> Door:
    """Return what takes webhooks and pushed customers in."""
    from services.importer.intake.opening import open_intake

    def wake(channel: str) -> None:
        for loop in loops.get(channel, ()):
            loop.wake()

    return open_intake(foundation, wake)


def _requests(foundation: Foundation, loops: Mapping[str, Sequence[Periodic]]) -> Consumer:
    """Return what takes requests in, and wakes the loops of the channels they are about."""
    recorder = foundation.recorder(NAME)
    handler = TransactionalHandler(
        partial(take_requests, channels=loops.keys()),
        foundation.units,
        recorder,
        foundation.outbox.offer,
    )
    wake = {channel: [loop.wake for loop in of_channel] for channel, of_channel in loops.items()}
    return Consumer(
        Subscription(NAME, IMPORTER_QUEUE, batch_size=20, prefetch=60),
        foundation.broker,
        foundation.units,
        WakingHandler(handler, wake),
        failures=recorder,
        metrics=foundation.metrics,
        tracer=foundation.tracer,
    )


def _loops(channel: str, source: CustomerSource, foundation: Foundation) -> Sequence[Periodic]:
    """Return what reads a channel: on its schedule, and on demand."""
    idle_seconds = foundation.installation.settings.importer.idle_seconds
    schedule = _schedule(channel, source, foundation)
    on_demand = _on_demand(channel, source, foundation)
    return [
        Periodic(f"channel.{channel}", schedule.run_next, idle_seconds),
        Periodic(f"on_demand.{channel}", on_demand.run_next, idle_seconds),
    ]


def _on_demand(channel: str, source: CustomerSource, foundation: Foundation) -> OnDemand:
    settings = foundation.installation.settings
    return OnDemand(
        channel,
        source,
        _readers(channel, source, foundation),
        units=foundation.units,
        offer=foundation.outbox.offer,
        metrics=foundation.metrics,
        lease_seconds=settings.importer.lease_seconds,
        tracer=foundation.tracer,
    )


def _schedule(channel: str, source: CustomerSource, foundation: Foundation) -> ChannelSchedule:
    settings = foundation.installation.settings
    views = [view for view in settings.channels[channel].store_views if view.import_enabled]
    schedule = ChannelSchedule(
        channel,
        _readers(channel, source, foundation),
        {view.code: timetable_of(view, settings.importer.timezone) for view in views},
        Tasks(
            foundation.units,
            foundation.outbox.offer,
            foundation.metrics,
            settings.importer.lease_seconds,
            settings.importer.overlap_seconds,
            settings.importer.sweep_slice_seconds,
            settings.importer.sweep_share,
            foundation.tracer,
        ),
        units=foundation.units,
        metrics=foundation.metrics,
        owner=foundation.owner,
        may_read=lambda: foundation.broker.is_connected,
    )
    schedule.prepare()
    return schedule


def _readers(
    channel: str, source: CustomerSource, foundation: Foundation
) -> dict[str, StoreViewReader]:
    """Return what reads the store views whose import is on."""
    settings, tombstones = foundation.installation.settings, foundation.tombstones()
    return {
        view.code: StoreViewReader(
            channel, view.code, source, tombstones, settings.retention.raw_payload_days > 0
        )
        for view in settings.channels[channel].store_views
        if view.import_enabled
    }


if __name__ == "__main__":
    sys.exit(main_of(NAME, build))
