"""Which RabbitMQ and which PostgreSQL a run gets when none is given by URL.

First a container, where a Docker engine can run the image; then a private instance from
the system's packages, installed when root may. When neither is possible,
`ServiceUnavailable` says what to do; nothing is ever skipped.
"""

import os
from contextlib import ExitStack

from tests.services import containers
from tests.services.addresses import AMQP, DATABASE, MANAGEMENT, Addresses
from tests.services.errors import ServiceUnavailable
from tests.services.postgres import PostgresCluster
from tests.services.rabbitmq import RabbitNode

CHOICE = "PATRON_TEST_SERVICES"
"""Variable that insists on one way: `containers` or `packages`."""


def provide(service: str, life: ExitStack) -> Addresses:
    """Start `rabbitmq` or `postgres` for the life of the stack and return its addresses."""
    choice = os.environ.get(CHOICE) or "any"
    if choice not in {"any", "containers", "packages"}:
        raise ServiceUnavailable(f"{CHOICE} must be 'containers' or 'packages'")
    if choice != "packages" and (addresses := _from_container(service, life)):
        return addresses
    if choice == "containers":
        raise ServiceUnavailable(
            f"{CHOICE}=containers, but no Docker engine can run {service}; "
            f"`{CHOICE}=containers python -m tests.services {service}` says why"
        )
    return _from_package(service, life)


def _from_container(service: str, life: ExitStack) -> Addresses | None:
    if not containers.engine_answers():
        return None
    if service == "rabbitmq":
        return containers.start_rabbitmq(life)
    return containers.start_postgres(life)


def _from_package(service: str, life: ExitStack) -> Addresses:
    if service == "rabbitmq":
        node = life.enter_context(RabbitNode())
        return {AMQP: node.url(), MANAGEMENT: node.management_url}
    cluster = life.enter_context(PostgresCluster(durable=False))
    return {DATABASE: cluster.url()}
