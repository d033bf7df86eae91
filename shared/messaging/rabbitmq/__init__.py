"""RabbitMQ behind the broker port, by pika: confirmed publishing, supervised consumption.

Two rules hold in the whole package: each connection belongs to one I/O thread and nobody else
touches it, and whatever goes wrong leaves as `BrokerUnavailable` or `ConfigurationError` with no
credentials in its text.
"""

from shared.messaging.rabbitmq.broker import RabbitMQBroker

__all__ = ["RabbitMQBroker"]
