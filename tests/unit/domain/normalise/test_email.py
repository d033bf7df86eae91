"""E-mail addresses: the key (D365-5)."""

# Confusable characters are what is tested here.
# ruff: noqa: RUF001

import pytest
from email_validator import EmailNotValidError, validate_email
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.domain.normalise import email_key
from shared.domain.normalise.email import email


@pytest.mark.parametrize(
    ("raw", "key"),
    [
        ("ann@example.com", "ann@example.com"),
        ("  Ann@Example.COM\n", "ann@example.com"),
        ("ANN+shop@sub.example.co.uk", "ann+shop@sub.example.co.uk"),
        ("ann@BÜCHER.de", "ann@bücher.de"),
        ("ann@xn--bcher-kva.de", "ann@bücher.de"),
        ("Jörg@Müller.at", "jörg@müller.at"),
        ("ann@shop.test", "ann@shop.test"),
        ("ann@erp.local", "ann@erp.local"),
    ],
)
def test_equal_addresses_share_a_key(raw: str, key: str) -> None:
    """Case, stray space and the spelling of an international domain make no other address."""
    found = email_key(raw)

    assert found == key


@pytest.mark.parametrize(
    "raw",
    [None, "", " ", "ann", "ann@", "@example.com", "ann@localhost", "ann@exa mple.com",
     "ann@example..com", "Ann <ann@example.com>", "ann@example.com, bob@example.com",
     "a@" + "b" * 250 + ".com"],
)  # fmt: skip
def test_what_is_no_address_has_no_key(raw: str | None) -> None:
    """No two customers may be taken for one because both have no usable address."""
    found = email_key(raw)

    assert found is None


def test_different_domains_stay_different() -> None:
    """The letter ß is a letter of its own in domains: straße.de is not strasse.de."""
    keys = {email_key("ann@straße.de"), email_key("ann@strasse.de")}

    assert len(keys) == 2


def test_dotless_i_is_not_i() -> None:
    """Turkish i without a dot and I with one do not become the mailbox of somebody with an i."""
    keys = {email_key(f"al{letter}@example.com") for letter in "iıİ"}

    assert len(keys) == 3


@settings(derandomize=True, deadline=None, max_examples=500)
@given(st.from_regex(r"\A[A-Za-z0-9._+-]{1,12}@[A-Za-z0-9.-]{1,12}\.[a-z]{2,4}\Z"))
def test_plain_addresses_get_the_key_the_library_would_give(raw: str) -> None:
    """The short cut for plain addresses decides nothing otherwise than the library."""
    try:
        valid = validate_email(raw, check_deliverability=False, globally_deliverable=False)
        expected = f"{valid.local_part.lower()}@{valid.domain}"
    except EmailNotValidError:
        expected = None

    assert email_key(raw) == expected


@settings(derandomize=True, deadline=None, max_examples=300)
@given(
    st.text(max_size=80) | st.builds("{}@{}.de".format, st.text(max_size=10), st.text(max_size=9))
)
def test_any_text_has_a_stable_key_or_none(raw: str) -> None:
    """A key is its own key, and no text makes the function fail."""
    key = email_key(raw)

    assert key is None or email_key(key) == key


def test_display_form_keeps_the_local_part() -> None:
    """What a shop shows is trimmed and its domain lowered; the mailbox is left as written."""
    shown, problem = email(" Ann.Lee@EXAMPLE.com ")

    assert (shown, problem) == ("Ann.Lee@example.com", None)


def test_unusable_address_is_kept_with_a_problem() -> None:
    """An address nobody can write to stays as written; the problem does not repeat it."""
    shown, problem = email("ann at example")

    assert shown == "ann at example"
    assert problem == "is no usable e-mail address"
