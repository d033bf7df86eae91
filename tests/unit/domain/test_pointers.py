"""JSON pointers set values and name differences."""

import pytest

from shared.domain.pointers import Change, PointerInvalid, changes, find, with_value

DOCUMENT = {"customer": {"email": "a@b.c", "tags": ["x"], "a/b": {"~": 1}}}


@pytest.mark.parametrize(
    ("pointer", "value"),
    [
        ("/customer/email", "a@b.c"),
        ("/customer/tags/0", "x"),
        ("/customer/a~1b/~0", 1),
        ("/customer/tags/1", None),
        ("/customer/tags/01", None),
        ("/customer/email/0", None),
    ],
)
def test_a_pointer_finds_what_it_names(pointer: str, value: object) -> None:
    """Escapes are understood; what is not there is nothing."""
    assert find(DOCUMENT, pointer) == value


def test_a_value_is_set_in_a_copy() -> None:
    """The document itself stays; lists and objects are replaced in place or grow by one."""
    changed = with_value(DOCUMENT, "/customer/tags/-", "y")
    changed = with_value(changed, "/customer/phone", None)

    assert changed["customer"]["tags"] == ["x", "y"]
    assert changed["customer"]["phone"] is None
    assert DOCUMENT["customer"]["tags"] == ["x"]


@pytest.mark.parametrize(
    "pointer", ["customer", "/~2", "/customers/email", "/customer/tags/7", "/customer/email/0"]
)
def test_a_pointer_that_leads_nowhere_is_refused(pointer: str) -> None:
    """A slip of the pen makes no new branch."""
    with pytest.raises(PointerInvalid):
        with_value(DOCUMENT, pointer, 1)


def test_differences_are_named_by_pointers() -> None:
    """Each with what was there and what is; a list of another length is one difference."""
    before = {"a": 1, "b": {"c/d": [1, 2]}, "e": [1], "f": 1}
    after = {"a": 2, "b": {"c/d": [1, 3]}, "e": [1, 2], "g": None, "f": 1.0}

    assert changes(before, after) == [
        Change("replace", "/a", 1, 2),
        Change("replace", "/b/c~1d/1", 2, 3),
        Change("replace", "/e", [1], [1, 2]),
        Change("replace", "/f", 1, 1.0),
        Change("add", "/g", None, None),
    ]


def test_the_same_documents_do_not_differ() -> None:
    """Whatever they are."""
    assert changes(DOCUMENT, dict(DOCUMENT)) == []
    assert changes(None, {"a": 1}) == [Change("replace", "", None, {"a": 1})]
