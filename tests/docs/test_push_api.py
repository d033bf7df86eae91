"""The page for those who push customers: its examples work as they stand there."""

import os
import re
import subprocess
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from typing import Any, Final

import orjson
import pytest

from shared.connectors.push.customer import PushedAddress, PushedCustomer
from shared.connectors.push.signing import SIGNATURE, Signed, sign
from shared.connectors.push.sink import told
from shared.domain.messages import CustomerExport
from shared.persistence.engine import create_engine
from tests.builders import a_source
from tests.docs.pages import DOCS, block, blocks, prose, table_rows
from tests.integration.importer.intake.gate import API_KEY, SIGNING_KEY, Gate, crm_server, serving
from tests.integration.importer.station import Station
from tests.integration.persistence.builders import SettableClock

PAGE: Final = DOCS / "push-api.md"
SHELL: Final = [each.info.split()[1] for each in blocks(PAGE, "sh")]
_OF_THE_INTAKE: Final = "services/importer/intake"


@pytest.fixture
def gate(migrated_sqlite_url: str) -> Iterator[Gate]:
    """Give a gate whose clock shows the time."""
    clock = SettableClock()
    clock.now = datetime.now(UTC)
    engine = create_engine(migrated_sqlite_url)
    with closing(engine.connect()):
        yield Gate(Station(engine, clock))
    engine.dispose()


def run(name: str, url: str) -> str:
    """Run an example in a shell, against the intake at `url`."""
    known = {"PATRON": url, "API_KEY": API_KEY, "SIGNING_KEY": SIGNING_KEY}
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", block(PAGE, f"sh {name}")],
        env={**os.environ, **known}, capture_output=True, text=True, timeout=30, check=True,
    )  # fmt: skip
    return done.stdout


def json_of(output: str) -> dict[str, Any]:
    """Return the JSON at the end of what curl printed."""
    said: dict[str, Any] = orjson.loads(output[output.index("{") :])
    return said


def test_the_examples_work_as_they_stand(gate: Gate) -> None:
    """One after the other, as somebody reads them (D365-4)."""
    with serving(crm_server(gate)) as url:
        pushed = run("push", url)
        gate.process()
        told_status = json_of(run("status", url))
        batch = json_of(run("batch", url))
        signed = json_of(run("signed", url))

    assert pushed.startswith("HTTP/1.1 202 Accepted")
    assert told_status == orjson.loads(blocks(PAGE, "json")[0].text)
    assert [each["outcome"] for each in batch["customers"]] == ["accepted", "refused"]
    assert batch["customers"][1]["errors"][0]["pointer"] == "/customers/1/birth_date"
    assert signed["customers"][0]["outcome"] == "accepted"
    assert set(SHELL) == {"setup", "push", "status", "batch", "signed"}


def test_the_vectors_of_signatures_are_right() -> None:
    """Who writes a signer can try it by them."""
    rows = [row for row in table_rows(prose(PAGE)) if row[0].startswith("`0123")]

    for key, timestamp, request, body, signature in rows:
        method, path = re.findall(r"`([^`]+)`", request)
        at = datetime.fromtimestamp(int(timestamp.strip("`")), UTC)
        signed = Signed(method, path, body.strip("`").encode())
        assert sign(key.strip("`"), at, signed)[SIGNATURE] == signature.strip("`")
    assert len(rows) == 2


def test_every_field_is_described() -> None:
    """What can be pushed stands on the page."""
    fields = {*PushedCustomer.model_fields, *PushedAddress.model_fields}

    assert [name for name in sorted(fields) if f"`{name}`" not in prose(PAGE)] == []


def test_every_problem_is_described() -> None:
    """Each kind that the code knows stands in the table."""
    sources = (DOCS.parent / _OF_THE_INTAKE).glob("*.py")
    code = "\n".join(path.read_text("utf-8") for path in sources)
    kinds = set(re.findall(r"Problem\(\s*\d{3},\s*\"([a-z-]+)\"", code)) - {"failed"}

    assert kinds
    assert [kind for kind in sorted(kinds) if f"`{kind}`" not in prose(PAGE)] == []


def test_the_callback_is_told_as_it_is() -> None:
    """What the sink sends is what the page shows."""
    source = a_source("4711", channel="crm", store_view="crm")
    export = CustomerExport(
        effect="customer_number", channel="crm", external_id="4711", store_view="crm",
        customer_id="00000000-0000-0000-0000-000000000001", customer_number="D10001",
        version=source.version,
    )  # fmt: skip

    assert told(export) == orjson.loads(block(PAGE, "json callback"))
