"""Text: what is cleaned away and what is not."""

# Confusable characters are what is tested here.
# ruff: noqa: RUF001

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.domain.normalise import clean_line, clean_text


@pytest.mark.parametrize(
    ("raw", "clean"),
    [
        ("Ann", "Ann"),
        ("  Ann \t Lee\n", "Ann Lee"),
        ("Ann\u00a0Lee", "Ann Lee"),
        ("An\x00n\x07", "Ann"),
        ("\ufeffAn\u200bn", "Ann"),
        ("Mu\u0308ller", "Müller"),
        ("👩‍👩‍👧 Ann 🇩🇪", "👩‍👩‍👧 Ann 🇩🇪"),
        ("St. Pölten", "St. Pölten"),
        ("Iğdır", "Iğdır"),
    ],
)
def test_line_is_cleaned_without_loss(raw: str, clean: str) -> None:
    """Controls and stray space go; emoji of several parts and every letter stay."""
    found = clean_line(raw)

    assert found == clean


def test_text_keeps_its_lines() -> None:
    """Notes keep paragraphs and indents, and lose what no database takes."""
    found = clean_text(" first\r\n\tsecond\x00\rthird ")

    assert found == "first\n\tsecond\nthird"


@settings(derandomize=True, deadline=None, max_examples=500)
@given(st.text() | st.text("\x00\x1c\x85\u00a0\u200b\ufeff e\u0301\u0958\u2000\n", max_size=12))
def test_cleaning_twice_is_cleaning_once(raw: str) -> None:
    """Cleaning settles at once, and never makes a text longer than its field allows."""
    for clean in (clean_line, clean_text):
        once = clean(raw)

        assert clean(once) == once
        assert len(once) <= len(raw)
