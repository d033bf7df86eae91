"""Customers as hypothesis may think them up: every field said or not, sensible or absurd.

Real spellings are mixed in, because random text is almost never a phone number.
"""

# Confusable characters are what is tested here.
# ruff: noqa: RUF001

from datetime import UTC, datetime
from typing import Final

from hypothesis import strategies as st

from shared.domain.customer import (
    Address,
    Contact,
    Custom,
    Customer,
    FieldWarning,
    Phone,
    Source,
    Version,
)

VERSION: Final = Version(
    changed_at=datetime(2026, 1, 1, tzinfo=UTC),
    read_at=datetime(2026, 1, 1, tzinfo=UTC),
    fingerprint="fingerprint",
)
SOURCE: Final = Source(channel="shop", store_view="de", external_id="1", version=VERSION)

_ODD: Final = st.sampled_from(
    ["", "-", "n/a", "\x00", "a\x00b", "a \t\n b", "\u200bA", "e\u0301", "👩\u200d👧", "ﬃ", "İI ıi",
     "ß" * 255, "\u0958" * 255]
)  # fmt: skip


def texts(*likely: str, max_size: int = 255) -> st.SearchStrategy[str]:
    """Give text of which much is `likely`, some odd and the rest anything."""
    anything = st.text(max_size=max_size)
    return (st.sampled_from(likely) if likely else anything) | _ODD | anything


_NAMES = st.none() | texts("Ann", "Jörg 😀", "O'Neil")
_TAX_IDS = st.none() | texts(
    "DE 136 695 976", "136695976", "UK 980 7806 84", "EL094259216", "CHE-107.787.577 IVA", "GD001"
)
_PHONES = st.none() | st.builds(
    lambda said: Phone(**said),
    st.fixed_dictionaries(
        {
            "raw": texts(
                "+49 (0)30 / 5550142 Durchwahl 12",
                "030 5550142",
                "0049 30 5550142",
                "1-800-FLOWERS",
            )
        },
        optional={"e164": st.none() | st.just("+49305550142"), "extension": st.none() | texts("7")},
    ),
)

_ADDRESSES = st.builds(
    lambda said: Address(**said),
    st.fixed_dictionaries(
        {},
        optional={
            "external_id": st.none() | st.just("7"),
            "location_name": _NAMES,
            "is_default_billing": st.booleans(),
            "is_default_shipping": st.booleans(),
            "first_name": _NAMES,
            "company_name": _NAMES,
            "lines": st.lists(texts("Main St 1"), max_size=3).map(tuple),
            "city": st.none() | texts("St. Pölten"),
            "postcode": st.none() | texts("sw1a1aa", "1234ab", "10115", "D-10115", "１０１１５"),
            "region_code": st.none() | texts("CA", "US-CA", "BAW", "-"),
            "region": st.none() | texts("California", "Bayern", "-", "CA"),
            "country": st.none()
            | st.sampled_from(["DE", "GB", "UK", "US", "EL", "NL", "XX", "XK"]),
            "phone": _PHONES,
            "tax_id": _TAX_IDS,
        },
    ),
)

_CONTACTS = st.builds(
    lambda said: Contact(**said),
    st.fixed_dictionaries(
        {"external_id": st.just("7")},
        optional={
            "account": st.none() | st.just("8"),
            "is_main": st.booleans(),
            "first_name": _NAMES,
            "last_name": _NAMES,
            "email": st.none() | texts(" Ann@EXAMPLE.com", "no mail"),
            "phone": _PHONES,
            "role": _NAMES,
        },
    ),
)

_CUSTOM_VALUES = texts() | st.integers() | st.booleans() | st.none()
_CUSTOM = st.builds(
    lambda said: Custom(**said),
    st.fixed_dictionaries(
        {}, optional={"attributes": st.dictionaries(texts("vat"), _CUSTOM_VALUES, max_size=2)}
    ),
)

CUSTOMERS: Final = st.builds(
    lambda said: Customer(source=SOURCE, **said),
    st.fixed_dictionaries(
        {},
        optional={
            "prefix": _NAMES,
            "first_name": _NAMES,
            "last_name": _NAMES,
            "company_name": _NAMES,
            "email": st.none()
            | texts(" Ann@EXAMPLE.com", "ann@BÜCHER.de", "no mail", "ann@shop.test"),
            "phone": _PHONES,
            "language": st.none() | texts("de-AT", "en_GB", "de"),
            "tax_id": _TAX_IDS,
            "notes": st.none() | texts("two\r\nlines", max_size=400),
            "customer_number": st.none() | texts("C-100", " "),
            "addresses": st.lists(_ADDRESSES, max_size=3).map(tuple),
            "contacts": st.lists(_CONTACTS, max_size=2).map(tuple),
            "custom": _CUSTOM,
            "warnings": st.just((FieldWarning(field="gender", problem="is no gender"),)),
        },
    ),
)
