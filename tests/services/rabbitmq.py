"""A RabbitMQ node of one's own, to be used, restarted and killed.

Nothing of it touches a system-wide RabbitMQ: it has its own name, ports, port mapper
(epmd), cookie, configuration, data and log, all on loopback and in one directory.
"""

import os
import secrets
import shutil
import subprocess
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Self

import amqp
import httpx2

from tests.services import debian
from tests.services.errors import ServiceUnavailable
from tests.services.guarded import GuardedProcess
from tests.services.management import RabbitManagement
from tests.services.ports import free_ports

_START_SECONDS = 120
_CTL_SECONDS = 180


class RabbitNode:
    """A private node; it keeps its data across `stop`, `kill` and `start` until `close`.

    `settings` are further lines of `rabbitmq.conf`, say `{"consumer_timeout": "60000"}`. A
    node that `is_measured` has its own exporter for Prometheus on `metrics_port`.
    The node ends with the process `owner`, by default the one that makes it.
    """

    def __init__(
        self,
        *,
        settings: Mapping[str, str] | None = None,
        owner: int | None = None,
        is_measured: bool = False,
    ) -> None:
        self._programs = debian.rabbitmq_programs()
        self._owner = owner or os.getpid()
        self.directory = Path(tempfile.mkdtemp(prefix="patron-rabbit-"))
        self.port, self._management_port, self._dist_port, self._epmd_port, self.metrics_port = (
            free_ports(5)
        )
        self._password = secrets.token_hex(12)
        self.management = RabbitManagement(
            f"amqp://patron:{self._password}@127.0.0.1:{self.port}", self.management_url
        )
        self._configure(settings or {}, is_measured=is_measured)
        self._process: GuardedProcess | None = None

    def __enter__(self) -> Self:
        """Start the node."""
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        """End the node and remove what it kept."""
        self.close()

    @property
    def management_url(self) -> str:
        """The address of the management API, without user and password."""
        return f"http://127.0.0.1:{self._management_port}"

    @property
    def is_running(self) -> bool:
        """Say whether the node's process is up."""
        return self._process is not None and self._process.is_running

    def url(self, *, vhost: str = "/", user: str | None = None, password: str = "") -> str:
        """Return an AMQP URL; the user is the administrator unless named."""
        return self.management.url(vhost=vhost, user=user, password=password)

    def start(self) -> None:
        """Start the node and return when it takes connections; about seven seconds."""
        if self.is_running:
            return
        self._process = GuardedProcess(
            # The port mapper joins the node's process group, so that neither outlives it.
            ["/bin/sh", "-c", f"epmd & exec {self._programs}/rabbitmq-server"],
            directory=self.directory,
            owner=self._owner,
            environment=self._environment,
        )
        self._wait_until_ready(self._process)

    def stop(self) -> None:
        """Shut the node down in good order; it can be started again."""
        if self._process:
            self._process.stop()

    def kill(self) -> None:
        """End the node as `kill -9` does; it can be started again."""
        if self._process:
            self._process.kill()

    def lose_its_disk(self) -> None:
        """End the node and wipe what it kept; started again it knows of nothing."""
        self.kill()
        shutil.rmtree(self.directory / "data")

    def restart(self) -> None:
        """Stop the node in good order and start it again."""
        self.stop()
        self.start()

    def close(self) -> None:
        """End the node for good and remove its directory."""
        self.kill()
        shutil.rmtree(self.directory, ignore_errors=True)

    def ctl(self, *arguments: str) -> str:
        """Run `rabbitmqctl` against this node, which must be up; return what it printed."""
        if not self.is_running:  # the tool would leave a port mapper of its own behind
            raise RuntimeError("the node is not running")
        done = subprocess.run(
            [self._programs / "rabbitmqctl", "--quiet", *arguments],
            env={**os.environ, **self._environment},
            cwd=self.directory,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=_CTL_SECONDS,
            check=False,
        )
        if done.returncode:
            raise RuntimeError(f"rabbitmqctl {arguments[0]} failed: {done.stderr}{done.stdout}")
        return done.stdout

    def register_queues(self) -> None:
        """Put the register of quorum queues on disk, as the broker itself does now and then.

        A quorum queue declared in the second before a `kill` is lost to a 3.10 broker: still
        listed, but never served again. A test about messages, not about that, calls this
        after declaring its queues.
        """
        self.ctl("eval", "[ok = dets:sync(Table) || Table <- dets:all()].")

    @property
    def _environment(self) -> dict[str, str]:
        directory = self.directory
        return {
            "HOME": str(directory),  # holds the cookie
            "ERL_EPMD_PORT": str(self._epmd_port),
            "ERL_EPMD_ADDRESS": "127.0.0.1",
            "RABBITMQ_NODENAME": f"patron-{self.port}@localhost",
            "RABBITMQ_DIST_PORT": str(self._dist_port),
            "RABBITMQ_CONF_ENV_FILE": "/dev/null",
            "RABBITMQ_CONFIG_FILE": str(directory / "rabbitmq.conf"),
            "RABBITMQ_ENABLED_PLUGINS_FILE": str(directory / "enabled_plugins"),
            "RABBITMQ_MNESIA_BASE": str(directory / "data"),
            "RABBITMQ_LOG_BASE": str(directory / "log"),
            "RABBITMQ_LOGS": "-",
            # One scheduler: a test's broker need not compete for every core.
            "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": (
                "+S 1:1 -start_epmd false -kernel inet_dist_use_interface {127,0,0,1}"
            ),
            # The launcher then becomes the node instead of standing before it as a shell.
            "RUNNING_UNDER_SYSTEMD": "true",
        }

    def _configure(self, settings: Mapping[str, str], *, is_measured: bool) -> None:
        exporter = {"prometheus.tcp.ip": "127.0.0.1", "prometheus.tcp.port": self.metrics_port}
        lines = {
            "listeners.tcp.1": f"127.0.0.1:{self.port}",
            "management.tcp.ip": "127.0.0.1",
            "management.tcp.port": str(self._management_port),
            "default_user": "patron",
            "default_pass": self._password,
            "log.console": "true",
            **(exporter if is_measured else {}),
            **settings,
        }
        text = "".join(f"{key} = {value}\n" for key, value in lines.items())
        (self.directory / "rabbitmq.conf").write_text(text)
        plugins = (
            "rabbitmq_management,rabbitmq_prometheus" if is_measured else "rabbitmq_management"
        )
        (self.directory / "enabled_plugins").write_text(f"[{plugins}].\n")

    def _wait_until_ready(self, process: GuardedProcess) -> None:
        deadline = time.monotonic() + _START_SECONDS
        while not self._answers():
            if not process.is_running or time.monotonic() > deadline:
                process.kill()
                raise ServiceUnavailable(f"RabbitMQ did not start:\n{process.last_words()}")
            time.sleep(0.1)

    def _answers(self) -> bool:
        """Say whether both AMQP and the management API serve the administrator."""
        try:
            with amqp.Connection(
                f"127.0.0.1:{self.port}", "patron", self._password, connect_timeout=5
            ):
                self.management.ping()
        except (OSError, amqp.AMQPError, httpx2.HTTPError):
            return False
        return True
