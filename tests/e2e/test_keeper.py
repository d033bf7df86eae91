"""The keeper as its own process, with a RabbitMQ user that may read the dead queues and no more."""

import json
from collections.abc import Iterator
from contextlib import closing
from urllib.parse import unquote, urlsplit, urlunsplit

import pytest

from shared.domain.messages import CustomerImported, Parcel, parcel
from shared.messaging.codec import to_wire
from shared.messaging.rabbitmq import RabbitMQBroker
from shared.messaging.topology import PROCESSOR_QUEUE, dead_queue
from shared.persistence.unit_of_work import UnitsOfWork, utc_now
from tests.builders import a_customer
from tests.e2e.deployment import Deployment, Worker
from tests.services import RabbitManagement

pytestmark = pytest.mark.timeout(300)

READ = r"^patron\.(importer|processor|exporter)\.dead$"


@pytest.fixture
def keeper_url(deployment: Deployment, rabbit_management: RabbitManagement) -> Iterator[str]:
    """Give the keeper's broker URL; a message is given up after two deliveries too many."""
    parts = urlsplit(deployment.amqp_url)
    vhost = unquote(parts.path[1:])
    user = f"{vhost}-keeper"
    rabbit_management.add_user(user, "sesame")
    rabbit_management.set_permissions(user, vhost=vhost, configure="^$", write="^$", read=READ)
    (policy,) = (x for x in deployment.topology.policies if x.name == "patron-processor")
    rabbit_management.set_policy(
        policy.name,
        vhost=vhost,
        pattern=policy.pattern,
        definition={**policy.definition, "delivery-limit": 2},
    )
    host = parts.netloc.rpartition("@")[2]
    yield urlunsplit(parts._replace(netloc=f"{user}:sesame@{host}"))
    rabbit_management.delete_user(user)


def send(deployment: Deployment, broker: RabbitMQBroker) -> Parcel:
    """Owe a customer to the processor and publish it, as an importer does."""
    customer = a_customer("4711")
    sent = parcel(CustomerImported(customer=customer), channel="shop", subject="4711", at=utc_now())
    with UnitsOfWork(deployment.engine).begin() as work:
        work.store.add([sent])
        work.store.mark_published([sent.message_id])
    broker.publish([to_wire(sent)])
    return sent


def test_what_the_broker_gave_up_is_found_grouped_and_replayed(
    deployment: Deployment, keeper_url: str
) -> None:
    """From the delivery limit to the customer in the directory, every step as operators do it."""
    with closing(RabbitMQBroker(deployment.amqp_url, name="test")) as broker:
        sent = send(deployment, broker)
        while broker.depth(dead_queue("processor")) == 0:
            with closing(broker.consume(PROCESSOR_QUEUE, 10)) as victim:
                victim.take(10, 0.5)
        environment = {**deployment.environment, "PATRON_BROKER__URL": keeper_url}
        keeper = Worker("console.keeper", environment, deployment.folder / "keeper.log")
        deployment.workers["keeper"] = keeper
        deployment.until(
            lambda: deployment.value("SELECT count(*) FROM dead_letters") == 1, "it is buried"
        )
        deployment.until(lambda: broker.depth(dead_queue("processor")) == 0, "it is drained")

    (group,) = json.loads(deployment.run("dead-letters", "groups", "-o", "json").stdout)
    (line,) = json.loads(deployment.run("dead-letters", "list", "-o", "json").stdout)
    assert (group["reason"], group["cause"], group["count"]) == ("delivery_limit", "defect", 1)
    assert line["subject"] == "4711"
    assert deployment.value("SELECT count(*) FROM messages") == 0

    deployment.start("processor")
    done = deployment.run(
        "dead-letters", "replay", "--group", group["key"], "--because", "memory added", "--yes"
    )

    assert done.returncode == 0, done.stdout + done.stderr
    assert deployment.rows("SELECT state, resolution, message_id FROM dead_letters") == [
        ("resolved", "replayed", sent.message_id)
    ]
    assert deployment.value("SELECT count(*) FROM links WHERE external_id = '4711'") == 1
    assert keeper.stop() == 0
