"""Current releases of both servers in containers, where a Docker engine runs them.

Where that is impossible (no engine, no image and no way to fetch it) the answer is None,
so that the caller goes on to the next way; the reason goes to the log.
"""

import logging
from contextlib import ExitStack

import requests
from docker.errors import DockerException  # type: ignore[import-untyped]
from testcontainers.community.postgres import PostgresContainer
from testcontainers.community.rabbitmq import RabbitMqContainer
from testcontainers.core.container import DockerContainer
from testcontainers.core.docker_client import DockerClient
from testcontainers.core.exceptions import ContainerStartException

from tests.services.addresses import AMQP, DATABASE, MANAGEMENT, Addresses

_RABBITMQ = "rabbitmq:4-management"
_POSTGRES = "postgres:17"
_AMQP_PORT = 5672
_MANAGEMENT_PORT = 15_672

_log = logging.getLogger(__name__)


def engine_answers() -> bool:
    """Say whether there is a Docker engine to ask."""
    try:
        DockerClient(timeout=5).client.ping()
    except (DockerException, requests.RequestException, OSError) as error:
        _log.info("no Docker engine: %s", error)
        return False
    return True


def start_rabbitmq(life: ExitStack) -> Addresses | None:
    """Start RabbitMQ for the life of the stack; return its AMQP and management URLs."""
    container = RabbitMqContainer(_RABBITMQ, _AMQP_PORT, "patron", "patron")
    container.with_exposed_ports(_AMQP_PORT, _MANAGEMENT_PORT)
    if not _start(container, life):
        return None
    host = container.get_container_host_ip()
    return {
        AMQP: f"amqp://patron:patron@{host}:{container.get_exposed_port(_AMQP_PORT)}/",
        MANAGEMENT: f"http://{host}:{container.get_exposed_port(_MANAGEMENT_PORT)}",
    }


def start_postgres(life: ExitStack) -> Addresses | None:
    """Start PostgreSQL for the life of the stack; return its administrator's URL."""
    container = PostgresContainer(
        _POSTGRES, username="patron", password="patron", dbname="patron", driver="psycopg"
    )
    container.with_command("-c fsync=off -c synchronous_commit=off -c full_page_writes=off")
    if not _start(container, life):
        return None
    return {DATABASE: container.get_connection_url()}


def _start(container: DockerContainer, life: ExitStack) -> bool:
    try:
        life.enter_context(container)
    except (
        DockerException,
        ContainerStartException,
        requests.RequestException,
        OSError,
    ) as error:
        _log.warning("the Docker engine cannot run %s: %s", container.image, error)
        return False
    return True
