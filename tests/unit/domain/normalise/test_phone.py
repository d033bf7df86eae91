"""Telephone numbers (D365-12, ASK-6, ASK-13)."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.domain.customer import Phone
from shared.domain.normalise import parse_phone, phone_key
from shared.domain.normalise.phone import NO_COUNTRY, NOT_VALID


@pytest.mark.parametrize(
    ("raw", "country", "e164"),
    [
        ("030 5550142", "DE", "+49305550142"),
        ("+49 (0)30 / 555 01 42", "DE", "+49305550142"),
        ("+49 30 5550142", None, "+49305550142"),
        ("+49 30 5550142", "US", "+49305550142"),
        ("0049 30 5550142", "DE", "+49305550142"),
        ("0049 30 5550142", "US", "+49305550142"),
        ("(0049) 30 5550142", None, "+49305550142"),
        ("Tel.: 030-5550142", "DE", "+49305550142"),
        ("٠٣٠ ٥٥٥٠١٤٢", "DE", "+49305550142"),
        ("06 69812345", "IT", "+390669812345"),
        ("020 7946 0018", "GB", "+442079460018"),
        ("0532 123 45 67", "TR", "+905321234567"),
        ("1-800-FLOWERS", "US", "+18003569377"),
        ("+1 (800) FLOWERS", None, "+18003569377"),
    ],
)
def test_spellings_of_a_number_are_one_number(raw: str, country: str | None, e164: str) -> None:
    """Spaces, trunk zeros, 00 for + and foreign digits are spelling; the raw text is kept."""
    phone, problem = parse_phone(raw, country)

    assert (phone.raw, phone.e164, phone.extension, problem) == (raw, e164, None, None)


@pytest.mark.parametrize(
    "raw",
    ["+49 (0)30 / 5550142 Durchwahl 12", "030 5550142 DW 12", "030 5550142 (DW: 12)",
     "030 5550142 ext. 12", "030 5550142 x12", "030 5550142x12", "030 5550142 #12",
     "030 5550142, App. 12", "030 5550142 Klappe 12", "030 5550142 poste 12",
     "030 5550142 доб. 12", "030 5550142;ext=12", "+49 30 5550142 extension 12"],
)  # fmt: skip
def test_extension_is_split_off(raw: str) -> None:
    """An extension is kept apart, and neither lost nor dialled as part of the number (ASK-13)."""
    phone, problem = parse_phone(raw, "DE")

    assert (phone.e164, phone.extension, problem) == ("+49305550142", "12", None)


@pytest.mark.parametrize(
    ("raw", "country", "problem"),
    [
        ("n/a", "DE", NOT_VALID),
        ("000000", "DE", NOT_VALID),
        ("030 5550142 Ann", "DE", NOT_VALID),
        ("030 555 Ann 12 #7", "DE", NOT_VALID),
        ("212 555 0142 Ann", "US", NOT_VALID),
        ("030 5550142 / 0171 1234567", "DE", NOT_VALID),
        ("555-0142", "US", NOT_VALID),
        ("+999 123", None, NOT_VALID),
        ("030 5550142", None, NO_COUNTRY),
        ("9" * 255, "DE", NOT_VALID),
        ("0992 08160 04774898", "DE", NOT_VALID),  # allowed in Germany, too long for E.164
    ],
)
def test_what_is_no_number_is_kept_as_written(raw: str, country: str | None, problem: str) -> None:
    """Nothing is guessed: remarks are not dialled, two numbers are not one (ASK-13)."""
    phone, found = parse_phone(raw, country)

    assert (phone.raw, phone.e164, found) == (raw, None, problem)
    assert phone_key(phone) is None


def test_number_said_to_be_empty_is_no_problem() -> None:
    """An emptied phone field is an empty phone, not a wrong one."""
    phone, problem = parse_phone("", "DE")

    assert (phone, problem) == (Phone(raw=""), None)


def test_same_digits_in_two_countries_are_two_numbers() -> None:
    """A stranger abroad with the same local number is not matched (ASK-6)."""
    german, _ = parse_phone("030 555 01 42", "DE")
    dutch, _ = parse_phone("030 555 01 42", "NL")

    assert phone_key(german) == "+49305550142"
    assert phone_key(dutch) == "+31305550142"


@settings(derandomize=True, deadline=None, max_examples=400)
@given(
    st.text(max_size=60) | st.from_regex(r"\A\+?[0-9 ()/-]{5,18}(x[0-9]{1,4})?\Z"),
    st.sampled_from([None, "DE", "US", "IT", "BR", "XX"]),
)
def test_no_text_makes_it_fail(raw: str, country: str | None) -> None:
    """Whatever was typed, there is a phone that holds it; what was understood reads the same."""
    phone, _ = parse_phone(raw, country)

    assert phone.raw == Phone(raw=raw).raw
    assert phone.e164 is None or parse_phone(phone.e164, None)[0].e164 == phone.e164
