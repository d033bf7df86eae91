"""Places: an address of the shop and the one of the directory that it is.

Found by the platform's id, then by content, so that the same address of two shops, or of two
accounts, is entered once (ASK-15).
"""

from collections.abc import Callable, Iterable, Sequence
from typing import Final
from uuid import UUID

from shared.domain.customer import Address, Customer
from shared.domain.directory import DirectoryAddress, FieldValue, address_fields
from shared.domain.merge import Fields

NewId = Callable[[], UUID]


def new_addresses(customer: Customer, new_id: NewId) -> tuple[DirectoryAddress, ...]:
    """Return the directory's addresses for a new customer, with one default of each kind."""
    billing, shipping = customer.default_billing, customer.default_shipping
    return tuple(
        [
            directory_address(
                address,
                customer.source.channel,
                new_id(),
                is_default_billing=address is billing,
                is_default_shipping=address is shipping,
            )
            for address in customer.addresses
        ]
    )


def directory_address(
    address: Address,
    channel: str,
    address_id: UUID,
    *,
    is_default_billing: bool = False,
    is_default_shipping: bool = False,
) -> DirectoryAddress:
    """Return `address` as the directory holds it."""
    return DirectoryAddress(
        id=address_id,
        channel=channel,
        external_id=address.external_id,
        is_default_billing=is_default_billing,
        is_default_shipping=is_default_shipping,
        fields=address_fields(address),
    )


def said_fields(address: Address) -> dict[str, FieldValue]:
    """Return the directory's fields that `address` speaks of."""
    return {name: v for name, v in address_fields(address).items() if address.said(name)}


def pair(
    addresses: Sequence[Address], channel: str, known: Iterable[DirectoryAddress]
) -> list[DirectoryAddress | None]:
    """Return for each of a shop's addresses the known one that it is; each is only one of them."""
    free = {address.id: address for address in known}
    by_platform = {a.external_id: a for a in free.values() if a.channel == channel}
    pairs: list[DirectoryAddress | None] = []
    for address in addresses:
        found = by_platform.get(address.external_id) if address.external_id else None
        pairs.append(free.pop(found.id, None) if found else None)
    for position, address in enumerate(addresses):
        if pairs[position] is None and (found := _by_content(address, free.values())):
            pairs[position] = free.pop(found.id)
    return pairs


def _by_content(address: Address, known: Iterable[DirectoryAddress]) -> DirectoryAddress | None:
    content = address_fields(address)
    return next((each for each in known if same_place(each.fields, content)), None)


def same_place(one: Fields, other: Fields) -> bool:
    """Whether two addresses are one, however they are spelt."""
    return all(same_text(one.get(name), other.get(name)) for name in _PLACE)


def same_text(one: FieldValue, other: FieldValue) -> bool:
    """Whether two values differ in case and white space alone."""
    return _folded(one) == _folded(other)


def in_one_line(fields: Fields) -> str:
    """Return an address as it is shown to people."""
    parts = (str(fields[name]).replace("\n", ", ") for name in _SHOWN if fields.get(name))
    return ", ".join(parts)


def _folded(value: FieldValue) -> str:
    return " ".join(str(value or "").casefold().split())


_PLACE: Final = (
    "lines", "postcode", "city", "country", "first_name", "last_name", "company_name",
)  # fmt: skip
_SHOWN: Final = (
    "location_name", "company_name", "first_name", "last_name", "lines", "postcode", "city",
    "region", "country",
)  # fmt: skip
