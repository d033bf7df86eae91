"""The last import date at the command line: looked at, set back, and on purpose forward."""

from datetime import datetime, timedelta

import pytest
import sqlalchemy as sa

from shared.persistence import source_records
from shared.persistence.cursors import Cursor, Cursors
from shared.persistence.source_records import Seen
from shared.persistence.tables import audit_log
from tests.builders import NOON
from tests.integration.console.conftest import Desk

VIEW = ("shop", "de")
DAY = timedelta(days=1)


def read_until(desk: Desk, at: datetime | None) -> None:
    """Have the store view imported up to a moment."""
    with desk.units.begin() as work:
        Cursors(work).ensure([VIEW])
        Cursors(work).set_watermark(*VIEW, at, "7")


def cursor(desk: Desk) -> Cursor:
    """Return the cursor of the store view."""
    with desk.units.read() as work:
        found = Cursors(work).find(*VIEW)
    assert found
    return found


def audited(desk: Desk) -> list[tuple[str, str, str]]:
    """Return what the audit log says."""
    with desk.units.read() as work:
        rows = work.connection.execute(sa.select(audit_log)).all()
    return [(row.action, row.subject, row.detail) for row in rows]


@pytest.mark.parametrize(
    ("text", "after"),
    [
        ("2026-10-31", datetime.fromisoformat("2026-10-31T00:00+00:00")),
        ("2026-10-31T08:30", datetime.fromisoformat("2026-10-31T08:30+00:00")),
        ("2026-10-31T08:30+02:00", datetime.fromisoformat("2026-10-31T06:30+00:00")),
        ("beginning", None),
    ],
)
def test_the_last_import_date_is_set_back(desk: Desk, text: str, after: datetime | None) -> None:
    """Whoever reads is stopped, the view is due at once, and both dates are audited (C365-2)."""
    read_until(desk, NOON)
    with desk.units.begin() as work:
        lease = Cursors(work).acquire("importer@host:1", 60, among=[VIEW])

    answer = desk.patron("cursor", "set", *VIEW, text, "-o", "json")

    assert lease
    assert (answer.code, answer.err) == (0, "")
    assert [answer.json[key] and datetime.fromisoformat(answer.json[key]) for key in (
        "before", "after",
    )] == [NOON, after]  # fmt: skip
    now = cursor(desk)
    assert (now.watermark_at, now.watermark_key, now.lease_owner) == (after, "", None)
    assert now.poll_due_at >= lease.cursor.poll_due_at
    said = "the beginning" if after is None else f"{after:%Y-%m-%d %H:%M:%SZ}"
    assert audited(desk) == [
        ("cursor.set", "shop/de", f"last import: 2026-11-01 12:00:00Z -> {said}")
    ]


@pytest.mark.parametrize("before", [NOON, None])
def test_forward_is_refused_unless_it_is_said(desk: Desk, before: datetime | None) -> None:
    """What changed in between would not be read by polls; with --skip that is meant (C365-2)."""
    read_until(desk, before)
    later = f"{NOON + DAY:%Y-%m-%dT%H:%M}"

    refused = desk.patron("cursor", "set", *VIEW, later)
    unchanged = cursor(desk).watermark_at
    skipped = desk.patron("cursor", "set", *VIEW, later, "--skip")

    assert (refused.code, refused.out) == (2, "")
    assert "would not read what changed in between" in refused.err
    assert "--skip" in refused.err
    assert unchanged == before
    assert skipped.code == 0
    assert "2026-11-02 12:00:00Z" in skipped.out
    assert cursor(desk).watermark_at == NOON + DAY
    assert len(audited(desk)) == 1


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("shop", "de", "yesterday"), "'yesterday' is neither a date, nor a moment"),
        (("shop", "de", "2999-01-01", "--skip"), "lies in the future"),
        (("shop", "de", "0001-01-01T00:00+14:00"), "is no moment in UTC"),
        (("shop", "xx", "beginning"), "known are shop de"),
    ],
)
def test_what_cannot_be_meant_is_refused(
    sqlite_desk: Desk, words: tuple[str, ...], said: str
) -> None:
    """Nothing is changed or audited, and the sentence says what is wrong."""
    read_until(sqlite_desk, NOON)

    answer = sqlite_desk.patron("cursor", "set", *words)

    assert (answer.code, answer.out) == (2, "")
    assert said in answer.err
    assert cursor(sqlite_desk).watermark_at == NOON
    assert audited(sqlite_desk) == []


def test_a_date_can_be_set_before_the_first_import(sqlite_desk: Desk) -> None:
    """Of a view that is configured; it is where the importer then begins."""
    answer = sqlite_desk.patron("cursor", "set", *VIEW, "2026-10-31", "--skip")

    assert (answer.code, answer.err) == (0, "")
    assert cursor(sqlite_desk).watermark_at == datetime.fromisoformat("2026-10-31T00:00+00:00")


def test_one_store_view_is_shown_with_all_there_is_to_know(desk: Desk) -> None:
    """Dates, mode, how far the sweep is, what failed of polls and what of sweeps."""
    read_until(desk, NOON)
    with desk.units.begin() as work:
        seen = [Seen("shop", str(n), "de", f"{n:06}", "f") for n in range(1, 5)]
        source_records.record(work, seen)
        poll = Cursors(work).acquire("importer@host:1", 60, among=[VIEW])
        assert poll
        Cursors(work).fail(poll, "remote_unavailable: timeout", retry_at=work.now + DAY)
        sweep = Cursors(work).acquire("importer@host:1", 60, among=[VIEW])
        assert sweep
        Cursors(work).save_sweep(sweep, "000003", seconds=60)

    shown = desk.patron("cursor", "show", *VIEW)
    record = desk.patron("cursor", "show", *VIEW, "-o", "json").json

    assert "2026-11-01 12:00:00Z" in shown.out
    assert record["sweep_progress"] == "3 of 4 known customers"
    assert record["last_poll_error"] == "remote_unavailable: timeout"
    assert (record["poll_failures"], record["sweep_failures"]) == (1, 0)
    assert (record["leased_by"], record["sweep_mode"]) == ("importer@host:1", "normal")
    assert record["last_sweep_began"]


@pytest.mark.parametrize(
    ("view", "code", "said"),
    [("de", 1, "shop de was never read"), ("xx", 2, "there is no store view 'xx'")],
)
def test_a_view_that_is_not_there_is_said_plainly(
    sqlite_desk: Desk, view: str, code: int, said: str
) -> None:
    """One that is configured and never read, and one that nobody knows."""
    answer = sqlite_desk.patron("cursor", "show", "shop", view)

    assert (answer.code, answer.out) == (code, "")
    assert said in answer.err
