"""Changes: what an imported customer changes in the directory.

The entrance to the three-way merge: of fields (`merge`), and of addresses (`addresses`, `places`).
"""

from collections.abc import Callable
from uuid import UUID

from shared.domain.addresses import AddressMerge, address_merge, addresses_after
from shared.domain.customer import Customer
from shared.domain.decisions import AddressChanges
from shared.domain.directory import DirectoryCustomer, FieldValue
from shared.domain.merge import FieldMerge, agreed, field_merge
from shared.domain.ownership import Ownership
from shared.domain.places import new_addresses

__all__ = [
    "AddressMerge",
    "FieldMerge",
    "address_changes",
    "address_merge",
    "addresses_after",
    "agreed",
    "field_changes",
    "field_merge",
    "new_addresses",
]


def field_changes(
    customer: Customer, snapshot: Customer | None, existing: DirectoryCustomer
) -> dict[str, FieldValue]:
    """Return the directory fields that `customer` changes, with their new values."""
    return field_merge(customer, snapshot, existing, Ownership()).changes


def address_changes(
    customer: Customer,
    snapshot: Customer | None,
    existing: DirectoryCustomer,
    new_id: Callable[[], UUID],
) -> AddressChanges:
    """Return what `customer` changes about the addresses of `existing`."""
    return address_merge(customer, snapshot, existing, Ownership(), new_id).changes
