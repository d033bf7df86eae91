"""What a worker process is asked about its health, put together for the health server."""

from collections.abc import Sequence
from typing import Protocol

import sqlalchemy as sa

from shared.messaging.broker import Broker
from shared.observability.health import Check, Checks, cached
from shared.persistence import migrate
from shared.persistence.engine import reading
from shared.runtime.lifecycle import Process

PING_EVERY_SECONDS = 2.0


class Probed(Protocol):
    """What a process is not ready without, such as a consumer."""

    def readiness(self) -> str | None:
        """Say why it does no work now. A health check."""
        ...


def checks_for(
    process: Process,
    engine: sa.Engine,
    broker: Broker | None = None,
    consumers: Sequence[Probed] = (),
    doors: Sequence[Probed] = (),
) -> Checks:
    """Return the checks of a process; without a broker or consumers where it has none.

    With `doors`, to which others send, readiness says whether they may: what comes in is stored
    and waits for the broker, so that want of it is told and turns nobody away.
    """
    always = [process.readiness, cached(database_check(engine), PING_EVERY_SECONDS)]
    roads = [broker_check(broker)] if broker else []
    roads.extend(consumer.readiness for consumer in consumers)
    schema = cached(schema_check(engine), PING_EVERY_SECONDS)
    return Checks(
        startup=[process.startup, schema],
        liveness=[process.liveness],
        readiness=[*always, *(door.readiness for door in doors)] if doors else [*always, *roads],
        remarks=roads if doors else (),
    )


def database_check(engine: sa.Engine) -> Check:
    """Return a check that the database answers."""

    def check() -> str | None:
        with reading(engine).connect() as connection:
            connection.exec_driver_sql("SELECT 1")
        return None

    return check


def schema_check(engine: sa.Engine) -> Check:
    """Return a check that the database has the schema this version expects."""

    def check() -> str | None:
        found, expected = migrate.current(reading(engine)), migrate.expected()
        return None if found == expected else f"database schema {found}, expected {expected}"

    return check


def broker_check(broker: Broker) -> Check:
    """Return a check that publishing is possible."""
    return lambda: None if broker.is_connected else "broker not connected"
