"""The broker that a URL names: the only place that knows both adapters."""

from shared.domain.errors import ConfigurationError
from shared.messaging.broker import Broker
from shared.messaging.topology import Topology

RABBITMQ_SCHEMES = ("amqp", "amqps")


def connect(url: str, topology: Topology, name: str, *, heartbeat_seconds: int = 30) -> Broker:
    """Return the broker at `url`: RabbitMQ for amqp and amqps, a kombu transport otherwise.

    `name` is what the connections are shown as. Raises ConfigurationError for an unusable URL;
    a broker that is away is no error, it is connected to when it is back.
    """
    _, separator, _ = url.partition("://")
    if not separator:
        raise ConfigurationError("broker URL: not a URL")
    # A process needs one of the two client libraries; it starts sooner without the other.
    if is_rabbitmq(url):
        from shared.messaging.rabbitmq import RabbitMQBroker

        return RabbitMQBroker(url, name=name, heartbeat_seconds=heartbeat_seconds)
    from shared.messaging.embedded import EmbeddedBroker

    return EmbeddedBroker(topology, url)


def is_rabbitmq(url: str) -> bool:
    """Whether `url` names a RabbitMQ broker, which must be provisioned before use."""
    return url.partition("://")[0] in RABBITMQ_SCHEMES
