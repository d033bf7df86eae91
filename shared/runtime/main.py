"""The last mile of every `__main__`: configuration to running process, with clear exits.

Exit codes: 0 drained after a signal, 1 failed, 2 the configuration cannot be used, 75 something
that was needed at start is away for now and starting again may help.
"""

import gc
import os
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

import structlog

from shared.config import ConfigurationInvalid
from shared.domain.errors import ConfigurationError, TransientError
from shared.messaging.broker import BrokerUnavailable
from shared.messaging.connect import is_rabbitmq
from shared.messaging.provision import verify
from shared.messaging.topology import (
    IMPORTER_QUEUE,
    PROCESSOR_QUEUE,
    WORKERS,
    dead_queue,
    exporter_queue,
)
from shared.observability import logs
from shared.observability.evidence import evidence
from shared.observability.health import HealthServer
from shared.observability.uncaught import tell_uncaught
from shared.runtime.checks import Probed, checks_for
from shared.runtime.foundation import Foundation, open_foundation, verify_database
from shared.runtime.installation import Installation, configuration_path, load_installation
from shared.runtime.lifecycle import EXIT_DONE, Process, Worker, run
from shared.runtime.reload import Load, Reload, tell_refused
from shared.runtime.signals import Orders, signals_heard

EXIT_CONFIGURATION = 2
EXIT_TEMPORARY = 75

_SILENCE_SECONDS = 60.0

# Containers made and not yet released before the collector looks: those of a batch or two.
_BATCHES_OF_OBJECTS = 20_000

_log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Role:
    """A worker as built on a foundation, and the consumers that make it ready.

    One that `publishes` nothing needs no outbox, and no right to fill one's queues. One that has
    `doors`, to which others send, is ready when they may.
    """

    worker: Worker
    consumers: Sequence[Probed]
    publishes: bool = True
    doors: Sequence[Probed] = ()


Build = Callable[[Foundation], Role]


def main_of(name: str, build: Build) -> int:
    """Run one worker as this process, configured by the environment."""
    environment = dict(os.environ)
    try:
        path = configuration_path(None, environment)
        installation = load_installation(path, environment)
    except ConfigurationInvalid as error:
        print(error, file=sys.stderr)  # noqa: T201 - there is no log before its configuration
        return EXIT_CONFIGURATION
    return run_roles(
        installation, name, {name: build}, load=lambda: load_installation(path, environment)
    )


def run_roles(
    installation: Installation, name: str, builds: Mapping[str, Build], *, load: Load
) -> int:
    """Run workers in this process until a signal; return the exit code.

    At a SIGHUP the configuration is read again by `load`. If it can be used, the process finishes
    what it has in hand, lets go of everything, and starts anew on it.
    """
    _configure_logs(installation, name)
    tell_uncaught()
    try:
        with signals_heard() as orders:
            _verify_topology(installation, builds)
            return _run_until_told(installation, name, builds, load, orders)
    except (ConfigurationError, TransientError) as error:
        _log.critical("process.not_started", reason=error.reason, error=str(error))
        return EXIT_TEMPORARY if isinstance(error, TransientError) else EXIT_CONFIGURATION


def _run_until_told(
    installation: Installation,
    name: str,
    builds: Mapping[str, Build],
    load: Load,
    orders: Orders,
) -> int:
    """Run on one configuration after the other, until the order to end or a failure."""
    before: Installation | None = None

    def verify(new: Installation) -> None:
        _verify_topology(new, builds)
        verify_database(new, name)

    while not orders.is_end_asked:
        _configure_logs(installation, name)
        try:
            standing = _set_up(open_foundation(installation, name), builds)
        except (ConfigurationError, OSError) as error:
            if before is None:
                raise
            tell_refused([evidence(error).text])
            installation, before = before, None
            continue
        reload = Reload(installation, load, verify)
        code = run(
            standing.process,
            grace_seconds=installation.settings.lifecycle.grace_seconds,
            close=standing.closers,
            orders=orders,
            is_to_start_anew=reload.is_to_start_anew,
        )
        if code != EXIT_DONE or reload.accepted is None:
            return code
        before, installation = installation, reload.accepted
    return EXIT_DONE


def _configure_logs(installation: Installation, name: str) -> None:
    settings = installation.settings.logs
    logs.configure(settings.format, settings.level, service=name)


def _verify_topology(installation: Installation, roles: Iterable[str]) -> None:
    """Refuse to start without our queues; a broker that is away is waited for later."""
    url = installation.settings.broker.url.get_secret_value()
    if not is_rabbitmq(url):
        return
    queues = {
        "importer": [IMPORTER_QUEUE],
        "processor": [PROCESSOR_QUEUE],
        "exporter": [exporter_queue(channel) for channel in installation.settings.channels],
        "keeper": [dead_queue(worker) for worker in WORKERS],
    }
    try:
        verify(url, [queue for role in roles for queue in queues[role]])
    except BrokerUnavailable as error:
        _log.warning("broker.unavailable_at_start", error=str(error))


@dataclass(frozen=True, slots=True)
class _Standing:
    """A process that is ready to run, and what lets go of it all."""

    process: Process
    closers: Sequence[Callable[[], None]]


def _set_up(foundation: Foundation, builds: Mapping[str, Build]) -> _Standing:
    """Build everything on `foundation`, and let go of it again if that fails."""
    servers: list[HealthServer] = []
    try:
        roles = [build(foundation) for build in builds.values()]
        workers = [role.worker for role in roles]
        if any(role.publishes for role in roles):
            workers.append(Worker("outbox", [], background=[foundation.outbox]))
        process = Process(workers, longest_silence_seconds=_longest_silence(foundation))
        consumers = [consumer for role in roles for consumer in role.consumers]
        host = foundation.installation.settings.health.host
        ports = _ports(foundation.installation, builds)
        for role, port in zip(roles, ports, strict=True):
            engine, broker = foundation.engine, foundation.broker
            checks = checks_for(process, engine, broker, consumers, role.doors)
            # One by one: those before a port that is taken are to be closed.
            servers += [HealthServer(host, port, checks, foundation.registry)]
    except BaseException:
        for closer in (*foundation.closers(), *(server.close for server in servers)):
            closer()
        raise
    for server in servers:
        server.start()
    _spare_the_collector()
    return _Standing(process, [*foundation.closers(), *(server.close for server in servers)])


def _longest_silence(foundation: Foundation) -> float:
    """Return after how many seconds without a tick a loop hangs: twice what a call may take."""
    return max(_SILENCE_SECONDS, 2 * foundation.installation.longest_call_seconds)


def _spare_the_collector() -> None:
    """Keep the collector of reference cycles from a fifth of a worker's CPU time.

    What was made until now lives as long as the process, and what a batch makes is gone after it
    without the collector's help: it need not look again for every few messages. What is left of a
    configuration before this one is let go of first.
    """
    gc.unfreeze()
    gc.collect()
    gc.freeze()
    gc.set_threshold(_BATCHES_OF_OBJECTS)
    gc.enable()  # a main program starts without it


def _ports(installation: Installation, builds: Mapping[str, Build]) -> list[int]:
    """Return the port of each role; those that are 0 are given by the system."""
    health = installation.settings.health
    ports = {
        "importer": health.importer_port,
        "processor": health.processor_port,
        "exporter": health.exporter_port,
        "keeper": health.keeper_port,
    }
    return [ports[name] for name in builds]
