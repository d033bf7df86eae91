"""An array is written as PostgreSQL reads it, whatever stands in its texts."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta, timezone
from enum import StrEnum
from typing import Any
from uuid import UUID

import pytest

from shared.persistence.array_literal import array_literal
from shared.persistence.failures import ValueRefused


class Kind(StrEnum):
    """A text that is an enumeration's member."""

    BUSINESS = "business"


@pytest.mark.parametrize(
    ("values", "literal"),
    [
        ([], "{}"),
        (["a", None, "", "NULL"], '{"a",null,"","NULL"}'),
        (['a "quoted" {x}, \\ y'], r'{"a \"quoted\" {x}, \\ y"}'),
        (["\\n is no line's end"], r'{"\\n is no line' + "'s end\"}"),
        (["two\nlines\tand\r\x0c\x08"], '{"two\nlines\tand\r\x0c\x08"}'),
        (["\x1f and \\u001f"], '{"\x1f and \\\\u001f"}'),
        (['\\"\n'], '{"\\\\\\"\n"}'),
        ([Kind.BUSINESS], '{"business"}'),
        ([1, -(2**63), None, True], "{1,-9223372036854775808,null,true}"),
        ([UUID(int=1)], '{"00000000-0000-0000-0000-000000000001"}'),
        ([date(2026, 11, 22)], '{"2026-11-22"}'),
        ([datetime(2026, 11, 22, 12, 0, 0, 5, tzinfo=UTC)], '{"2026-11-22T12:00:00.000005+00:00"}'),
        (
            [datetime(2026, 11, 22, 12, tzinfo=timezone(timedelta(hours=2)))],
            '{"2026-11-22T12:00:00+02:00"}',
        ),
    ],
)
def test_values_are_written_as_an_array_reads_them(values: Sequence[Any], literal: str) -> None:
    """Quotes and backslashes are escaped, control characters stand for themselves."""
    assert array_literal(values) == literal


@pytest.mark.parametrize("value", [b"bytes", "\ud800", 2**64], ids=["bytes", "surrogate", "huge"])
def test_what_has_no_words_is_refused(value: object) -> None:
    """Nothing is replaced by something else in silence, and the failure names no value."""
    with pytest.raises(ValueRefused) as caught:
        array_literal([value])

    assert str(value) not in str(caught.value)
