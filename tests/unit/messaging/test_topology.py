"""The topology: one queue per kind of work, and policies that spare the dead queues."""

import re

import pytest

from shared.domain.errors import ConfigurationError
from shared.domain.messages import MESSAGE_TYPES, REPLIES, routing_key
from shared.messaging.topology import (
    DEAD_DELIVERY_LIMIT,
    DEAD_EXCHANGE,
    WORKERS,
    Topology,
    dead_queue,
    exporter_queue,
    topology_for,
)


def policies_of(topology: Topology, queue: str) -> list[str]:
    """Return the names of the policies whose pattern matches a queue."""
    return [each.name for each in topology.policies if re.search(each.pattern, queue)]


@pytest.mark.parametrize("name", sorted(MESSAGE_TYPES))
def test_every_message_type_has_exactly_one_queue(name: str) -> None:
    """Nothing that we send is unroutable, and nothing is handled twice; replies pass by."""
    topology = topology_for(["shop", "erp"])

    queues = topology.queues_for(routing_key(name, "shop"))

    assert len(queues) == (0 if name in REPLIES else 1)


def test_every_channel_has_an_export_queue_of_its_own() -> None:
    """A throttled shop holds up nobody else."""
    topology = topology_for(["shop", "erp", "shop"])

    assert topology.queues_for("customer.export.shop") == (exporter_queue("shop"),)
    assert topology.queues_for("customer.export.erp") == (exporter_queue("erp"),)
    assert topology.queues_for("customer.export.other") == ()


def test_every_worker_has_a_dead_queue() -> None:
    """The routing key of a dead letter is its worker."""
    topology = topology_for([])

    for worker in WORKERS:
        assert topology.queues_for(worker, DEAD_EXCHANGE) == (dead_queue(worker),)


def test_each_queue_has_its_workers_policy_and_dead_queues_their_own() -> None:
    """A dead letter must not expire, be limited, or be dead-lettered again."""
    topology = topology_for(["shop", "dead-sea", "undead"])

    policies = {queue: policies_of(topology, queue) for queue in topology.queues}

    assert policies == {
        "patron.importer": ["patron-importer"],
        "patron.processor": ["patron-processor"],
        "patron.exporter.shop": ["patron-exporter"],
        "patron.exporter.dead-sea": ["patron-exporter"],
        "patron.exporter.undead": ["patron-exporter"],
        "patron.exporter.canary": ["patron-exporter"],
        "patron.importer.dead": ["patron-dead"],
        "patron.processor.dead": ["patron-dead"],
        "patron.exporter.dead": ["patron-dead"],
    }
    (dead,) = (each for each in topology.policies if each.name == "patron-dead")
    assert dead.definition == {"delivery-limit": DEAD_DELIVERY_LIMIT}


def test_policies_are_safe_on_every_version() -> None:
    """At-least-once needs reject-publish; a limit that is not positive means opposite things."""
    for policy in topology_for(["shop"]).policies:
        worker = policy.name.removeprefix("patron-")
        limit = policy.definition["delivery-limit"]

        assert isinstance(limit, int)
        assert limit > 0
        assert not set(policy.pattern) & set("\\\"'` ")
        if worker == "dead":
            continue
        assert policy.definition["dead-letter-exchange"] == DEAD_EXCHANGE
        assert policy.definition["dead-letter-routing-key"] == worker
        assert policy.definition["dead-letter-strategy"] == "at-least-once"
        assert policy.definition["overflow"] == "reject-publish"


@pytest.mark.parametrize(
    "name", ["dead", "canary", "", "a.b", "a#", "*", "Shop", "shop ", "-a", "a" * 64]
)
def test_unfit_channel_names_are_refused(name: str) -> None:
    """Wildcards and dots mean something in routing keys, and two names are taken."""
    with pytest.raises(ConfigurationError, match="channel name"):
        topology_for([name])


def test_the_description_names_everything() -> None:
    """What `--dry-run` prints is complete."""
    topology = topology_for(["shop"])

    text = topology.describe()

    for name in (
        *topology.queues,
        *(exchange.name for exchange in topology.exchanges),
        *(binding.routing_key for binding in topology.bindings),
        *(policy.pattern for policy in topology.policies),
        "delivery-limit = 100",
    ):
        assert name in text
