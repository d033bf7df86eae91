"""What was kept long enough goes, slice by slice; what is open stays."""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
import sqlalchemy as sa
from prometheus_client import CollectorRegistry

from shared.config.settings import RetentionSettings
from shared.observability.metrics import create_metrics
from shared.persistence import history as history_lines
from shared.persistence import pushes, retention
from shared.persistence.engine import create_engine
from shared.persistence.pushes import Item, PushRequest
from shared.persistence.retention import Kind
from shared.persistence.tables import (
    OPEN_STAGING_STATES,
    dead_letters,
    history,
    import_requests,
    push_items,
    raw_payloads,
    staging_customers,
    webhook_events,
)
from shared.persistence.unit_of_work import UnitOfWork, UnitsOfWork
from shared.runtime.housekeeping import Housekeeping
from tests.integration.importer.station import no_beat
from tests.integration.persistence.builders import NOON

SETTINGS = RetentionSettings(
    archive_days=10, history_days=20, raw_payload_days=5, dead_letter_days=8
)
NOTHING_KEPT = RetentionSettings(
    archive_days=0, history_days=0, raw_payload_days=0, dead_letter_days=0
)


def ago(days: float) -> datetime:
    """Return a moment before now."""
    return NOON - timedelta(days=days)


def staged(state: str, days: float) -> dict[str, Any]:
    """Return a staging record that was last touched then."""
    moments = dict.fromkeys(("changed_at", "read_at", "created_at", "updated_at"), ago(days))
    ids = {name: uuid4() for name in ("id", "message_id", "correlation_id")}
    return {
        **moments, **ids, "channel": "shop", "external_id": uuid4().hex, "store_view": "de",
        "state": state, "is_existing": False, "config_version": "v", "body": b"{}",
        "explanation": b"{}",
    }  # fmt: skip


def a_letter(state: str, days: float) -> dict[str, Any]:
    """Return a dead letter that failed last then."""
    return {
        "id": uuid4(), "message_id": uuid4(), "worker": "exporter", "queue": "q", "body": b"",
        "body_size": 0, "body_sha256": "", "reason": "bug", "attempts": 1,
        "first_failed_at": ago(days), "last_failed_at": ago(days), "state": state,
    }  # fmt: skip


def a_line(days: float) -> dict[str, Any]:
    """Return a line of history."""
    return history_lines.line(
        at=ago(days), correlation_id=uuid4(), channel="shop", external_id="1", worker="importer",
        event="x",
    )  # fmt: skip


def a_payload(days: float) -> dict[str, Any]:
    """Return a raw payload that was read then."""
    return {"channel": "shop", "external_id": uuid4().hex, "read_at": ago(days), "payload": b""}


def a_question(state: str, days: float) -> dict[str, Any]:
    """Return a question that was answered then, if it was."""
    return {
        "id": uuid4(), "correlation_id": uuid4(), "channel": "shop", "external_id": "1",
        "requested_at": ago(days), "answer_by": ago(days), "due_at": ago(days), "state": state,
        "answered_at": ago(days) if state == "answered" else None,
    }  # fmt: skip


def fill(work: UnitOfWork, *days: float) -> None:
    """Leave rows of every kind, closed and open, of so many days ago."""
    for each in days:
        states = ("processed", "superseded", "discarded", *OPEN_STAGING_STATES)
        work.bulk.insert(staging_customers, [staged(state, each) for state in states])
        letters = [
            a_letter(state, each) for state in ("open", "replaying", "discarded", "resolved")
        ]
        work.bulk.insert(dead_letters, letters)
        work.bulk.insert(history, [a_line(each)])
        work.bulk.insert(raw_payloads, [a_payload(each)])
        questions = [a_question(state, each) for state in ("answered", "wanted", "fetched")]
        for question in questions:
            work.bulk.insert(import_requests, [question])
        event = {"channel": "shop", "event_id": uuid4().hex, "received_at": ago(each)}
        work.bulk.insert(webhook_events, [event])
        a_push(work, each)


def a_push(work: UnitOfWork, days: float) -> None:
    """Leave a pushed request, with what became of its customer."""
    request = PushRequest(uuid4(), "shop", uuid4().hex, None, "0", ago(days))
    pushes.claim(work, request)
    pushes.keep_items(work, request, [Item(0, "1", "accepted")])


def counts(units: UnitsOfWork, kinds: Sequence[Kind]) -> dict[str, int]:
    """Return how many rows there are, of each kind."""
    with units.read() as work:
        return {
            kind.name: work.connection.execute(
                sa.select(sa.func.count()).select_from(kind.table)
            ).scalar_one()
            for kind in kinds
        }


def test_what_is_old_and_closed_goes(units: UnitsOfWork) -> None:
    """Each kind by its own number of days; whatever is open stays, however old (NEW-11)."""
    kinds = retention.kinds(SETTINGS)
    with units.begin() as work:
        fill(work, 100, 1)
    before = counts(units, kinds)

    with units.begin() as work:
        due = {kind.name: retention.count(work, kind) for kind in kinds}
        deleted = {kind.name: retention.delete(work, kind) for kind in kinds}

    assert deleted == due
    assert deleted == {
        "archive": 3, "history": 1, "raw_payloads": 1, "dead_letters": 2, "import_requests": 1,
        "webhook_events": 1, "push_requests": 1,
    }  # fmt: skip
    with units.read() as work:
        items = sa.select(sa.func.count()).select_from(push_items)
        assert work.connection.execute(items).scalar_one() == 1
    after = counts(units, kinds)
    assert after == {name: before[name] - many for name, many in deleted.items()}
    with units.read() as work:
        states = sa.select(staging_customers.c.state).where(
            staging_customers.c.updated_at < ago(50)
        )
        assert set(work.connection.execute(states).scalars()) == set(OPEN_STAGING_STATES)
        kept = sa.select(dead_letters.c.state).where(dead_letters.c.last_failed_at < ago(50))
        assert set(work.connection.execute(kept).scalars()) == {"open", "replaying"}


def test_a_record_that_waited_long_is_archived_from_its_end_on(units: UnitsOfWork) -> None:
    """It was staged long ago and decided today: today its time begins."""
    (archive, *_) = retention.kinds(SETTINGS)
    with units.begin() as work:
        work.bulk.insert(staging_customers, [{**staged("processed", 100), "updated_at": ago(1)}])

    with units.begin() as work:
        assert retention.delete(work, archive) == 0


def test_zero_days_keep_nothing(units: UnitsOfWork) -> None:
    """No longer than until the next run; what is open stays even so."""
    kinds = retention.kinds(NOTHING_KEPT)
    with units.begin() as work:
        fill(work, 0)

    with units.begin() as work:
        deleted = {kind.name: retention.delete(work, kind) for kind in kinds}

    assert deleted == {
        "archive": 3, "history": 1, "raw_payloads": 1, "dead_letters": 2, "import_requests": 0,
        "webhook_events": 0, "push_requests": 0,
    }  # fmt: skip


def test_a_slice_is_the_oldest_rows(units: UnitsOfWork) -> None:
    """Nobody who works waits for more than a slice; history goes from its low end."""
    lines = next(kind for kind in retention.kinds(SETTINGS) if kind.name == "history")
    with units.begin() as work:
        work.bulk.insert(history, [a_line(100 - n) for n in range(5)] + [a_line(1)] * 3)

    with units.begin() as work:
        first = retention.delete(work, lines, limit=2)
        second = retention.delete(work, lines, limit=4)
        third = retention.delete(work, lines, limit=4)

    assert (first, second, third) == (2, 3, 0)
    assert counts(units, [lines]) == {"history": 3}


def test_housekeeping_goes_on_until_nothing_is_left(
    units: UnitsOfWork, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A call does some slices, says whether there is more, and counts what went."""
    monkeypatch.setattr(retention, "SLICE", 2)
    monkeypatch.setattr(retention.delete, "__defaults__", (2,))
    registry = CollectorRegistry()
    metrics = create_metrics(registry, version="test")
    keeper = Housekeeping(units, retention.kinds(SETTINGS), metrics)
    with units.begin() as work:
        work.bulk.insert(history, [a_line(100)] * 45)

    turns = [keeper.run(no_beat), keeper.run(no_beat)]

    assert turns == [True, False]
    gone = registry.get_sample_value("patron_retention_deleted_total", {"kind": "history"})
    assert gone == 45


@pytest.fixture
def pair(migrated_database_url: str) -> Iterator[UnitsOfWork]:
    """Give units of work on PostgreSQL, where two can be at work at once."""
    engine = create_engine(migrated_database_url, pool_size=4)
    yield UnitsOfWork(engine, lambda: NOON)
    engine.dispose()


def test_two_delete_side_by_side(pair: UnitsOfWork) -> None:
    """What one has in hand the other leaves alone, without waiting."""
    (archive, *_) = retention.kinds(SETTINGS)
    with pair.begin() as work:
        work.bulk.insert(staging_customers, [staged("processed", 100) for _ in range(5)])

    with pair.begin() as one, pair.begin() as other:
        deleted = [
            retention.delete(one, archive, limit=3),
            retention.delete(other, archive, limit=3),
        ]

    assert deleted == [3, 2]
