"""Values are compared and hashed by what is in them, like the frozen dataclasses they stand for."""

from dataclasses import replace

import pytest

from shared.domain.values import value


@value
class Point:
    """A point."""

    x: int
    y: int = 0


@value(kw_only=True)
class Line:
    """A line, whose later end need not be given."""

    end: Point | None = None
    start: Point


def test_equal_values_are_one_in_a_set() -> None:
    """Equality and hash go by the fields."""
    assert {Point(1), Point(1, 0), Point(2)} == {Point(1), Point(2)}


def test_a_value_is_replaced_not_changed() -> None:
    """`replace` gives a new value, and leaves the old one as it was."""
    line = Line(start=Point(1))

    longer = replace(line, end=Point(5))

    assert (line.end, longer.end) == (None, Point(5))


def test_a_value_has_its_fields_and_no_others() -> None:
    """A misspelt attribute is not taken for a new one."""
    with pytest.raises(AttributeError):
        Point(1).z = 3  # type: ignore[attr-defined]
