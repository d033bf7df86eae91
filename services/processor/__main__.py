"""Runs the processor: `python -m services.processor` or `patron run processor`."""

import gc
import sys
from collections.abc import Sequence
from typing import Any

if __name__ == "__main__":
    gc.disable()  # what is imported stays: looking through it is a sixth of a start

from services.processor.canary import pass_on
from services.processor.redecide import EVERY_SECONDS, Redecision
from services.processor.worker import process_batch
from shared.domain.messages import Envelope
from shared.messaging.topology import PROCESSOR_QUEUE
from shared.persistence.unit_of_work import UnitOfWork
from shared.runtime.consumer import Consumer, Subscription, show_activity
from shared.runtime.foundation import Foundation
from shared.runtime.housekeeping import housekeeping
from shared.runtime.lifecycle import Worker
from shared.runtime.loops import Periodic
from shared.runtime.main import Role, main_of
from shared.runtime.transactional import TransactionalHandler

NAME = "processor"


def build(foundation: Foundation) -> Role:
    """Return the processor on top of `foundation`."""
    policy, metrics = foundation.installation.policy, foundation.metrics
    settings = foundation.installation.settings
    tombstones = foundation.tombstones()

    def process(messages: Sequence[Envelope[Any]], work: UnitOfWork) -> None:
        about_customers = pass_on(messages, work)
        if not about_customers:
            return
        plan = process_batch(about_customers, work, policy, tombstones)
        for event, count in plan.outcomes.items():
            metrics.decisions.labels(event.removeprefix("customer.")).inc(count)

    batch_size = settings.processor.batch_size
    recorder = foundation.recorder(NAME)
    handler = TransactionalHandler(process, foundation.units, recorder, foundation.outbox.offer)
    consumers = [
        Consumer(
            Subscription(NAME, PROCESSOR_QUEUE, batch_size, prefetch=batch_size * 3, number=number),
            foundation.broker,
            foundation.units,
            handler,
            failures=recorder,
            metrics=metrics,
            tracer=foundation.tracer,
        )
        for number in range(1, settings.processor.threads + 1)
    ]
    show_activity(metrics, consumers)
    redecision = Redecision(foundation.units, foundation.outbox.offer, policy.version)
    redecide = Periodic("redecide", redecision.look, EVERY_SECONDS)
    keep = housekeeping(foundation.units, settings.retention, metrics)
    return Role(Worker(NAME, [*consumers, redecide, keep]), consumers)


if __name__ == "__main__":
    sys.exit(main_of(NAME, build))
