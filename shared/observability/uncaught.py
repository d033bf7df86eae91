"""What Python says by itself when nobody caught an error, told as every other event is.

For every process that logs. By default a thread that dies, a finaliser that fails and a warning are
printed with their texts, which may quote a customer (pydantic's warnings do) and are several lines.
Its promise: they are one event each, by class and place.
"""

import sys
import threading
import warnings
from pathlib import Path
from types import TracebackType
from typing import TextIO

import structlog

from shared.observability.evidence import class_name

_log = structlog.get_logger()


def tell_uncaught() -> None:
    """Take over from Python's own ways to print, for the rest of the process."""
    sys.excepthook = _main_thread
    threading.excepthook = _thread
    sys.unraisablehook = _unraisable
    warnings.showwarning = _warning


def _main_thread(
    kind: type[BaseException], error: BaseException, trace: TracebackType | None
) -> None:
    _log.critical("error.uncaught", exc_info=error)


def _thread(args: threading.ExceptHookArgs) -> None:
    thread = args.thread.name if args.thread else None
    _log.critical("error.uncaught", thread=thread, exc_info=args.exc_value)


def _unraisable(args: "sys.UnraisableHookArgs") -> None:
    _log.error("error.ignored", exc_info=args.exc_value)


def _warning(  # noqa: PLR0917 - Python's own signature
    message: Warning | str,
    category: type[Warning],
    filename: str,
    lineno: int,
    file: TextIO | None = None,
    line: str | None = None,
) -> None:
    kind = class_name(message) if isinstance(message, Warning) else category.__qualname__
    _log.warning("python.warning", category=kind, place=f"{Path(filename).name}:{lineno}")
