"""A running `patron up` is given another configuration: SIGHUP, and no restart by an operator."""

import json
import os
import pty
import signal
import socket
import sqlite3
import subprocess
from collections.abc import Iterator
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Any

import httpx2
import pytest

from services.sandbox.magento import SandboxMagento
from tests.e2e.shoppers import register
from tests.integration.console.processes import Running, command, environment, running
from tests.integration.importer.shops import SIGNED, of_store, running_shop
from tests.integration.runtime.rig import eventually
from tests.services.ports import free_ports
from tests.unit.config.builders import a_file

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(120)]

NUMBER = "erp_customer_number"
STARTED, LISTENING = "process.started", "health.listening"
REFUSED, RELOADED = "configuration.refused", "configuration.reloaded"

CONFIGURATION = """
[health]
importer_port = {port}
processor_port = 0
exporter_port = 0
keeper_port = 0

[canary]
interval_seconds = 0

[importer]
idle_seconds = 0.1

[number_series.debtors]

[[templates]]
name = "standard"
number_series = "debtors"

[channels.shop]
platform = "magento"

[channels.shop.connector]
base_url = "{shop}"
page_size = 7

[channels.shop.connector.auth]
kind = "{kind}"
consumer_key = "{consumer_key}"
consumer_secret = "{consumer_secret}"
access_token = "{access_token}"
access_token_secret = "{access_token_secret}"

[[channels.shop.store_views]]
code = "de"
poll_interval_seconds = {poll}
{de}
remote = {{ store_id = 1, website_id = 1 }}

[[channels.shop.store_views]]
code = "uk"
poll_interval_seconds = {poll}
{uk}
remote = {{ store_id = 4, website_id = 2 }}
"""


@pytest.fixture
def shop() -> Iterator[SandboxMagento]:
    """Give a shop of 200 customers."""
    with running_shop(200) as shop:
        yield shop


class Place:
    """A directory with a configuration, and what the Patron that runs there has done."""

    def __init__(self, path: Path, shop: SandboxMagento) -> None:
        self.path = path
        self.shop = shop

    def configure(self, *, de: str = "", uk: str = "", port: int = 0, poll: float = 0.2) -> None:
        """Write the configuration; `de` and `uk` are lines of those store views."""
        text = CONFIGURATION.format(
            shop=self.shop.url, de=de, uk=uk, port=port, poll=poll, **SIGNED
        )
        a_file(self.path, text)

    def register(self, email: str, store_id: int) -> str:
        """Let somebody register in a store view; return the id."""
        person = {"email": email, "firstname": "New", "lastname": "Comer"}
        return str(self.shop.control.register(person, store_id=store_id)["id"])

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        """Return what a query finds in Patron's database."""
        database = self.path / ".patron" / "patron.db"
        with closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True)) as connection:
            return connection.execute(sql).fetchall()

    def imported(self) -> set[str]:
        """Return the store views that customers were linked from."""
        return {row[0] for row in self.rows("SELECT DISTINCT store_view FROM links")}

    def numbered(self) -> dict[str, str]:
        """Return the shop's customers that show a number, by id."""
        count = self.shop.control.customer_count()
        customers = [self.shop.control.customer(number) for number in range(1, count + 1)]
        return {
            str(customer["id"]): each["value"]
            for customer in customers
            for each in customer.get("custom_attributes", [])
            if each["attribute_code"] == NUMBER and each["value"]
        }


@pytest.fixture
def place(tmp_path: Path, shop: SandboxMagento) -> Place:
    """Give a place."""
    return Place(tmp_path, shop)


def log_of(patron: Running, event: str) -> dict[str, Any]:
    """Return the next event of that name."""
    read: dict[str, Any] = json.loads(patron.wait_for(event))
    return read


def reload(patron: Running) -> dict[str, Any]:
    """Have the configuration read again, and return what came of it."""
    patron.send(signal.SIGHUP)
    return log_of(patron, '"configuration.')


def test_a_store_view_is_switched_on_and_another_off_by_a_reload(place: Place) -> None:
    """In the same process: new customers of the one are imported, of the other no more (C365-1)."""
    place.configure(uk="import = false")
    with running("up", place=place.path) as patron:
        patron.wait_for(STARTED)
        eventually(lambda: place.imported() == {"de"})

        place.configure(de="import = false")
        reloaded = reload(patron)
        patron.wait_for(STARTED)
        eventually(lambda: place.imported() == {"de", "uk"})
        unseen, seen = place.register("a@example.com", 1), place.register("b@example.com", 4)
        eventually(lambda: _is_known(place, seen))
        is_unseen_known = _is_known(place, unseen)
        enabled = dict(place.rows("SELECT store_view, enabled_at IS NOT NULL FROM cursors"))
        ended = patron.end()

    assert reloaded["event"] == RELOADED
    assert reloaded["config_version"] != reloaded["config_version_before"]
    assert not is_unseen_known
    assert enabled == {"de": 0, "uk": 1}
    assert ended.code == 0
    assert "Traceback" not in ended.err


def test_a_bad_configuration_is_refused_and_the_old_one_works_on(place: Place) -> None:
    """Its problems are in the log, the import goes on, and a good one is taken (C365-21)."""
    place.configure(uk="import = false")
    with running("up", place=place.path) as patron:
        patron.wait_for(STARTED)
        place.configure(de='processing_method = "perhaps"', uk='poll_cron = "hourly"')
        refused = reload(patron)
        eventually(lambda: place.imported() == {"de"})
        place.configure(uk="import = false")
        unchanged = reload(patron)
        place.configure()
        accepted = reload(patron)
        eventually(lambda: place.imported() == {"de", "uk"})
        ended = patron.end()

    assert refused["event"] == REFUSED
    assert [problem.split(": ")[1] for problem in refused["problems"]] == [
        "channels.shop.store_views.0.processing_method",
        "channels.shop.store_views.1.poll_cron",
    ]
    assert "perhaps" not in json.dumps(refused)
    assert [each["event"] for each in (unchanged, accepted)] == [
        "configuration.unchanged", RELOADED,
    ]  # fmt: skip
    assert ended.code == 0


def test_reloads_under_load_lose_and_repeat_nothing(place: Place) -> None:
    """Reload upon reload while customers are imported and written to: each has one number."""
    place.configure()
    with running("up", place=place.path) as patron:
        patron.wait_for(STARTED)
        for poll in (0.3, 0.4, 0.5, 0.6, 0.7):
            before = len(place.numbered())
            register(place.shop, 1, f"Poll{poll * 10:.0f}")
            eventually(partial(_are_more_numbered, place, before))
            place.configure(poll=poll)
            assert reload(patron)["event"] == RELOADED
            patron.wait_for(STARTED)
        wanted = of_store(place.shop, 1) | of_store(place.shop, 4)
        eventually(lambda: place.numbered().keys() == wanted)
        ended = patron.end()

    assert ended.code == 0
    assert len(set(place.numbered().values())) == len(wanted)
    assert place.shop.control.stats()["identical_updates"] == 0
    assert place.rows("SELECT count(*) FROM dead_letters") == [(0,)]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_the_end_during_a_reload_is_an_orderly_end(place: Place, number: signal.Signals) -> None:
    """Whatever was asked first: everything is drained, exit code 0."""
    place.configure()
    with running("up", place=place.path) as patron:
        patron.wait_for(STARTED)
        place.configure(poll=5)
        patron.send(signal.SIGHUP)
        patron.wait_for(RELOADED)

        ended = patron.end(number)

    assert ended.code == 0
    assert "Traceback" not in ended.err


def test_a_terminal_that_is_closed_ends_what_ran_on_it(place: Place) -> None:
    """Its SIGHUP asks for no configuration: nobody is there any more; an orderly end."""
    place.configure()
    ours, theirs = pty.openpty()
    # The leader of a session has the first terminal that it opens.
    on_terminal = ["sh", "-c", 'exec "$@" < "$0" 2> "$0"', os.ttyname(theirs), *command("up")]
    with subprocess.Popen(
        on_terminal, cwd=place.path, env=environment(), start_new_session=True
    ) as process:
        said = b""
        while STARTED.encode() not in said:
            said += os.read(ours, 4096)
        os.close(theirs)
        os.close(ours)
        code = process.wait(30)

    assert code == 0
    assert place.rows("SELECT count(*) FROM cursors WHERE lease_owner IS NOT NULL") == [(0,)]


def test_fixed_and_free_ports_answer_again_after_a_reload(place: Place) -> None:
    """A fixed port is given back and taken again; those that are 0 are told anew."""
    [port] = free_ports(1)
    place.configure(port=port)
    with running("up", place=place.path) as patron:
        before = [log_of(patron, LISTENING)["port"] for _ in range(3)]
        patron.wait_for(STARTED)
        place.configure(port=port, poll=5)
        reload(patron)
        after = [log_of(patron, LISTENING)["port"] for _ in range(3)]
        patron.wait_for(STARTED)
        answers = [httpx2.get(f"http://127.0.0.1:{each}/livez").status_code for each in after]
        ended = patron.end()

    assert port in before
    assert port in after
    assert answers == [200, 200, 200]
    assert ended.code == 0


def test_what_cannot_be_started_on_gives_way_to_the_configuration_before(place: Place) -> None:
    """A port that another process has: told as refused, and the old configuration is back."""
    place.configure(uk="import = false")
    with socket.create_server(("127.0.0.1", 0)) as other, running("up", place=place.path) as patron:
        patron.wait_for(STARTED)
        place.configure(port=other.getsockname()[1])
        reload(patron)
        refused = log_of(patron, REFUSED)
        patron.wait_for(STARTED)
        eventually(lambda: place.imported() == {"de"})
        ended = patron.end()

    assert "OSError" in refused["problems"][0]
    assert ended.code == 0


def _are_more_numbered(place: Place, before: int) -> bool:
    return len(place.numbered()) > before


def _is_known(place: Place, external_id: str) -> bool:
    found = place.rows(f"SELECT 1 FROM source_records WHERE external_id = '{int(external_id)}'")
    return bool(found)
