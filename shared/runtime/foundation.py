"""What every process stands on, opened from its installation: database, broker, outbox, metrics.

Built once for each process by its `__main__`; the workers are built on top of it.
"""

import os
import socket
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path

import sqlalchemy as sa
from prometheus_client import CollectorRegistry, ProcessCollector

from shared.connectors.calls import RemoteCall
from shared.connectors.ports import Connector
from shared.domain.errors import ConfigurationError, DatabaseRestored, PatronError
from shared.messaging.broker import Broker
from shared.messaging.connect import connect, is_rabbitmq
from shared.messaging.traced import traced
from shared.observability.metrics import Metrics, create_metrics
from shared.observability.tracing import NO_TRACING, Tracer, exemplar_of
from shared.persistence import home, migrate
from shared.persistence.engine import create_engine, in_use
from shared.persistence.failures import translated
from shared.persistence.tombstones import Tombstones
from shared.persistence.unit_of_work import UnitsOfWork
from shared.runtime.failures import FailureRecorder
from shared.runtime.installation import Installation
from shared.runtime.outbox import Outbox, OutboxSettings
from shared.runtime.recoverability import Recoverability
from shared.runtime.state_gauges import StateGauges
from shared.runtime.tracing import open_tracer, trace_call

# For how long a process that ends waits for its collector of traces.
_FLUSH_SECONDS = 5.0


@dataclass
class Foundation:
    """The open parts of a process; `name` is how it is known to broker, database and logs."""

    installation: Installation
    name: str
    engine: sa.Engine
    units: UnitsOfWork
    broker: Broker
    registry: CollectorRegistry
    metrics: Metrics
    outbox: Outbox
    owner: str
    tracer: Tracer = NO_TRACING
    _closers: list[Callable[[], None]] = field(default_factory=list)
    _connectors: dict[str, Connector] = field(default_factory=dict)

    def recorder(self, worker: str) -> FailureRecorder:
        """Return what writes down the failures of `worker`'s messages."""
        return _recorder(self.installation, worker)

    def tombstones(self) -> Tombstones:
        """Return who was erased. Raises `TombstoneKeyMissing` if we have not the key for all."""
        tombstones = Tombstones(self.installation.settings.privacy.key)
        with self.units.read() as work:
            tombstones.verify(work)
        return tombstones

    def connector(self, channel: str) -> Connector:
        """Return a channel's connector, counted by the metrics and closed with the process.

        There is one for all workers of the process, so that they share its rate budget.
        """
        if channel not in self._connectors:
            if ends_at := self.installation.settings.channels[channel].credentials_end:
                expiry = self.metrics.credential_expiry_timestamp_seconds
                expiry.labels(channel).set(ends_at.timestamp())
            connector = self.installation.connect(channel, self._observe)
            if connector.quota_left:
                left = self.metrics.http_client_quota_left.labels(channel)
                left.set_function(connector.quota_left)
            self._closers.append(connector.close)
            self._connectors[channel] = connector
        return self._connectors[channel]

    def state_gauges(self) -> StateGauges:
        """Return what shows the state of things, for a process without an outbox."""
        return _state_gauges(self.installation, self.metrics)

    def threads(self, many: int, name: str) -> ThreadPoolExecutor:
        """Return threads for remote calls that end with the process."""
        threads = ThreadPoolExecutor(many, thread_name_prefix=name)
        self._closers.append(lambda: threads.shutdown(cancel_futures=True))
        return threads

    def closing(self, close: Callable[[], None]) -> None:
        """Have `close` called when the process ends."""
        self._closers.append(close)

    def closers(self) -> list[Callable[[], None]]:
        """Return what lets go of everything, in order."""
        return [*self._closers, self.broker.close, self.engine.dispose]

    def _observe(self, call: RemoteCall) -> None:
        self.metrics.http_client_requests.labels(call.platform, call.outcome).inc()
        duration = self.metrics.http_client_request_seconds.labels(call.platform)
        duration.observe(call.seconds, exemplar_of(self.tracer.traceparent))
        if self.tracer.is_on:
            trace_call(call, self.tracer)
        if call.quota_left is not None:
            self.metrics.http_client_quota_left.labels(call.channel).set(call.quota_left)


def open_foundation(installation: Installation, name: str) -> Foundation:
    """Open database and broker. Raises ConfigurationError if the database is not migrated."""
    settings = installation.settings
    database_url = settings.database.url.get_secret_value()
    broker_url = settings.broker.url.get_secret_value()
    engine = create_engine(database_url, application_name=name)
    try:
        _check_migrated(engine)
        tracer = open_tracer(settings.tracing, os.environ, service=name, instance=owner(name))
    except PatronError:
        engine.dispose()
        raise
    units = UnitsOfWork(engine)
    registry = CollectorRegistry()
    ProcessCollector(registry=registry)
    metrics = create_metrics(registry, version=version("patron"))
    metrics.database_connections_in_use.labels(name).set_function(lambda: in_use(engine))
    broker = connect(
        broker_url,
        installation.topology,
        name,
        heartbeat_seconds=settings.broker.heartbeat_seconds,
    )
    broker = traced(broker, tracer)
    outbox = Outbox(
        broker,
        units,
        _recorder(installation, name),
        metrics,
        worker=name,
        queues_for=installation.topology.queues_for,
        gauges=_state_gauges(installation, metrics),
        settings=OutboxSettings(restores=not is_rabbitmq(broker_url)),
    )
    foundation = Foundation(
        installation, name, engine, units, broker, registry, metrics, outbox, owner(name), tracer
    )
    flush_seconds = min(_FLUSH_SECONDS, settings.lifecycle.grace_seconds / 4)
    foundation.closing(lambda: tracer.close(flush_seconds))
    return foundation


def verify_database(installation: Installation, name: str) -> None:
    """Raise ConfigurationError if the database cannot be started on, TransientError if not now."""
    url = installation.settings.database.url.get_secret_value()
    engine = create_engine(url, application_name=name)
    try:
        _check_migrated(engine)
    finally:
        engine.dispose()


def migrate_embedded(installation: Installation) -> None:
    """Create the state of an embedded installation; a server's database is never touched."""
    url = sa.make_url(installation.settings.database.url.get_secret_value())
    if url.get_backend_name() != "sqlite":
        return
    if url.database and url.database != ":memory:":
        Path(url.database).parent.mkdir(parents=True, exist_ok=True)
    migrate.upgrade(url.render_as_string(hide_password=False))


def owner(name: str) -> str:
    """Return a name for leases that no other process has at the same time."""
    return f"{name}@{socket.gethostname()}:{os.getpid()}"


def _recorder(installation: Installation, worker: str) -> FailureRecorder:
    recovery = installation.settings.recovery
    policy = Recoverability(
        max_attempts=recovery.attempts,
        first_delay_seconds=recovery.first_delay_seconds,
        max_delay_seconds=recovery.longest_delay_seconds,
        pause_seconds=recovery.pause_seconds,
    )
    return FailureRecorder(
        worker,
        policy,
        config_version=installation.policy.version,
        platforms=installation.platforms,
    )


def _state_gauges(installation: Installation, metrics: Metrics) -> StateGauges:
    series = installation.policy.number_series.values()
    return StateGauges(metrics, {each.name: 10**each.width for each in series})


def _check_migrated(engine: sa.Engine) -> None:
    with translated():
        current, expected = migrate.current(engine), migrate.expected()
    if current != expected:
        raise ConfigurationError(
            f"the database is at revision {current or 'none'}, this version needs {expected};"
            " run `patron db upgrade`"
        )
    with translated(), engine.connect() as connection:
        if home.is_elsewhere(connection):
            raise DatabaseRestored(
                "the database was restored from a backup, or copied: shops may show numbers that it"
                " would give again; see `patron directory recover`, then `patron db accept-restore`"
            )
