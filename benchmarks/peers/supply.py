"""What is to be done: a directory of customers, and messages about them and about new ones.

Its promise: the messages are the product's own, about 1.5 KB each, and every one is about somebody
else, so what must stand in the tables afterwards is known exactly.
"""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Final

import sqlalchemy as sa

from benchmarks.peers import sql
from shared.domain.customer import Address, Custom, Customer, CustomerKind, Phone, Source, Version
from shared.domain.messages import CustomerImported, Parcel, parcel

SHARE_KNOWN: Final = 2
"""One message in two is about a customer whom the directory knows: by e-mail and by telephone."""

_NOON: Final = datetime(2026, 11, 1, 12, tzinfo=UTC)
_NOTES: Final = "Prefers deliveries in the morning; asks for a call before anything is changed. "

# Numbers from +4930100000000 are known, those from +4930200000000 are new.
_KNOWN: Final = """
INSERT INTO tiny_customers (id, email, phone, first_name, last_name, postcode, city, country,
    channel, external_id, changed_at)
SELECT gen_random_uuid(), 'known' || n || '@example.com', '+49' || (30100000000 + n), 'Ann',
    'Lang' || n, '10115', 'Berlin', 'DE', 'erp', n::text, timestamptz '2026-10-01 12:00+00'
FROM generate_series(0, :most - 1) AS n
"""


def prepare(engine: sa.Engine, messages: int) -> int:
    """Make the tables, with everybody whom `messages` messages may mean; return how many these are.

    The directory is never smaller than ten thousand.
    """
    most = max(10_000, messages)
    with engine.begin() as connection:
        connection.execute(sa.text(sql.SCHEMA))
        connection.execute(sa.text(_KNOWN), {"most": most})
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(sa.text("VACUUM ANALYZE tiny_customers"))
    return most


def parcels(first: int, count: int) -> Iterator[Parcel]:
    """Yield messages number `first` and on."""
    for number in range(first, first + count):
        body = CustomerImported(customer=_customer(number), origin="poll", mode="normal")
        yield parcel(body, channel="shop", subject=str(number), at=_NOON)


def new_among(first: int, count: int) -> int:
    """Return how many of these messages are about new customers."""
    return sum(number % SHARE_KNOWN == 1 for number in range(first, first + count))


def _customer(number: int) -> Customer:
    email, phone = _identity(number)
    changed_at = _NOON + timedelta(seconds=number)
    return Customer(
        source=Source(
            channel="shop",
            store_view="de",
            external_id=str(number),
            version=Version(
                changed_at=changed_at,
                read_at=changed_at + timedelta(seconds=5),
                fingerprint=f"{number:064x}",
            ),
        ),
        kind=CustomerKind.BUSINESS,
        first_name="Annegret",
        last_name=f"Langhammer{number}",
        company_name=f"Nordwind Handelsgesellschaft {number} mbH",
        email=email,
        phone=phone,
        language="de",
        currency="EUR",
        group="wholesale",
        notes=_NOTES * 2,
        registered_at=_NOON - timedelta(days=30),
        addresses=(
            _address(number, "Lindenweg", phone, is_default=True),
            _address(number, "Hafenstraße", phone, is_default=False),
        ),
        custom=Custom(
            attributes={"loyalty_points": number, "newsletter": True, "sales_rep": "Anke Boll"}
        ),
    )


def _identity(number: int) -> tuple[str, Phone]:
    """Return e-mail and telephone: of somebody new, or one of them of somebody known."""
    new = 30_200_000_000 + number
    if number % SHARE_KNOWN:
        return f"new{number}@example.com", _phone(new)
    if number % (2 * SHARE_KNOWN):
        return f"changed{number}@example.com", _phone(30_100_000_000 + number)
    return f"known{number}@example.com", _phone(new)


def _phone(digits: int) -> Phone:
    return Phone(raw=f"0{digits:,}".replace(",", " "), e164=f"+49{digits}")


def _address(number: int, street: str, phone: Phone, *, is_default: bool) -> Address:
    return Address(
        external_id=f"{number}-{street[:1]}",
        is_default_billing=is_default,
        is_default_shipping=not is_default,
        first_name="Annegret",
        last_name=f"Langhammer{number}",
        company_name=f"Nordwind Handelsgesellschaft {number} mbH",
        lines=(f"{street} {number % 200}", "Hinterhaus, 2. Stock"),
        city="Berlin",
        postcode="10115",
        country="DE",
        phone=phone,
    )
