"""Worker processes to be measured, and the CPU time that processes have used.

For the stages. Its promise: a process that was started here ends with its `with` block, and CPU
time counts a process together with every child that it has waited for.
"""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Final, Self

_TICKS_PER_SECOND: Final = os.sysconf("SC_CLK_TCK")
_START_SECONDS: Final = 60.0
_STOP_SECONDS: Final = 60.0


class NotStarted(Exception):
    """A process did not come up; the text holds what it said."""


class Process:
    """One Python module run as a process of its own, its output in `log`."""

    def __init__(
        self, module: str, *arguments: str, environment: Mapping[str, str], log: Path
    ) -> None:
        self._log = log
        with log.open("wb") as stream:
            self._process = subprocess.Popen(
                [sys.executable, "-m", module, *arguments],
                env=environment,
                stdout=stream,
                stderr=stream,
            )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.end()

    @property
    def pid(self) -> int:
        """The process's id."""
        return self._process.pid

    @property
    def is_running(self) -> bool:
        """Whether the process is still there."""
        return self._process.poll() is None

    @property
    def words(self) -> str:
        """What the process has said so far."""
        return self._log.read_text("utf-8", errors="replace")

    def wait_for(self, text: str) -> str:
        """Return what the process said once it has said `text`."""
        deadline = time.monotonic() + _START_SECONDS
        while text not in (words := self.words):
            if self._process.poll() is not None or time.monotonic() > deadline:
                raise NotStarted(f"no {text!r} from process {self.pid}:\n{words[-2000:]}")
            time.sleep(0.02)
        return words

    def freeze(self) -> None:
        """Stop the process where it is; its connections stay."""
        self._process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """Let a frozen process go on."""
        self._process.send_signal(signal.SIGCONT)

    def end(self) -> int:
        """Ask the process to drain and return its exit code; insist when it does not."""
        self.thaw()
        self._process.terminate()
        try:
            return self._process.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            return self._process.wait()


def cpu_seconds_of(pids: Sequence[int]) -> float:
    """Return the CPU time that processes and their waited-for children have used so far."""
    return sum(_ticks(Path("/proc", str(pid), "stat")) for pid in pids) / _TICKS_PER_SECOND


def cpu_seconds_under(directory: Path) -> float:
    """Return the CPU time of every process that works below `directory`, as a private server's."""
    pids = []
    for place in Path("/proc").glob("[0-9]*"):
        try:
            works_in = (place / "cwd").readlink()
        except OSError:
            continue
        if works_in.is_relative_to(directory):
            pids.append(int(place.name))
    return cpu_seconds_of(pids)


def _ticks(stat: Path) -> int:
    try:
        fields = stat.read_text().rpartition(")")[2].split()
    except OSError:
        return 0  # ended meanwhile: its parent has the time now
    return sum(int(field) for field in fields[11:15])
