"""Another team's program, on another AMQP client, beside the three workers."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import pytest
from kombu.connection import Connection

from tests.e2e.deployment import Deployment
from tests.e2e.expectations import NUMBER, attribute

pytestmark = pytest.mark.timeout(300)


@pytest.fixture
def outsider(deployment: Deployment) -> Iterator[Any]:
    """Give a channel of kombu over py-amqp, where the workers use pika."""
    url = deployment.amqp_url.replace("amqp://", "pyamqp://")
    connect: Any = Connection
    with connect(url, transport_options={"confirm_publish": True}) as connection:
        yield connection.channel()


def test_the_workers_messages_are_plain_amqp(deployment: Deployment, outsider: Any) -> None:
    """Persistent JSON, its identity in the properties, its context in the headers."""
    deployment.start("importer")
    deployment.until(
        lambda: (
            deployment.value("SELECT count(*) FROM messages WHERE published_at IS NULL") == 0
            and deployment.value("SELECT count(*) FROM messages") == 5
        ),
        "five customers are in the queue",
    )

    message = outsider.basic_get("patron.processor", no_ack=True)

    customer = json.loads(message.body)["customer"]
    properties = message.properties
    assert properties["delivery_mode"] == 2
    assert properties["content_type"] == "application/json"
    assert properties["type"] == "customer.imported"
    assert properties["app_id"] == "patron"
    assert properties["message_id"] == properties["correlation_id"]
    assert properties["application_headers"]["schema_version"] == 1
    assert properties["application_headers"]["channel"] == "shop"
    assert properties["application_headers"]["subject"] == customer["source"]["external_id"]


def test_a_foreign_customer_sent_twice_is_processed_once(
    deployment: Deployment, outsider: Any
) -> None:
    """An outside publisher needs a routing key, an id and a body; a repeat changes nothing."""
    registered = deployment.shop.control.register(
        {"email": "Zoe.Meyer@example.com", "firstname": "Zoë", "lastname": "Meyer"}, store_id=1
    )
    body = json.dumps({"customer": _customer(str(registered["id"]))}, ensure_ascii=False)
    message_id = str(uuid4())

    for _ in range(2):
        outsider.basic_publish(
            outsider.prepare_message(
                body,
                content_type="application/json",
                content_encoding="utf-8",
                properties={"message_id": message_id, "delivery_mode": 2},
            ),
            exchange="patron.customers",
            routing_key="customer.imported",
            mandatory=True,
        )
    deployment.start("processor", "exporter")
    deployment.until(
        lambda: bool(deployment.rows("SELECT 1 FROM links WHERE exported_number IS NOT NULL")),
        "the number is written",
    )
    deployment.until(
        lambda: deployment.value("SELECT count(*) FROM messages") == 0, "nothing is owed"
    )

    people = deployment.rows("SELECT number, email_key, phone FROM customers")
    assert people == [("D10001", "zoe.meyer@example.com", "+49305550142")]
    assert deployment.value("SELECT count(*) FROM staging_customers") == 1
    assert deployment.value("SELECT count(*) FROM dead_letters") == 0
    shopper = deployment.shop.control.customer(registered["id"])
    assert attribute(shopper, NUMBER) == "D10001"
    assert deployment.shop.control.requests("PUT") <= 2


def _customer(external_id: str) -> dict[str, Any]:
    now = datetime.now(UTC).isoformat()
    return {
        "source": {
            "channel": "shop",
            "store_view": "de",
            "external_id": external_id,
            "version": {"changed_at": now, "read_at": now, "fingerprint": "from-outside"},
        },
        "first_name": "Zoë",
        "last_name": "Meyer",
        "email": " Zoe.Meyer@example.com",
        "phone": {"raw": "030 5550142"},
        "addresses": [
            {
                "is_default_billing": True,
                "lines": ["Lindenweg 4"],
                "postcode": "10115",
                "city": "Berlin",
                "country": "DE",
            }
        ],
    }
