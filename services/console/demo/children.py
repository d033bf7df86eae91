"""The processes of the demo, and how they end.

Its promise: leaving the block leaves no process behind, whatever happened in it.
"""

import os
import subprocess
import sys
import threading
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Final

from services.console.cli.failures import Refused

GRACE_SECONDS: Final = 30.0
_CONFIGURING: Final = ("DATABASE_URL", "AMQP_URL")


class Child:
    """A running process whose standard error goes to a file."""

    def __init__(self, name: str, process: subprocess.Popen[str], log: Path) -> None:
        self.name = name
        self.log = log
        self._process = process

    @property
    def pid(self) -> int:
        """The process's id."""
        return self._process.pid

    def check(self) -> None:
        """Raise `Refused` with the last words of a process that has ended by itself."""
        code = self._process.poll()
        if code is not None:
            raise Refused(f"{self.name} ended with {code}: {last_words(self.log)}")

    def end(self) -> int:
        """Ask the process to finish what it has in hand; return its exit code."""
        self._process.terminate()
        try:
            return self._process.wait(GRACE_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            return self._process.wait()


@contextmanager
def child(name: str, module: str, *words: str, log: Path, place: Path) -> Iterator[Child]:
    """Run `python -m module words` in the directory `place` for as long as the block lasts."""
    with log.open("a", encoding="utf-8") as file:
        process = _start(module, words, file, place)
    running = Child(name, process, log)
    try:
        yield running
    finally:
        if process.poll() is None:
            running.end()


@contextmanager
def announcing_child(
    name: str, module: str, *words: str, log: Path, place: Path
) -> Iterator[tuple[Child, str]]:
    """Run a process that says one line on standard error when it is ready; give that line too."""
    process = _start(module, words, subprocess.PIPE, place)
    running = Child(name, process, log)
    copying = threading.Thread(target=_copy, args=(process.stderr, log), daemon=True)
    try:
        line = process.stderr.readline().strip() if process.stderr else ""
        copying.start()
        if not line:
            process.wait(GRACE_SECONDS)
            running.check()
        yield running, line
    finally:
        if process.poll() is None:
            running.end()
        if copying.ident:
            copying.join()


def clean_environment(environment: Mapping[str, str]) -> dict[str, str]:
    """Return the environment without what would configure another Patron."""
    return {
        name: value
        for name, value in environment.items()
        if not name.startswith("PATRON_") and name not in _CONFIGURING
    }


def last_words(log: Path, lines: int = 3) -> str:
    """Return the end of a log."""
    with log.open(encoding="utf-8", errors="replace") as file:
        return " | ".join(line.strip() for line in deque(file, lines)) or "it said nothing"


def _start(
    module: str, words: Sequence[str], stderr: IO[str] | int, place: Path
) -> subprocess.Popen[str]:
    # A session of its own: Ctrl-C is for the demo, which then ends its children in order.
    return subprocess.Popen(  # noqa: S603 - our own modules, no shell
        [sys.executable, "-m", module, *words],
        cwd=place,
        env=clean_environment(os.environ),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=stderr,
        text=True,
        start_new_session=True,
    )


def _copy(stream: IO[str], log: Path) -> None:
    with log.open("a", encoding="utf-8") as file:
        for line in stream:
            file.write(line)
            file.flush()
