"""One RabbitMQ and one PostgreSQL for a whole test run, however many processes it has.

The first test process in need of a service starts its keeper (`python -m tests.services`)
under a lock; the others read its report. Keepers belong to the run's main process: they
are ended by it, or end by themselves when it dies.
"""

import fcntl
import json
import os
import secrets
import select
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.services.addresses import Addresses, given
from tests.services.errors import ServiceUnavailable

_RUN = "PATRON_TEST_RUN"
"""Variable by which the run's main process tells its workers which directory they share."""
_OWNER = "PATRON_TEST_RUN_OWNER"
"""Variable with the main process's id."""

_ROOT = Path(__file__).parents[2]
_PROVIDE_SECONDS = 280
_END_SECONDS = 60


def begin_run() -> None:
    """Make this process the main one of a test run; workers started later join it."""
    name = f"patron-tests-{os.getpid()}-{secrets.token_hex(4)}"
    os.environ[_RUN] = str(Path(tempfile.gettempdir()) / name)
    os.environ[_OWNER] = str(os.getpid())


def end_run() -> None:
    """End what the run has started; to be called by its main process, when all is over."""
    directory = run_directory()
    for path in directory.glob("*.pid"):
        _end(int(path.read_text()))
    shutil.rmtree(directory, ignore_errors=True)


def run_directory() -> Path:
    """Return the directory that all processes of the run share."""
    directory = Path(os.environ[_RUN])
    directory.mkdir(mode=0o700, exist_ok=True)
    return directory


@contextmanager
def _one_at_a_time(name: str) -> Iterator[None]:
    """Let one process of the run at a time pass."""
    with (run_directory() / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def addresses_of(service: str) -> Addresses:
    """Return where the run's `rabbitmq` or `postgres` is, started now if it is not."""
    if addresses := given(service):
        return addresses
    report = run_directory() / f"{service}.json"
    with _one_at_a_time(service):
        if not report.exists():
            _start_keeper(service, report)
    content = json.loads(report.read_text())
    if "error" in content:
        raise ServiceUnavailable(content["error"])
    return dict(content["addresses"])


def _start_keeper(service: str, report: Path) -> None:
    """Start the keeper of a service and wait for its report."""
    log = report.with_suffix(".log")
    keeper = _spawn(["--owner", os.environ[_OWNER], "--report", str(report), service], log)
    report.with_suffix(".pid").write_text(str(keeper))
    deadline = time.monotonic() + _PROVIDE_SECONDS
    while not report.exists():
        if _has_ended(keeper) or time.monotonic() > deadline:
            raise ServiceUnavailable(f"{service} was not provided:\n{log.read_text()}")
        time.sleep(0.05)


def _spawn(arguments: list[str], log: Path) -> int:
    """Start the program beside this process, in a session of its own; return its id."""
    return os.posix_spawn(
        sys.executable,
        [sys.executable, "-m", "tests.services", *arguments],
        {**os.environ, "PYTHONPATH": str(_ROOT)},
        file_actions=[
            (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
            (os.POSIX_SPAWN_OPEN, 1, str(log), os.O_WRONLY | os.O_CREAT, 0o600),
            (os.POSIX_SPAWN_DUP2, 1, 2),
        ],
        setsid=True,
    )


def _has_ended(child: int) -> bool:
    return os.waitpid(child, os.WNOHANG) != (0, 0)


def _end(keeper: int) -> None:
    """Ask a keeper to end, whichever process of the run started it, and wait until it has."""
    try:
        handle = os.pidfd_open(keeper)
    except ProcessLookupError:
        return
    try:
        os.kill(keeper, signal.SIGTERM)
        select.select([handle], [], [], _END_SECONDS)
    finally:
        os.close(handle)
    try:
        os.waitpid(keeper, os.WNOHANG)
    except ChildProcessError:
        return  # a worker's child: not ours to reap
