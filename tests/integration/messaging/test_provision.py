"""Provisioning a real RabbitMQ: idempotent, additive, and effective."""

import os
import shlex
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pika
import pytest

from shared.domain.errors import AccessDenied, ConfigurationError
from shared.messaging.broker import (
    FORBIDDEN,
    Broker,
    BrokerUnavailable,
    Delivery,
    PublishFailed,
)
from shared.messaging.policies import command_for, differences
from shared.messaging.provision import declare, provision, verify
from shared.messaging.rabbitmq import RabbitMQBroker
from shared.messaging.topology import DELIVERY_LIMIT, PROVISION_COMMAND, dead_queue, exporter_queue
from tests.contract.broker_cases import (
    QUEUE,
    TOPOLOGY,
    a_message,
    a_reply,
    ids,
    numbered,
    take_all,
    wait_until,
)
from tests.services import RabbitManagement, RabbitNode, debian
from tests.services.ports import free_ports

DEAD = dead_queue("processor")


def vhost_of(url: str) -> str:
    """Return the virtual host of an AMQP URL."""
    return unquote(urlsplit(url).path[1:])


@pytest.fixture
def management_url(rabbit_management: RabbitManagement) -> str:
    """Give the address of the management API, without an account."""
    return rabbit_management._url


@pytest.fixture
def broker(amqp_vhost: str, management_url: str) -> Iterator[Broker]:
    """Give a broker on a virtual host with topology and policies."""
    provision(amqp_vhost, TOPOLOGY, management_url=management_url)
    with closing(RabbitMQBroker(amqp_vhost, name="provisioned")) as broker:
        yield broker


def dead_letters(broker: Broker, count: int) -> list[Delivery]:
    """Take what lies in the processor's dead queue."""
    assert wait_until(lambda: broker.depth(DEAD) == count)
    with closing(broker.consume(DEAD, 100)) as dead:
        taken = take_all(dead, count)
        dead.settle(taken)
    return taken


def deaths(delivery: Delivery) -> list[dict[str, object]]:
    """Return the broker's own record of a dead letter's deaths."""
    record = delivery.message.headers["x-death"]
    assert isinstance(record, list)
    return record


def test_provisioning_creates_everything_and_may_be_repeated(
    amqp_vhost: str, management_url: str, rabbit_management: RabbitManagement
) -> None:
    """Exchanges, quorum queues, bindings; a second run changes nothing and complains of nothing."""
    provision(amqp_vhost, TOPOLOGY, management_url=management_url)
    provision(amqp_vhost, TOPOLOGY, management_url=management_url)

    queues = rabbit_management.call("GET", "queues", vhost_of(amqp_vhost))
    assert {queue["name"] for queue in queues} == set(TOPOLOGY.queues)
    assert {queue["arguments"]["x-queue-type"] for queue in queues} == {"quorum"}
    verify(amqp_vhost, TOPOLOGY.queues)


def test_different_queues_are_named_and_left_alone(
    amqp_vhost: str, rabbit_management: RabbitManagement
) -> None:
    """Every conflict is named with its difference, and nothing is deleted (fault 14)."""
    with closing(pika.BlockingConnection(pika.URLParameters(amqp_vhost))) as connection:
        channel = connection.channel()
        channel.queue_declare(QUEUE, durable=True)
        channel.queue_declare(exporter_queue("shop"), durable=True)
        channel.basic_publish("", QUEUE, b"precious")

    with pytest.raises(ConfigurationError) as refusal:
        provision(amqp_vhost, TOPOLOGY)

    assert QUEUE in str(refusal.value)
    assert exporter_queue("shop") in str(refusal.value)
    assert "x-queue-type" in str(refusal.value)
    queue = rabbit_management.call("GET", "queues", vhost_of(amqp_vhost), QUEUE)
    assert queue["type"] == "classic"
    with closing(RabbitMQBroker(amqp_vhost, name="look")) as broker:
        assert broker.depth(QUEUE) == 1


def test_verify_names_what_is_missing_and_the_remedy(amqp_vhost: str) -> None:
    """All of it at once, with the command to run."""
    with pytest.raises(ConfigurationError) as refusal:
        verify(amqp_vhost, [QUEUE])

    text = str(refusal.value)
    assert "exchange patron.customers" in text
    assert f"queue {QUEUE}" in text
    assert PROVISION_COMMAND in text


def test_a_broker_that_is_away_is_unavailable() -> None:
    """Not a wrong configuration: it may come back."""
    [port] = free_ports(1)

    with pytest.raises(BrokerUnavailable, match=str(port)):
        verify(f"amqp://user:sesame@127.0.0.1:{port}/", [QUEUE])


def test_wrong_credentials_are_named_without_being_shown(
    amqp_vhost: str, rabbit_management: RabbitManagement
) -> None:
    """The text says what is wrong, not what was tried (fault 21)."""
    url = rabbit_management.url(vhost=vhost_of(amqp_vhost), user="nobody", password="sesame")

    with pytest.raises(AccessDenied) as refusal:
        provision(url, TOPOLOGY)

    assert "sesame" not in str(refusal.value)
    assert "password" in str(refusal.value)


def test_policies_are_set_through_the_management_api(
    amqp_vhost: str, management_url: str, rabbit_management: RabbitManagement
) -> None:
    """Each worker's queues get its policy, and the dead queues their own."""
    outcome = provision(amqp_vhost, TOPOLOGY, management_url=management_url)

    policies = rabbit_management.call("GET", "policies", vhost_of(amqp_vhost))
    assert outcome.by == "management"
    assert {each["name"]: each["definition"] for each in policies} == {
        policy.name: dict(policy.definition) for policy in TOPOLOGY.policies
    }

    def policy_of(queue: str) -> object:
        return rabbit_management.call("GET", "queues", vhost_of(amqp_vhost), queue).get("policy")

    wanted = {
        exporter_queue("store"): "patron-exporter",
        QUEUE: "patron-processor",
        dead_queue("exporter"): "patron-dead",
        DEAD: "patron-dead",
    }
    # The broker tells of each queue's policy in its own time.
    assert wait_until(lambda: {queue: policy_of(queue) for queue in wanted} == wanted, 20)


def test_policies_that_differ_are_named(
    amqp_vhost: str, management_url: str, rabbit_management: RabbitManagement
) -> None:
    """Missing ones, other patterns, other values; none when all is as it should be."""
    declare(amqp_vhost, TOPOLOGY)
    missing = differences(amqp_vhost, TOPOLOGY.policies, management_url)
    provision(amqp_vhost, TOPOLOGY, management_url=management_url)
    none = differences(amqp_vhost, TOPOLOGY.policies, management_url)
    rabbit_management.set_policy(
        "patron-processor",
        vhost=vhost_of(amqp_vhost),
        pattern="^other$",
        definition={**TOPOLOGY.policies[1].definition, "delivery-limit": 3},
    )

    drifted = differences(amqp_vhost, TOPOLOGY.policies, management_url)

    assert len(missing) == len(TOPOLOGY.policies)
    assert none == []
    assert len(drifted) == 2
    assert "^other$" in drifted[0]
    assert "delivery-limit = 3, not 100" in drifted[1]


@pytest.mark.parametrize("address", ["ftp://mq", "mq:15672", "http://"])
def test_an_unusable_management_address_is_refused(amqp_vhost: str, address: str) -> None:
    """By name, before anything is asked of it."""
    with pytest.raises(ConfigurationError, match="management URL"):
        differences(amqp_vhost, TOPOLOGY.policies, address)


def test_a_silent_management_api_is_unavailable(amqp_vhost: str) -> None:
    """It may come back."""
    [port] = free_ports(1)

    with pytest.raises(BrokerUnavailable, match="management"):
        differences(amqp_vhost, TOPOLOGY.policies, f"http://user:sesame@127.0.0.1:{port}")


def test_a_user_who_may_not_set_policies_is_told_so(
    amqp_vhost: str, management_url: str, rabbit_management: RabbitManagement
) -> None:
    """The right that is missing is named."""
    vhost = vhost_of(amqp_vhost)
    rabbit_management.add_user(f"{vhost}-user", "sesame")
    rabbit_management.set_permissions(f"{vhost}-user", vhost=vhost)
    url = rabbit_management.url(vhost=vhost, user=f"{vhost}-user", password="sesame")

    try:
        with pytest.raises(AccessDenied, match="policymaker"):
            provision(url, TOPOLOGY, management_url=management_url)
    finally:
        rabbit_management.delete_user(f"{vhost}-user")


def test_without_the_management_api_the_commands_are_returned(private_rabbit: RabbitNode) -> None:
    """They are complete: run as they stand, they set the policies."""
    outcome = provision(private_rabbit.url(), TOPOLOGY)
    for command in outcome.commands:
        private_rabbit.ctl(*shlex.split(command)[1:])

    policies = private_rabbit.management.call("GET", "policies", "/")
    assert outcome.by is None
    assert {each["name"]: (each["pattern"], each["apply-to"]) for each in policies} == {
        policy.name: (policy.pattern, "queues") for policy in TOPOLOGY.policies
    }
    assert command_for(TOPOLOGY.policies[0], "/")[0] == "rabbitmqctl"


def test_a_node_on_this_machine_is_commanded_directly(
    private_rabbit: RabbitNode, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its own `rabbitmqctl` sets the policies; another node's is left alone."""
    environment = (
        f"export {key}={shlex.quote(value)}" for key, value in private_rabbit._environment.items()
    )
    real, program = debian.rabbitmq_programs() / "rabbitmqctl", tmp_path / "rabbitmqctl"
    program.write_text("\n".join(("#!/bin/sh", *environment, f'exec {real} "$@"', "")))
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")

    outcome = provision(private_rabbit.url(), TOPOLOGY)

    policies = private_rabbit.management.call("GET", "policies", "/")
    assert outcome.by == "rabbitmqctl"
    assert outcome.commands == ()
    assert {each["name"]: each["definition"] for each in policies} == {
        policy.name: dict(policy.definition) for policy in TOPOLOGY.policies
    }


def test_rejected_messages_reach_the_dead_queue(broker: Broker) -> None:
    """With the original bytes and properties, and the broker's own note of what happened."""
    good, bad = a_message(b'{"good": 1}'), a_message(b'{"bad": 1}', headers={"subject": "shop/1"})
    broker.publish([good, bad])

    with closing(broker.consume(QUEUE, 10)) as consumption:
        first, second = take_all(consumption, 2)
        consumption.settle([first], rejects=[second])

        [dead] = dead_letters(broker, 1)

    assert dead.message.body == bad.body
    assert dead.message.message_id == bad.message_id
    assert dead.message.headers["subject"] == "shop/1"
    assert dead.message.routing_key == "processor"
    [death] = deaths(dead)
    assert (death["queue"], death["reason"], death["count"]) == (QUEUE, "rejected", 1)
    assert broker.depth(QUEUE) == 0


def test_an_exporters_reject_reaches_the_exporters_dead_queue(broker: Broker) -> None:
    """Whatever the channel: the routing key of the dead letter is the worker."""
    broker.publish([message := a_message(key="customer.export.store")])

    with closing(broker.consume(exporter_queue("store"), 10)) as consumption:
        consumption.settle([], rejects=take_all(consumption, 1))
        assert wait_until(lambda: broker.depth(dead_queue("exporter")) == 1)

    with closing(broker.consume(dead_queue("exporter"), 10)) as dead:
        assert ids(take_all(dead, 1)) == [message.message_id]


def test_a_message_that_kills_its_consumers_is_dead_lettered(broker: Broker) -> None:
    """After the delivery limit the broker puts it aside, and its neighbours go on (fault 18)."""
    broker.publish([a_message(b"poison")])

    deliveries = 0
    while broker.depth(DEAD) == 0 and deliveries <= DELIVERY_LIMIT + 1:
        with closing(broker.consume(QUEUE, 1)) as victim:
            # Whoever left while the message was on its way would be counted by the broker alone.
            taken: list[Delivery] = []
            while not taken and broker.depth(DEAD) == 0:
                taken = victim.take(1, 0.2)
            deliveries += len(taken)

    [dead] = dead_letters(broker, 1)
    assert deliveries == DELIVERY_LIMIT + 1
    assert deaths(dead)[0]["reason"] == "delivery_limit"


def test_many_rejects_all_reach_the_dead_queue(broker: Broker) -> None:
    """Scattered among acknowledgements, none is lost or mistaken for one."""
    broker.publish(numbered(300))

    with closing(broker.consume(QUEUE, 300)) as consumption:
        taken = take_all(consumption, 300)
        consumption.settle(taken[1::3] + taken[2::3], rejects=taken[0::3])
        dead = dead_letters(broker, 100)

    assert sorted(int(each.message.body) for each in dead) == list(range(0, 300, 3))
    assert broker.depth(QUEUE) == 0


@pytest.fixture
def worker_url(
    amqp_vhost: str, management_url: str, rabbit_management: RabbitManagement
) -> Iterator[str]:
    """Give the URL of a user with a worker's rights on a provisioned virtual host."""
    provision(amqp_vhost, TOPOLOGY, management_url=management_url)
    vhost = vhost_of(amqp_vhost)
    user = f"{vhost}-worker"
    rabbit_management.add_user(user, "sesame")
    rabbit_management.set_permissions(
        user, vhost=vhost, configure="", write="^patron[.]customers$", read="^patron[.]processor$"
    )
    yield rabbit_management.url(vhost=vhost, user=user, password="sesame")
    rabbit_management.delete_user(user)


def test_a_worker_needs_no_configure_right(worker_url: str) -> None:
    """It verifies, publishes, consumes, settles, dead-letters and asks for depths."""
    verify(worker_url, [QUEUE])
    with closing(RabbitMQBroker(worker_url, name="worker")) as broker:
        broker.publish(numbered(3))
        with closing(broker.consume(QUEUE, 10)) as consumption:
            taken = take_all(consumption, 3)
            consumption.settle(taken[:2], rejects=taken[2:])

            assert len(taken) == 3
            assert wait_until(lambda: broker.depth(DEAD) == 1)


def test_a_forbidden_queue_is_named(worker_url: str) -> None:
    """A consumer without the right to read is inactive and says why, no hot loop (fault 21)."""
    with (
        closing(RabbitMQBroker(worker_url, name="worker")) as broker,
        closing(broker.consume(exporter_queue("shop"), 10)) as consumption,
    ):
        with pytest.raises(AccessDenied, match=exporter_queue("shop")):
            consumption.take(1, 0.5)

        assert not consumption.is_active


def test_a_forbidden_exchange_is_named(
    worker_url: str, amqp_vhost: str, rabbit_management: RabbitManagement
) -> None:
    """A publisher without the right to write is told which exchange it is about (fault 21)."""
    vhost = vhost_of(amqp_vhost)
    rabbit_management.set_permissions(f"{vhost}-worker", vhost=vhost, configure="", write="")

    with (
        closing(RabbitMQBroker(worker_url, name="worker")) as broker,
        pytest.raises(AccessDenied, match=r"patron\.customers"),
    ):
        broker.publish(numbered(2))


def test_replies_without_the_right_to_send_them_hold_up_nobody(worker_url: str) -> None:
    """MYOB-4: the default exchange wants a right of its own; without it only answers are lost."""
    with closing(RabbitMQBroker(worker_url, name="worker")) as broker:
        ordinary, reply = numbered(2), a_reply("answers")

        with pytest.raises(PublishFailed) as failure:
            broker.publish([*ordinary, reply])
        broker.publish(numbered(1))

        assert failure.value.failed == {reply.message_id: FORBIDDEN}
        assert broker.depth(QUEUE) == 3
