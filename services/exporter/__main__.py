"""Runs the exporter: `python -m services.exporter` or `patron run exporter`."""

import sys

from services.exporter.effects import ChannelEffects
from shared.messaging.topology import exporter_queue
from shared.runtime.consumer import Consumer, Subscription
from shared.runtime.effects import EffectHandler
from shared.runtime.foundation import Foundation
from shared.runtime.lifecycle import Worker
from shared.runtime.main import Role, main_of
from shared.runtime.pauses import PauseGate

NAME = "exporter"


def build(foundation: Foundation) -> Role:
    """Return the exporter on top of `foundation`: one consumer for each channel's own queue."""
    consumers = [_consumer(channel, foundation) for channel in foundation.installation.connectors]
    return Role(Worker(NAME, consumers), [consumer.readiness for consumer in consumers])


def _consumer(channel: str, foundation: Foundation) -> Consumer:
    settings = foundation.installation.settings.exporter
    recorder = foundation.recorder(NAME)
    threads = foundation.threads(settings.threads, f"{NAME}.{channel}")
    sink = foundation.connector(channel).sink
    handler = EffectHandler(
        ChannelEffects(channel, sink, threads, foundation.metrics),
        foundation.units,
        recorder,
        foundation.outbox.offer,
        owner=foundation.owner,
        lease_seconds=settings.lease_seconds,
    )
    return Consumer(
        Subscription(
            NAME, exporter_queue(channel), settings.batch_size, prefetch=settings.batch_size * 3
        ),
        foundation.broker,
        foundation.units,
        handler,
        failures=recorder,
        metrics=foundation.metrics,
        gate=PauseGate(channel, foundation.units),
    )


if __name__ == "__main__":
    sys.exit(main_of(NAME, build))
