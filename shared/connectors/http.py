"""The HTTP client of every connector: one bounded request, one answer or one error of ours.

    timeout, reset, refused connection, 408, 425, 5xx   RemoteUnavailable
    429                                                 RemoteThrottled, with the wait asked for
    truncated, oversized, not JSON (HTML with 200)      UnreadableAnswer
    3xx                                                 ConfigurationError: nothing is followed
    401, 403                                            AccessDenied
    2xx and every other 4xx                             an `Answer`, for the connector to judge

A call waits for its turn in the channel's rate budget first; that is no part of its deadline.
Promise: a call ends by its deadline, and no error text holds a query, a body or a credential.
"""

import ssl
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from importlib.metadata import version
from typing import Any

import httpx2
import orjson
import stamina

from shared.connectors.budget import Allowance, RateBudget
from shared.connectors.calls import CallObserver, Limits, RemoteCall, unobserved
from shared.connectors.deadline import DeadlineTransport, PrivateAddress, deadline
from shared.domain.errors import (
    AccessDenied,
    ConfigurationError,
    PatronError,
    RemoteThrottled,
    RemoteUnavailable,
    UnreadableAnswer,
)

JSON_BODY = "application/json; charset=utf-8"
LONGEST_WAIT_SECONDS = 86_400.0
_BUSY = frozenset({HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_EARLY, HTTPStatus.TOO_MANY_REQUESTS})
_DENIED = frozenset({HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN})


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back, read whole."""

    status: int
    headers: httpx2.Headers = field(repr=False)
    body: bytes = field(repr=False)

    @property
    def is_success(self) -> bool:
        """Whether the platform did what was asked."""
        return self.status // 100 == 2  # noqa: PLR2004 (the class of status codes)

    @property
    def date(self) -> datetime | None:
        """The server's clock when it answered, if it said so."""
        return _moment(self.headers.get("Date", ""))

    def json(self) -> Any:
        """Return the body parsed. Raises `UnreadableAnswer` for anything but JSON."""
        try:
            return orjson.loads(self.body)
        except orjson.JSONDecodeError:
            kind = "HTML" if self.body.lstrip()[:1] == b"<" else "no JSON"
            raise UnreadableAnswer(f"status {self.status} with {kind}") from None


class HttpClient:
    """Sends requests to one platform, on kept-alive connections; threads may share it."""

    def __init__(
        self,
        *,
        platform: str,
        channel: str,
        limits: Limits | None = None,
        tls: ssl.SSLContext | None = None,
        observe: CallObserver = unobserved,
        explain: Callable[[Answer], str] = lambda _answer: "",
        transport: httpx2.BaseTransport | None = None,
        budget: RateBudget | None = None,
        allowance: Callable[[Answer], Allowance | None] = lambda _answer: None,
        asked_to_wait: Callable[[Answer], float | None] | None = None,
        meanings: Mapping[int, type[PatronError]] | None = None,
    ) -> None:
        """`explain` puts the platform's error body into words that are free of personal data.

        `allowance` reads what the platform's headers say of the requests that are left, and
        `asked_to_wait` for how many seconds a refusal sends us away (None: by `Retry-After`).
        `meanings` are the statuses that this platform means otherwise than the list above says.
        """
        self._platform = platform
        self._channel = channel
        self._limits = limits or Limits()
        self._observe = observe
        self._explain = explain
        self._budget = budget or RateBudget(channel=channel)
        self._allowance = allowance
        self._asked_to_wait = asked_to_wait or wait_asked_for
        self._meanings = meanings or {}
        self._transport = transport or DeadlineTransport(
            connections=self._limits.connections,
            tls=tls or httpx2.create_ssl_context(),
            may_reach_private=self._limits.may_reach_private,
        )
        self._headers = {
            "Accept": "application/json",
            "Accept-Encoding": "gzip",
            "User-Agent": f"patron/{version('patron')}",
        }

    def close(self) -> None:
        """Close the connections."""
        self._transport.close()

    def request(
        self,
        method: str,
        url: str,
        *,
        headers: Callable[[], Mapping[str, str]],
        json: Any = None,
        is_read: bool | None = None,
    ) -> Answer:
        """Make one call. `headers` is asked anew for each attempt: signatures serve only once.

        Only what `is_read` is tried again within the call (None: what goes by GET is); whether a
        write was carried out is for the caller to find out.
        """
        body = None if json is None else orjson.dumps(json)
        self._budget.wait_turn()
        with deadline(self._limits.total_seconds):
            repeatable = method == "GET" if is_read is None else is_read
            if not repeatable or self._limits.attempts == 1:
                return self._once(method, url, headers(), body)
            for attempt in self._attempts():
                if attempt.num > 1:
                    self._budget.take_turn()  # it waits already; later calls wait for it
                with attempt:
                    return self._once(method, url, headers(), body)
        raise AssertionError("unreachable")

    def _attempts(self) -> Iterable[stamina.Attempt]:
        return stamina.retry_context(
            on=(RemoteUnavailable, UnreadableAnswer),
            attempts=self._limits.attempts,
            timeout=self._limits.total_seconds,
            wait_initial=0.2,
            wait_max=2.0,
            wait_jitter=0.3,
        )

    def _once(
        self, method: str, url: str, headers: Mapping[str, str], body: bytes | None
    ) -> Answer:
        content = {} if body is None else {"Content-Type": JSON_BODY}
        request = httpx2.Request(
            method,
            url,
            headers={**self._headers, **content, **headers},
            content=body,
            extensions={"timeout": self._limits.as_extension},
        )
        started = time.monotonic()
        outcome, allowance, status = "failed", None, None
        try:
            answer = self._exchange(request)
            status = answer.status
            outcome, allowance = f"{status // 100}xx", self._allowance(answer)
        except httpx2.TimeoutException:
            outcome = "timeout"
            raise RemoteUnavailable(f"no answer in time from {request.url.host}") from None
        finally:
            seconds = time.monotonic() - started
            left = allowance.remaining if allowance else None
            where = method, request.url.host, request.url.port, status
            self._observe(RemoteCall(self._platform, self._channel, outcome, seconds, left, *where))
        self._tell_budget(answer, allowance)
        if error := self._error_of(answer, f"{method} {request.url.path}"):
            raise error
        return answer

    def _tell_budget(self, answer: Answer, allowance: Allowance | None) -> None:
        if answer.status == HTTPStatus.TOO_MANY_REQUESTS:
            self._budget.refused(self._asked_to_wait(answer))
        elif answer.status < HTTPStatus.INTERNAL_SERVER_ERROR:
            self._budget.answered(allowance)

    def _exchange(self, request: httpx2.Request) -> Answer:
        try:
            response = self._transport.handle_request(request)
        except httpx2.TimeoutException:
            raise
        except PrivateAddress as error:
            host = request.url.host
            text = f"{host} leads to a private address; if it should, set allow_private_addresses"
            raise ConfigurationError(text) from error
        except httpx2.ConnectError as error:
            # Names the host and why: refused, unknown name, certificate not trusted.
            raise RemoteUnavailable(f"no connection to {request.url.host}: {error}") from None
        except (httpx2.TransportError, httpx2.InvalidURL) as error:
            fact = type(error).__name__
            raise RemoteUnavailable(f"no answer from {request.url.host}: {fact}") from None
        try:
            return Answer(response.status_code, response.headers, self._read(response))
        except (httpx2.RemoteProtocolError, httpx2.DecodingError):
            raise UnreadableAnswer(f"truncated answer from {request.url.host}") from None
        except (httpx2.NetworkError, httpx2.ProtocolError) as error:
            fact = type(error).__name__
            raise RemoteUnavailable(f"answer of {request.url.host} broken off: {fact}") from None
        finally:
            response.close()

    def _read(self, response: httpx2.Response) -> bytes:
        body = bytearray()
        for chunk in response.iter_bytes():
            body += chunk
            if len(body) > self._limits.max_body_bytes:
                raise UnreadableAnswer(f"answer over {self._limits.max_body_bytes} bytes")
        return bytes(body)

    def _error_of(self, answer: Answer, route: str) -> PatronError | None:
        status = answer.status
        if answer.is_success:
            return None
        text = f"{route}: status {status} {self._explain(answer)}".rstrip()
        if status in self._meanings:
            return self._meanings[status](text)
        if status >= HTTPStatus.INTERNAL_SERVER_ERROR or status in _BUSY:
            is_throttled = status == HTTPStatus.TOO_MANY_REQUESTS
            family = RemoteThrottled if is_throttled else RemoteUnavailable
            return family(text, retry_after_seconds=self._asked_to_wait(answer))
        if status in _DENIED:
            return AccessDenied(text)
        if status < HTTPStatus.BAD_REQUEST:
            return ConfigurationError(f"{route}: redirected ({status}); nothing is followed")
        return None


def wait_asked_for(answer: Answer) -> float | None:
    """Read `Retry-After`: seconds, or a date against the server's own clock."""
    text = answer.headers.get("Retry-After", "").strip()
    if text.isascii() and text.isdigit():
        return min(float(text), LONGEST_WAIT_SECONDS)
    if (until := _moment(text)) is None:
        return None
    wait = (until - (answer.date or datetime.now(UTC))).total_seconds()
    return min(max(wait, 0.0), LONGEST_WAIT_SECONDS)


def _moment(text: str) -> datetime | None:
    try:
        moment = parsedate_to_datetime(text)
        return moment.replace(tzinfo=moment.tzinfo or UTC).astimezone(UTC)
    except (ValueError, OverflowError):
        return None
