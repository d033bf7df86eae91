"""`patron dead-letters replay --dry-run`: what would come of it, and nothing does."""

import sqlalchemy as sa

from shared.domain.messages import ImportRequested, StagingProcess, parcel
from shared.persistence import pauses
from shared.persistence.tables import customers, dead_letters, staging_customers
from tests.builders import NOON, a_customer
from tests.integration.console.cemetery import (
    an_export,
    bury,
    bury_bytes,
    everything,
    imports_of,
)
from tests.integration.console.conftest import Desk

DRY = ("dead-letters", "replay", "--dry-run")


def counts(desk: Desk, *words: str) -> dict[tuple[str, str | None], int]:
    """Return what a dry run counts."""
    answer = desk.patron(*DRY, *words, "-o", "json")
    assert (answer.code, answer.err) == (0, "")
    return {(each["what"], each["reason"]): each["count"] for each in answer.json["counts"]}


def test_a_dry_run_changes_nothing(desk: Desk) -> None:
    """NEW-4: after it every table is as it was; no reason has to be given."""
    bury(desk, imports_of("1", "2"))
    bury_bytes(desk, b"\x00", reason="undecodable")
    before = everything(desk)

    answer = desk.patron(*DRY, "--all")

    assert (answer.code, answer.err) == (0, "")
    assert "2 letters would be replayed; nothing was changed" in answer.out
    assert "the next of debtors" in answer.out
    assert everything(desk) == before


def test_customers_are_decided_as_the_processor_would(desk: Desk) -> None:
    """Created, linked to whom an earlier letter would create, held, and superseded (NEW-8)."""
    desk.process(a_customer("5", minutes=10))
    twin = a_customer("2", email="ann@example.com")
    bodies = [
        a_customer("1", email="ann@example.com"), twin, a_customer("3", addresses=()),
        a_customer("5", minutes=5),
    ]  # fmt: skip
    bury(desk, imports_of(*bodies))

    found = counts(desk, "--all")

    assert found == {
        ("create", None): 1,
        ("link", None): 1,
        ("hold", "no_billing_address"): 1,
        ("ignore", "superseded"): 1,
    }


def test_exports_are_told_by_whether_they_still_hold(desk: Desk) -> None:
    """One that still holds would be written, after the pause; one that does not is not."""
    desk.process(a_customer("1"))
    (row,) = desk.rows(customers)
    sent = [an_export("1", row.id, row.number), an_export("1", row.id, "D999"),
            an_export("2", row.id, row.number)]  # fmt: skip
    bury(desk, sent, worker="exporter", reason="attribute_missing")
    with desk.units.begin() as work:
        pauses.pause(work, "shop", reason="attribute_missing", detail="x", retry_at=work.now)

    found = counts(desk, "--channel", "shop")
    table = desk.patron(*DRY, "--all")

    assert found == {("write", None): 1, ("lapsed", "superseded"): 1, ("lapsed", "removed"): 1}
    assert "waits: shop is paused (attribute_missing)" in table.out


def test_what_still_cannot_be_read_says_why(desk: Desk) -> None:
    """A schema from the future stays dead until the deploy; its neighbours do not."""
    first, _ = bury(desk, imports_of("1", "2"))
    with desk.units.begin() as work:
        columns = dead_letters.c
        newest = sa.update(dead_letters).where(columns.subject == "1").values(schema_version=99)
        work.connection.execute(newest)

    found = counts(desk, "--all")
    (shown,) = desk.patron(*DRY, first, "-o", "json").json["shown"]

    assert found == {("stays_dead", "schema_too_new"): 1, ("create", None): 1}
    assert (shown["letter"], shown["reason"]) == (first, "schema_too_new")
    assert "99" in shown["note"]


def test_requests_and_staged_customers_are_told_as_well(desk: Desk) -> None:
    """An import would be asked for again; a staged record that was closed meanwhile is left."""
    desk.process(a_customer("1"))
    (record,) = desk.rows(staging_customers)
    bodies = [
        ImportRequested(channel="shop"),
        StagingProcess(channel="shop", external_id="1", staging_id=record.id),
    ]
    bury(desk, [parcel(each, channel="shop", subject="1", at=NOON) for each in bodies])

    found = counts(desk, "--all")

    assert found == {("send", "import.requested"): 1, ("ignore", "staging_closed"): 1}


def test_of_many_only_some_are_shown(sqlite_desk: Desk) -> None:
    """What matters most comes first; the rest is in the counts."""
    held = a_customer("9", addresses=())
    bury(sqlite_desk, imports_of(*(str(n) for n in range(5)), held))

    answer = sqlite_desk.patron(*DRY, "--all", "--limit", "1", "-o", "json")
    table = sqlite_desk.patron(*DRY, "--all", "--limit", "1")

    assert [each["what"] for each in answer.json["shown"]] == ["hold"]
    assert answer.json["letters"] == 6
    assert "1 of 6; --limit shows more" in table.out
