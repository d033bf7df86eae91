"""Servers from Debian's packages: found where they are, installed when missing.

Installing happens only for root on a machine with apt. It starts no system-wide service:
the suite runs private instances and leaves port 5672 and port 5432 to their owner.
"""

import fcntl
import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.services.errors import ServiceUnavailable

_POLICY = Path("/usr/sbin/policy-rc.d")
_APT_LOCK = Path(tempfile.gettempdir()) / "patron-apt.lock"


def rabbitmq_programs() -> Path:
    """Return the directory of `rabbitmq-server` and `rabbitmqctl`; install them if need be."""
    return _find_rabbitmq() or _install("rabbitmq-server", "RabbitMQ", _find_rabbitmq)


def postgres_programs() -> Path:
    """Return the directory of `initdb` and `postgres`; install them if need be."""
    return _find_postgres() or _install("postgresql", "PostgreSQL", _find_postgres)


def prometheus_programs() -> Path:
    """Return the directory of `prometheus` and `promtool`; install them if need be."""
    return _find_prometheus() or _install("prometheus", "Prometheus", _find_prometheus)


def _find_prometheus() -> Path | None:
    return _directory_on_path("promtool") if shutil.which("prometheus") else None


def _find_rabbitmq() -> Path | None:
    # Debian's programs on the PATH are wrappers for one system-wide node: go past them.
    for directory in (Path("/usr/lib/rabbitmq/bin"), _directory_on_path("rabbitmq-server")):
        if directory and (directory / "rabbitmq-server").exists() and shutil.which("epmd"):
            return directory
    return None


def _find_postgres() -> Path | None:
    versions = list(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    if versions:
        newest = max(versions, key=lambda path: float(path.parts[4]))
        return newest.parent
    return _directory_on_path("initdb")


def _directory_on_path(program: str) -> Path | None:
    found = shutil.which(program)
    return Path(found).resolve().parent if found else None


def _install(package: str, title: str, find: Callable[[], Path | None]) -> Path:
    if not shutil.which("apt-get") or os.geteuid() != 0:
        raise ServiceUnavailable(_advice(package, title))
    with _apt_lock(), _no_service_started():
        if not find():
            _apt("update")
            _apt("install", "--yes", "--no-install-recommends", package)
    if programs := find():
        return programs
    raise ServiceUnavailable(f"{package} was installed, but its programs are not where expected")


def _advice(package: str, title: str) -> str:
    return (
        f"{title} is not installed. Install it (Debian: apt-get update && apt-get install "
        f"{package}), or run the tests as root on Debian, or start a Docker engine, or name a "
        "server of your own; CONTRIBUTING.md, 'Services for tests', tells how."
    )


def _apt(*arguments: str) -> None:
    done = subprocess.run(
        ["apt-get", "-o", "DPkg::Lock::Timeout=300", *arguments],
        env={**os.environ, "DEBIAN_FRONTEND": "noninteractive"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        command = "apt-get " + " ".join(arguments)
        raise ServiceUnavailable(f"{command} failed:\n{(done.stdout + done.stderr)[-2000:]}")


@contextmanager
def _apt_lock() -> Iterator[None]:
    """Let one process at a time ask apt: two `apt-get update` at once fail."""
    with _APT_LOCK.open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


@contextmanager
def _no_service_started() -> Iterator[None]:
    """Keep package scripts from starting servers, by the switch Debian has for that."""
    if _POLICY.exists():
        yield
        return
    _POLICY.write_text("#!/bin/sh\nexit 101\n")
    _POLICY.chmod(0o755)
    try:
        yield
    finally:
        _POLICY.unlink()
