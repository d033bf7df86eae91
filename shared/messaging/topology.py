"""The topology: which exchanges, queues, bindings and policies Patron needs, as plain data.

For the provisioner, the embedded broker and anybody who asks with `--dry-run`. Its promise: a
description only, pure and complete; nothing is created here.

Every queue is durable and quorum, and everything about it that may ever change (dead-lettering,
limits) is a policy, because arguments are immutable and override policies. A policy carries one
dead-letter routing key, so there is one policy per worker.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from shared.domain.errors import ConfigurationError
from shared.domain.messages import CANARY

EXCHANGE = "patron.customers"
DEAD_EXCHANGE = "patron.dead"
IMPORTER_QUEUE = "patron.importer"
PROCESSOR_QUEUE = "patron.processor"
WORKERS = ("importer", "processor", "exporter")

PROVISION_COMMAND = "patron broker provision"
# A last resort only: RabbitMQ counts a delivery of every message that a dying process had in hand,
# hundreds of innocents beside a suspect, and we give a suspect up after a few starts ourselves.
DELIVERY_LIMIT = 100
# A dead queue has nowhere to send what was delivered too often: RabbitMQ 4 drops it after twenty
# times unless told otherwise, and what a keeper holds when it is killed was delivered once more.
DEAD_DELIVERY_LIMIT = 1_000_000
MAX_LENGTH_BYTES = 4 * 1024**3

_CHANNEL_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,62}")


CANARY_QUEUE = f"patron.exporter.{CANARY}"
_RESERVED = frozenset({"dead", CANARY})


def exporter_queue(channel: str) -> str:
    """Return the queue of what is to be written to `channel`."""
    return f"patron.exporter.{channel}"


def dead_queue(worker: str) -> str:
    """Return the queue of what `worker` could not handle."""
    return f"patron.{worker}.dead"


@dataclass(frozen=True, slots=True)
class Exchange:
    """A durable exchange."""

    name: str
    kind: str


@dataclass(frozen=True, slots=True)
class Binding:
    """Messages of `exchange` with exactly this routing key go to `queue`."""

    exchange: str
    routing_key: str
    queue: str


@dataclass(frozen=True, slots=True)
class Policy:
    """What RabbitMQ applies to every queue whose name matches `pattern`."""

    name: str
    pattern: str
    definition: Mapping[str, str | int]


@dataclass(frozen=True)
class Topology:
    """Everything that must exist on the broker. Every queue is durable and quorum."""

    exchanges: Sequence[Exchange]
    queues: Sequence[str]
    bindings: Sequence[Binding]
    policies: Sequence[Policy] = field(default=())

    @cached_property
    def _routes(self) -> dict[tuple[str, str], tuple[str, ...]]:
        routes: dict[tuple[str, str], tuple[str, ...]] = {}
        for binding in self.bindings:
            key = (binding.exchange, binding.routing_key)
            routes[key] = (*routes.get(key, ()), binding.queue)
        return routes

    def queues_for(self, routing_key: str, exchange: str = EXCHANGE) -> tuple[str, ...]:
        """Return the queues that a message published so is routed to."""
        return self._routes.get((exchange, routing_key), ())

    def describe(self) -> str:
        """Return the whole as text for people, for `--dry-run`."""
        return "\n".join(
            (
                "exchanges",
                *(f"  {exchange.name} ({exchange.kind}, durable)" for exchange in self.exchanges),
                "queues (quorum, durable)",
                *(f"  {queue}" for queue in self.queues),
                "bindings",
                *(
                    f"  {each.exchange} -- {each.routing_key} -> {each.queue}"
                    for each in self.bindings
                ),
                "policies (apply to queues)",
                *(line for policy in self.policies for line in _describe_policy(policy)),
            )
        )


def topology_for(channels: Iterable[str]) -> Topology:
    """Return the topology for a set of channels. Raises ConfigurationError for an unfit name."""
    names = sorted(set(channels))
    for name in names:
        _check_channel_name(name)
    bindings = (*_worker_bindings(names), *_dead_bindings())
    return Topology(
        exchanges=(Exchange(EXCHANGE, "topic"), Exchange(DEAD_EXCHANGE, "direct")),
        queues=tuple(dict.fromkeys(binding.queue for binding in bindings)),
        bindings=bindings,
        policies=(*(_policy(worker) for worker in WORKERS), _dead_policy()),
    )


def _check_channel_name(name: str) -> None:
    """Refuse a name that is a wildcard in a routing key, or makes a queue look like a dead one."""
    if not _CHANNEL_NAME.fullmatch(name) or name in _RESERVED:
        raise ConfigurationError(
            f"channel name {name!r}: use lower-case letters, digits, '-' and '_', and neither"
            " 'dead' nor 'canary'"
        )


def _worker_bindings(channels: Sequence[str]) -> tuple[Binding, ...]:
    decided = (
        "customer.imported",
        "customer.unreadable",
        "customer.deleted",
        "customer.numbered",
        "staging.process",
        "canary.sent",
    )
    return (
        Binding(EXCHANGE, "import.requested", IMPORTER_QUEUE),
        *(Binding(EXCHANGE, key, PROCESSOR_QUEUE) for key in decided),
        *(Binding(EXCHANGE, f"customer.export.{name}", exporter_queue(name)) for name in channels),
        Binding(EXCHANGE, "canary.passed", CANARY_QUEUE),
    )


def _dead_bindings() -> tuple[Binding, ...]:
    return tuple(Binding(DEAD_EXCHANGE, worker, dead_queue(worker)) for worker in WORKERS)


def _policy(worker: str) -> Policy:
    """Return the policy of a worker's queues.

    At-least-once dead-lettering needs `reject-publish`: a full queue refuses what is published,
    and the outbox keeps it. The delivery limit must be positive: -1 means "at the first
    redelivery" to RabbitMQ 3.10 and "never" to 4.x. The pattern spares the dead queues, and has no
    backslash, which shells love to eat.
    """
    per_channel = "[.](?!dead$).+" if worker == "exporter" else ""
    return Policy(
        name=f"patron-{worker}",
        pattern=f"^patron[.]{worker}{per_channel}$",
        definition={
            "dead-letter-exchange": DEAD_EXCHANGE,
            "dead-letter-routing-key": worker,
            "dead-letter-strategy": "at-least-once",
            "overflow": "reject-publish",
            "max-length-bytes": MAX_LENGTH_BYTES,
            "delivery-limit": DELIVERY_LIMIT,
        },
    )


def _dead_policy() -> Policy:
    return Policy(
        name="patron-dead",
        pattern=f"^patron[.]({'|'.join(WORKERS)})[.]dead$",
        definition={"delivery-limit": DEAD_DELIVERY_LIMIT},
    )


def _describe_policy(policy: Policy) -> Iterable[str]:
    yield f"  {policy.name}  {policy.pattern}"
    yield from (f"    {key} = {value}" for key, value in policy.definition.items())
