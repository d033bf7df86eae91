"""What an import would do, shown before it does it."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import orjson
import pytest
import sqlalchemy as sa

from services.console.cli.dry_run import dry_run
from services.console.cli.failures import Refused
from services.console.cli.invocation import Invocation
from services.console.cli.output import Output
from shared.persistence.tables import cursors, customers, links
from tests.integration.console.floor import CHANNEL, Floor, a_floor
from tests.unit.console.runner import Patron

CUSTOMERS = 24


class Tried:
    """A floor on which imports are tried."""

    def __init__(
        self, floor: Floor, capsys: pytest.CaptureFixture[str], path: Path, url: str
    ) -> None:
        self.floor = floor
        self._capsys = capsys
        self._call = Invocation(path, {"DATABASE_URL": url})

    def __call__(self, output: Output = Output.JSON, **window: Any) -> str:
        """Try an import; return what is printed."""
        self._capsys.readouterr()
        call = Invocation(self._call.path, self._call.environment)
        dry_run(call, CHANNEL, output=output, **window)
        return self._capsys.readouterr().out


@pytest.fixture
def tried(
    patron: Patron,
    tmp_path: Path,
    any_migrated_url: str,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Tried]:
    """Give a floor on each kind of database."""
    monkeypatch.setenv("DATABASE_URL", any_migrated_url)
    with a_floor(patron, tmp_path, any_migrated_url, CUSTOMERS) as floor:
        yield Tried(floor, capsys, tmp_path / "patron.toml", any_migrated_url)


def test_nothing_is_changed(tried: Tried) -> None:
    """NEW-1: no row of any table, and the shop gets requests to read alone."""
    tried.floor.import_all("de")
    before = tried.floor.everything()
    tried.floor.shop.control.reset_stats()

    tried(sweep=True)
    tried(link_only=True)
    tried(external_id="1")
    tried(since=datetime(2020, 1, 1, tzinfo=UTC))

    assert tried.floor.everything() == before
    control = tried.floor.shop.control
    assert control.requests() == control.requests("GET") > 0


def test_the_forecast_comes_true(tried: Tried) -> None:
    """NEW-1: what it counts is what the import then does, twins within the window included."""
    floor = tried.floor
    one, other = of_website(floor, 1)[0], of_website(floor, 2)[0]
    floor.configure(("[channels.shop.connector]", "[channels.shop.connector]\npage_size = 2"))
    floor.shop.control.edit_profile(other, email=floor.shop.control.customer(one)["email"])

    forecast = told(tried(limit=100))
    floor.import_all()

    counts = forecast["counts"]
    assert counts["create"] == len(floor.rows(customers)) == CUSTOMERS - 1
    assert counts["create"] + counts["link"] == len(floor.rows(links))
    [twin] = [each for each in forecast["records"] if each["what"] == "link"]
    assert (twin["external_id"], twin["customer"], twin["found_by"]) == (
        str(other),
        f"new (shop/{one})",
        "email",
    )
    again = told(tried())
    assert {what: n for what, n in again["counts"].items() if n} == {"unchanged": CUSTOMERS}


def test_a_new_customer_is_shown_with_template_and_series(tried: Tried) -> None:
    """NEW-1: no number is drawn for it."""
    [number, *_] = of_website(tried.floor, 1)

    [record] = told(tried(external_id=str(number)))["records"]

    assert record["what"] == "create"
    assert record["template"] in {"business", "germany", "france", "international"}
    assert record["number"].startswith("the next of ")
    assert record["exports"] == ["customer_number", "additional_data"]


def test_an_update_is_shown_field_by_field(tried: Tried) -> None:
    """NEW-1: before and after, and what both sides have changed with who stands."""
    floor = tried.floor
    floor.import_all()
    [number, *_] = of_website(floor, 1)
    before = floor.shop.control.customer(number)["firstname"]
    floor.shop.control.edit_profile(number, firstname="Zoe", lastname="Quist")
    [link] = [row for row in floor.rows(links) if row.external_id == str(number)]
    mine = customers.c.id == link.customer_id
    floor.change(sa.update(customers).where(mine).values(last_name="Quirk"))

    forecast = told(tried())

    [record] = forecast["records"]
    assert (record["external_id"], record["what"]) == (str(number), "update")
    assert {(c["field"], c["before"], c["after"]) for c in record["changes"]} == {
        ("first_name", before, "Zoe"),
        ("last_name", "Quirk", "Quist"),
    }
    [conflict] = record["conflicts"]
    assert (conflict["field"], conflict["winner"]) == ("last_name", "platform")
    assert forecast["conflicts"] == 1
    assert f"first_name: {before} → Zoe" in tried(Output.TABLE)


def test_an_address_is_shown_before_and_after(tried: Tried) -> None:
    """NEW-1: as people write it, with what it is the default of."""
    floor = tried.floor
    floor.import_all()
    number = next(n for n in of_website(floor, 1) if floor.shop.control.customer(n)["addresses"])
    floor.shop.control.edit_address(number, city="Neustadt")

    [record] = told(tried(sweep=True))["records"]

    [change] = record["changes"]
    assert change["field"] == "addresses"
    assert "Neustadt" in change["after"]
    assert "Neustadt" not in change["before"]
    assert "default billing" in change["after"]


def test_a_window_holds_what_changed_since(tried: Tried) -> None:
    """NEW-1: by a moment, or by default where the next poll would begin."""
    floor = tried.floor
    [number, *_] = of_website(floor, 1)
    floor.shop.control.freeze_clock(datetime.now(UTC) + timedelta(days=1))
    floor.shop.control.edit_profile(number, firstname="Zoe")
    since = datetime.now(UTC) + timedelta(hours=12)

    by_moment = told(tried(since=since, store_view="de"))
    poll = {"channel": CHANNEL, "store_view": "de", "poll_due_at": since, "sweep_due_at": since}
    with floor.units.begin() as work:
        work.connection.execute(sa.insert(cursors).values(**poll, watermark_at=since))
    by_cursor = told(tried(store_view="de"))

    expected = [str(number)] if store_of(floor, number) == 1 else []
    assert [each["external_id"] for each in by_moment["records"]] == expected
    assert [each["external_id"] for each in by_cursor["records"]] == expected


def test_link_only_creates_nobody(tried: Tried) -> None:
    """NEW-1, ASK-8: those who are known would be linked, the rest is left to an operator."""
    floor = tried.floor
    known, *_ = of_website(floor, 1)
    email = floor.shop.control.customer(known)["email"]
    base = floor.place / "base.csv"
    base.write_text(f"number,email\nK7,{email}\n", encoding="utf-8")
    floor.patron("directory", "load", base)

    forecast = told(tried(link_only=True, limit=1))

    counts = {what: count for what, count in forecast["counts"].items() if count}
    assert counts == {"link": 1, "stage": CUSTOMERS - 1}
    assert forecast["reasons"] == [{"what": "stage", "reason": "link_only", "count": 23}]
    [record] = forecast["records"]
    assert (record["external_id"], record["customer"]) == (str(known), "K7")


def test_who_is_gone_is_shown_by_a_sweep(tried: Tried) -> None:
    """NEW-1: a poll cannot know."""
    floor = tried.floor
    floor.import_all()
    [number, *_] = of_website(floor, 1)
    floor.shop.control.delete_customer(number)

    swept = told(tried(sweep=True))

    [record] = swept["records"]
    assert (record["external_id"], record["what"]) == (str(number), "removed")
    assert told(tried())["counts"]["removed"] == 0


def test_who_would_wait_is_shown_with_the_reason(tried: Tried) -> None:
    """NEW-1: the table counts first, then names them, the biggest news on top."""
    floor = tried.floor
    floor.configure(
        (
            '[[templates]]\nname = "international"',
            '[[templates]]\nname = "none"\nwhen = \'country == "XX"\'',
        )
    )

    table = tried(Output.TABLE, limit=3)

    lines = [line.split() for line in table.splitlines()]
    held = next(line for line in lines if line[:3] == ["would", "be", "held"])
    assert held[3] == "no_template"
    first = lines[lines.index([]) + 3]
    assert first[2:4] == ["hold", "no_template"]
    assert "; --limit shows more" in table


def test_a_customer_that_is_not_there_is_refused(tried: Tried) -> None:
    """NEW-1: so is a store view that is not configured."""
    with pytest.raises(Refused, match="has no customer 9999"):
        tried(external_id="9999")
    with pytest.raises(Refused, match="configured are de, fr, nl, uk, us"):
        tried(store_view="xx")


def test_the_command_line_tells_the_same(tried: Tried) -> None:
    """NEW-1: as an option of the import; in a table counts come first."""
    answer = tried.floor.patron("import", CHANNEL, "--sweep", "--dry-run", "--limit", 2)

    assert answer.code == 0, answer.err
    assert answer.out.startswith(f"{CUSTOMERS} customers read; nothing was changed\n")
    assert f"2 of {CUSTOMERS}; --limit shows more" in answer.out


def told(printed: str) -> Any:
    """Read what was printed as JSON."""
    return orjson.loads(printed)


def store_of(floor: Floor, number: int) -> int:
    """Return the store that a customer registered in."""
    store: int = floor.shop.control.customer(number)["store_id"]
    return store


def of_website(floor: Floor, website: int) -> list[int]:
    """Return the customers of a website by their ids; the first store of website 1 first."""
    control = floor.shop.control
    found = [
        number
        for number in range(1, control.customer_count() + 1)
        if control.customer(number)["website_id"] == website
        and control.customer(number)["addresses"]
    ]
    return sorted(found, key=lambda number: (control.customer(number)["store_id"], number))
