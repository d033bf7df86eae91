"""What tests of the persistence start from."""

import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import sqlalchemy as sa

from shared.domain.messages import Parcel
from shared.persistence.unit_of_work import UnitsOfWork

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)


class SettableClock:
    """A clock that stands still until it is moved."""

    def __init__(self) -> None:
        self.now = NOON

    def __call__(self) -> datetime:
        """Tell the time."""
        return self.now

    def advance(self, seconds: float) -> None:
        """Let time pass."""
        self.now += timedelta(seconds=seconds)


def a_parcel(**changes: Any) -> Parcel:
    """Return a message that differs from others by its id and subject."""
    id_ = uuid4()
    parcel = Parcel(
        message_id=id_,
        routing_key="customer.imported",
        type="customer.imported",
        schema_version=1,
        correlation_id=id_,
        causation_id=None,
        occurred_at=NOON,
        channel="shop",
        subject=f"shop/{id_}",
        traceparent=None,
        body=b'{"name":"\xc3\x84nne"}\x00\xff',
    )
    return replace(parcel, **changes)


class Crash(Exception):
    """What goes wrong in the middle of a unit of work."""


def somebody_waits(units: UnitsOfWork) -> bool:
    """Whether a session of this PostgreSQL database waits for another one's lock."""
    waiting = sa.text(
        "SELECT count(*) FROM pg_locks JOIN pg_stat_activity USING (pid)"
        " WHERE NOT granted AND datname = current_database()"
    )
    with units.read() as work:
        return bool(work.connection.execute(waiting).scalar())


class InThread:
    """A deed that runs in a thread of its own; `result` waits for it and raises what it raised."""

    def __init__(self, deed: Callable[[], Any]) -> None:
        self._deed = deed
        self._result: Any = None
        self._error: BaseException | None = None
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def result(self) -> Any:
        """Wait for the end."""
        self._thread.join(timeout=30)
        assert not self._thread.is_alive(), "the thread hangs"
        if self._error:
            raise self._error
        return self._result

    @property
    def is_running(self) -> bool:
        """Whether the deed is not done yet."""
        return self._thread.is_alive()

    def _run(self) -> None:
        try:
            self._result = self._deed()
        except BaseException as error:  # noqa: BLE001 - raised again by `result`
            self._error = error
