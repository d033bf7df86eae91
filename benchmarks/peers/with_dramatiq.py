"""The tiny job as a Dramatiq actor. Run by `dramatiq benchmarks.peers.with_dramatiq`.

Dramatiq acknowledges after the actor has returned, and publishes mandatory when it confirms. It
declares classic queues; that takes one method of its broker, because it has no setting for it.
Tuned: one statement for each message, a connection for each thread, no middleware but what sends
failed messages back, and more prefetched messages.
"""

from typing import Any

import dramatiq
from dramatiq.brokers.rabbitmq import RabbitmqBroker
from dramatiq.middleware import Retries, ShutdownNotifications

from benchmarks.peers import place
from benchmarks.peers.job import IN, OUT, RESULT_TASK, TASK
from benchmarks.peers.threads import handle

_MIDDLEWARE = [ShutdownNotifications(), Retries()] if place.is_tuned() else None


class QuorumBroker(RabbitmqBroker):
    """RabbitMQ with quorum queues."""

    def _build_queue_arguments(self, queue_name: str) -> dict[str, Any]:
        arguments: dict[str, Any] = super()._build_queue_arguments(queue_name)
        return arguments | {"x-queue-type": "quorum"}


broker = QuorumBroker(url=place.broker_url(), confirm_delivery=True, middleware=_MIDDLEWARE)
dramatiq.set_broker(broker)
if place.is_tuned():
    place.spare_the_collector()


@dramatiq.actor(queue_name=OUT, actor_name=RESULT_TASK)
def customer_handled(body: str) -> None:
    """Stand for whoever is told next; no worker here takes its queue."""


@dramatiq.actor(queue_name=IN, actor_name=TASK)
def customer_imported(message_id: str, text: str) -> None:
    """Handle a message and publish what came of it."""
    customer_handled.send(handle(message_id, text))
