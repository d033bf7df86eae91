"""One connection to RabbitMQ and the I/O thread that owns it, rebuilt whenever it is lost.

For the publisher and each consumption. Its promise: only the I/O thread touches pika, the
thread never dies of what happens on the connection, and every request that it accepted is
answered, if only by the news that the connection was lost.
"""

import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any, TypeVar

import pika
import structlog
from pika.adapters.select_connection import IOLoop

from shared.messaging.broker import BrokerUnavailable
from shared.messaging.rabbitmq.backoff import Backoff
from shared.messaging.rabbitmq.faults import BrokerFault, connection_fault
from shared.messaging.rabbitmq.parameters import place
from shared.messaging.rabbitmq.tolerant import TolerantConnection

log = structlog.get_logger(__name__)

T = TypeVar("T")
STABLE_AFTER_SECONDS = 5.0
CLOSE_TIMEOUT_SECONDS = 5.0


class Link:
    """A supervised connection; `on_open` and `on_lost` are called on its I/O thread."""

    def __init__(
        self,
        parameters: pika.ConnectionParameters,
        *,
        on_open: Callable[[TolerantConnection], None],
        on_lost: Callable[[BrokerFault], None],
    ) -> None:
        self._parameters = parameters
        self._place = place(parameters)
        self._name = parameters.client_properties["connection_name"]
        self._on_open = on_open
        self._on_lost = on_lost
        self._backoff = Backoff()
        self._closing = threading.Event()
        self._lock = threading.Lock()
        self._ioloop: IOLoop | None = None
        self._attempt: TolerantConnection | None = None
        self._connection: TolerantConnection | None = None
        self._requests: set[Future[Any]] = set()
        self._fault: BrokerFault = BrokerUnavailable(f"not yet connected to {self._place}")
        self.is_blocked = False
        self._thread = threading.Thread(target=self._run, name=self._name, daemon=True)

    def start(self) -> None:
        """Begin to connect, in the background."""
        self._thread.start()

    @property
    def is_open(self) -> bool:
        """Whether the connection stands now."""
        return self._connection is not None

    def post(self, work: Callable[[], None]) -> bool:
        """Have the I/O thread do `work`; return False if there is no connection to do it on."""
        with self._lock:
            if self._ioloop is None or self._connection is None:
                return False
            self._ioloop.add_callback_threadsafe(work)
            return True

    def request(self, work: Callable[[TolerantConnection, "Future[T]"], None]) -> "Future[T]":
        """Have the I/O thread start `work`, which answers through the future it is given.

        Raises what stands in the way if there is no connection.
        """
        future: Future[T] = Future()
        with self._lock:
            if self._ioloop is None or self._connection is None:
                raise renewed(self._fault)
            connection = self._connection
            self._requests.add(future)
            self._ioloop.add_callback_threadsafe(lambda: _start(work, connection, future))
        future.add_done_callback(self._requests.discard)
        return future

    def later(self, seconds: float, work: Callable[[TolerantConnection], None]) -> None:
        """Do `work` in a while, if this connection still stands. Only for the I/O thread."""
        connection = self._connection

        def work_if_current() -> None:
            if connection is self._connection and connection is not None and connection.is_open:
                work(connection)

        if self._ioloop is not None:
            self._ioloop.call_later(seconds, work_if_current)

    def close(self) -> None:
        """Close the connection and end the thread. May be called twice."""
        self._closing.set()
        with self._lock:
            if self._ioloop is not None:
                self._ioloop.add_callback_threadsafe(self._hang_up)
        if self._thread.ident is not None:
            self._thread.join()

    def _run(self) -> None:
        while not self._closing.is_set():
            started = time.monotonic()
            try:
                self._session()
            except Exception as error:
                # A bug in a callback costs the connection, never the thread.
                log.exception("broker.io_failed", connection=self._name)
                self._lost(connection_fault(error, self._place))
            if time.monotonic() - started > STABLE_AFTER_SECONDS:
                self._backoff.reset()
            self._closing.wait(self._backoff.wait_seconds())

    def _session(self) -> None:
        """Connect, and serve the connection until it ends, whatever ends it."""
        ioloop = IOLoop()
        connection = TolerantConnection(
            self._parameters,
            on_open_callback=self._opened,
            on_open_error_callback=self._ended,
            on_close_callback=self._ended,
            custom_ioloop=ioloop,
        )
        with self._lock:
            self._ioloop, self._attempt = ioloop, connection
        try:
            if not self._closing.is_set():
                ioloop.start()
        finally:
            with self._lock:
                self._ioloop = self._attempt = self._connection = None
            if not connection.is_closed:
                self._cut(connection)
                ioloop.start()
            ioloop.close()

    def _opened(self, connection: TolerantConnection) -> None:
        connection.add_on_connection_blocked_callback(lambda *_: self._set_blocked(blocked=True))
        connection.add_on_connection_unblocked_callback(lambda *_: self._set_blocked(blocked=False))
        with self._lock:
            self._connection = connection
        log.info("broker.connected", connection=self._name, broker=self._place)
        self._on_open(connection)

    def _set_blocked(self, *, blocked: bool) -> None:
        self.is_blocked = blocked
        log.warning("broker.blocked" if blocked else "broker.unblocked", connection=self._name)

    def _ended(self, connection: TolerantConnection, error: BaseException) -> None:
        """Leave the I/O loop: the connection was not to be had, or is no more."""
        self._lost(connection_fault(error, self._place))
        connection.ioloop.stop()

    def _lost(self, fault: BrokerFault) -> None:
        with self._lock:
            self._connection = None
            self._fault = fault
            requests = list(self._requests)
        self.is_blocked = False
        if not self._closing.is_set():
            log.warning(
                "broker.connection_lost",
                connection=self._name,
                reason=fault.reason,
                error=str(fault),
            )
        self._on_lost(fault)
        for request in requests:
            if not request.done():
                request.set_exception(renewed(fault))

    def _hang_up(self) -> None:
        """Close politely, and cut the line if the broker does not answer; a blocked one cannot."""
        connection = self._attempt
        if connection is None or self._ioloop is None:
            return
        if self.is_blocked:
            self._cut(connection)
        elif not (connection.is_closing or connection.is_closed):
            self._ioloop.call_later(CLOSE_TIMEOUT_SECONDS, lambda: self._cut(connection))
            connection.close()

    @staticmethod
    def _cut(connection: TolerantConnection) -> None:
        """End the connection without asking; pika has no public way to."""
        if not connection.is_closed:
            connection._terminate_stream(BrokerUnavailable("cut"))  # noqa: SLF001


def renewed(fault: BrokerFault) -> BrokerFault:
    """Return the fault as a fresh exception, to be raised by any thread."""
    return type(fault)(str(fault))


def _start(
    work: Callable[[TolerantConnection, "Future[T]"], None],
    connection: TolerantConnection,
    future: "Future[T]",
) -> None:
    try:
        work(connection, future)
    except Exception as error:  # noqa: BLE001 - the one who asked is told
        if not future.done():
            future.set_exception(error)
