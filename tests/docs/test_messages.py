"""The page about messages, held against the codec and a real broker."""

import re
from contextlib import closing
from typing import Any, Final

import pytest

from shared.domain.customer import Address, Customer
from shared.domain.messages import MESSAGE_TYPES, CustomerImported, routing_key
from shared.messaging.broker import WireMessage
from shared.messaging.codec import decode, to_wire
from shared.messaging.provision import declare
from shared.messaging.rabbitmq import RabbitMQBroker
from shared.messaging.topology import PROCESSOR_QUEUE, topology_for
from tests.docs.pages import DOCS, Block, blocks, prose
from tests.unit.messaging.test_codec import a_parcel

PAGE: Final = DOCS / "messages.md"
EXAMPLES: Final = blocks(PAGE, "json")


def foreign(body: str, kind: str) -> WireMessage:
    """Return a message as a publisher sends it who sets nothing but the routing key."""
    return WireMessage(
        routing_key=routing_key(kind, "shop"),
        body=body.encode(),
        message_id=None,
        type="",
        correlation_id=None,
        timestamp=None,
        content_type=None,
    )


@pytest.mark.parametrize("example", EXAMPLES, ids=[each.info for each in EXAMPLES])
def test_examples_are_understood(example: Block) -> None:
    """Every JSON example decodes as the type that it is marked with."""
    kind = example.info.split()[1]

    envelope = decode(foreign(example.text, kind))

    assert envelope.type == kind
    assert envelope.channel == ("canary" if kind.startswith("canary.") else "shop")


def test_every_type_has_a_section_and_an_example() -> None:
    """No message travels undescribed."""
    sections = set(re.findall(r"^### (\S+\.\S+)$", prose(PAGE), re.MULTILINE))

    assert sections == MESSAGE_TYPES.keys()
    assert {example.info.split()[1] for example in EXAMPLES} == MESSAGE_TYPES.keys()


def test_every_field_of_a_customer_is_described() -> None:
    """What a publisher may say stands in the tables."""
    fields = {*Customer.model_fields, *Address.model_fields, *CustomerImported.model_fields}

    assert [name for name in sorted(fields) if f"`{name}`" not in prose(PAGE)] == []


def test_the_default_origin_is_told_rightly() -> None:
    """Whoever leaves the origin out is told what that means."""
    assert f"`{CustomerImported.model_fields['origin'].default}` if it is left out" in prose(PAGE)


def test_every_header_and_property_is_described() -> None:
    """What our own messages carry stands in the tables."""
    message = to_wire(a_parcel())
    properties = ("message_id", "correlation_id", "type", "timestamp", "content_type", "app_id")

    assert all(getattr(message, name) for name in properties)
    assert [n for n in (*properties, *message.headers) if f"`{n}`" not in prose(PAGE)] == []


def test_the_publisher_of_the_example_is_understood(amqp_vhost: str) -> None:
    """The Python example, run as it stands, puts a customer into the processor's queue."""
    declare(amqp_vhost, topology_for(["shop"]))
    (example,) = blocks(PAGE, "python")
    names: dict[str, Any] = {"AMQP_URL": amqp_vhost}

    exec(compile(example.text, str(PAGE), "exec"), names)  # noqa: S102 - our own page

    with closing(RabbitMQBroker(amqp_vhost, name="docs")) as broker:
        consumption = broker.consume(PROCESSOR_QUEUE, 1)
        (delivery,) = consumption.take(1, 30)
        consumption.settle([delivery])
    envelope = decode(delivery.message)
    assert isinstance(envelope.body, CustomerImported)
    assert envelope.body.customer.email == "ann.lang@example.com"
    assert envelope.is_foreign
