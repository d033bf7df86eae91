"""Creates what the topology describes on RabbitMQ, and checks that it is there.

For `patron broker provision` and for workers at their start. Its promise: it only ever adds.
What exists with other properties is named and refused, never deleted or replaced. `verify` needs
no right but to connect.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING

import pika
from pika.adapters.blocking_connection import BlockingChannel
from pika.exceptions import AMQPError, ChannelClosed

from shared.domain.errors import ConfigurationError
from shared.messaging.rabbitmq.faults import (
    NOT_FOUND,
    PRECONDITION_FAILED,
    channel_fault,
    connection_fault,
)
from shared.messaging.rabbitmq.parameters import parameters_from, place
from shared.messaging.topology import (
    DEAD_EXCHANGE,
    EXCHANGE,
    PROVISION_COMMAND,
    Binding,
    Exchange,
    Topology,
)

if TYPE_CHECKING:
    from shared.messaging.policies import PoliciesSet

QUEUE_ARGUMENTS = {"x-queue-type": "quorum"}

_Step = Callable[[BlockingChannel], object]


def provision(url: str, topology: Topology, *, management_url: str | None = None) -> "PoliciesSet":
    """Create exchanges, queues, bindings and policies; what exists already is left alone.

    Returns how the policies were set, or the commands that set them. Raises as `declare` does.
    """
    # Workers only check their queues: they start sooner without an HTTP client.
    from shared.messaging.policies import set_policies

    declare(url, topology)
    return set_policies(url, topology.policies, management_url=management_url)


def declare(url: str, topology: Topology) -> None:
    """Create exchanges, queues and bindings, all that AMQP can.

    Raises ConfigurationError naming everything that exists with other properties, AccessDenied
    for a missing right, BrokerUnavailable if there is no broker.
    """
    with _connection(url, "provision") as connection:
        _run(connection, _creations(topology))
        _run(connection, [(_name(each), partial(_bind, each)) for each in topology.bindings])


def verify(url: str, queues: Sequence[str]) -> None:
    """Check that the exchanges and these queues exist.

    Raises ConfigurationError naming what is missing and the command that creates it,
    BrokerUnavailable if there is no broker.
    """
    with _connection(url, "verify") as connection:
        missing = [
            name
            for name, look in _inspections(queues)
            if (code := _attempt(connection, name, look)) is not None and code[0] == NOT_FOUND
        ]
    if missing:
        raise ConfigurationError(
            f"missing on the broker: {', '.join(missing)}; run `{PROVISION_COMMAND}`"
        )


def _creations(topology: Topology) -> list[tuple[str, _Step]]:
    return [
        *(
            (f"exchange {each.name}", partial(_declare_exchange, each))
            for each in topology.exchanges
        ),
        *((f"queue {name}", partial(_declare_queue, name)) for name in topology.queues),
    ]


def _declare_exchange(exchange: Exchange, channel: BlockingChannel) -> None:
    channel.exchange_declare(exchange.name, exchange.kind, durable=True)


def _declare_queue(name: str, channel: BlockingChannel) -> None:
    channel.queue_declare(name, durable=True, arguments=QUEUE_ARGUMENTS)


def _bind(binding: Binding, channel: BlockingChannel) -> None:
    channel.queue_bind(binding.queue, binding.exchange, binding.routing_key)


def _name(binding: Binding) -> str:
    return f"binding {binding.routing_key} to {binding.queue}"


def _inspections(queues: Sequence[str]) -> list[tuple[str, _Step]]:
    return [
        *(
            (f"exchange {name}", partial(_inspect_exchange, name))
            for name in (EXCHANGE, DEAD_EXCHANGE)
        ),
        *((f"queue {name}", partial(_inspect_queue, name)) for name in queues),
    ]


def _inspect_exchange(name: str, channel: BlockingChannel) -> None:
    channel.exchange_declare(name, passive=True)


def _inspect_queue(name: str, channel: BlockingChannel) -> None:
    channel.queue_declare(name, passive=True)


def _run(connection: pika.BlockingConnection, steps: Sequence[tuple[str, _Step]]) -> None:
    """Do every step; raise naming all that met something different, not just the first."""
    refusals = [
        f"{name}: {refusal[1]}"
        for name, step in steps
        if (refusal := _attempt(connection, name, step))
    ]
    if refusals:
        raise ConfigurationError(
            "the broker has these with other properties, remove or rename them yourself: "
            + "; ".join(refusals)
        )


def _attempt(connection: pika.BlockingConnection, name: str, step: _Step) -> tuple[int, str] | None:
    """Do one step on a channel of its own; return the broker's objection, if it has one.

    Raises AccessDenied if the user lacks a right.
    """
    channel = connection.channel()
    try:
        step(channel)
    except ChannelClosed as error:
        if error.reply_code in {NOT_FOUND, PRECONDITION_FAILED}:
            return error.reply_code, error.reply_text
        raise channel_fault(error, name) from None
    channel.close()
    return None


@contextmanager
def _connection(url: str, purpose: str) -> Iterator[pika.BlockingConnection]:
    """Give a connection for a short while. Raises in the words of the port."""
    parameters = parameters_from(url, connection_name=f"patron: {purpose}")
    try:
        connection = pika.BlockingConnection(parameters)
    except (AMQPError, OSError) as error:
        raise connection_fault(error, place(parameters)) from None
    try:
        yield connection
    except ChannelClosed:
        raise
    except AMQPError as error:
        raise connection_fault(error, place(parameters)) from None
    finally:
        if connection.is_open:
            connection.close()
