"""Global ids: how the shop names its objects, and back to our own count of them.

Inside the sandbox objects are counted from 1; outside they carry long numbers, a range of its own
for each kind, so that a number alone tells what it belongs to.
Its promise: the n-th object of a kind always has the same id.
"""

import re

FIRST_NUMBER = {
    "Customer": 7_420_000_000_000,
    "MailingAddress": 9_912_000_000_000,
    "Company": 98_000_000,
    "CompanyLocation": 55_000_000,
    "CompanyContact": 77_000_000,
    "CompanyContactRole": 44_000_000,
    "CompanyContactRoleAssignment": 66_000_000,
    "CompanyAddress": 33_000_000,
    "Metafield": 25_000_000_000_000,
    "MetafieldDefinition": 1_200_000_000,
    "WebhookSubscription": 1_100_000_000_000,
    "BulkOperation": 4_300_000_000_000,
}
_GID = re.compile(r"gid://shopify/(\w+)/(\d+)(\?model_name=\w+)?")
# The platform's own oddity: without it, an address is not found.
_SUFFIX = {"MailingAddress": "?model_name=CustomerAddress"}


def gid(kind: str, count: int) -> str:
    """Return the global id of the `count`-th object of `kind`, counted from 1."""
    return f"gid://shopify/{kind}/{FIRST_NUMBER[kind] + count}{_SUFFIX.get(kind, '')}"


def number(kind: str, count: int) -> int:
    """Return the number in the global id, which the legacy API and webhooks use alone."""
    return FIRST_NUMBER[kind] + count


def count_of(kind: str, text: str) -> int | None:
    """Return which object of `kind` a global id means; None for ids of anything else."""
    found = _GID.fullmatch(text)
    if found is None or found[1] != kind or (found[3] or "") != _SUFFIX.get(kind, ""):
        return None
    return int(found[2]) - FIRST_NUMBER[kind]


def kind_of(text: str) -> str | None:
    """Return the kind of object that a global id means; None for what is no global id."""
    found = _GID.fullmatch(text)
    return found[1] if found else None


def customer_gid(count: int) -> str:
    """Return the id of the `count`-th customer; seeded ones are counted from 1."""
    return gid("Customer", count)


def address_gid(count: int, place: int = 0) -> str:
    """Return the id of the address at `place` in a seeded customer's address book."""
    return gid("MailingAddress", address_count(count, place))


def address_count(customer: int, place: int) -> int:
    """Return which address stands at `place` (0 to 3) of a seeded customer's address book."""
    return (customer - 1) * 4 + place + 1


def company_gid(count: int) -> str:
    """Return the id of the `count`-th company."""
    return gid("Company", count)


def location_gid(company: int, place: int = 0) -> str:
    """Return the id of the location at `place` (0 to 3) of a seeded company."""
    return gid("CompanyLocation", location_count(company, place))


def location_count(company: int, place: int) -> int:
    """Return which location stands at `place` of a seeded company."""
    return (company - 1) * 4 + place + 1
