"""`patron dead-letters`: grouping, correcting, giving up, taking back and exporting."""

import csv
import io
import json
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
import sqlalchemy as sa

from services.console.cli.invocation import from_process
from shared.config.settings import RetentionSettings
from shared.domain.messages import CustomerImported, Parcel, parcel
from shared.messaging.codec import decode, to_wire
from shared.persistence import dead_letter_desk, dead_letter_reader, retention
from shared.persistence.dead_letters import DeadLetter, of_parcel
from shared.persistence.tables import amendments, audit_log, dead_letters, history
from shared.persistence.unit_of_work import utc_now
from shared.runtime import amending
from tests.builders import a_customer
from tests.integration.console.conftest import Desk

WHY = ("--because", "said so")
SETUP: dict[str, Any] = {
    "worker": "exporter", "queue": "patron.exporter.shop", "reason": "attribute_missing",
    "error": "no such attribute", "error_class": "AttributeMissing", "config_version": "before",
    "frame": "shared.connectors.magento.sink write", "platform": "magento",
}  # fmt: skip
DATA: dict[str, Any] = {
    **SETUP, "worker": "processor", "queue": "patron.processor", "reason": "bug",
    "error_class": "KeyError", "frame": "services.processor.plan add",
}  # fmt: skip


def a_message(external_id: str = "1", channel: str = "shop") -> Parcel:
    """Return a customer on its way to the processor."""
    body = CustomerImported(customer=a_customer(external_id))
    return parcel(body, channel=channel, subject=external_id, at=utc_now())


def bury(desk: Desk, sent: Parcel, **evidence: Any) -> UUID:
    """Give a message up; return the id of its letter."""
    with desk.units.begin() as work:
        work.store.add([sent])
        work.store.bury([of_parcel(sent, **evidence)])
        row = work.connection.execute(
            sa.select(dead_letters.c.id).where(dead_letters.c.message_id == sent.message_id)
        )
        found: UUID = row.scalar_one()
    return found


def bury_bytes(desk: Desk, body: bytes, **changes: Any) -> UUID:
    """Give up what could not be read; return the id of its letter."""
    given: dict[str, Any] = {
        "worker": "processor", "queue": "patron.processor", "reason": "wrong_schema",
        "message_id": uuid4(), "is_ours": False, "routing_key": "customer.imported",
    }  # fmt: skip
    with desk.units.begin() as work:
        work.store.bury([DeadLetter(body=body, **(given | changes))])
        found: UUID = work.connection.execute(
            sa.select(dead_letters.c.id).order_by(dead_letters.c.id.desc()).limit(1)
        ).scalar_one()
    return found


def letter(desk: Desk, id_: UUID) -> sa.Row[Any]:
    """Return a letter as it stands."""
    with desk.units.read() as work:
        return work.connection.execute(
            sa.select(dead_letters).where(dead_letters.c.id == id_)
        ).one()


def test_letters_with_one_cause_are_one_group(desk: Desk) -> None:
    """NEW-5: by reason, error, place, platform and channel; a changed set-up may have cured one."""
    for n in range(3):
        bury(desk, a_message(str(n)), **SETUP)
    bury(desk, a_message("4"), **DATA)
    bury(desk, a_message("5", channel="other"), **DATA)

    groups = desk.patron("dead-letters", "groups", "-o", "json").json

    first = groups[0]
    assert (first["reason"], first["channel"], first["count"]) == (
        "attribute_missing", "shop", 3,
    )  # fmt: skip
    assert {(g["reason"], g["channel"], g["cause"], g["may_be_cured"]) for g in groups} == {
        ("attribute_missing", "shop", "setup", True),
        ("bug", "shop", "defect", False),
        ("bug", "other", "defect", False),
    }
    listed = desk.patron("dead-letters", "list", "--group", groups[0]["key"], "-o", "json").json
    assert {line["subject"] for line in listed} == {"0", "1", "2"}
    assert groups[0]["example_id"] in {line["id"] for line in listed}


def test_groups_survive_edits_of_the_code(desk: Desk) -> None:
    """Texts and lines of the code differ, the cause is the same."""
    bury(desk, a_message("1"), **{**DATA, "error": "KeyError in services.processor.plan:10 add"})
    bury(desk, a_message("2"), **{**DATA, "error": "KeyError in services.processor.plan:12 add"})

    (group,) = desk.patron("dead-letters", "groups", "-o", "json").json

    assert group["count"] == 2


def test_a_group_under_the_present_configuration_is_not_called_cured(desk: Desk) -> None:
    """Nothing has changed since."""
    bury(desk, a_message(), **{**SETUP, "config_version": None})
    with desk.units.begin() as work:
        now = from_process(None).installation.policy.version
        work.connection.execute(sa.update(dead_letters).values(config_version=now))

    (group,) = desk.patron("dead-letters", "groups", "-o", "json").json

    assert (group["reconfigured"], group["may_be_cured"]) == (0, False)


@pytest.mark.parametrize(
    ("filters", "found"),
    [
        (["--customer", "1"], {"1"}),
        (["--customer", "shop/2"], {"2"}),
        (["--reason", "bug"], {"2"}),
        (["--worker", "exporter"], {"1"}),
        (["--type", "customer.export"], set()),
        (["--channel", "shop", "--state", "all"], {"1", "2", "3"}),
        (["--state", "discarded"], {"3"}),
        (["--older-than", "1h"], set()),
        (["--newer-than", "1h"], {"1", "2"}),
    ],
)
def test_letters_are_found_by_filters(
    sqlite_desk: Desk, filters: list[str], found: set[str]
) -> None:
    """Those that wait for somebody, unless other states are asked for."""
    desk = sqlite_desk
    bury(desk, a_message("1"), **SETUP)
    bury(desk, a_message("2"), **DATA)
    gone = bury(desk, a_message("3"), **DATA)
    desk.patron("dead-letters", "discard", str(gone), *WHY)

    lines = desk.patron("dead-letters", "list", *filters, "-o", "json").json

    assert {line["subject"] for line in lines} == found


def test_a_message_is_amended_and_what_it_said_is_kept(desk: Desk) -> None:
    """NEW-4: author, reason, difference and the bytes before; twice is two amendments."""
    sent = a_message()
    id_ = bury(desk, sent, **DATA)

    first = desk.patron(
        "dead-letters", "edit", str(id_), "--set", '/customer/email="new@example.com"',
        "--set", '/customer/addresses/0/city="Bonn"', "--because", "typing error",
    )  # fmt: skip
    desk.patron("dead-letters", "edit", str(id_), "--set", '/customer/last_name="Long"', *WHY)

    assert '- "ann1@example.com"' in first.out
    assert '+ "new@example.com"' in first.out
    row = letter(desk, id_)
    envelope = decode(replace(to_wire(sent), body=row.body))
    assert envelope.body.customer.email == "new@example.com"  # type: ignore[attr-defined]
    assert (row.state, row.body_size) == ("open", len(row.body))
    kept = sorted(desk.rows(amendments), key=lambda each: each.at)
    assert [each.reason for each in kept] == ["typing error", "said so"]
    assert kept[0].original_body == sent.body
    assert [change["path"] for change in json.loads(kept[0].diff)] == [
        "/customer/email", "/customer/addresses/0/city",
    ]  # fmt: skip
    assert kept[1].original_body != sent.body
    lines = [each for each in desk.rows(audit_log) if each.action == dead_letter_desk.AMEND]
    assert [line.subject for line in lines] == [str(id_)] * 2
    assert "example.com" not in "".join(line.detail for line in lines)
    assert [line.event for line in desk.rows(history)] == [dead_letter_desk.AMEND] * 2


def test_show_names_amendments_and_hides_what_they_said(sqlite_desk: Desk) -> None:
    """NEW-4: pointers always; values only with the body."""
    id_ = bury(sqlite_desk, a_message(), **DATA)
    change = '/customer/email="new@example.com"'
    sqlite_desk.patron("dead-letters", "edit", str(id_), "--set", change, *WHY)

    shown = sqlite_desk.patron("dead-letters", "show", str(id_))
    in_full = sqlite_desk.patron("dead-letters", "show", str(id_), "--body")
    tree = sqlite_desk.patron("dead-letters", "show", str(id_), "-o", "json").json

    assert "/customer/email" in shown.out
    assert "example.com" not in shown.out
    assert "ann1@example.com" in in_full.out
    assert tree["amendments"][0]["changed"] == ["/customer/email"]
    assert "diff" not in tree["amendments"][0]


@pytest.mark.parametrize(
    ("change", "text"),
    [
        ('/customer/source/external_id="77"', "whom the message is about"),
        ('/customer/source/channel="other"', "whom the message is about"),
        ("/customer/email=5", "customer.email: string_type"),
        ('/customer/emal="x"', "customer.emal: extra_forbidden"),
        ('/customer/email="ann1@example.com"', "nothing is changed"),
        ('/nowhere/email="x"', "no such place"),
    ],
)
def test_an_edit_that_is_none_is_refused(sqlite_desk: Desk, change: str, text: str) -> None:
    """NEW-4: within its schema, and about the same record; nothing is stored."""
    sent = a_message()
    id_ = bury(sqlite_desk, sent, **DATA)

    answer = sqlite_desk.patron("dead-letters", "edit", str(id_), "--set", change, *WHY)

    assert answer.code == 1
    assert text in answer.err
    assert letter(sqlite_desk, id_).body == sent.body
    assert sqlite_desk.rows(amendments) == []


@pytest.mark.parametrize("words", [["--set", "/customer/email=abc", *WHY], ["--set", '/a="b"']])
def test_an_edit_needs_json_and_a_reason(sqlite_desk: Desk, words: list[str]) -> None:
    """Usage, told before anything is looked at."""
    id_ = bury(sqlite_desk, a_message(), **DATA)

    assert sqlite_desk.patron("dead-letters", "edit", str(id_), *words).code == 2


def test_only_open_letters_are_amended(sqlite_desk: Desk) -> None:
    """What is on its way again, or closed, stays as it is."""
    id_ = bury(sqlite_desk, a_message(), **DATA)
    sqlite_desk.patron("dead-letters", "discard", str(id_), *WHY)

    answer = sqlite_desk.patron(
        "dead-letters", "edit", str(id_), "--set", '/customer/email="x@example.com"', *WHY
    )

    assert answer.code == 1
    assert "only open ones" in answer.err


def test_what_could_not_be_read_is_mended_from_a_file(desk: Desk, tmp_path: Path) -> None:
    """NEW-4: the letter then knows its type and whom it is about, and can be replayed."""
    sent = a_message("8")
    id_ = bury_bytes(desk, sent.body[:-1])
    file = tmp_path / "mended.json"
    file.write_bytes(sent.body)

    answer = desk.patron("dead-letters", "edit", str(id_), "--file", str(file), *WHY)

    row = letter(desk, id_)
    assert answer.code == 0
    assert (row.type, row.channel, row.subject) == ("customer.imported", "shop", "8")
    assert (row.schema_version, row.correlation_id) == (1, row.message_id)


def test_a_wrong_schema_is_mended_without_becoming_somebody_else(sqlite_desk: Desk) -> None:
    """NEW-4: what the bytes say of identity holds although nobody could read them."""
    broken = a_message("8").body.replace(b'"email":"ann8@example.com"', b'"email":8')
    id_ = bury_bytes(sqlite_desk, broken)
    mended = ("--set", '/customer/email="ann8@example.com"')

    other = sqlite_desk.patron(
        "dead-letters", "edit", str(id_), *mended,
        "--set", '/customer/source/external_id="9"', *WHY,
    )  # fmt: skip
    right = sqlite_desk.patron("dead-letters", "edit", str(id_), *mended, *WHY)

    assert (other.code, right.code) == (1, 0)
    assert letter(sqlite_desk, id_).subject == "8"


def test_a_dry_run_of_an_edit_stores_nothing(sqlite_desk: Desk) -> None:
    """It shows what would change, and needs no reason."""
    sent = a_message()
    id_ = bury(sqlite_desk, sent, **DATA)

    answer = sqlite_desk.patron(
        "dead-letters", "edit", str(id_), "--set", '/customer/email="x@example.com"', "--dry-run"
    )

    assert "nothing was stored" in answer.out
    assert letter(sqlite_desk, id_).body == sent.body


def test_two_operators_do_not_overwrite_each_other(desk: Desk) -> None:
    """NEW-4: a change made to what the letter does not say any more is refused."""
    id_ = bury(desk, a_message(), **DATA)
    with desk.units.read() as work:
        seen = dead_letter_reader.get(work, id_)
    assert seen
    hers, his = (
        amending.amended_values(seen, [("/customer/email", email)])
        for email in ("hers@example.com", "his@example.com")
    )
    with desk.units.begin() as work:
        amending.amend(work, hers, actor="ann", reason="x")

    with pytest.raises(amending.NotAmended, match="changed meanwhile"), desk.units.begin() as work:
        amending.amend(work, his, actor="bob", reason="x")

    assert len(desk.rows(amendments)) == 1


def test_a_group_is_discarded_and_taken_back(desk: Desk) -> None:
    """In slices, each letter with its line in audit log and history."""
    ids = [bury(desk, a_message(str(n)), **SETUP) for n in range(3)]
    bury(desk, a_message("9"), **DATA)
    key = letter(desk, ids[0]).group_key

    unsure = desk.patron("dead-letters", "discard", "--group", key, *WHY)
    gone = desk.patron("dead-letters", "discard", "--group", key, *WHY, "--yes")
    again = desk.patron("dead-letters", "discard", str(ids[0]), *WHY)
    states = [letter(desk, id_).state for id_ in ids]
    back = desk.patron("dead-letters", "restore", str(ids[0]), *WHY)

    assert (unsure.code, gone.code, again.code, back.code) == (2, 0, 1, 0)
    assert "3 dead letters discarded" in gone.out
    assert f"{ids[0]} is discarded; left as it is" in again.out
    assert states == ["discarded"] * 3
    row = letter(desk, ids[0])
    assert (row.state, row.resolved_at, row.resolution) == ("open", None, None)
    assert letter(desk, ids[1]).resolution == "discarded"
    told = [(line.action, line.reason) for line in desk.rows(audit_log)]
    assert told == [("dead_letter.discarded", "said so")] * 3 + [
        ("dead_letter.restored", "said so")
    ]
    assert len(desk.rows(history)) == 4


def test_nothing_is_discarded_by_saying_nothing(sqlite_desk: Desk) -> None:
    """Neither without a reason, nor without saying which, nor with both kinds of saying it."""
    id_ = str(bury(sqlite_desk, a_message(), **DATA))
    discard = ("dead-letters", "discard")

    answers = [
        sqlite_desk.patron(*discard, id_),
        sqlite_desk.patron(*discard, *WHY),
        sqlite_desk.patron(*discard, id_, "--reason", "bug", *WHY),
    ]

    assert [answer.code for answer in answers] == [2, 2, 2]
    assert letter(sqlite_desk, UUID(id_)).state == "open"


def test_a_letter_that_is_not_there_is_told(sqlite_desk: Desk) -> None:
    """The others are discarded all the same; the exit code says partly."""
    id_, nobody = bury(sqlite_desk, a_message(), **DATA), uuid4()

    answer = sqlite_desk.patron("dead-letters", "discard", str(id_), str(nobody), *WHY)

    assert answer.code == 3
    assert f"there is no dead letter {nobody}" in answer.out


def test_an_export_is_about_nobody_unless_it_is_said(desk: Desk, tmp_path: Path) -> None:
    """Neither bodies nor customer ids; with them the export is in the audit log."""
    bury(desk, a_message("4711"), **DATA)
    file = tmp_path / "letters.jsonl"

    plain = desk.patron("dead-letters", "export")
    in_full = desk.patron("dead-letters", "export", "--bodies", "--file", str(file))

    row = json.loads(plain.out)
    assert "4711" not in plain.out
    assert "example.com" not in plain.out
    assert (row["reason"], row["cause"]) == ("bug", "defect")
    assert in_full.code == 0
    assert json.loads(file.read_text("utf-8"))["subject"] == "4711"
    assert file.stat().st_mode & 0o777 == 0o600
    assert [line.action for line in desk.rows(audit_log)] == ["dead_letters.exported"]


def test_an_export_for_a_spreadsheet_holds_no_formula(sqlite_desk: Desk) -> None:
    """Whatever a stranger wrote into a message is text."""
    bury_bytes(sqlite_desk, b"=cmd|' /C calc'!A0", routing_key="=1+1", type="@SUM(A1)")

    answer = sqlite_desk.patron("dead-letters", "export", "--form", "csv", "--bodies")

    (row,) = csv.DictReader(io.StringIO(answer.out))
    assert row["body"] == "'=cmd|' /C calc'!A0"
    assert row["routing_key"] == "'=1+1"
    assert row["type"] == "'@SUM(A1)"


def test_many_letters_are_exported_in_slices(sqlite_desk: Desk) -> None:
    """Every one once, oldest first."""
    with sqlite_desk.units.begin() as work:
        sent = [a_message(str(n)) for n in range(1201)]
        work.store.add(sent)
        work.store.bury([of_parcel(each, **DATA) for each in sent])

    answer = sqlite_desk.patron("dead-letters", "export")

    ids = [json.loads(line)["message_id"] for line in answer.out.splitlines()]
    assert ids == [str(each.message_id) for each in sent]


def test_letters_that_were_closed_go_in_time(desk: Desk) -> None:
    """With their amendments; open ones and those being replayed never do (NEW-11)."""
    ids = [bury(desk, a_message(str(n)), **DATA) for n in range(4)]
    change = '/customer/email="x@example.com"'
    desk.patron("dead-letters", "edit", str(ids[0]), "--set", change, *WHY)
    desk.patron("dead-letters", "discard", str(ids[0]), str(ids[1]), *WHY)
    old = utc_now() - timedelta(days=100)
    with desk.units.begin() as work:
        row = {"id": ids[0], "resolved_at": old, "last_failed_at": old}
        work.bulk.update(dead_letters, [row], key=("id",))
        work.bulk.update(dead_letters, [{"id": ids[2], "last_failed_at": old}], key=("id",))

    (kind,) = (x for x in retention.kinds(RetentionSettings()) if x.name == "dead_letters")
    with desk.units.begin() as work:
        assert retention.delete(work, kind) == 1

    assert {row.id for row in desk.rows(dead_letters)} == set(ids[1:])
    assert desk.rows(amendments) == []


@pytest.fixture(autouse=True)
def nobody_at_the_keyboard(monkeypatch: pytest.MonkeyPatch) -> None:
    """Give a standard input that is no terminal."""
    monkeypatch.setattr("sys.stdin", io.StringIO(""))
