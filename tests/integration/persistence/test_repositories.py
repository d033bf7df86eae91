"""What workers remember: source records, number series, history, pauses."""

from dataclasses import replace
from datetime import timedelta
from uuid import uuid4

import pytest
import sqlalchemy as sa

from shared.persistence import history, number_series, pauses, source_records, tables
from shared.persistence.source_records import Seen
from shared.persistence.unit_of_work import UnitOfWork, UnitsOfWork
from tests.integration.persistence.builders import NOON, Crash, SettableClock

SEEN = Seen("shop", "7", "default", "0007", "f1")


class TestSourceRecords:
    """Unchanged, echoed and vanished records are recognised."""

    def test_what_was_recorded_is_known(self, units: UnitsOfWork) -> None:
        """By channel and id, with the fingerprint it had."""
        with units.begin() as work:
            source_records.record(work, [SEEN, replace(SEEN, external_id="8")])

            known = source_records.known(work, "shop", ["7", "9"])
            elsewhere = source_records.known(work, "erp", ["7"])

        assert known == {"7": "f1"}
        assert elsewhere == {}

    def test_what_changed_is_recorded_anew(self, units: UnitsOfWork) -> None:
        """The last state seen is the one that counts."""
        with units.begin() as work:
            source_records.record(work, [SEEN])
            source_records.record(work, [replace(SEEN, fingerprint="f2", store_view="german")])

            assert source_records.known(work, "shop", ["7"]) == {"7": "f2"}
            assert source_records.known(work, "shop", ["7"], store_view="german") == {"7": "f2"}

    def test_a_record_that_moved_is_unknown_in_its_new_view(self, units: UnitsOfWork) -> None:
        """So that the move is imported like any other change."""
        with units.begin() as work:
            source_records.record(work, [SEEN])

            assert source_records.known(work, "shop", ["7"], store_view="german") == {}

    def test_a_sweep_learns_what_it_should_meet(self, units: UnitsOfWork) -> None:
        """Between two keys, in one view, compared as bytes and whatever the database's language."""
        keys = ["A", "B", "a", "b", "ä"]
        with units.begin() as work:
            source_records.record(
                work, [replace(SEEN, external_id=key, scan_key=key) for key in keys]
            )
            source_records.record(
                work, [replace(SEEN, external_id="x", scan_key="a", store_view="german")]
            )

            def window(after: str, up_to: str | None) -> list[str]:
                return sorted(
                    source_records.in_window(
                        work, "shop", "default", after_key=after, up_to_key=up_to
                    )
                )

            assert window("", None) == keys
            assert window("A", "a") == ["B", "a"]
            assert window("b", None) == ["ä"]

    def test_a_deletion_is_news_once_and_a_return_is_new(self, units: UnitsOfWork) -> None:
        """A deleted record is unknown, expected nowhere, and new when it comes back."""
        with units.begin() as work:
            source_records.record(work, [SEEN])

            first = source_records.mark_deleted(work, "shop", ["7", "unknown"])
            second = source_records.mark_deleted(work, "shop", ["7"])
            known = source_records.known(work, "shop", ["7"])
            expected = source_records.in_window(
                work, "shop", "default", after_key="", up_to_key=None
            )
            source_records.record(work, [SEEN])

            assert (first, second) == ({"7"}, set())
            assert (known, expected) == ({}, set())
            assert source_records.known(work, "shop", ["7"]) == {"7": "f1"}

    def test_a_record_seen_elsewhere_is_not_deleted(self, units: UnitsOfWork) -> None:
        """Missing from its old view, it has merely moved."""
        with units.begin() as work:
            source_records.record(work, [replace(SEEN, store_view="german")])

            gone = source_records.mark_deleted(work, "shop", ["7"], store_view="default")

        assert gone == set()

    def test_our_own_write_is_no_change(self, units: UnitsOfWork) -> None:
        """The fingerprint it led to takes the place of the one it found, and of no other."""
        with units.begin() as work:
            source_records.record(work, [SEEN, replace(SEEN, external_id="8", fingerprint="x")])

            replaced = source_records.replace_fingerprints(
                work, "shop", [("7", "f1", "f2"), ("8", "f1", "f2"), ("9", "f1", "f2")]
            )
            one = source_records.replace_fingerprint(work, "shop", "7", before="f2", after="f3")
            other = source_records.replace_fingerprint(work, "shop", "7", before="f2", after="f4")

            assert replaced == {"7"}
            assert (one, other) == (True, False)
            assert source_records.known(work, "shop", ["7", "8"]) == {"7": "f3", "8": "x"}


class TestNumberSeries:
    """Numbers are drawn in order, none twice, none missing."""

    def test_a_series_begins_where_it_is_told_and_goes_on(self, units: UnitsOfWork) -> None:
        """Its start matters only the first time; several are drawn from at once."""
        with units.begin() as work:
            first = number_series.draw(work.connection, {"ERP": (3, 1000), "B2B": (1, 1)})
        with units.begin() as work:
            second = number_series.draw(work.connection, {"ERP": (2, 5), "new": (1, 7)})
            third = number_series.draw(work.connection, {"ERP": (1, 1)})

        assert first == {"ERP": 1000, "B2B": 1}
        assert second == {"ERP": 1003, "new": 7}
        assert third == {"ERP": 1005}

    def test_a_rollback_returns_what_was_drawn(self, units: UnitsOfWork) -> None:
        """A crash between drawing and using leaves no gap."""

        def draw_and_crash() -> None:
            with units.begin() as work:
                number_series.draw(work.connection, {"ERP": (5, 1)})
                raise Crash

        with pytest.raises(Crash):
            draw_and_crash()

        with units.begin() as work:
            assert number_series.draw(work.connection, {"ERP": (1, 1)}) == {"ERP": 1}

    def test_drawing_nothing_is_nothing(self, units: UnitsOfWork) -> None:
        """No series is begun for the sake of no number."""
        with units.begin() as work:
            assert number_series.draw(work.connection, {}) == {}
            assert number_series.draw(work.connection, {"ERP": (0, 1)}) == {}
            assert work.connection.execute(sa.select(tables.number_series)).all() == []


class TestHistory:
    """A customer's timeline can be read in order."""

    def test_lines_are_kept_in_order(self, units: UnitsOfWork) -> None:
        """The id orders what happened at the same moment."""
        correlation_id = uuid4()
        with units.begin() as work:
            history.append(
                work.connection,
                [
                    history.line(
                        at=work.now,
                        correlation_id=correlation_id,
                        channel="shop",
                        external_id="7",
                        worker="processor",
                        event=event,
                    )
                    for event in ("customer.staged", "customer.created")
                ],
            )
            history.append(work.connection, [])

            events = work.connection.execute(
                sa.select(tables.history.c.event).order_by(tables.history.c.id)
            ).scalars()

            assert list(events) == ["customer.staged", "customer.created"]


class TestPauses:
    """A channel whose set-up is wrong waits."""

    def test_a_pause_lasts_from_its_beginning_until_it_is_lifted(
        self, units: UnitsOfWork, clock: SettableClock
    ) -> None:
        """Its reason and next trial may change meanwhile."""
        later = NOON + timedelta(hours=1)
        with units.begin() as work:
            _pause(work, "access_denied")
        clock.advance(60)
        with units.begin() as work:
            _pause(work, "attribute_missing")

        with units.begin() as work:
            active = pauses.active(work)
            lifted = pauses.lift(work, ["shop", "erp"])
            again = pauses.lift(work, ["shop"])

            assert active == {"shop": pauses.Pause("shop", "attribute_missing", "401", NOON, later)}
            assert (lifted, again) == ({"shop"}, set())
            assert pauses.active(work) == {}
            assert pauses.lift(work, []) == set()


def _pause(work: UnitOfWork, reason: str) -> None:
    pauses.pause(work, "shop", reason=reason, detail="401", retry_at=NOON + timedelta(hours=1))
