"""Whether a shop and the directory are in step, and mending what is not."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import orjson
import pytest
import sqlalchemy as sa

from shared.domain.messages import ImportRequested, parcel
from shared.persistence.tables import (
    audit_log,
    customer_addresses,
    customers,
    history,
    links,
    messages,
    source_records,
    staging_customers,
)
from tests.integration.console.floor import CHANNEL, Floor, a_floor
from tests.unit.console.runner import Patron

CUSTOMERS = 12


@pytest.fixture
def floor(
    patron: Patron, tmp_path: Path, any_migrated_url: str, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Floor]:
    """Give a floor on each kind of database, everybody imported and written back."""
    monkeypatch.setenv("DATABASE_URL", any_migrated_url)
    with a_floor(patron, tmp_path, any_migrated_url, CUSTOMERS) as floor:
        floor.configure(("[channels.shop.connector]", "[channels.shop.connector]\npage_size = 3"))
        floor.import_all()
        yield floor


def compared(floor: Floor, *options: object) -> Any:
    """Compare, and return what is told as JSON; the exit code tells the same."""
    answer = floor.patron("reconcile", CHANNEL, "-o", "json", *options)
    assert answer.code == (0 if answer.json["in_step"] else 3), answer.err
    return answer.json


def kinds(report: Any) -> dict[str, int]:
    """Return the kinds of drift that there are."""
    return {kind: count for kind, count in report["counts"].items() if count}


def somebody(floor: Floor) -> tuple[int, sa.Row[Any]]:
    """Return a customer of the shop who is linked, and the link."""
    link = min(floor.rows(links), key=lambda row: int(row.external_id))
    return int(link.external_id), link


def test_in_step(floor: Floor) -> None:
    """NEW-9: after an import and its write-backs nothing differs; exit code 0."""
    table = floor.patron("reconcile", CHANNEL)

    report = compared(floor)

    linked = len(floor.rows(links))
    assert report["compared"] == CUSTOMERS
    assert (kinds(report), linked > 0) == ({}, True)
    assert table.out.endswith("in step\n")


def another_name_here(floor: Floor, number: int, link: sa.Row[Any]) -> None:
    """Change a name in the directory, behind everybody's back."""
    mine = customers.c.id == link.customer_id
    floor.change(sa.update(customers).where(mine).values(last_name="Astray"))


def another_address_here(floor: Floor, number: int, link: sa.Row[Any]) -> None:
    """Change an address in the directory."""
    mine = customer_addresses.c.customer_id == link.customer_id
    floor.change(sa.update(customer_addresses).where(mine).values(city="Astray"))


def another_name_there(floor: Floor, number: int, link: sa.Row[Any]) -> None:
    """Let the customer edit the account."""
    floor.shop.control.edit_profile(number, firstname="Zoe")


def another_number_there(floor: Floor, number: int, link: sa.Row[Any]) -> None:
    """Change the number in the shop's back office, and let Patron see that."""
    values = [{"attribute_code": "erp_customer_number", "value": "X1"}]
    floor.shop.control.edit_profile(number, custom_attributes=values)


def other_data_there(floor: Floor, number: int, link: sa.Row[Any]) -> None:
    """Change what was written beside the number."""
    values = [{"attribute_code": "erp_payment_terms", "value": "NEVER"}]
    floor.shop.control.edit_profile(number, custom_attributes=values)


def nobody_there(floor: Floor, number: int, link: sa.Row[Any]) -> None:
    """Delete the customer in the shop."""
    floor.shop.control.delete_customer(number)


def nobody_here(floor: Floor, number: int, link: sa.Row[Any]) -> None:
    """Lose the link, and that the record was ever staged."""
    mine = str(number)
    floor.change(sa.delete(links).where(links.c.external_id == mine))
    floor.change(sa.delete(staging_customers).where(staging_customers.c.external_id == mine))


Deed = Callable[[Floor, int, sa.Row[Any]], None]


@pytest.mark.parametrize(
    ("deed", "kind", "fields"),
    [
        (another_name_here, "fields", ["last_name"]),
        (another_address_here, "address", ["addresses"]),
        (another_name_there, "changed", ["first_name"]),
        (another_number_there, "number", ["customer_number"]),
        (other_data_there, "defaults", ["erp_payment_terms"]),
        (nobody_there, "removed", []),
        (nobody_here, "missing", []),
    ],
)
def test_drift_is_told_by_kind_and_repaired(
    floor: Floor, deed: Deed, kind: str, fields: list[str]
) -> None:
    """NEW-9: named by fields, never by values; mended by the pipeline, and then in step."""
    number, link = somebody(floor)
    deed(floor, number, link)
    before = floor.everything()

    report = compared(floor)

    assert floor.everything() == before
    assert kinds(report) == {kind: 1}
    [drift] = report["drift"]
    assert (drift["external_id"], drift["kind"], drift["fields"]) == (str(number), kind, fields)
    repaired = compared(floor, "--repair", "--yes")
    assert repaired["messages_sent"] >= 1
    floor.work_off()
    assert kinds(compared(floor)) == {}


def test_everything_at_once(floor: Floor) -> None:
    """NEW-9: several kinds about several customers, with one repair."""
    deeds = [another_name_here, other_data_there, nobody_there, nobody_here]
    everybody = sorted(floor.rows(links), key=lambda row: int(row.external_id))
    for deed, link in zip(deeds, everybody, strict=False):
        deed(floor, int(link.external_id), link)

    repaired = compared(floor, "--repair", "--yes", "--limit", 1)
    floor.work_off()

    assert kinds(repaired) == {"fields": 1, "defaults": 1, "removed": 1, "missing": 1}
    assert len(repaired["drift"]) == 1
    assert kinds(compared(floor)) == {}


def test_a_repair_is_on_record(floor: Floor) -> None:
    """NEW-9: the audit log says who asked for what, and has no personal data."""
    number, link = somebody(floor)
    another_name_here(floor, number, link)

    compared(floor, "--repair", "--yes")

    [line] = floor.rows(audit_log)
    assert line.action == "reconcile.repair_requested"
    assert line.subject == f"{CHANNEL}/{link.store_view}"
    assert orjson.loads(line.detail) == {"fields": 1}
    [message] = floor.owed()
    assert (message.body.mode, message.body.origin) == ("repair", "operator")


def test_a_repair_asks_first(floor: Floor) -> None:
    """NEW-9: where nobody can be asked it needs --yes."""
    answer = floor.patron("reconcile", CHANNEL, "--repair")

    assert answer.code == 2
    assert "--yes" in answer.err
    assert floor.owed() == []


def test_the_deleted_get_no_exports_any_more(floor: Floor) -> None:
    """NEW-9: the link is removed, what is still owed to the record writes nothing."""
    number, link = somebody(floor)
    nobody_there(floor, number, link)

    compared(floor, "--repair", "--yes")
    floor.work_off()

    [after] = [row for row in floor.rows(links) if row.external_id == str(number)]
    assert after.status == "removed"
    assert [row.number for row in floor.rows(customers) if row.id == link.customer_id] != []


def test_who_is_gone_is_found_even_where_no_sweep_would_look(floor: Floor) -> None:
    """NEW-9: the deletion was seen and never arrived; the link still stands."""
    number, link = somebody(floor)
    nobody_there(floor, number, link)
    gone = source_records.c.external_id == str(number)
    floor.change(sa.delete(source_records).where(gone))

    assert kinds(compared(floor)) == {"removed": 1}


def test_what_is_on_its_way_is_no_drift(floor: Floor) -> None:
    """NEW-9: a message about the customer is still owed."""
    number, link = somebody(floor)
    another_name_there(floor, number, link)
    with floor.units.begin() as work:
        request = ImportRequested(channel=CHANNEL, external_id=str(number))
        work.send([parcel(request, channel=CHANNEL, subject=str(number), at=work.now)])

    report = compared(floor)

    assert (kinds(report), report["on_the_way"]) == ({}, 1)


def test_who_waits_for_an_operator_is_no_drift(floor: Floor) -> None:
    """NEW-9: staged, or discarded by an operator; who was removed and came back is."""
    number, _ = somebody(floor)
    mine = str(number)
    floor.change(sa.delete(links).where(links.c.external_id == mine))
    row = staging_customers.c.external_id == mine

    found = []
    for state, reason in (
        ("held", "x"),
        ("discarded", "unwanted"),
        ("discarded", "removed_in_shop"),
    ):
        floor.change(sa.update(staging_customers).where(row).values(state=state, reason=reason))
        found.append(kinds(compared(floor)))

    assert found == [{}, {}, {"missing": 1}]


def test_who_registered_before_the_start_date_is_not_missed(floor: Floor) -> None:
    """NEW-9, C365-3: they are not to be imported."""
    number, link = somebody(floor)
    nobody_here(floor, number, link)
    floor.configure(
        (f'code = "{link.store_view}"', f'code = "{link.store_view}"\nstart_date = 2099-01-01')
    )

    assert kinds(compared(floor)) == {}


def test_a_field_that_the_erp_owns_may_differ(floor: Floor) -> None:
    """NEW-9, NEW-6: drift is what the platform owns."""
    number, link = somebody(floor)
    another_name_here(floor, number, link)
    floor.configure(("[channels.shop]\n", '[fields.last_name]\nowner = "erp"\n\n[channels.shop]\n'))

    assert kinds(compared(floor)) == {}


def test_customers_who_may_be_one_are_reported_only(floor: Floor) -> None:
    """NEW-9: with one e-mail address; repair leaves them alone."""
    _, link = somebody(floor)
    [mine] = [row for row in floor.rows(customers) if row.id == link.customer_id]
    twin = {**mine._mapping, "id": uuid4(), "number": "T1"}
    with floor.units.begin() as work:
        work.connection.execute(sa.insert(customers).values(**twin))

    report = compared(floor, "--repair", "--yes")

    assert kinds(report)["duplicates"] >= 1
    told = [each for each in report["drift"] if each["fields"] == ["email"]]
    assert {(each["customer_number"], *each["others"]) for each in told} <= {
        (mine.number, "T1"),
        ("T1", mine.number),
    }
    assert report["messages_sent"] == 0


def test_one_customer_with_two_accounts_is_reported(floor: Floor) -> None:
    """NEW-9: unless a matching rule means it so."""
    one, other, *_ = sorted(floor.rows(links), key=lambda row: int(row.external_id))
    mine = links.c.external_id == other.external_id
    floor.change(sa.update(links).where(mine).values(customer_id=one.customer_id))

    meant = kinds(compared(floor))
    floor.configure(("[channels.shop]\n", '[[matching]]\nby = "email"\n\n[channels.shop]\n'))
    parked = kinds(compared(floor))

    assert "duplicates" not in meant
    assert parked["duplicates"] == 1


def test_one_store_view_is_compared_alone(floor: Floor) -> None:
    """NEW-9: the others are not read; a name that is not configured is refused."""
    number, link = somebody(floor)
    another_name_here(floor, number, link)
    codes = [view.code for view in floor.installation.settings.channels[CHANNEL].store_views]
    other = next(code for code in codes if code != link.store_view)

    assert kinds(compared(floor, "--store-view", link.store_view)) == {"fields": 1}
    assert kinds(compared(floor, "--store-view", other)) == {}
    assert floor.patron("reconcile", CHANNEL, "--store-view", "xx").code == 2
    assert floor.patron("reconcile", "shpo").code == 2


def test_a_repair_that_came_too_late_changes_nothing(floor: Floor) -> None:
    """NEW-9, NEW-8: what was imported after it was asked for is newer, and stands."""
    number, link = somebody(floor)
    another_name_there(floor, number, link)
    compared(floor, "--repair", "--yes")
    [late] = floor.owed()
    floor.change(sa.delete(messages))
    floor.shop.control.edit_profile(number, firstname="Ada")
    floor.import_all(link.store_view)

    with floor.units.begin() as work:
        work.send([parcel(late.body, channel=CHANNEL, subject=str(number), at=work.now)])
    floor.work_off()

    [mine] = [row for row in floor.rows(customers) if row.id == link.customer_id]
    assert mine.first_name == "Ada"
    last = floor.rows(history, history.c.id)[-1]
    assert (last.event, orjson.loads(last.detail)) == ("customer.ignored", {"reason": "superseded"})
