"""Logging for every process: events with fields, one line each, on standard error.

`configure` sends structlog and the standard library's loggers through one chain. Its promise:
no line holds a raw line break, a secret, or personal data under a known name, and exceptions are
told by class and place, not by their text.
"""

import logging
import sys
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Any, Literal, Protocol, TextIO
from uuid import UUID

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

from shared.observability.evidence import evidence, frames

LogFormat = Literal["json", "console"]

_MASK = "***"
_PERSONAL_OR_SECRET = (
    "address", "authorization", "birth", "body", "city", "company_name", "cookie", "credential",
    "email", "first_name", "full_name", "last_name", "middle_name", "notes", "password", "payload",
    "phone", "postcode", "secret", "street", "tax_id", "token",
)  # fmt: skip
_PERSONAL_EXACTLY = frozenset({"name", "lines", "headers", "api_key", "apikey", "dsn", "url"})
_HARMLESS = frozenset({"email_key_present", "body_size", "body_sha256", "listen_address"})
_IDENTIFIERS = frozenset({"external_id", "external_ids", "subject"})
_MOST_NAMED = 25  # messages that one event names; those of a larger batch are told one by one
_DEEPEST = 6  # nesting deeper than this is cut off: log fields are facts, not documents


def configure(
    log_format: LogFormat = "json",
    level: str = "INFO",
    *,
    service: str,
    stream: TextIO | None = None,
) -> None:
    """Set up logging for this process, replacing what was set up before."""
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True, key="timestamp"),
        _Service(service),
        tell_exceptions,
        redact,
        escape_controls,
    ]
    handler = logging.StreamHandler(stream)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[structlog.stdlib.ExtraAdder(), *shared],
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                *_rendering(log_format),
            ],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level.upper())
    for chatty in ("httpx2", "httpcore2", "amqp", "kombu", "alembic"):
        logging.getLogger(chatty).setLevel(max(logging.WARNING, root.level))
    # The collector of traces being away is told once, not with each batch of spans.
    logging.getLogger("opentelemetry").setLevel(logging.CRITICAL)
    # Every failure of its connections is told by us, without the broker's text and its user.
    logging.getLogger("pika").setLevel(logging.CRITICAL)
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *shared,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        wrapper_class=structlog.stdlib.BoundLogger,
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=False,
    )


class Told(Protocol):
    """A message, as far as events name it."""

    @property
    def message_id(self) -> UUID:
        """Its id."""
        ...

    @property
    def correlation_id(self) -> UUID:
        """What it belongs to."""
        ...


def about(messages: Sequence[Told]) -> AbstractContextManager[None]:
    """Have the events of this thread name the messages that it works at, if they are a few."""
    if len(messages) == 1:
        return structlog.contextvars.bound_contextvars(
            message_id=str(messages[0].message_id), correlation_id=str(messages[0].correlation_id)
        )
    if not 0 < len(messages) <= _MOST_NAMED:
        return nullcontext()
    return structlog.contextvars.bound_contextvars(
        message_ids=[str(each.message_id) for each in messages],
        correlation_ids=sorted({str(each.correlation_id) for each in messages}),
    )


def _rendering(log_format: LogFormat) -> list[Processor]:
    if log_format == "json":
        return [structlog.processors.JSONRenderer(default=str, ensure_ascii=False)]
    return [_stack_on_the_line, structlog.dev.ConsoleRenderer(colors=False)]


def _stack_on_the_line(logger: WrappedLogger, method: str, event: EventDict) -> EventDict:
    """Write the call stack as a field: the renderer takes `stack` for lines of its own."""
    if "stack" in event:
        stack = event.pop("stack")
        event["frames"] = " > ".join(stack) if isinstance(stack, list) else stack
    return event


class _Service:
    """Names the process on every line."""

    def __init__(self, name: str) -> None:
        self._name = name

    def __call__(self, logger: WrappedLogger, method: str, event: EventDict) -> EventDict:
        event.setdefault("service", self._name)
        return event


def tell_exceptions(logger: WrappedLogger, method: str, event: EventDict) -> EventDict:
    """Replace `exc_info` by the error's class, its evidence and its call stack."""
    error = event.pop("exc_info", None)
    if isinstance(error, tuple):
        error = error[1]
    elif error is True:
        error = sys.exc_info()[1]
    if isinstance(error, BaseException):
        event["error_class"], event["error"], _frame = evidence(error)
        event["stack"] = frames(error)
    return event


def redact(logger: WrappedLogger, method: str, event: EventDict) -> EventDict:
    """Mask fields whose names say that they hold personal data or secrets, however deep."""
    return {key: _redacted(key, value, 0) for key, value in event.items()}


def _redacted(key: str, value: Any, depth: int) -> Any:
    if value is not None and _is_private(key):
        return _MASK
    if key in _IDENTIFIERS:
        return _without_mailboxes(value)
    if isinstance(value, Mapping):
        if depth >= _DEEPEST:
            return _MASK
        return {str(k): _redacted(str(k), v, depth + 1) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [_redacted("", item, depth + 1) for item in value] if depth < _DEEPEST else _MASK
    return value


def _without_mailboxes(value: Any) -> Any:
    """Mask the ids that are e-mail addresses: some channels know their customers by them."""
    if isinstance(value, list | tuple):
        return [_without_mailboxes(each) for each in value]
    return _MASK if isinstance(value, str) and "@" in value else value


def _is_private(key: str) -> bool:
    name = key.lower().replace("-", "_")
    if name in _HARMLESS:
        return False
    return name in _PERSONAL_EXACTLY or any(word in name for word in _PERSONAL_OR_SECRET)


def escape_controls(logger: WrappedLogger, method: str, event: EventDict) -> EventDict:
    """Escape line breaks and other control characters, so that an event stays one line."""
    return {key: _escaped(value) for key, value in event.items()}


def _escaped(value: Any) -> Any:
    if isinstance(value, str):
        if value.isprintable():
            return value
        return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in value)
    if isinstance(value, dict):
        return {key: _escaped(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_escaped(item) for item in value]
    return value
