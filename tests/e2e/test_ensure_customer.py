"""An order import asks for the customer of an order before it books the order (MYOB-4).

It speaks AMQP and knows nothing of Patron but the page about messages.
"""

import json
import time
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import pika
import pytest

from tests.e2e.deployment import Deployment

pytestmark = pytest.mark.timeout(300)

PATIENCE_SECONDS = 60
ADDRESS = {
    "firstname": "Zoë",
    "lastname": "Meyer",
    "street": ["Lindenweg 4"],
    "postcode": "10115",
    "city": "Berlin",
    "country_id": "DE",
    "telephone": "030 5550142",
    "default_billing": True,
    "default_shipping": True,
}


class OrderImport:
    """A program on pika that waits for answers in `queue`."""

    def __init__(self, url: str, queue: str) -> None:
        self._connection = pika.BlockingConnection(pika.URLParameters(url))
        self._channel = self._connection.channel()
        self._channel.confirm_delivery()
        if not queue:
            queue = self._channel.queue_declare("", exclusive=True).method.queue
        self._queue = queue
        self._answers: list[tuple[str, dict[str, Any]]] = []
        self._channel.basic_consume(self._queue, self._answered, auto_ack=True)

    def ask(self, external_id: object, order: str, message_id: str | None = None) -> None:
        """Ask for a customer of the shop."""
        self._channel.basic_publish(
            "patron.customers",
            "import.requested",
            json.dumps({"channel": "shop", "external_id": str(external_id)}).encode(),
            pika.BasicProperties(
                message_id=message_id or str(uuid4()),
                correlation_id=order,
                reply_to=self._queue,
                content_type="application/json",
                delivery_mode=2,
            ),
            mandatory=True,
        )

    def answers(self, many: int) -> dict[str, dict[str, Any]]:
        """Return so many answers by order, waiting for them."""
        until = time.monotonic() + PATIENCE_SECONDS
        while len(self._answers) < many and time.monotonic() < until:
            self._connection.process_data_events(time_limit=0.1)
        return dict(self._answers)

    @property
    def heard(self) -> int:
        """How many answers came, copies included."""
        return len(self._answers)

    def close(self) -> None:
        """Leave, and take the queue along."""
        self._connection.close()

    def _answered(self, _channel: Any, _method: Any, properties: Any, body: bytes) -> None:
        assert properties.type == "import.answered"
        self._answers.append((properties.correlation_id, json.loads(body)))


@pytest.fixture(params=["", "amq.rabbitmq.reply-to"], ids=["exclusive queue", "direct reply"])
def order_import(deployment: Deployment, request: pytest.FixtureRequest) -> Iterator[OrderImport]:
    """Give an order import with either kind of reply queue."""
    program = OrderImport(deployment.amqp_url, request.param)
    yield program
    program.close()


def test_an_order_import_gets_the_number_of_whoever_registered_just_now(
    deployment: Deployment, order_import: OrderImport
) -> None:
    """MYOB-4: no poll is due for an hour; everybody is answered, twice where asked twice."""
    deployment.start()
    deployment.until_idle()
    register = deployment.shop.control.register
    new = register(
        {"email": "zoe@example.com", "firstname": "Zoë", "lastname": "Meyer",
         "addresses": [ADDRESS]},
        store_id=1,
    )["id"]  # fmt: skip
    homeless = register(
        {"email": "max@example.com", "firstname": "Max", "lastname": "Frei"}, store_id=1
    )["id"]
    repeated = str(uuid4())

    order_import.ask(new, "order 1")
    order_import.answers(1)
    order_import.ask(homeless, "order 2", repeated)
    order_import.ask(homeless, "order 2", repeated)
    order_import.ask(new, "order 3 / zweite Lieferung")
    order_import.ask(999_999, "order 4")
    answers = order_import.answers(4)
    deployment.until_idle()

    number = deployment.value(
        "SELECT c.number FROM links l JOIN customers c ON c.id = l.customer_id"
        " WHERE l.external_id = :id",
        id=str(new),
    )
    assert answers == {
        "order 1": said(new, answer="customer", customer_number=number),
        "order 2": said(homeless, answer="waiting", reason="held.no_billing_address"),
        "order 3 / zweite Lieferung": said(new, answer="customer", customer_number=number),
        "order 4": said(999_999, answer="refused", reason="unknown_in_shop"),
    }
    assert order_import.heard == 4
    assert deployment.value("SELECT count(*) FROM customers WHERE email_key='zoe@example.com'") == 1
    assert deployment.value("SELECT count(*) FROM dead_letters") == 0


def test_whoever_asked_and_left_holds_up_nobody(deployment: Deployment) -> None:
    """MYOB-4: his answer is dropped; he may ask again, of another connection."""
    deployment.start()
    deployment.until_idle()
    hasty = OrderImport(deployment.amqp_url, "")
    hasty.ask(999_999, "order 1")
    hasty.close()
    patient = OrderImport(deployment.amqp_url, "")

    patient.ask(999_999, "order 1")
    answers = patient.answers(1)
    deployment.until_idle()
    patient.close()

    assert answers == {"order 1": said(999_999, answer="refused", reason="unknown_in_shop")}
    assert deployment.value("SELECT count(*) FROM dead_letters") == 0


def said(external_id: object, **answer: str) -> dict[str, Any]:
    """Return an answer about a customer of the shop."""
    return {"channel": "shop", "external_id": str(external_id), **answer}
