"""What a running worker answers about itself, and how it ends."""

import json
import re
import urllib.error
import urllib.request

import pytest

from tests.e2e.deployment import ROLES, Deployment
from tests.services.ports import free_ports

pytestmark = pytest.mark.timeout(180)


def ask(port: int, path: str) -> tuple[int, str]:
    """Return status and text of an answer; 0 while nobody listens."""
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=5) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read().decode()
    except OSError:
        return 0, ""


@pytest.mark.parametrize("role", ROLES)
def test_a_worker_answers_for_its_health_and_drains(deployment: Deployment, role: str) -> None:
    """Live, ready, measured; logs are JSON on standard error; SIGTERM ends it with 0."""
    [port] = free_ports(1)
    deployment.environment[f"PATRON_HEALTH__{role.upper()}_PORT"] = str(port)
    deployment.start(role)

    deployment.until(lambda: ask(port, "/readyz")[0] == 200, f"the {role} is ready")

    assert ask(port, "/livez")[0] == 200
    assert ask(port, "/startupz")[0] == 200
    status, exposition = ask(port, "/metrics")
    assert status == 200
    assert "patron_build_info" in exposition
    assert re.search(r"^patron_consumer_active\{.*\} 1\.0$", exposition, re.MULTILINE)
    in_hand = f'patron_messages_in_progress{{worker="{role}"}} '
    assert in_hand in exposition, "PatronWorkerMissing looks for it"
    assert deployment.workers[role].stop() == 0
    lines = (deployment.folder / f"{role}.log").read_text("utf-8").splitlines()
    events = [json.loads(line)["event"] for line in lines]
    assert events.index("process.draining") < events.index("process.stopped")
