"""What Patron depends on: the bill of materials, and the audit, against a service of our own."""

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any, Final

import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

from tests.docs.pages import ROOT
from tests.services.ports import free_ports

REQUIREMENTS: Final = ROOT / "requirements"
LOCKED: Final = """\
alembic==1.20.1 \\
    --hash=sha256:83490def1f723413db5096591f7609ac52544805be93849170088ed04f5a2e0b
pika==1.4.4 \\
    --hash=sha256:9970712cfb81ea26c8658d378aaa5b8f6ff9146e5bb111d70497c164016cf598
"""
HARMLESS: Final[dict[str, Any]] = {}
HOLE: Final = {
    "vulns": [
        {
            "schema_version": "1.7.0",
            "id": "PYSEC-2026-1",
            "summary": "It lets everybody in.",
            "affected": [
                {
                    "package": {"name": "pika", "ecosystem": "PyPI"},
                    "ranges": [
                        {"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": "1.4.5"}]}
                    ],
                }
            ],
        }
    ]
}


# --- the bill of materials ------------------------------------------------------------------------


@pytest.fixture(scope="module")
def bill(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Give the bill that `make sbom` writes."""
    return _bill(tmp_path_factory.mktemp("first"))


def test_the_bill_is_cyclonedx(bill: str) -> None:
    """Whoever reads CycloneDX reads it: it fits the schema of its version, strictly."""
    version = SchemaVersion.from_version(json.loads(bill)["specVersion"])

    assert JsonStrictValidator(version).validate_str(bill) is None


def test_the_bill_holds_every_locked_package(bill: str) -> None:
    """Each with its version, its purl and the hashes that the lock names; and what it is about."""
    read = json.loads(bill)
    listed = {each["name"]: each for each in read["components"]}
    locked = _locked(REQUIREMENTS / "runtime.txt")

    assert listed.keys() == locked.keys()
    for name, (version, hashes) in locked.items():
        assert listed[name]["version"] == version
        assert listed[name]["purl"] == f"pkg:pypi/{name}@{version}"
        assert {
            each["content"]
            for reference in listed[name]["externalReferences"]
            for each in reference["hashes"]
        } == hashes
    assert read["metadata"]["component"]["name"] == "patron"


def test_the_bill_is_the_same_every_time(bill: str, tmp_path: Path) -> None:
    """No moment and no random number in it: two of the same lock are the same, to the byte."""
    assert _bill(tmp_path) == bill


def test_tracing_changes_no_version() -> None:
    """The image with traces holds what the other one holds, and more."""
    plain, traced = (_locked(REQUIREMENTS / f"{name}.txt") for name in ("runtime", "tracing"))

    assert plain.items() < traced.items()
    assert {"opentelemetry-sdk", "opentelemetry-exporter-otlp-proto-http"} <= traced.keys()


def _bill(folder: Path) -> str:
    """Make the bill by the Makefile's own recipe."""
    subprocess.run(
        ["make", "--old-file=setup", "sbom", f"BILL={folder / 'sbom.cdx.json'}",
         f"BIN={Path(sys.executable).parent}"],
        cwd=ROOT, check=True, capture_output=True,
    )  # fmt: skip
    return (folder / "sbom.cdx.json").read_text("utf-8")


def _locked(path: Path) -> dict[str, tuple[str, set[str]]]:
    """Return version and hashes of each package of a lock file."""
    entries = re.split(r"^(?=[a-z0-9])", path.read_text("utf-8"), flags=re.MULTILINE)[1:]
    return {
        entry.partition("==")[0]: (
            re.split(r"[ \n]", entry.partition("==")[2])[0],
            set(re.findall(r"sha256:([0-9a-f]{64})", entry)),
        )
        for entry in entries
    }


# --- the audit ------------------------------------------------------------------------------------


def test_nothing_known_passes(tmp_path: Path) -> None:
    """The service knows of no vulnerability: the audit says how many packages it asked about."""
    with advisories({}) as url:
        done = audit(tmp_path, url)

    assert (done.returncode, done.stdout) == (0, "2 packages, no known vulnerability\n")


def test_a_known_vulnerability_fails(tmp_path: Path) -> None:
    """It names package, advisory and the version that mends it."""
    with advisories({"pika": HOLE}) as url:
        done = audit(tmp_path, url)

    assert (done.returncode, done.stdout) == (1, "pika 1.4.4: PYSEC-2026-1, fixed in 1.4.5\n")


def test_a_service_that_nobody_reaches_is_said(tmp_path: Path) -> None:
    """Without a network nothing can be checked: one line says so, and lint goes on."""
    url = f"http://127.0.0.1:{free_ports(1)[0]}/v1/query"

    done = audit(tmp_path, url)

    assert done.returncode == 0
    assert re.fullmatch(rf"not checked: {re.escape(url)} cannot be reached: .+\n", done.stdout)


def test_a_service_that_is_out_of_order_is_said(tmp_path: Path) -> None:
    """A proxy that lets nobody through, or a service that is away, counts as not reached."""
    with advisories({}, status=503) as url:
        done = audit(tmp_path, url)

    assert (done.returncode, done.stdout) == (0, f"not checked: {url} answers 503\n")


def test_whoever_insists_is_told_by_the_exit_code(tmp_path: Path) -> None:
    """With --required, for a release, a service that cannot be reached fails."""
    url = f"http://127.0.0.1:{free_ports(1)[0]}/v1/query"

    assert audit(tmp_path, url, "--required").returncode == 1


def test_an_audit_that_breaks_off_fails(tmp_path: Path) -> None:
    """The service was there and then gave no answer about a package: that is no clean bill."""
    with advisories({}, status_of={"pika": 500}) as url:
        done = audit(tmp_path, url)

    assert done.returncode == 1
    assert done.stdout.startswith("the audit broke off:\n")


def test_a_lock_that_cannot_be_read_fails(tmp_path: Path) -> None:
    """What has no hash is not locked, and was not audited."""
    with advisories({}) as url:
        done = audit(tmp_path, url, locked="pika==1.4.4\n")

    assert done.returncode == 1


@contextmanager
def advisories(
    known: dict[str, Any], *, status: int = 200, status_of: dict[str, int] | None = None
) -> Iterator[str]:
    """Serve what is known of each package as OSV does; yield the address to ask."""
    statuses = status_of or {}

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            question = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            name = question["package"]["name"]
            body = json.dumps(known.get(name, HARMLESS)).encode()
            self.send_response(statuses.get(name, status))
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/v1/query"
        server.shutdown()
        thread.join()


def audit(
    folder: Path, url: str, *words: str, locked: str = LOCKED
) -> "subprocess.CompletedProcess[str]":
    """Run the audit as `make audit` does, over a lock of two packages."""
    lock = folder / "locked.txt"
    lock.write_text(locked, encoding="utf-8")
    return subprocess.run(
        [sys.executable, REQUIREMENTS / "audit.py", "--osv-url", url, *words, lock],
        check=False, capture_output=True, text=True,
    )  # fmt: skip
