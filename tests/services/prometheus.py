"""A Prometheus of one's own, from Debian's package, on loopback and in one directory.

It scrapes every second what it is told to, judges by rules, and ends with the test.
"""

import os
import shutil
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Self

import httpx2
import yaml

from tests.services import debian
from tests.services.errors import ServiceUnavailable
from tests.services.guarded import GuardedProcess
from tests.services.ports import free_ports

_START_SECONDS = 60
SCRAPE_SECONDS = 1
"""How often everything is scraped and judged."""


class Prometheus:
    """A server that scrapes `jobs` and judges by `rules`, both as in its own files."""

    def __init__(
        self, jobs: Sequence[Mapping[str, Any]], rules: Mapping[str, Any] | None = None
    ) -> None:
        programs = debian.prometheus_programs()
        self.directory = Path(tempfile.mkdtemp(prefix="patron-prometheus-"))
        (port,) = free_ports(1)
        self.url = f"http://127.0.0.1:{port}"
        self._client = httpx2.Client(base_url=self.url, timeout=10)
        self._write(jobs, rules or {"groups": []})
        self._command = [
            str(programs / "prometheus"),
            f"--config.file={self.directory / 'prometheus.yml'}",
            f"--storage.tsdb.path={self.directory / 'data'}",
            f"--web.listen-address=127.0.0.1:{port}",
            "--query.lookback-delta=15s",
            "--log.level=warn",
        ]
        self._process: GuardedProcess | None = None

    def __enter__(self) -> Self:
        """Start it and return when it answers."""
        self._process = GuardedProcess(
            self._command,
            directory=self.directory,
            owner=os.getpid(),
            environment={"GOMAXPROCS": "1"},
        )
        deadline = time.monotonic() + _START_SECONDS
        while not self._answers():
            if not self._process.is_running or time.monotonic() > deadline:
                raise ServiceUnavailable(f"no Prometheus:\n{self._process.last_words()}")
            time.sleep(0.1)
        return self

    def __exit__(self, *_: object) -> None:
        """End it and remove what it kept."""
        if self._process:
            self._process.kill()
        self._client.close()
        shutil.rmtree(self.directory, ignore_errors=True)

    def query(self, expression: str) -> list[dict[str, Any]]:
        """Return the samples that an expression has now; fails for one that cannot be read."""
        return list(self._ask("query", query=expression)["result"])

    def query_range(
        self, expression: str, start: float, end: float, step: float
    ) -> list[dict[str, Any]]:
        """Return what an expression has had, as series of values."""
        found = self._ask("query_range", query=expression, start=start, end=end, step=step)
        return list(found["result"])

    def firing(self) -> dict[str, list[dict[str, str]]]:
        """Return the alerts that fire now: the labels of each, by name."""
        found: dict[str, list[dict[str, str]]] = {}
        for alert in self._alerts():
            if alert["state"] == "firing":
                found.setdefault(alert["labels"]["alertname"], []).append(alert["labels"])
        return found

    def is_calm(self) -> bool:
        """Whether no alert fires, nor will if what is now goes on."""
        return not self._alerts()

    def _alerts(self) -> list[dict[str, Any]]:
        return list(self._ask("alerts")["alerts"])

    def _ask(self, what: str, **words: Any) -> dict[str, Any]:
        said = self._client.get(f"/api/v1/{what}", params=words).json()
        assert said["status"] == "success", said
        data: dict[str, Any] = said["data"]
        return data

    def _write(self, jobs: Sequence[Mapping[str, Any]], rules: Mapping[str, Any]) -> None:
        every = f"{SCRAPE_SECONDS}s"
        configuration = {
            "global": {
                "scrape_interval": every,
                "scrape_timeout": every,
                "evaluation_interval": every,
            },
            "rule_files": ["rules.yml"],
            "scrape_configs": [dict(job) for job in jobs],
        }
        (self.directory / "prometheus.yml").write_text(yaml.safe_dump(configuration), "utf-8")
        (self.directory / "rules.yml").write_text(yaml.safe_dump(dict(rules)), "utf-8")

    def _answers(self) -> bool:
        try:
            return self._client.get("/-/ready").status_code == httpx2.codes.OK
        except httpx2.TransportError:
            return False
