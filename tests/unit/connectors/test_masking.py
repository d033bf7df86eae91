"""What of a platform's message may pass."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.connectors.masking import MASK, Masking, merged

MASKING = Masking({"the", "email", "is", "taken"}, {"customer_number"}, kept_whole=r"id-\d+")


def test_known_words_names_and_ids_pass() -> None:
    """Words in any case, names exactly, and what is kept whole."""
    text = "The email is taken (customer_number, id-12)."

    assert merged(MASKING(text)) == text


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("The email ann@example.com is taken", f"The email {MASK} is taken"),
        ("Ann Lee-Smith is taken", f"{MASK} is taken"),
        ("email 0171 234 567", f"email {MASK}"),
        ("Customer_Number", MASK),
    ],
)
def test_what_is_not_known_is_masked(text: str, masked: str) -> None:
    """Each stretch of it becomes one mask."""
    assert merged(MASKING(text)) == masked


@given(st.text(alphabet="abcXYZ012@-_é ", min_size=1))
def test_nothing_unknown_is_in_what_passes(typed: str) -> None:
    """Whatever was typed: only known words are left of it."""
    left = merged(MASKING(typed)).replace(MASK, " ")

    assert not [word for word in left.split() if any(map(str.isalnum, word))]
