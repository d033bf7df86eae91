"""The intake while processes die and requests meet: nothing is lost, nothing is done twice."""

import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import httpx2
import pytest

from shared.persistence.tables import push_requests, source_records
from tests.integration.importer.intake.gate import (
    ANN,
    Client,
    Gate,
    crm_server,
    push_settings,
    serving,
)


@contextmanager
def doomed(url: str, tmp_path: Path) -> Iterator[str]:
    """Run an intake in a process of its own that dies by its first commit; give its URL."""
    port_file = tmp_path / "port"
    command = [sys.executable, "-m", "tests.integration.importer.intake.cut_off", url]
    with subprocess.Popen([*command, str(port_file)]) as process:
        try:
            until = time.monotonic() + 60
            while not port_file.exists():
                assert process.poll() is None
                assert time.monotonic() < until
                time.sleep(0.02)
            yield f"http://127.0.0.1:{port_file.read_text()}"
            assert process.wait(30) == -9
        finally:
            process.kill()


@pytest.mark.parametrize("with_key", [True, False])
def test_a_kill_between_commit_and_answer_loses_and_repeats_nothing(
    gate: Gate, any_migrated_url: str, tmp_path: Path, *, with_key: bool
) -> None:
    """The pusher tries again, with its key or without: one message, one customer (NEW-7)."""
    extra = {"idempotency": "a-1"} if with_key else {}
    with (
        doomed(any_migrated_url, tmp_path) as url,
        httpx2.Client(base_url=url) as http,
        pytest.raises(httpx2.TransportError),
    ):
        Client(http, gate.station).push(dict(ANN), **extra)

    with gate.open() as client:
        retried = client.push(dict(ANN), **extra)
        gate.process()
        status = client.status("4711").json()

    assert retried.status_code == 202
    assert len(gate.imported_messages()) == 1
    assert len(gate.rows(push_requests)) == (1 if with_key else 2)
    assert status["customer_number"] == "D10001"


def test_requests_that_meet_are_taken_one_after_the_other(gate: Gate, client: Client) -> None:
    """The same one eight times at once is one; batches in any order wait for each other."""
    batch = {"customers": [{**ANN, "external_id": str(n)} for n in range(20)]}
    turned = {"customers": list(reversed(batch["customers"]))}

    with ThreadPoolExecutor(8) as threads:
        same = list(threads.map(lambda _: client.push(batch, idempotency="a"), range(8)))
        mixed = list(threads.map(lambda n: client.push(turned if n % 2 else batch), range(8)))

    assert {answer.status_code for answer in (*same, *mixed)} == {202}
    assert len({answer.json()["request_id"] for answer in same}) == 1
    assert len(gate.imported_messages()) == len(gate.rows(source_records)) == 20


def test_an_address_goes_to_one_of_those_who_meet(gate: Gate) -> None:
    """Eight customers with one e-mail address at once: one is taken, the others are parked."""
    gate.settings = push_settings(key="email")
    with gate.open() as client, ThreadPoolExecutor(8) as threads:
        answers = list(threads.map(lambda n: client.push({**ANN, "external_id": str(n)}), range(8)))

    outcomes = sorted(answer.json()["customers"][0]["outcome"] for answer in answers)
    assert outcomes == ["accepted", *["parked"] * 7]


def test_what_is_in_hand_is_answered_before_the_end(gate: Gate) -> None:
    """A request that is being taken when the importer is told to stop gets its answer."""
    begun, go_on = threading.Event(), threading.Event()

    class Slow(list[object]):
        def extend(self, _parcels: object) -> None:
            begun.set()
            assert go_on.wait(20)

    gate.station.sent = Slow()  # type: ignore[assignment]
    server = crm_server(gate)
    with (
        ThreadPoolExecutor(1) as thread,
        serving(server) as url,
        httpx2.Client(base_url=url) as http,
    ):
        answer = thread.submit(Client(http, gate.station).push, dict(ANN))
        assert begun.wait(20)
        server.stop()
        go_on.set()

        assert answer.result(20).status_code == 202
