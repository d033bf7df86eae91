"""`patron` as a process of its own, as an operator runs it."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

GRACE_SECONDS = 30.0


@dataclass(frozen=True)
class Ended:
    """A process that has ended: its exit code and all it said."""

    code: int
    out: str
    err: str


class Running:
    """A running `patron`; its standard error is read line by line."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process
        self._said: list[str] = []

    def wait_for(self, event: str) -> str:
        """Read standard error until a line holds `event`; return that line."""
        [line] = self.wait_for_all(event)
        return line

    def wait_for_all(self, *events: str) -> list[str]:
        """Read on until each of `events` was said, whichever comes first; return their lines."""
        assert self._process.stderr
        found: dict[str, str] = {}
        for line in self._process.stderr:
            self._said.append(line)
            for event in events:
                if event in line:
                    found.setdefault(event, line)
            if len(found) == len(events):
                return [found[event] for event in events]
        missing = set(events) - found.keys()
        raise AssertionError(f"ended without {missing}: {''.join(self._said)}")

    def send(self, number: signal.Signals) -> None:
        """Send a signal."""
        self._process.send_signal(number)

    def end(self, number: signal.Signals = signal.SIGTERM) -> Ended:
        """Send a signal and wait for the end."""
        self._process.send_signal(number)
        out, err = self._process.communicate(timeout=GRACE_SECONDS)
        return Ended(self._process.returncode, out, "".join(self._said) + err)


def command(*words: object) -> list[str]:
    """Return the command line of `patron words`."""
    return [sys.executable, "-m", "services.console.cli", *map(str, words)]


def run(*words: object, place: Path, seconds: float = 60) -> Ended:
    """Run `patron words` to its end."""
    done = subprocess.run(
        command(*words), cwd=place, env=environment(), capture_output=True, text=True,
        timeout=seconds, check=False,
    )  # fmt: skip
    return Ended(done.returncode, done.stdout, done.stderr)


@contextmanager
def running(*words: object, place: Path) -> Iterator[Running]:
    """Run `patron words` for as long as the block lasts, and no longer."""
    process = subprocess.Popen(
        command(*words), cwd=place, env=environment(), stdout=subprocess.PIPE,
        stderr=subprocess.PIPE, text=True,
        preexec_fn=_hear_interrupts,  # noqa: PLW1509 - tests fork from their only thread
    )  # fmt: skip
    try:
        yield Running(process)
    finally:
        if process.poll() is None:
            process.kill()
        process.communicate()


def _hear_interrupts() -> None:
    """Let Ctrl-C be heard as on a terminal, even if the tests themselves run in the background."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def environment() -> Mapping[str, str]:
    """Return an environment that configures nothing, with all warnings as errors' notice."""
    ours = ("PATRON_", "DATABASE_URL", "AMQP_URL")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
    return kept | {"COLUMNS": "200"}
