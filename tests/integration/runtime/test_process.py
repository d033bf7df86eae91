"""A worker process dies at any instant, or is asked to end, and no message is lost for it."""

import json
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import httpx2
import pytest

from tests.integration.runtime.conftest import EMBEDDED, RABBITMQ
from tests.integration.runtime.rig import Rig, a_parcel, eventually
from tests.integration.runtime.worker_process import KILLED, MOST_STARTS

ROOT = Path(__file__).parents[3]


class Bench(NamedTuple):
    """A rig and how to start a worker process on its connections."""

    rig: Rig
    log: Path
    start: Callable[[str], "subprocess.Popen[str]"]


@pytest.fixture(params=[EMBEDDED, RABBITMQ])
def bench(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Bench]:
    """Give worker processes on either pair of broker and database."""
    if request.param == EMBEDDED:
        rig = request.getfixturevalue("embedded_rig")
        urls = ["memory://", request.getfixturevalue("migrated_sqlite_url")]
    else:
        rig = request.getfixturevalue("rabbitmq_rig")
        urls = [
            request.getfixturevalue("amqp_vhost"),
            request.getfixturevalue("migrated_database_url"),
        ]
    log = tmp_path / "worker.log"
    started: list[subprocess.Popen[str]] = []

    def start(behaviour: str) -> "subprocess.Popen[str]":
        with log.open("w") as stderr:
            process = subprocess.Popen(
                [
                    sys.executable,
                    "-m",
                    "tests.integration.runtime.worker_process",
                    *urls,
                    behaviour,
                ],
                cwd=ROOT,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=stderr,
                text=True,
            )
        started.append(process)
        return process

    yield Bench(rig, log, start)
    for process in started:
        process.kill()
        process.communicate()


def test_a_message_that_kills_its_process_is_given_up_and_takes_nobody_along(
    bench: Bench,
) -> None:
    """After N starts the poison is a dead letter; all of its neighbours are handled (fault 11)."""
    parcels = [a_parcel("1"), a_parcel("poison"), a_parcel("2"), a_parcel("3")]
    bench.rig.owe(*parcels)
    codes = []

    while not bench.rig.buried():
        process = bench.start("poison")
        eventually(partial(has_ended_or_given_up, process, bench.rig))
        codes.append(process.poll())
    eventually(lambda: bench.rig.owed() == {})
    process.terminate()

    [letter] = bench.rig.buried()
    assert (letter.message_id, letter.reason) == (parcels[1].message_id, "poison")
    assert process.wait(20) == 0
    assert codes.count(KILLED) == MOST_STARTS


def test_dying_between_commit_and_acknowledgement_repeats_nothing(bench: Bench) -> None:
    """What was committed and not acknowledged is a duplicate to the next process (fault 7)."""
    bench.rig.owe(a_parcel("1"))

    first = bench.start("die-after-commit")
    out, _ = first.communicate(timeout=20)
    second = bench.start("plain")
    bench.rig.owe(a_parcel("2"))
    line = second.stdout and second.stdout.readline()
    second.terminate()

    assert (first.returncode, out) == (KILLED, "handled 1\n")
    assert line == "handled 2\n"
    assert second.wait(20) == 0
    assert bench.rig.owed() == {}


def test_sigterm_finishes_what_is_in_hand_and_exits_with_zero(bench: Bench) -> None:
    """What is in hand is committed and acknowledged; a draining process is not ready (fault 56)."""
    bench.rig.owe(a_parcel("1"))
    process = bench.start("slow")
    assert process.stdout
    assert process.stdin
    assert process.stdout.readline() == "begun 1\n"
    with health_of(bench) as health:
        eventually(lambda: health.get("/startupz").status_code == 200)
        before = health.get("/readyz")
        live = health.get("/livez"), health.get("/startupz")
        process.send_signal(signal.SIGTERM)
        eventually(lambda: "draining" in health.get("/readyz").text)

    rest, _ = process.communicate("go on\n", timeout=20)

    assert (before.status_code, before.text) == (200, "ok\n")
    assert [answer.status_code for answer in live] == [200, 200]
    assert (process.returncode, rest) == (0, "handled 1\n")
    assert bench.rig.owed() == {}


def test_a_worker_that_hangs_is_not_alive_whatever_else_is_well(bench: Bench) -> None:
    """Within its limit it says which loop stopped; moving again it is alive again (fault 60)."""
    bench.rig.owe(a_parcel("1"))
    process = bench.start("hang")
    assert process.stdout
    assert process.stdin
    assert process.stdout.readline() == "begun 1\n"
    with health_of(bench) as health:
        hangs = (503, "no tick from processor.consumer.patron.processor\n")
        eventually(lambda: ((said := health.get("/livez")).status_code, said.text) == hangs)
        ready = health.get("/readyz")
        process.stdin.write("go on\n")
        process.stdin.flush()
        eventually(lambda: health.get("/livez").status_code == 200)
    process.terminate()

    assert ready.status_code == 200
    assert process.wait(20) == 0


def test_a_second_signal_ends_the_process_at_once(bench: Bench) -> None:
    """An operator who insists is obeyed; the message is left for the next process."""
    bench.rig.owe(a_parcel("1"))
    process = bench.start("slow")
    assert process.stdout
    assert process.stdout.readline() == "begun 1\n"

    with health_of(bench) as health:
        process.send_signal(signal.SIGINT)
        eventually(lambda: "draining" in health.get("/readyz").text)
    process.send_signal(signal.SIGINT)

    assert process.wait(20) == 130
    assert len(bench.rig.owed()) == 1


def has_ended_or_given_up(process: "subprocess.Popen[str]", rig: Rig) -> bool:
    """Whether the process is dead, or the message is."""
    return process.poll() is not None or bool(rig.buried())


@contextmanager
def health_of(bench: Bench) -> Iterator[httpx2.Client]:
    """Give a client of the process's health server, whose port is in the log."""
    lines: list[dict[str, Any]] = [json.loads(x) for x in bench.log.read_text().splitlines()]
    port = next(line["port"] for line in lines if line["event"] == "health.listening")
    with httpx2.Client(base_url=f"http://127.0.0.1:{port}") as client:
        yield client
