"""Every secret is replaced while the pipeline runs: the processes stay, and nothing is lost."""

import json
import secrets
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit, urlunsplit

import httpx2
import pytest
import sqlalchemy as sa

from services.sandbox.magento.auth import ACCESS_TOKEN_SECRET
from services.sandbox.magento.sandbox import SandboxMagento
from shared.messaging.provision import provision
from shared.messaging.topology import topology_for
from tests.e2e.deployment import ROLES, Deployment
from tests.e2e.expectations import PRICE_GROUP
from tests.e2e.shoppers import register
from tests.faults.oracle import assert_nothing_lost_or_done_twice
from tests.services import RabbitManagement
from tests.services.ports import free_ports

pytestmark = pytest.mark.timeout(300)

PUSHED: Final = """
[channels.crm]
platform = "push"
store_views = [{{ code = "crm" }}]

[channels.crm.connector]
api_keys_file = "{keys}"

[channels.crm.connector.mapping]
external_id = "id"

[intake]
enabled = true
port = {port}
"""


class Secrets:
    """The files of a deployment's secrets, and those who know what they should say."""

    def __init__(self, deployment: Deployment, management: RabbitManagement) -> None:
        self.deployment = deployment
        self.told: list[str] = []
        self._management = management
        self._folder = deployment.folder
        self._role = f"worker_{secrets.token_hex(4)}"
        (self.port,) = free_ports(1)
        self._move_into_files()

    def new(self) -> str:
        """Make a secret up; it must never be seen again."""
        self.told.append(secrets.token_urlsafe(30))
        return self.told[-1]

    def file(self, name: str) -> Path:
        """Return the file of a secret."""
        return self._folder / name

    def rotate_database(self) -> None:
        """Give the workers' role another password; sessions that are open stay."""
        password = self.new()
        self._execute(f"ALTER ROLE {self._role} PASSWORD '{password}'")
        self._write_url("database", self.deployment.engine.url.render_as_string(False), password)

    def rotate_broker(self) -> None:
        """Give the workers' user another password; connections that are open stay."""
        password = self.new()
        user = urlsplit(self.file("broker").read_text()).username
        assert user
        self._management.add_user(user, password)
        self._write_url("broker", self.file("broker").read_text(), password, user)

    def rotate_shop(self) -> None:
        """Have the shop's integration authorized anew: what it had is void at once."""
        secret = self.new()
        self.deployment.shop.control.reauthorize(secret)
        self.file("shop").write_text(secret)

    def reload(self, *roles: str, table: str) -> None:
        """Tell workers to read their configuration again; return when they have started anew."""
        before = {role: len(self.events(role, "process.started")) for role in roles}

        def is_anew(role: str) -> bool:
            return len(self.events(role, "process.started")) > before[role]

        for role in roles:
            self.deployment.workers[role].ask_to_reload()
        self.deployment.until(lambda: all(map(is_anew, roles)), "all have started anew")
        told = [self.events(role, "configuration.reloaded")[-1]["tables"] for role in roles]
        assert told == [[table]] * len(roles)

    def push(self, key: str) -> int:
        """Push nothing with an API key, and return the status."""
        answer = httpx2.post(
            f"http://127.0.0.1:{self.port}/v1/customers",
            headers={"Authorization": f"Bearer {key}", "Content-Type": "application/json"},
            content=b"{}",
            timeout=10,
        )
        return answer.status_code

    def events(self, role: str, name: str) -> list[dict[str, Any]]:
        """Return a worker's events of a name."""
        lines = self.file(f"{role}.log").read_text("utf-8").splitlines()
        return [event for line in lines if (event := json.loads(line))["event"] == name]

    def close(self) -> None:
        """Remove the role."""
        for role in self.deployment.workers.values():
            role.kill()
        self._execute(f"DROP OWNED BY {self._role}", f"DROP ROLE {self._role}")

    def _move_into_files(self) -> None:
        environment, password = self.deployment.environment, self.new()
        self._execute(
            f"CREATE ROLE {self._role} LOGIN PASSWORD '{password}'",
            f"GRANT ALL ON ALL TABLES IN SCHEMA public TO {self._role}",
            f"GRANT ALL ON ALL SEQUENCES IN SCHEMA public TO {self._role}",
        )
        self._write_url("database", environment.pop("PATRON_DATABASE__URL"), password)
        self.file("broker").write_text(environment.pop("PATRON_BROKER__URL"))
        for name in ("database", "broker"):
            environment[f"PATRON_{name.upper()}__URL_FILE"] = str(self.file(name))
        self.file("shop").write_text(ACCESS_TOKEN_SECRET)
        self.file("keys").write_text(self.new())
        path = self.file("patron.toml")
        text = path.read_text("utf-8").replace(
            f'access_token_secret = "{ACCESS_TOKEN_SECRET}"',
            f'access_token_secret_file = "{self.file("shop")}"',
        )
        text = text.replace("[recovery]\n", "[recovery]\npause_seconds = 1\n")
        path.write_text(text + PUSHED.format(keys=self.file("keys"), port=self.port), "utf-8")

    def _write_url(self, name: str, url: str, password: str, user: str | None = None) -> None:
        parts = urlsplit(url)
        account = f"{user or self._role}:{password}"
        host = parts.netloc.rpartition("@")[2]
        self.file(name).write_text(urlunsplit(parts._replace(netloc=f"{account}@{host}")))

    def _execute(self, *statements: str) -> None:
        with self.deployment.engine.begin() as connection:
            for statement in statements:
                connection.execute(sa.text(statement))


@pytest.fixture
def shop() -> Iterator[SandboxMagento]:
    """Give a shop of ordinary customers."""
    with SandboxMagento(customers=40, seed=41, awkward=False) as shop:
        shop.control.add_attribute(PRICE_GROUP)
        yield shop


@pytest.fixture
def poll_seconds() -> float:
    """Have the store views polled all the time, with a rest between two rounds."""
    return 2


@pytest.fixture
def rotation(deployment: Deployment, rabbit_management: RabbitManagement) -> Iterator[Secrets]:
    """Give a deployment whose secrets are in files."""
    rotation = Secrets(deployment, rabbit_management)
    deployment.topology = topology_for(["shop", "crm"])
    provision(deployment.amqp_url, deployment.topology, management_url=rabbit_management.api_url)
    yield rotation
    rotation.close()


def test_every_secret_is_replaced_while_the_work_goes_on(rotation: Secrets) -> None:
    """Database, broker, shop, push: same processes, nothing lost, no secret told (fault 21)."""
    deployment = rotation.deployment
    deployment.start()
    pids = {role: deployment.workers[role].pid for role in ROLES}
    deployment.until(lambda: deployment.shop.control.requests("PUT") >= 5, "numbers come")

    rotation.rotate_database()
    register(deployment.shop, 3, "Database")
    rotation.reload(*ROLES, table="database")
    rotation.rotate_broker()
    register(deployment.shop, 3, "Broker")
    rotation.reload(*ROLES, table="broker")
    rotation.rotate_shop()
    register(deployment.shop, 3, "Shop")
    rotation.reload("importer", "exporter", table="channels")
    old, new = rotation.file("keys").read_text(), rotation.new()
    rotation.file("keys").write_text(f"{old}\n{new}\n")
    rotation.reload("importer", table="channels")
    both = (rotation.push(old), rotation.push(new))
    rotation.file("keys").write_text(new)
    rotation.reload("importer", table="channels")
    one = (rotation.push(old), rotation.push(new))
    # A view that was read in between, with the old token, waits for a minute unless it is asked.
    deployment.request_import()
    numbered = "SELECT count(*) FROM links WHERE exported_number IS NOT NULL"
    newcomers = f"{numbered} AND external_id::int > 40"
    deployment.until(lambda: deployment.value(newcomers) == 9, "those who came are numbered")
    deployment.until_idle()

    assert 401 not in both
    assert (one[0], one[1] == both[1]) == (401, True)
    assert {role: deployment.workers[role].pid for role in ROLES} == pids
    assert all(worker.is_running for worker in deployment.workers.values())
    assert_nothing_lost_or_done_twice(deployment)
    logs = "".join(log.read_text("utf-8") for log in deployment.folder.glob("*.log"))
    assert [each for each in rotation.told if each in logs] == []
    assert [deployment.workers[role].stop() for role in ROLES] == [0, 0, 0]
