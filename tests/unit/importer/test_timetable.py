"""The next time of an interval or a cron expression, through every trick that clocks play."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.importer.timetable import Cron, Every, Timetable, timetable_of
from shared.config.settings import StoreViewSettings

BERLIN = "Europe/Berlin"
NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)
BEFORE_SPRING = datetime(2026, 3, 28, 23, tzinfo=UTC)
"""Midnight in Berlin; at two o'clock the clocks go on to three."""
BEFORE_AUTUMN = datetime(2026, 10, 24, 22, tzinfo=UTC)
"""Midnight in Berlin; at three o'clock the clocks go back to two."""


def times(expression: str, after: datetime, many: int) -> list[str]:
    """Return the next times in Berlin as hour and minute, with `*` in the second of two hours."""
    found = []
    for _ in range(many):
        after = Cron(expression, BERLIN).after(after)
        local = after.astimezone(ZoneInfo(BERLIN))
        found.append(f"{local:%d. %H:%M}{'*' * local.fold}")
    return found


def test_an_interval_begins_at_once_and_ends_after_its_seconds() -> None:
    """A new store view is read now, and again an interval later."""
    every = Every(90)

    assert (every.first(NOON), every.after(NOON)) == (NOON, NOON + timedelta(seconds=90))


def test_a_cron_expression_is_read_in_its_time_zone() -> None:
    """Six in the morning in Berlin is four o'clock UTC in summer; weekends are left out."""
    weekdays = Cron("0 6 * * 1-5", BERLIN)

    friday = weekdays.after(datetime(2026, 6, 4, 12, tzinfo=UTC))
    monday = weekdays.after(friday)

    assert friday == datetime(2026, 6, 5, 4, tzinfo=UTC)
    assert monday == datetime(2026, 6, 8, 4, tzinfo=UTC)
    assert weekdays.first(NOON) == weekdays.after(NOON)


def test_a_time_that_is_skipped_comes_right_after_the_gap() -> None:
    """Nothing that is done once a day is left out in spring (C365-21)."""
    assert times("30 2 * * *", BEFORE_SPRING, 2) == ["29. 03:00", "30. 02:30"]


def test_a_time_that_comes_twice_is_meant_once() -> None:
    """Nothing that is done once a day is done twice in autumn (C365-21) (fault 42)."""
    assert times("30 2 * * *", BEFORE_AUTUMN, 2) == ["25. 02:30", "26. 02:30"]


def test_in_the_second_of_two_hours_the_first_is_over() -> None:
    """Whoever asks at the repeated twenty past two is not sent back by an hour."""
    repeated = datetime(2026, 10, 25, 1, 20, tzinfo=UTC)

    assert times("30 2 * * *", repeated, 1) == ["26. 02:30"]


@pytest.mark.parametrize(
    ("after", "expected"),
    [
        (BEFORE_SPRING, ["29. 00:30", "29. 01:00", "29. 01:30", "29. 03:00", "29. 03:30"]),
        (
            BEFORE_AUTUMN + timedelta(hours=2),
            ["25. 02:30", "25. 02:00*", "25. 02:30*", "25. 03:00", "25. 03:30"],
        ),
    ],
)
def test_every_half_hour_stays_every_half_hour(after: datetime, expected: list[str]) -> None:
    """A gap is no gap, and a repeated hour is one more, for what is done around the clock."""
    assert times("*/30 * * * *", after, 5) == expected


def test_a_time_that_never_comes_is_far_away() -> None:
    """It harms nobody: the thirty-first that is also a fifth Monday in February."""
    assert Cron("0 0 */31 2 1#5").after(NOON) > NOON + timedelta(days=30_000)


@given(
    expression=st.sampled_from(
        ["*/7 * * * *", "30 2 * * *", "0 */2 * * *", "*/15 2 * * *", "0 3 * * 0", "5,35 1-3 * * *"]
    ),
    zone=st.sampled_from([BERLIN, "Australia/Lord_Howe", "America/New_York", "UTC"]),
    seconds=st.floats(0, 3 * 366 * 86_400),
)
def test_the_next_time_lies_ahead(expression: str, zone: str, seconds: float) -> None:
    """Whenever it is asked for, and wherever clocks change by whatever amount."""
    now = datetime(2025, 1, 1, tzinfo=UTC) + timedelta(seconds=seconds)

    following = Cron(expression, zone).after(now)

    assert now < following < now + timedelta(days=9)
    assert following.utcoffset() == timedelta(0)


def test_a_cron_expression_takes_the_place_of_the_interval() -> None:
    """Each of the two for itself."""
    view = StoreViewSettings(code="de", poll_interval_seconds=5, sweep_cron="0 3 * * *")

    assert timetable_of(view, BERLIN) == Timetable(Every(5), Cron("0 3 * * *", BERLIN))


@pytest.mark.parametrize(
    ("import_from", "watermark"),
    [
        ("beginning", None),
        ("now", NOON),
        (datetime(2020, 5, 17, tzinfo=UTC), datetime(2020, 5, 17, tzinfo=UTC)),
    ],
)
def test_a_store_view_begins_where_it_is_told_to(
    import_from: str | datetime, watermark: datetime | None
) -> None:
    """With everything, with what changes from now on, or from a moment on (C365-2)."""
    view = StoreViewSettings.model_validate({"code": "de", "import_from": import_from})

    terms = timetable_of(view, "UTC").terms(NOON)

    assert terms.watermark_at == watermark
    assert (terms.first_poll_at, terms.poll_by) == (NOON, NOON + timedelta(seconds=30))
    assert terms.sweep_by == NOON + timedelta(days=1)
