"""Runs the exporter: `python -m services.exporter` or `patron run exporter`."""

import gc
import sys

if __name__ == "__main__":
    gc.disable()  # what is imported stays: looking through it is a sixth of a start

from services.exporter.canary import CanaryWatch
from services.exporter.effects import ChannelEffects
from services.exporter.outage import Outage, OutageAware
from services.exporter.setup_check import SetupCheck
from shared.connectors.ports import CustomerSink
from shared.messaging.topology import CANARY_QUEUE, exporter_queue
from shared.runtime.consumer import Consumer, Subscription
from shared.runtime.effects import EffectHandler
from shared.runtime.foundation import Foundation
from shared.runtime.lifecycle import Worker
from shared.runtime.loops import Periodic
from shared.runtime.main import Role, main_of
from shared.runtime.pauses import PauseGate
from shared.runtime.transactional import TransactionalHandler

NAME = "exporter"


def build(foundation: Foundation) -> Role:
    """Return the exporter on top of `foundation`: one consumer for each channel's own queue."""
    channels = foundation.installation.connectors
    sinks = {channel: foundation.connector(channel).sink for channel in channels}
    consumers = [_consumer(channel, sink, foundation) for channel, sink in sinks.items()]
    checks = [
        _check(channel, sink, foundation, consumer)
        for (channel, sink), consumer in zip(sinks.items(), consumers, strict=True)
    ]
    consumers.append(_canaries(foundation))
    return Role(Worker(NAME, [*checks, *consumers]), consumers)


def _canaries(foundation: Foundation) -> Consumer:
    """Return what waits for canaries at the end of their way."""
    recorder = foundation.recorder(NAME)
    watch = CanaryWatch(foundation.metrics)
    handler = TransactionalHandler(watch.note, foundation.units, recorder, foundation.outbox.offer)
    return Consumer(
        Subscription(NAME, CANARY_QUEUE, batch_size=20, prefetch=20),
        foundation.broker,
        foundation.units,
        handler,
        failures=recorder,
        metrics=foundation.metrics,
        tracer=foundation.tracer,
    )


def _check(
    channel: str, sink: CustomerSink, foundation: Foundation, consumer: Consumer
) -> Periodic:
    seconds = foundation.installation.settings.recovery.pause_seconds
    check = SetupCheck(
        channel,
        sink,
        foundation.units,
        pause_seconds=seconds,
        on_change=consumer.look_again,
    )
    return Periodic(f"setup.{channel}", check.look, seconds)


def _outage(channel: str, sink: CustomerSink, foundation: Foundation) -> Outage:
    recovery = foundation.installation.settings.recovery
    return Outage(
        channel,
        sink,
        first_seconds=recovery.first_delay_seconds,
        longest_seconds=recovery.pause_seconds,
    )


def _consumer(channel: str, sink: CustomerSink, foundation: Foundation) -> Consumer:
    settings = foundation.installation.settings.exporter
    recorder = foundation.recorder(NAME)
    threads = foundation.threads(settings.threads, f"{NAME}.{channel}")
    handler = EffectHandler(
        OutageAware(
            ChannelEffects(
                channel,
                sink,
                foundation.units,
                threads,
                foundation.metrics,
                tracer=foundation.tracer,
            ),
            _outage(channel, sink, foundation),
        ),
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
        tracer=foundation.tracer,
    )


if __name__ == "__main__":
    sys.exit(main_of(NAME, build))
