"""A deployment that a Prometheus watches: real workers, keeper, broker and shop.

The jobs are those of deploy/prometheus/prometheus.yml, with the addresses of these processes.
"""

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import pytest
import yaml

from services.sandbox.magento.sandbox import SandboxMagento
from tests.docs.pages import ROOT
from tests.e2e.deployment import ROLES, Deployment, Worker
from tests.e2e.expectations import PRICE_GROUP
from tests.services import Databases, RabbitNode, ServiceUnavailable
from tests.services.ports import free_ports
from tests.services.prometheus import Prometheus

CONFIGURATION: Final = ROOT / "deploy" / "prometheus" / "prometheus.yml"
RULES: Final = ROOT / "deploy" / "prometheus" / "patron.rules.yml"
PROCESSES: Final = (*ROLES, "keeper")
PATIENCE_SECONDS: Final = 120.0


class Watched:
    """What is watched, and who watches; `ports` are where each process shows its health."""

    def __init__(
        self,
        deployment: Deployment,
        node: RabbitNode,
        prometheus: Prometheus,
        ports: Mapping[str, int],
    ) -> None:
        self.deployment = deployment
        self.node = node
        self.prometheus = prometheus
        self.ports = ports

    @property
    def shop(self) -> SandboxMagento:
        """The shop that is kept in step."""
        return self.deployment.shop

    def start_keeper(self) -> None:
        """Start the keeper, who alone may read the dead queues."""
        environment = self.deployment.environment | {"PATRON_BROKER__URL": self.deployment.amqp_url}
        log = self.deployment.folder / "keeper.log"
        self.deployment.workers["keeper"] = Worker("console.keeper", environment, log)

    def until(self, is_so: Callable[[], bool], what: str) -> None:
        """Wait until `is_so`; fail with the logs and with what fires otherwise."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not is_so():
            if time.monotonic() > deadline:
                fires = self.prometheus.firing()
                raise AssertionError(f"never: {what}\nfiring: {fires}\n{self.deployment.report()}")
            time.sleep(0.2)

    def value(self, expression: str) -> float:
        """Return the one value of an expression, 0 if it has none."""
        found = self.prometheus.query(expression)
        return float(found[0]["value"][1]) if found else 0.0


@contextmanager
def watched(
    folder: Path,
    databases: Databases,
    template: str,
    rules: Mapping[str, Any],
    *,
    poll_seconds: float = 3600,
    customers: int = 20,
) -> Iterator[Watched]:
    """Give a deployment with everything ready to be started, and a Prometheus that waits for it."""
    with (
        RabbitNode(is_measured=True) as node,
        SandboxMagento(customers=customers, seed=5, awkward=False) as shop,
        databases.temporary(template=template) as database_url,
        node.management.temporary_vhost() as amqp_url,
        Deployment(
            folder,
            amqp_url=amqp_url,
            management=node.management,
            database_url=database_url,
            shop=shop,
            poll_seconds=poll_seconds,
        ) as deployment,
    ):
        shop.control.add_attribute(PRICE_GROUP)
        ports = dict(zip(PROCESSES, free_ports(len(PROCESSES)), strict=True))
        for process, port in ports.items():
            deployment.environment[f"PATRON_HEALTH__{process.upper()}_PORT"] = str(port)
        with _prometheus(jobs(ports, node), rules) as prometheus:
            yield Watched(deployment, node, prometheus, ports)


def jobs(ports: Mapping[str, int], node: RabbitNode) -> list[dict[str, Any]]:
    """Return the stack's scrape configurations, asking these processes and this broker."""
    targets = {
        "patron": [f"127.0.0.1:{port}" for port in ports.values()],
        "rabbitmq": [f"127.0.0.1:{node.metrics_port}"],
        "rabbitmq-alarms": [f"127.0.0.1:{node.metrics_port}"],
    }
    written = yaml.safe_load(CONFIGURATION.read_text("utf-8"))["scrape_configs"]
    found = [
        {key: value for key, value in job.items() if not key.endswith("_sd_configs")}
        for job in written
    ]
    return [job | {"static_configs": [{"targets": targets[job["job_name"]]}]} for job in found]


def rules() -> dict[str, Any]:
    """Return the rules as they are deployed."""
    read: dict[str, Any] = yaml.safe_load(RULES.read_text("utf-8"))
    return read


def _prometheus(jobs: list[dict[str, Any]], rules: Mapping[str, Any]) -> Prometheus:
    try:
        return Prometheus(jobs, rules)
    except ServiceUnavailable as error:
        pytest.skip(str(error))
