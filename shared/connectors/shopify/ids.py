"""How records are named here and there: a number in messages and links, a gid on the wire.

A customer is its number. A company is `company:` and its number, so that the two never meet in a
channel's links.
"""

import re

COMPANY_PREFIX = "company:"
_GID = re.compile(r"gid://shopify/([A-Za-z]+)/(\d+)(?:\?.*)?")
_EXTERNAL = re.compile(r"(company:)?([1-9]\d{0,19})")
_KEY_DIGITS = 20


def number_of(gid: object, kind: str | None = None) -> int | None:
    """Return the number in a gid of `kind` (None: of any); None for anything else."""
    found = _GID.fullmatch(gid) if isinstance(gid, str) else None
    return int(found[2]) if found and kind in {None, found[1]} else None


def external_id(gid: object) -> str | None:
    """Return what a customer or a company is called in links; None for anything else."""
    if (number := number_of(gid, "Customer")) is not None:
        return str(number)
    if (number := number_of(gid, "Company")) is not None:
        return f"{COMPANY_PREFIX}{number}"
    return None


def gid_of(external: str) -> str | None:
    """Return the gid of a customer or a company; None for an id that is none of Shopify's."""
    found = _EXTERNAL.fullmatch(external) if external.isascii() else None
    if found is None:
        return None
    return f"gid://shopify/{'Company' if found[1] else 'Customer'}/{found[2]}"


def is_company(external: str) -> bool:
    """Whether an id of ours is that of a company."""
    return external.startswith(COMPANY_PREFIX)


def scan_key(number: int) -> str:
    """Write a number so that the order of texts is the order of numbers."""
    return f"{number:0{_KEY_DIGITS}d}"
