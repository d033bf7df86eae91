"""An installation to be measured: services, configuration, database, virtual host and workers.

Servers are private and durable: PostgreSQL with `fsync` and `synchronous_commit`, RabbitMQ with
quorum queues. Its promise: every scene has a database and a virtual host of its own.
"""

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from time import monotonic, sleep
from typing import Any, Final, NamedTuple

import sqlalchemy as sa

from benchmarks.processes import Process, cpu_seconds_under
from benchmarks.shop import PRICE_GROUP, Shop
from services.sandbox.magento.auth import (
    ACCESS_TOKEN,
    ACCESS_TOKEN_SECRET,
    CONSUMER_KEY,
    CONSUMER_SECRET,
)
from services.sandbox.magento.stores import STORE_VIEWS
from shared.domain.messages import Parcel
from shared.messaging.codec import to_wire
from shared.messaging.connect import connect
from shared.messaging.provision import provision
from shared.messaging.topology import Topology, topology_for
from shared.persistence import migrate
from shared.persistence.cursors import Cursors
from shared.persistence.engine import create_engine, reading
from shared.persistence.store_sql import PARCELS
from shared.persistence.tables import cursors
from shared.persistence.unit_of_work import UnitsOfWork
from tests.services import PostgresCluster, RabbitNode

CHANNEL: Final = "shop"
FIRST_NUMBER: Final = 10001
_NEVER_SECONDS: Final = 86_400.0
_PUBLISH_AT_ONCE: Final = 500

_CONFIGURATION: Final = """
[health]
importer_port = 0
processor_port = 0
exporter_port = 0
keeper_port = 0

[canary]
interval_seconds = 0

[importer]
idle_seconds = {idle}
sweep_share = 1

[number_series.debtors]
prefix = "D"
start = {first_number}

[[templates]]
name = "business"
when = 'kind == "business"'
number_series = "debtors"
values = {{ price_group = "WHOLESALE" }}

[[templates]]
name = "retail"
number_series = "debtors"
values = {{ price_group = "RETAIL" }}

[channels.shop]
platform = "magento"
additional_data = {{ {price_group} = "values.price_group" }}

[channels.shop.connector]
base_url = "{shop}"

[channels.shop.connector.auth]
kind = "oauth1"
consumer_key = "{consumer_key}"
consumer_secret = "{consumer_secret}"
access_token = "{access_token}"
access_token_secret = "{access_token_secret}"
{views}
"""
_STORE_VIEW: Final = """
[[channels.shop.store_views]]
code = "{code}"
poll_interval_seconds = {poll}
sweep_interval_seconds = 86400
remote = {{ store_id = {store_id}, website_id = {website_id} }}
"""


class NotDone(Exception):
    """The work that was to be measured was not really done."""


@dataclass
class Scene:
    """One shop, one database, one virtual host, and the workers that are started on them."""

    folder: Path
    shop: Shop
    database_url: str
    broker_url: str
    engine: sa.Engine
    topology: Topology
    life: ExitStack
    poll_seconds: float
    _names: Iterator[int] = field(default_factory=count)

    def start(self, module: str, *arguments: str, health_port: int = 0) -> Process:
        """Start a worker and return when it consumes; 0 leaves it without health and metrics."""
        log = self.folder / f"{module}-{next(self._names)}.log"
        environment = self.environment()
        if health_port:
            role = module.rpartition(".")[2].upper()
            environment[f"PATRON_HEALTH__{role}_PORT"] = str(health_port)
        process = self.life.enter_context(
            Process(module, *arguments, environment=environment, log=log)
        )
        if not self.broker_url.startswith("memory:"):  # whose consumers need nobody's consent
            process.wait_for('"consumer.active"')
        process.wait_for('"process.started"')
        return process

    def hold_imports(self) -> None:
        """Have a cursor for each store view that is not due, so that importers wait."""
        views = [(CHANNEL, view.code) for view in STORE_VIEWS]
        with UnitsOfWork(self.engine).begin() as work:
            Cursors(work).ensure(views)
        later = datetime.now(UTC) + timedelta(days=1)
        self.execute(sa.update(cursors).values(poll_due_at=later, sweep_due_at=later))

    def request_imports(self, *, sweep: bool = False) -> None:
        """Make every store view due."""
        column = "sweep_due_at" if sweep else "poll_due_at"
        self.execute(sa.update(cursors).values({column: datetime.now(UTC)}))

    def owed(self) -> list[Parcel]:
        """Return every message of the store, the oldest first."""
        with self.engine.connect() as connection:
            return [Parcel(*row) for row in connection.execute(PARCELS.order_by(sa.text("id")))]

    def publish(self, parcels: Sequence[Parcel]) -> None:
        """Bring messages of the store to the broker, as its outbox did once."""
        broker = connect(self.broker_url, self.topology, "benchmark")
        try:
            for start in range(0, len(parcels), _PUBLISH_AT_ONCE):
                broker.publish([to_wire(each) for each in parcels[start:][:_PUBLISH_AT_ONCE]])
        finally:
            broker.close()

    def looking(self) -> sa.Connection:
        """Connect to the database to look at it, which keeps nobody from writing."""
        return reading(self.engine).connect()

    def value(self, sql: str, **values: Any) -> Any:
        """Return the single value that a query finds."""
        with self.looking() as connection:
            return connection.execute(sa.text(sql), values).scalar_one()

    def pairs(self, sql: str, **values: Any) -> dict[Any, Any]:
        """Return what a query of two columns finds."""
        with self.looking() as connection:
            return {row[0]: row[1] for row in connection.execute(sa.text(sql), values)}

    def execute(self, statement: sa.Executable) -> None:
        """Execute a statement in a transaction of its own."""
        with self.engine.begin() as connection:
            connection.execute(statement)

    def until(
        self,
        is_so: Callable[[], bool],
        what: str,
        *,
        timeout_seconds: float = 300.0,
        every_seconds: float = 0.05,
    ) -> None:
        """Wait until `is_so`. Raises NotDone with the ends of the logs.

        Whoever looks more often takes from those whom he looks at, on a small machine.
        """
        deadline = monotonic() + timeout_seconds
        while not is_so():
            if monotonic() > deadline:
                raise NotDone(f"never true: {what}\n{self._last_words()}")
            sleep(every_seconds)

    def environment(self) -> dict[str, str]:
        """Return the environment of the workers, and of what is to decide as they do."""
        configuration = self.folder / "patron.toml"
        configuration.write_text(_configuration(self.shop.url, self.poll_seconds), "utf-8")
        return {
            **os.environ,
            "PATRON_CONFIG": str(configuration),
            "PATRON_DATABASE__URL": self.database_url,
            "PATRON_BROKER__URL": self.broker_url,
        }

    def _last_words(self) -> str:
        logs = sorted(self.folder.glob("*.log"))
        return "\n".join(f"--- {log.name}\n{log.read_text('utf-8')[-1500:]}" for log in logs)


class Site(NamedTuple):
    """Where processes are started: their files, their database, their virtual host."""

    folder: Path
    database_url: str
    broker_url: str

    def environment(self, configuration: str) -> dict[str, str]:
        """Return the environment of processes that run by `configuration`, a TOML text."""
        path = self.folder / "patron.toml"
        path.write_text(configuration, "utf-8")
        return {
            **os.environ,
            "PATRON_CONFIG": str(path),
            "PATRON_DATABASE__URL": self.database_url,
            "PATRON_BROKER__URL": self.broker_url,
        }


class Installation:
    """The servers, and scenes on them."""

    def __init__(self, folder: Path, cluster: PostgresCluster, node: RabbitNode) -> None:
        self._folder = folder
        self._cluster = cluster
        self._node = node
        self._names = count()
        self._empty = cluster.create_database()
        migrate.upgrade(self._empty)
        cluster.databases.let_be_copied(self._empty)

    @contextmanager
    def scene(
        self, customers: int, *, template: str | None = None, poll_seconds: float = _NEVER_SECONDS
    ) -> Iterator[Scene]:
        """Set a scene: a shop with `customers`, a database (a copy of `template`), a host."""
        folder = self._folder / str(next(self._names))
        folder.mkdir()
        database_url = self._cluster.create_database(template=template or self._empty)
        topology = topology_for([CHANNEL])
        with ExitStack() as life:
            broker_url = life.enter_context(self._node.management.temporary_vhost())
            provision(broker_url, topology, management_url=self._node.management_url)
            shop = Shop(customers, environment=dict(os.environ), log=folder / "shop.log")
            life.enter_context(shop)
            engine = create_engine(database_url, application_name="benchmark")
            life.callback(engine.dispose)
            workers = life.enter_context(ExitStack())
            yield Scene(
                folder, shop, database_url, broker_url, engine, topology, workers, poll_seconds
            )

    @contextmanager
    def embedded_scene(self, customers: int) -> Iterator[Scene]:
        """Set a scene without servers: one process with SQLite, messages in its memory."""
        folder = self._folder / str(next(self._names))
        folder.mkdir()
        database_url = f"sqlite:///{folder}/patron.db"
        migrate.upgrade(database_url)
        with ExitStack() as life:
            shop = Shop(customers, environment=dict(os.environ), log=folder / "shop.log")
            life.enter_context(shop)
            engine = create_engine(database_url, application_name="benchmark")
            life.callback(engine.dispose)
            workers = life.enter_context(ExitStack())
            yield Scene(
                folder, shop, database_url, "memory://", engine, topology_for([CHANNEL]), workers,
                _NEVER_SECONDS,
            )  # fmt: skip

    @contextmanager
    def bare(self, channels: Sequence[str]) -> Iterator[Site]:
        """Give a folder, a migrated database and a virtual host of their own, and no shop."""
        folder = self._folder / str(next(self._names))
        folder.mkdir()
        database_url = self._cluster.create_database(template=self._empty)
        with self._node.management.temporary_vhost() as broker_url:
            topology = topology_for(channels)
            provision(broker_url, topology, management_url=self._node.management_url)
            yield Site(folder, database_url, broker_url)

    def broker_cpu_seconds(self) -> float:
        """Return the CPU time that RabbitMQ has used so far."""
        return cpu_seconds_under(self._node.directory)

    def database_cpu_seconds(self) -> float:
        """Return the CPU time that PostgreSQL has used so far."""
        return cpu_seconds_under(self._cluster.directory)

    def drop(self, database_url: str) -> None:
        """Drop a scene's database, which outlives its scene to be a template."""
        self._cluster.databases.drop(database_url)


@contextmanager
def installed(folder: Path) -> Iterator[Installation]:
    """Start the servers for one benchmark."""
    # Memory as on the smallest of real servers; everything that makes a commit durable is on.
    settings = {"shared_buffers": "'256MB'"}
    with PostgresCluster(settings=settings) as cluster, RabbitNode() as node:
        yield Installation(folder, cluster, node)


def _configuration(shop_url: str, poll_seconds: float) -> str:
    views = "".join(
        _STORE_VIEW.format(
            code=view.code, poll=poll_seconds, store_id=view.id, website_id=view.website_id
        )
        for view in STORE_VIEWS
    )
    return _CONFIGURATION.format(
        idle=min(0.05, poll_seconds),
        first_number=FIRST_NUMBER,
        price_group=PRICE_GROUP,
        shop=shop_url,
        consumer_key=CONSUMER_KEY,
        consumer_secret=CONSUMER_SECRET,
        access_token=ACCESS_TOKEN,
        access_token_secret=ACCESS_TOKEN_SECRET,
        views=views,
    )
