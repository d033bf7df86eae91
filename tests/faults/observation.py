"""What an operator sees of the workers under attack: health, metrics, logs.

Looks from outside only: over HTTP, in the log files, in the tables and queues.
"""

import json
from typing import Any

import httpx2
from prometheus_client.parser import text_string_to_metric_families

from tests.e2e.deployment import ROLES, Deployment
from tests.services.plain import PLAIN
from tests.services.ports import free_ports


def give_ports(deployment: Deployment) -> None:
    """Have the workers that are started from now on answer `ask`; for one process of each role."""
    for role, port in zip(ROLES, free_ports(len(ROLES)), strict=True):
        deployment.environment[_port_of(role)] = str(port)


def ask(deployment: Deployment, role: str, path: str) -> tuple[int, str]:
    """Return status and text of a worker's answer; 0 while nobody listens."""
    port = deployment.environment[_port_of(role)]
    try:
        answer = httpx2.get(f"http://127.0.0.1:{port}{path}", timeout=10, verify=PLAIN)
    except httpx2.TransportError:
        return 0, ""
    return answer.status_code, answer.text


def is_ready(deployment: Deployment, *roles: str) -> bool:
    """Whether these workers, or all of them, say that they are ready."""
    return all(ask(deployment, role, "/readyz")[0] == 200 for role in roles or ROLES)


def metric(deployment: Deployment, role: str, name: str, **labels: str) -> float:
    """Return the sum of a metric's samples that have these labels."""
    families = text_string_to_metric_families(ask(deployment, role, "/metrics")[1])
    return sum(
        sample.value
        for family in families
        for sample in family.samples
        if sample.name == name and labels.items() <= sample.labels.items()
    )


def events(deployment: Deployment, name: str) -> list[dict[str, Any]]:
    """Return a worker's log; fails when a line of it is not one JSON object with an event."""
    lines = (deployment.folder / f"{name}.log").read_text("utf-8").splitlines()
    read = [json.loads(line) for line in lines]
    assert all(line["event"] and line["service"] for line in read)
    return read


def told(deployment: Deployment) -> str:
    """Return everything that the deployment tells people who may not see customers' data."""
    logs = [log.read_text("utf-8") for log in sorted(deployment.folder.glob("*.log"))]
    answers = [ask(deployment, role, path)[1] for role in ROLES for path in ("/metrics", "/readyz")]
    return "\n".join([*logs, *answers, noted(deployment)])


def noted(deployment: Deployment) -> str:
    """Return what the tables have that explains, without the data that is explained."""
    columns = {
        "dead_letters": "error_class, error, reason, queue, routing_key, type, traceparent",
        "messages": "last_reason, last_error",
        "cursors": "last_error, sweep_error",
        "channel_pauses": "reason, detail",
        "history": "event, detail",
        "staging_customers": "state, reason",
    }
    return "\n".join(
        repr(deployment.rows(f"SELECT {names} FROM {table}")) for table, names in columns.items()
    )


def _port_of(role: str) -> str:
    return f"PATRON_HEALTH__{role.upper()}_PORT"
