"""Shops that know more than a restored database: who carries a number has it again."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from shared.persistence.tables import (
    audit_log,
    customer_addresses,
    customers,
    history,
    links,
    number_series,
    source_records,
    staging_customers,
)
from tests.integration.console.conftest import Desk
from tests.integration.console.floor import CHANNEL, Floor, a_floor, in_json
from tests.unit.console.runner import Patron

CUSTOMERS = 12
LATER = 4
"""How many came after the backup."""


@pytest.fixture
def floor(
    patron: Patron, tmp_path: Path, any_migrated_url: str, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Floor]:
    """Give a floor on each kind of database, everybody imported and written back."""
    monkeypatch.setenv("DATABASE_URL", any_migrated_url)
    with a_floor(patron, tmp_path, any_migrated_url, CUSTOMERS) as floor:
        floor.import_all()
        yield floor


def numbers(floor: Floor) -> dict[str, str]:
    """Return the numbers of those who are linked, by the shop's ids."""
    who = {row.id: row.number for row in floor.rows(customers)}
    return {row.external_id: who[row.customer_id] for row in floor.rows(links)}


def forget_the_last(floor: Floor, many: int) -> set[str]:
    """Bring the database back to where it did not know the last ones; return their ids."""
    last = sorted(floor.rows(customers), key=lambda row: str(row.number))[-many:]
    ids = [row.id for row in last]
    gone = {row.external_id for row in floor.rows(links) if row.customer_id in ids}
    with floor.units.begin() as work:
        for table in (links, customer_addresses, staging_customers):
            work.connection.execute(table.delete().where(table.c.customer_id.in_(ids)))
        work.connection.execute(customers.delete().where(customers.c.id.in_(ids)))
        work.connection.execute(history.delete())
        seen = source_records.c.external_id.in_(gone)
        work.connection.execute(source_records.delete().where(seen))
        following = number_series.c.next_value - many
        work.connection.execute(sa.update(number_series).values(next_value=following))
    return gone


def test_who_carries_a_number_has_it_again(floor: Floor) -> None:
    """NEW-9: created under it, the series behind it, nothing written to the shop, audited once."""
    before, puts = numbers(floor), floor.shop.control.requests("PUT")
    following = floor.rows(number_series)
    gone = forget_the_last(floor, LATER)

    tried = in_json(floor.patron("directory", "recover", CHANNEL, "--dry-run", "-o", "json"))
    after_trying = numbers(floor)
    done = floor.patron("directory", "recover", CHANNEL, "-o", "json")
    again = in_json(floor.patron("directory", "recover", CHANNEL, "-o", "json"))
    floor.work_off()
    floor.import_all()

    assert after_trying.keys() == before.keys() - gone
    assert (done.code, done.json["counts"]["created"]) == (0, LATER)
    assert done.json["counts"] == tried["counts"]
    assert again["counts"]["created"] == again["counts"]["linked"] == 0
    assert numbers(floor) == before
    assert floor.rows(number_series) == following
    assert floor.shop.control.requests("PUT") == puts
    assert {row.action for row in floor.rows(audit_log)} == {"directory.recovered"}


def test_without_it_the_carriers_are_held_and_keep_their_numbers(floor: Floor) -> None:
    """NEW-9: the second line: nobody's number is written over with another."""
    gone = forget_the_last(floor, LATER)
    shown = {id_: floor.shop.control.customer(int(id_)) for id_ in gone}

    floor.import_all()
    held = {r.external_id: r.reason for r in floor.rows(staging_customers) if r.state == "held"}
    recovered = floor.patron("directory", "recover", CHANNEL)
    floor.work_off()

    assert held == dict.fromkeys(gone, "has_number")
    assert {id_: floor.shop.control.customer(int(id_)) for id_ in gone} == shown
    assert recovered.code == 0, recovered.out
    assert not [row for row in floor.rows(staging_customers) if row.state == "held"]


def test_a_twin_account_is_linked_and_what_is_not_ours_left(floor: Floor) -> None:
    """NEW-9: an account whose number somebody here has is theirs; a foreign number is told."""
    before = numbers(floor)
    external_id, foreign = sorted(before, key=int)[:2]
    floor.change(links.delete().where(links.c.external_id.in_([external_id, foreign])))
    floor.shop.control.edit_profile(
        int(foreign),
        custom_attributes=[{"attribute_code": "erp_customer_number", "value": "K-1"}],
    )

    answer = floor.patron("directory", "recover", CHANNEL, "-o", "json")
    table = floor.patron("directory", "recover", CHANNEL)

    assert (answer.code, answer.json["counts"]["linked"]) == (3, 1)
    assert [(each["external_id"], each["why"]) for each in answer.json["left"]] == [
        (foreign, "not_ours")
    ]
    assert numbers(floor)[external_id] == before[external_id]
    assert "1 left alone" in table.out


def test_a_series_is_advanced_and_never_goes_back(desk: Desk) -> None:
    """NEW-9: for numbers that no shop shows; audited with both."""
    first = desk.patron("number-series", "list", "-o", "json")
    ahead = desk.patron("number-series", "advance", "debtors", "D00500", "--because", "invoices")
    back = desk.patron("number-series", "advance", "debtors", "D00400", "--because", "a slip")
    wrong = desk.patron("number-series", "advance", "debtors", "X1", "--because", "a slip")
    unknown = desk.patron("number-series", "advance", "others", "D00500", "--because", "a slip")
    last = desk.patron("number-series", "list", "-o", "json")

    assert [answer.code for answer in (ahead, back, wrong, unknown)] == [0, 2, 2, 2]
    assert "never goes back" in back.err
    assert first.json != last.json
    assert last.json[0]["next"] == "D00500"
    [line] = desk.rows(audit_log)
    assert (line.action, line.subject, line.reason) == (
        "number_series.advanced", "debtors", "invoices",
    )  # fmt: skip
    assert line.detail.endswith("to D00500")
