"""`patron` as processes: up, its signals, and pipes that close."""

import signal
import socket
from pathlib import Path

import pytest

from shared.messaging.provision import provision
from shared.messaging.topology import topology_for
from tests.integration.console.processes import run, running
from tests.services import RabbitManagement
from tests.unit.config.builders import a_file

HEALTH = "[health]\nimporter_port = 0\nprocessor_port = 0\nexporter_port = 0\nkeeper_port = 0\n"
STARTED = "process.started"


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """Give a directory with a configuration that needs no server and no port."""
    a_file(tmp_path, HEALTH)
    return tmp_path


@pytest.mark.e2e
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_up_creates_its_state_and_ends_in_order(place: Path, number: signal.Signals) -> None:
    """Directory and database are made; the first signal drains and exits with 0."""
    with running("up", place=place) as patron:
        patron.wait_for(STARTED)
        ended = patron.end(number)

    assert (ended.code, ended.out) == (0, "")
    assert (place / ".patron" / "patron.db").exists()
    assert "Traceback" not in ended.err


@pytest.mark.e2e
@pytest.mark.parametrize("worker", ["importer", "processor", "exporter"])
def test_a_worker_runs_alone_on_rabbitmq_and_postgresql(
    tmp_path: Path,
    worker: str,
    amqp_vhost: str,
    migrated_database_url: str,
    rabbit_management: RabbitManagement,
) -> None:
    """As in production: provisioned and migrated before, started by its name, ended by a signal."""
    provision(amqp_vhost, topology_for(["shop"]), management_url=rabbit_management._url)
    servers = f'[database]\nurl = "{migrated_database_url}"\n[broker]\nurl = "{amqp_vhost}"\n'
    a_file(tmp_path, HEALTH + servers)

    with running("run", worker, place=tmp_path) as process:
        started, _ = process.wait_for_all(STARTED, "broker.connected")
        ended = process.end()

    assert worker in started
    assert ended.code == 0
    assert "Traceback" not in ended.err


@pytest.mark.e2e
@pytest.mark.parametrize(
    "command",
    ["up", "run importer", "run processor", "run exporter", "import shop"],
)
def test_nothing_runs_before_the_configuration_is_valid(tmp_path: Path, command: str) -> None:
    """XPR-1: every problem is said at once, no shop is asked, and no state is made."""
    a_file(tmp_path, HEALTH + '[logs]\nlevel = "loud"\n[recovery]\nmax_attempts = 0\n')

    ended = run(*command.split(), place=tmp_path)

    assert (ended.code, ended.out) == (2, "")
    assert "logs.level" in ended.err
    assert "recovery.max_attempts" in ended.err
    assert "Traceback" not in ended.err
    assert [path.name for path in tmp_path.iterdir()] == ["patron.toml"]


@pytest.mark.e2e
def test_a_second_up_on_the_same_state_is_refused(place: Path) -> None:
    """It would take the first one's messages for its own; once that ended, it may start."""
    with running("up", place=place) as first:
        first.wait_for(STARTED)

        second = run("up", place=place)

        assert second.code == 1
        assert "Patron is running already on .patron/patron.db" in second.err
        assert first.end().code == 0
    with running("up", place=place) as third:
        third.wait_for(STARTED)


@pytest.mark.e2e
def test_a_port_that_is_taken_is_said_plainly(tmp_path: Path) -> None:
    """Two installations on one machine need ports of their own."""
    with socket.create_server(("127.0.0.1", 0)) as other:
        taken = f"importer_port = {other.getsockname()[1]}"
        a_file(tmp_path, HEALTH.replace("importer_port = 0", taken))

        ended = run("up", place=tmp_path)

    assert ended.code == 1
    assert "error: a port is taken by another process" in ended.err
    assert "[health]" in ended.err
    assert "Traceback" not in ended.err


def test_results_go_to_standard_output_and_errors_to_standard_error(place: Path) -> None:
    """So that a pipe gets the one and the terminal the other."""
    good = run("config", "check", place=place)
    bad = run("--config", "nowhere.toml", "config", "check", place=place)

    assert (good.code, good.err) == (0, "")
    assert (bad.code, bad.out) == (2, "")
    assert "\x1b" not in good.out + bad.err
