"""Health and metrics of a process over HTTP, on a port of their own.

`/startupz` set up, `/livez` (or `/healthz`) every loop ticks, `/readyz` work can be done now,
`/metrics` for Prometheus. A 503 names what is missing in words without secrets; liveness never
looks at a dependency, so an outage of one restarts nothing.
"""

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import NamedTuple

import structlog
from prometheus_client import CollectorRegistry
from prometheus_client.exposition import choose_encoder

from shared.observability.evidence import class_name

Check = Callable[[], str | None]
"""Returns what is wrong, in words for an operator, or None."""


@dataclass(frozen=True, slots=True)
class Checks:
    """What is looked at for each of the three questions.

    `remarks` are told along with the readiness, and do not count.
    """

    startup: Sequence[Check] = ()
    liveness: Sequence[Check] = ()
    readiness: Sequence[Check] = ()
    remarks: Sequence[Check] = ()


def cached(check: Check, seconds: float, clock: Callable[[], float] = time.monotonic) -> Check:
    """Ask `check` at most every `seconds`, one caller at a time."""
    lock = threading.Lock()
    asked: list[tuple[float, str | None]] = []

    def ask() -> str | None:
        with lock:
            if not asked or clock() - asked[0][0] >= seconds:
                asked[:] = [(clock(), _ask(check))]
            return asked[0][1]

    return ask


def _ask(check: Check) -> str | None:
    """Ask, and take a check that fails itself as a problem, told by its class alone."""
    try:
        return check()
    except Exception as error:  # noqa: BLE001 - whatever it was, the answer is "not healthy"
        return f"check failed: {class_name(error)}"


class Answer(NamedTuple):
    """An HTTP answer in the making."""

    status: int
    content_type: str
    body: bytes


class HealthServer:
    """Serves health and metrics from a thread until it is closed."""

    def __init__(
        self, host: str, port: int, checks: Checks, registry: CollectorRegistry | None = None
    ) -> None:
        self._answers = _answers(checks, registry)
        self._server = _QuietServer((host, port), _handler(self._answers))
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=(0.1,), name="health", daemon=True
        )

    @property
    def port(self) -> int:
        """The port that is listened on; of use when 0 was asked for."""
        return int(self._server.server_address[1])

    def start(self) -> None:
        """Begin to answer."""
        self._thread.start()
        host = str(self._server.server_address[0])
        structlog.get_logger().info("health.listening", host=host, port=self.port)

    def close(self) -> None:
        """Stop answering and free the port."""
        if self._thread.is_alive():
            self._server.shutdown()
            self._thread.join()
        self._server.server_close()


class _QuietServer(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing of a prober that hung up."""


def _answers(
    checks: Checks, registry: CollectorRegistry | None
) -> Mapping[str, Callable[[str], Answer]]:
    answers: dict[str, Callable[[str], Answer]] = {
        "/startupz": lambda _: _verdict(checks.startup),
        "/livez": lambda _: _verdict(checks.liveness),
        "/healthz": lambda _: _verdict(checks.liveness),
        "/readyz": lambda _: _verdict(checks.readiness, checks.remarks),
    }
    if registry is not None:
        answers["/metrics"] = lambda accept: _exposition(registry, accept)
    return answers


def _verdict(checks: Sequence[Check], remarks: Sequence[Check] = ()) -> Answer:
    problems = [problem for check in checks if (problem := _ask(check))]
    besides = [f"besides: {remark}" for check in remarks if (remark := _ask(check))]
    text = "\n".join([*(problems or ["ok"]), *besides])
    return Answer(503 if problems else 200, "text/plain; charset=utf-8", f"{text}\n".encode())


def _exposition(registry: CollectorRegistry, accept: str) -> Answer:
    encode, content_type = choose_encoder(accept)
    return Answer(200, content_type, encode(registry))


_NOT_FOUND = Answer(404, "text/plain; charset=utf-8", b"not found\n")


def _handler(answers: Mapping[str, Callable[[str], Answer]]) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        timeout = 10  # a prober that opens a connection and says nothing keeps no thread
        server_version = "patron"
        sys_version = ""

        def do_GET(self) -> None:
            answer_for = answers.get(self.path.partition("?")[0])
            accept = self.headers.get("Accept", "")
            self._send(answer_for(accept) if answer_for else _NOT_FOUND)

        def _send(self, answer: Answer) -> None:
            self.send_response(answer.status)
            self.send_header("Content-Type", answer.content_type)
            self.send_header("Content-Length", str(len(answer.body)))
            self.send_header("Cache-Control", "no-store")
            self.end_headers()
            self.wfile.write(answer.body)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base's name
            """Probes are not worth a line."""

    return Handler
