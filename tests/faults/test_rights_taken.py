"""The broker's administrator takes the workers' rights or password away, and gives them back."""

from collections.abc import Callable
from http import HTTPStatus
from urllib.parse import unquote, urlsplit

import httpx2
import pytest

from tests.e2e.deployment import Deployment
from tests.faults.observation import ask, events, is_ready, told
from tests.faults.strangers import publish_customer
from tests.services import RabbitManagement

pytestmark = pytest.mark.timeout(180)
DENIED = "access_denied"
CALM = 40
"""More attempts than this in a few seconds are a hot loop."""

Deed = Callable[[RabbitManagement, str, str, str], None]


def rights(management: RabbitManagement, user: str, password: str, vhost: str) -> None:
    """Leave the user no right in the virtual host."""
    management.clear_permissions(user, vhost=vhost)


def password(management: RabbitManagement, user: str, password: str, vhost: str) -> None:
    """Give the user another password."""
    management.add_user(user, f"not-{password}")


def give_back(management: RabbitManagement, user: str, password: str, vhost: str) -> None:
    """Let the user do what it could before."""
    management.add_user(user, password)
    management.set_permissions(user, vhost=vhost, configure="")


@pytest.mark.parametrize("deed", [rights, password])
def test_a_worker_without_rights_says_so_and_comes_back(
    deployment: Deployment, rabbit_management: RabbitManagement, outsider: object, deed: Deed
) -> None:
    """Alive, not ready, `access_denied` in the log, no hot loop; then at work (fault 21)."""
    url = urlsplit(deployment.environment["PATRON_BROKER__URL"])
    user, secret = url.username or "", url.password or ""
    vhost = unquote(url.path[1:])
    deployment.start("processor")
    deployment.until(lambda: is_ready(deployment, "processor"), "the processor is ready")
    deed(rabbit_management, user, secret, vhost)

    def has_noticed() -> bool:
        hang_up(rabbit_management, user)
        refusals = [e for e in events(deployment, "processor") if e.get("reason") == DENIED]
        return len(refusals) > 1 and not is_ready(deployment, "processor")

    deployment.until(has_noticed, "the processor is refused")
    status, said = ask(deployment, "processor", "/readyz")
    alive = ask(deployment, "processor", "/livez")[0]
    give_back(rabbit_management, user, secret, vhost)
    deployment.until(lambda: is_ready(deployment, "processor"), "the processor is back", 60)
    publish_customer(outsider, "1")
    deployment.until(lambda: deployment.value("SELECT count(*) FROM customers") == 1, "it works")

    log = events(deployment, "processor")
    assert (status, alive) == (503, 200)
    assert "broker not connected" in said
    assert len([e for e in log if e["event"] == "broker.connection_lost"]) < CALM
    assert len([e for e in log if e["event"] == "process.started"]) == 1
    assert [each for each in (user, secret) if each in told(deployment)] == []
    assert deployment.workers["processor"].stop() == 0


def hang_up(management: RabbitManagement, user: str) -> None:
    """End the user's connections, as far as the management knows of them by now."""
    for each in management.call("GET", "connections"):
        if each.get("user") == user:
            try:
                management.call("DELETE", "connections", each["name"])
            except httpx2.HTTPStatusError as error:
                if error.response.status_code != HTTPStatus.NOT_FOUND:  # it has ended by itself
                    raise
