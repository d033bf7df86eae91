"""The processes of one worker: started, frozen, thawed, ended and killed together.

Its promise: nothing that was started here outlives its `with` block, whoever started it.
"""

import os
import signal
import subprocess
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from benchmarks.installation import NotDone
from benchmarks.peers.catalogue import ROOT
from benchmarks.processes import cpu_seconds_of

_PATIENCE_SECONDS: Final = 120.0


class Crew:
    """The processes of one worker, in a group of their own with all that they start."""

    def __init__(self, command: Sequence[str], environment: dict[str, str], log: Path) -> None:
        self._log = log
        with log.open("ab") as stream:
            self._process = subprocess.Popen(
                command,
                cwd=ROOT,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=stream,
                stderr=stream,
                start_new_session=True,
            )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.kill()

    @property
    def is_running(self) -> bool:
        """Whether the first of the processes is there."""
        return self._process.poll() is None

    @property
    def last_words(self) -> str:
        """The end of what was said."""
        return self._log.read_text("utf-8", errors="replace")[-3000:]

    def cpu_seconds(self) -> float:
        """Return the CPU time of the group."""
        members = []
        for stat in Path("/proc").glob("[0-9]*/stat"):
            try:
                group = int(stat.read_text().rpartition(")")[2].split()[2])
            except OSError:
                continue
            if group == self._process.pid:
                members.append(int(stat.parent.name))
        return cpu_seconds_of(members)

    def freeze(self) -> None:
        """Stop all of them where they are."""
        self._signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """Let them go on."""
        self._signal(signal.SIGCONT)

    def end(self) -> None:
        """Ask for an orderly end, and wait for it."""
        self._process.terminate()
        try:
            self._process.wait(_PATIENCE_SECONDS)
        except subprocess.TimeoutExpired:
            raise NotDone(f"a worker does not end:\n{self.last_words}") from None

    def kill(self) -> None:
        """End all of them at once, as `kill -9` does."""
        self._signal(signal.SIGKILL)
        self._process.wait()

    def _signal(self, number: signal.Signals) -> None:
        try:
            os.killpg(self._process.pid, number)
        except ProcessLookupError:
            return
