"""Runs the importer: `python -m services.importer` or `patron run importer`."""

import sys

from services.importer.pages import StoreViewReader
from services.importer.requests import take_requests
from services.importer.schedule import ChannelSchedule
from services.importer.tasks import Tasks
from services.importer.timetable import timetable_of
from shared.messaging.topology import IMPORTER_QUEUE
from shared.runtime.consumer import Consumer, Subscription
from shared.runtime.foundation import Foundation
from shared.runtime.lifecycle import Worker
from shared.runtime.loops import Periodic
from shared.runtime.main import Role, main_of
from shared.runtime.transactional import TransactionalHandler

NAME = "importer"


def build(foundation: Foundation) -> Role:
    """Return the importer on top of `foundation`: one loop for each channel, and requests."""
    settings = foundation.installation.settings
    recorder = foundation.recorder(NAME)
    requests = Consumer(
        Subscription(NAME, IMPORTER_QUEUE, batch_size=20, prefetch=60),
        foundation.broker,
        foundation.units,
        TransactionalHandler(take_requests, foundation.units, recorder, foundation.outbox.offer),
        failures=recorder,
        metrics=foundation.metrics,
    )
    loops = [
        Periodic(
            f"channel.{channel}",
            _schedule(channel, foundation).run_next,
            settings.importer.idle_seconds,
        )
        for channel in settings.channels
    ]
    return Role(Worker(NAME, [*loops, requests]), [requests])


def _schedule(channel: str, foundation: Foundation) -> ChannelSchedule:
    settings = foundation.installation.settings
    views = [view for view in settings.channels[channel].store_views if view.import_enabled]
    source = foundation.connector(channel).source
    schedule = ChannelSchedule(
        channel,
        {view.code: StoreViewReader(channel, view.code, source) for view in views},
        {view.code: timetable_of(view, settings.importer.timezone) for view in views},
        Tasks(
            foundation.units,
            foundation.outbox.offer,
            foundation.metrics,
            settings.importer.lease_seconds,
            settings.importer.overlap_seconds,
            settings.importer.sweep_slice_seconds,
            settings.importer.sweep_share,
        ),
        units=foundation.units,
        metrics=foundation.metrics,
        owner=foundation.owner,
        may_read=lambda: foundation.broker.is_connected,
    )
    schedule.prepare()
    return schedule


if __name__ == "__main__":
    sys.exit(main_of(NAME, build))
