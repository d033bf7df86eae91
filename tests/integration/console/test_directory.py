"""`patron directory`: the customers that an ERP has already, loaded and looked up."""

from pathlib import Path

import orjson
import pytest
import sqlalchemy as sa

from shared.persistence.tables import (
    audit_log,
    customer_addresses,
    customers,
    history,
    links,
    number_series,
)
from tests.builders import a_customer, an_address
from tests.integration.console.conftest import Desk

HEADER = "number,first_name,last_name,email,phone,billing.lines,billing.city,billing.postcode,billing.country"  # noqa: E501
ANN = "K1,Ann,Lang,Ann1@Example.com,030 1234567,Lindenweg 4,Berlin,10115,Germany"
BOB = "K2,Bob,Ray,bob@example.com,,Platz 2,Wien,1010,AT"


def a_base(place: Path, *lines: str, header: str = HEADER, name: str = "base.csv") -> Path:
    """Write a file of existing customers."""
    path = place / name
    path.write_text("\n".join((header, *lines) if header else lines), encoding="utf-8")
    return path


def rows(desk: Desk, table: sa.Table, *order: sa.Column[object]) -> list[sa.Row[object]]:
    """Return a table's rows."""
    with desk.units.read() as work:
        return list(work.connection.execute(sa.select(table).order_by(*order)))


def test_a_loaded_customer_is_the_one_that_a_shop_brings(desk: Desk, tmp_path: Path) -> None:
    """ASK-8: matching finds it by its e-mail address, however written; nobody is created."""
    loaded = desk.patron("directory", "load", a_base(tmp_path, ANN, BOB))

    desk.process(a_customer("1", email="ANN1@example.com"))

    assert loaded.code == 0
    assert loaded.out == "2 records: 2 created, 0 updated, 0 unchanged\n"
    everybody = rows(desk, customers, customers.c.number)
    assert [row.number for row in everybody] == ["K1", "K2"]
    [link] = rows(desk, links)
    assert link.customer_id == everybody[0].id


def test_all_match_keys_are_there(desk: Desk, tmp_path: Path) -> None:
    """ASK-8: telephone, tax id and name at a postcode, in the form that the processor compares."""
    header = "number,company_name,phone,tax_id,billing.postcode,billing.country,billing.lines"
    line = "B1,Müller GmbH,089 1234567,DE811907980,80331,DE,Hof|Hauptstr. 1"

    desk.patron("directory", "load", a_base(tmp_path, line, header=header))

    [row] = rows(desk, customers)
    assert (row.kind, row.phone_key, row.tax_id_key, row.name_key) == (
        "business",
        "+49891234567",
        "DE811907980",
        "DE 80331|gmbh muller",
    )
    [address] = rows(desk, customer_addresses)
    assert (address.lines, address.is_default_billing, address.is_default_shipping) == (
        "Hof\nHauptstr. 1",
        True,
        True,
    )


def test_loading_again_changes_what_changed(desk: Desk, tmp_path: Path) -> None:
    """ASK-8: by number; a blank wipes nothing; each change has its line of history."""
    desk.patron("directory", "load", a_base(tmp_path, ANN, BOB))
    moved = ANN.replace("Lindenweg 4", "Allee 9").replace("030 1234567", "")

    again = desk.patron("directory", "load", a_base(tmp_path, moved, BOB))

    assert again.out == "2 records: 0 created, 1 updated, 1 unchanged\n"
    ann = rows(desk, customers, customers.c.number)[0]
    assert ann.phone == "+49301234567"
    addresses = rows(desk, customer_addresses, customer_addresses.c.lines)
    assert [row.lines for row in addresses] == ["Allee 9", "Platz 2"]
    last = rows(desk, history, history.c.id)[-1]
    assert (last.channel, last.external_id, last.event) == (
        "directory",
        "K1",
        "customer.load_updated",
    )
    assert orjson.loads(last.detail) == {"fields": ["addresses"]}


def test_who_loaded_what_is_on_record(sqlite_desk: Desk, tmp_path: Path) -> None:
    """ASK-8: the audit log has the file and the counts, no data of anybody."""
    sqlite_desk.patron("directory", "load", a_base(tmp_path, ANN))

    [line] = rows(sqlite_desk, audit_log)

    assert (line.action, line.subject) == ("directory.loaded", "base.csv")
    assert orjson.loads(line.detail)["created"] == 1


def test_a_faulty_file_is_not_loaded(sqlite_desk: Desk, tmp_path: Path) -> None:
    """ASK-8: every fault is named by line and column, none with its value; exit code 1."""
    header = f"{HEADER},template,birth_date"
    lines = (
        f"{ANN},gold,",
        f"{BOB},,yesterday",
        BOB.replace("K2", "") + ",,",
        BOB.replace(",AT", ",Narnia") + ",,",
        BOB.replace("K2", "K9") + ",,",
        BOB.replace("K2", "K9") + ",,",
        "K7",
    )

    answer = sqlite_desk.patron(
        "directory", "load", a_base(tmp_path, *lines, header=header), "-o", "json"
    )

    assert answer.code == 1
    assert {(fault["line"], fault["column"]) for fault in answer.json["first_faults"]} == {
        (2, "template"),
        (3, "birth_date"),
        (4, "number"),
        (5, "billing.country"),
        (7, "number"),
        (8, "-"),
    }
    assert not any(word in answer.out for word in ("gold", "yesterday", "Narnia", "bob@"))
    assert rows(sqlite_desk, customers) == []


def test_the_good_records_are_loaded_if_asked_for(sqlite_desk: Desk, tmp_path: Path) -> None:
    """ASK-8: with --partial; the exit code 3 says that some were not."""
    path = a_base(tmp_path, ANN, BOB.replace("K2", ""))

    answer = sqlite_desk.patron("directory", "load", path, "--partial")

    assert answer.code == 3
    assert [row.number for row in rows(sqlite_desk, customers)] == ["K1"]


def test_whoever_was_erased_is_not_loaded_again(desk: Desk, tmp_path: Path) -> None:
    """ASK-8, NEW-11: by the number, which is nobody's any more; the rest of the file is loaded."""
    path = a_base(tmp_path, ANN, BOB)
    desk.patron("directory", "load", a_base(tmp_path, ANN, name="ann.csv"))
    with desk.units.begin() as work:
        nobody = {"state": "erased", "last_name": None, "email": None, "email_key": None}
        work.connection.execute(sa.update(customers).values(nobody))

    answer = desk.patron("directory", "load", path)

    assert "2 records: 1 created" in answer.out
    assert "1 were erased in Patron and are not loaded again" in answer.out
    assert [row.last_name for row in rows(desk, customers, customers.c.number)] == [None, "Ray"]


def test_a_dry_run_loads_nothing(sqlite_desk: Desk, tmp_path: Path) -> None:
    """ASK-8, NEW-1: it counts what would be loaded."""
    path = a_base(tmp_path, ANN, BOB)

    answer = sqlite_desk.patron("directory", "load", path, "--dry-run")

    assert answer.out == "2 records: 2 would be created, 0 would be updated, 0 unchanged\n"
    assert rows(sqlite_desk, customers) == rows(sqlite_desk, audit_log) == []


def test_json_lines_are_read_too(sqlite_desk: Desk, tmp_path: Path) -> None:
    """ASK-8: nested as JSON is, with the same columns; values are kept over the template's."""
    record = {
        "number": 4711,
        "last_name": "Lang",
        "template": "standard",
        "values": {"zone": "EU"},
        "billing": {"lines": ["Hof", "Weg 1"], "country": "DE"},
        "shipping": {"lines": ["Platz 2"], "country": "AT"},
    }
    path = a_base(tmp_path, orjson.dumps(record).decode(), header="", name="base.jsonl")

    answer = sqlite_desk.patron("directory", "load", path)

    assert answer.code == 0
    [row] = rows(sqlite_desk, customers)
    assert (row.number, row.template) == ("4711", "standard")
    assert orjson.loads(row.defaults) == {"terms": "NET30", "zone": "EU"}
    flags = {
        (address.lines, address.is_default_billing, address.is_default_shipping)
        for address in rows(sqlite_desk, customer_addresses)
    }
    assert flags == {("Hof\nWeg 1", True, False), ("Platz 2", False, True)}


@pytest.mark.parametrize(
    ("header", "said"),
    [
        ("number,colour", "the header has columns that there are not: colour"),
        ("number,email,email", "the header has columns twice: email"),
    ],
)
def test_a_header_that_is_wrong_is_told_once(
    sqlite_desk: Desk, tmp_path: Path, header: str, said: str
) -> None:
    """ASK-8: not with every line; exit code 2."""
    answer = sqlite_desk.patron("directory", "load", a_base(tmp_path, "K1,red", header=header))

    assert (answer.code, answer.err) == (2, f"error: base.csv: {said}\n")


def test_drawn_numbers_come_behind_loaded_ones(desk: Desk, tmp_path: Path) -> None:
    """ASK-8: a series that could have written a loaded number goes on behind the highest."""
    path = a_base(tmp_path, ANN.replace("K1", "D00007"), BOB.replace("K2", "D00003"))

    answer = desk.patron("directory", "load", path)
    desk.patron("directory", "load", a_base(tmp_path, BOB.replace("K2", "D00005")))

    assert "number series debtors goes on at D00008 or later" in answer.out
    [series] = rows(desk, number_series)
    assert (series.name, series.next_value) == ("debtors", 8)


def test_customers_like_others_are_counted(sqlite_desk: Desk, tmp_path: Path) -> None:
    """ASK-8: two with one e-mail address load, but matching by it will not choose."""
    twin = BOB.replace("K2", "K3")

    answer = sqlite_desk.patron("directory", "load", a_base(tmp_path, BOB, twin))

    assert answer.code == 0
    assert "1 have the e-mail address or tax id of another customer" in answer.out


def test_what_is_not_understood_is_kept_and_told(sqlite_desk: Desk, tmp_path: Path) -> None:
    """ASK-8, ASK-13: a telephone number that nobody can read does not stop the load."""
    path = a_base(tmp_path, ANN.replace("030 1234567", "ask Bob"))

    answer = sqlite_desk.patron("directory", "load", path)

    assert answer.code == 0
    assert "kept as written in 1 of them: phone: is no valid telephone number" in answer.out
    [row] = rows(sqlite_desk, customers)
    assert (row.phone, row.phone_key) == ("ask Bob", None)


def test_customers_are_found_as_matching_finds_them(desk: Desk, tmp_path: Path) -> None:
    """By number, e-mail, telephone, or parts of a name; with their accounts in the shops."""
    desk.patron("directory", "load", a_base(tmp_path, ANN, BOB))
    desk.process(a_customer("1", addresses=(an_address(),)))

    found = [
        [row["number"] for row in desk.patron("directory", "find", *words, "-o", "json").json]
        for words in (
            ("lan ann",),
            ("k1",),
            ("K2",),
            ("--email", "ANN1@EXAMPLE.COM"),
            ("--phone", "+49 30 1234567"),
            ("--number", "K2"),
            ("nobody",),
        )
    ]
    table = desk.patron("directory", "find", "lang")

    assert found == [["K1"], [], ["K2"], ["K1"], ["K1"], ["K2"], []]
    assert "shop/1" in table.out
    assert "10115 Berlin, DE" in table.out


def test_a_search_by_nothing_that_can_be_found_is_refused(sqlite_desk: Desk) -> None:
    """A telephone number needs its country; a text and an option are not both."""
    without_country = sqlite_desk.patron("directory", "find", "--phone", "1234567")
    nothing = sqlite_desk.patron("directory", "find")

    assert (without_country.code, nothing.code) == (2, 2)
    assert "with its country" in without_country.err
