"""From a company with its addresses and users to a `RemoteRecord`.

The list and the single company of the B2B Edition are not alike in every word, so only what both
have, and we read, is kept. Promise: equal content has the same fingerprint, however it was read.
"""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any, Final

from shared.connectors.bigcommerce.answers import Item, id_of, within
from shared.connectors.bigcommerce.record import scan_key
from shared.connectors.content import digest, moment
from shared.connectors.ports import RemoteRecord
from shared.domain.errors import UnreadableAnswer

PREFIX: Final = "company:"
_COMPANY: Final = ("companyName", "companyEmail", "companyPhone", "bcGroupName", "companyStatus")
_ADDRESS: Final = (
    *("addressId", "label", "externalId", "firstName", "lastName", "phoneNumber"),
    *("addressLine1", "addressLine2", "city", "zipCode", "stateName", "stateCode", "countryCode"),
    *("isBilling", "isShipping", "isDefaultBilling", "isDefaultShipping"),
)
_USER: Final = ("id", "customerId", "firstName", "lastName", "email", "phoneNumber", "role")


def external_id(company_id: int) -> str:
    """Return how a company is called outside, where customers have numbers of their own."""
    return f"{PREFIX}{company_id}"


def company_id_of(external_id: str) -> int | None:
    """Return the id of a company by what it is called outside; None for anything else."""
    text = external_id.removeprefix(PREFIX)
    is_one = text != external_id and text.isascii() and text.isdigit()
    return int(text) if is_one else None


def company_record(company: Item, addresses: Iterable[Item], users: Iterable[Item]) -> RemoteRecord:
    """Read what the importer needs. Raises `UnreadableAnswer` without id or times."""
    company_id = id_of(company, "companyId")
    changed_at = moment_of(company.get("updatedAt"))
    if changed_at is None:
        raise UnreadableAnswer(f"company {company_id} without updatedAt")
    payload = {
        **_kept(company, _COMPANY),
        "companyId": company_id,
        "createdAt": company.get("createdAt"),
        "extraFields": _named(extra_fields(company)),
        "addresses": _sorted(addresses, _ADDRESS, "addressId"),
        "users": _sorted(users, _USER, "id"),
    }
    return RemoteRecord(
        external_id=external_id(company_id),
        scan_key=scan_key(company_id),
        changed_at=changed_at,
        created_at=moment_of(payload["createdAt"]),
        fingerprint=company_fingerprint(payload),
        payload=payload,
    )


def company_fingerprint(payload: Item) -> str:
    """Digest the content of a company as `company_record` keeps it."""
    return digest({key: value for key, value in payload.items() if key != "createdAt"})


def extra_fields(company: Item) -> dict[str, str]:
    """Return what a company has besides, by name; without a value there is nothing."""
    rows = company.get("extraFields")
    fields = [row for row in rows if isinstance(row, dict)] if isinstance(rows, list) else []
    values = {str(row.get("fieldName")): row.get("fieldValue") for row in fields}
    return {name: str(value) for name, value in values.items() if value is not None and value != ""}


def _named(fields: Mapping[str, str]) -> list[Item]:
    return [{"fieldName": name, "fieldValue": fields[name]} for name in sorted(fields)]


def group_of(company: Item) -> int | None:
    """Return the id of a company's customer group, however it is written."""
    text = str(within(company, "bcGroupId") or "")
    return int(text) if text.isascii() and text.isdigit() else None


def moment_of(value: Any) -> datetime | None:
    """Read a moment: seconds since 1970, as a number or as text, or an ISO moment."""
    if isinstance(value, str) and not (value.isascii() and value.isdigit()):
        return moment(value)
    try:
        return datetime.fromtimestamp(int(value), UTC)
    except (TypeError, ValueError, OverflowError, OSError):
        return None


def _sorted(rows: Iterable[Item], names: tuple[str, ...], key: str) -> list[Item]:
    return sorted((_kept(row, names) for row in rows), key=lambda row: id_of(row, key))


def _kept(row: Item, names: tuple[str, ...]) -> Item:
    kept = {name: row.get(name) for name in names}
    return {name: value for name, value in kept.items() if value not in {None, ""}}
