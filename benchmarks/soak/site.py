"""The place of a soak: private servers, lines to them that can be cut, a shop, six workers.

For faults, shoppers and the verdict. Its promise: whatever was broken, `mend` makes whole again;
the driver itself looks past the lines, straight at database and broker.
"""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import sqlalchemy as sa

from services.sandbox.magento.control import Control
from services.sandbox.magento.sandbox import SandboxMagento
from shared.persistence import migrate
from tests.e2e.deployment import ROLES, Deployment, Worker
from tests.e2e.expectations import PRICE_GROUP
from tests.faults.proxy import Proxy
from tests.services import PostgresCluster, RabbitNode

REPLICAS: Final = ("1", "2")
SURVIVOR: Final = "2"
"""This worker of each role is never hurt itself: it has to live through everything."""

_ENVIRONMENT: Final = {
    "PATRON_IMPORTER__LEASE_SECONDS": "6",
    "PATRON_EXPORTER__LEASE_SECONDS": "6",
    # So that what failed often is not still waiting for its turn when the soak is over.
    "PATRON_RECOVERY__LONGEST_DELAY_SECONDS": "15",
    "PATRON_RECOVERY__PAUSE_SECONDS": "5",
}
_BOOKS: Final = """
CREATE TABLE soak_books (
  message_id uuid PRIMARY KEY, type text NOT NULL, subject text NOT NULL, is_left boolean NOT NULL
);
CREATE FUNCTION soak_accept() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
  INSERT INTO soak_books VALUES (NEW.id, NEW.type, NEW.subject, false)
  ON CONFLICT (message_id) DO UPDATE SET is_left = false;
  RETURN NULL;
END $$;
CREATE FUNCTION soak_leave() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
  UPDATE soak_books SET is_left = true WHERE message_id = OLD.id;
  RETURN NULL;
END $$;
CREATE TRIGGER soak_accept AFTER INSERT ON messages FOR EACH ROW EXECUTE FUNCTION soak_accept();
CREATE TRIGGER soak_leave AFTER DELETE ON messages FOR EACH ROW EXECUTE FUNCTION soak_leave();
"""


@dataclass
class Site:
    """Everything that can be hurt, and the deployment on top of it."""

    deployment: Deployment
    node: RabbitNode
    cluster: PostgresCluster
    broker_line: Proxy
    database_line: Proxy
    vhost: str
    restarts: dict[str, int] = field(default_factory=dict)

    @property
    def control(self) -> Control:
        """The hands of the shop's people."""
        return self.deployment.shop.control

    @property
    def workers(self) -> dict[str, Worker]:
        """The processes by name, such as `importer-1`."""
        return dict(self.deployment.workers)

    @property
    def mortal(self) -> list[str]:
        """The names of the workers that may be killed or frozen."""
        return [f"{role}-{n}" for role in ROLES for n in REPLICAS if n != SURVIVOR]

    @property
    def survivors(self) -> list[str]:
        """The names of the workers that must live from the first second to the last."""
        return [f"{role}-{SURVIVOR}" for role in ROLES]

    def start_workers(self) -> None:
        """Start every worker and wait until each has begun to consume."""
        for role in ROLES:
            for replica in REPLICAS:
                self.deployment.start(role, name=f"{role}-{replica}")
        workers = self.workers.values()
        everybody = lambda: all(worker.is_at_work for worker in workers)  # noqa: E731
        self.deployment.until(everybody, "every worker consumes", timeout_seconds=180)

    def start_again(self) -> None:
        """Start what has ended, as a supervisor does."""
        for name, worker in self.workers.items():
            if not worker.is_running:
                self.restarts[name] = self.restarts.get(name, 0) + 1
                self.deployment.start(worker.role, name=name)

    def mend(self) -> None:
        """Have every server, line and worker as whole as at the beginning."""
        self.control.clear_faults()
        self.control.maintenance(on=False)
        self.cluster.start()
        self.node.start()
        self.broker_line.flow()
        self.database_line.flow()
        for worker in self.workers.values():
            if worker.is_running:
                worker.thaw()
        self.start_again()

    def depths(self) -> dict[str, int]:
        """Return how many messages each queue holds, by the broker's own books."""
        queues: list[dict[str, Any]] = self.node.management.call("GET", "queues", self.vhost)
        return {queue["name"]: int(queue.get("messages", 0)) for queue in queues}


@contextmanager
def opened(folder: Path, *, customers: int, seed: int, poll_seconds: float) -> Iterator[Site]:
    """Give a site whose workers are not started yet."""
    with ExitStack() as life:
        enter = life.enter_context
        cluster, node = enter(PostgresCluster()), enter(RabbitNode())
        shop = enter(SandboxMagento(customers=customers, seed=seed, awkward=False))
        shop.control.add_attribute(PRICE_GROUP)
        database_url = cluster.create_database()
        migrate.upgrade(database_url)
        amqp_url = enter(node.management.temporary_vhost())
        deployment = Deployment(
            folder,
            amqp_url=amqp_url,
            management=node.management,
            database_url=database_url,
            shop=shop,
            poll_seconds=poll_seconds,
        )
        site = Site(
            enter(deployment),
            node,
            cluster,
            enter(Proxy(node.port)),
            enter(Proxy(cluster.port)),
            vhost=amqp_url.rpartition("/")[2],
        )
        # The servers must be up for everything above to be taken down.
        life.callback(site.mend)
        _lay_lines(site)
        node.register_queues()
        with deployment.engine.begin() as connection:
            connection.exec_driver_sql(_BOOKS)
        yield site


def _lay_lines(site: Site) -> None:
    environment = site.deployment.environment
    lines = {
        "PATRON_BROKER__URL": site.broker_line.port,
        "PATRON_DATABASE__URL": site.database_line.port,
    }
    for name, port in lines.items():
        address = sa.make_url(environment[name]).set(port=port)
        environment[name] = address.render_as_string(hide_password=False)
    environment.update(_ENVIRONMENT)
