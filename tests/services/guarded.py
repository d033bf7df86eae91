"""A server process under a guard, as `RabbitNode` and `PostgresCluster` run theirs."""

import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.services import guard

_STOP_SECONDS = 60


@dataclass(frozen=True)
class Account:
    """The system user a server runs as."""

    user: int
    group: int


class GuardedProcess:
    """One run of a server; it ends at the latest when `owner` does, its directory with it."""

    def __init__(
        self,
        command: Sequence[str],
        *,
        directory: Path,
        owner: int,
        environment: Mapping[str, str] | None = None,
        account: Account | None = None,
        farewell: signal.Signals = signal.SIGKILL,
    ) -> None:
        self.log = directory / "output.log"
        options = ["--owner", str(owner), "--remove", str(directory), "--farewell", farewell.name]
        if account:
            options += ["--user", str(account.user), "--group", str(account.group)]
        with self.log.open("ab") as output:
            self._guard = subprocess.Popen(
                [sys.executable, "-I", "-S", guard.__file__, *options, "--", *command],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                cwd=directory,
                env={**os.environ, **(environment or {})},
                start_new_session=True,  # a Ctrl-C in the terminal is not for the server
            )

    @property
    def is_running(self) -> bool:
        """Say whether the server is still up."""
        return self._guard.poll() is None

    def stop(self, number: signal.Signals = signal.SIGTERM) -> None:
        """Ask the server to end and wait until it has."""
        if self.is_running:
            self._guard.send_signal(number)
        try:
            self._guard.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.kill()

    def kill(self) -> None:
        """End the server at once, as `kill -9` does, and wait until it is gone."""
        if self.is_running:
            self._guard.send_signal(signal.SIGUSR1)
        self._guard.wait(_STOP_SECONDS)

    def last_words(self, lines: int = 25) -> str:
        """Return the end of what the server has written, to explain a failed start."""
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-lines:])
