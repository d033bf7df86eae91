"""Locations: addresses of a customer that have a number and defaults of their own (MYOB-2).

A location is what its address is: known by the platform's address id. A company's addresses that
have a name are locations (all of them, if none has); of an individual, all are. A number counts
within the customer, in the order of appearance. Its promise: a number that was given once stays
with its address, and is not given again when that is gone.
"""

from collections.abc import Iterable, Mapping
from dataclasses import replace

from shared.domain.customer import Customer, Entity
from shared.domain.decisions import AddressChanges
from shared.domain.directory import DirectoryAddress, DirectoryCustomer
from shared.domain.places import pair


def location_number(customer_number: str, location: int) -> str:
    """Return the full number of a location, such as B00001-02."""
    return f"{customer_number}-{location:02d}"


def numbered(
    addresses: Iterable[DirectoryAddress], given: int, values: Mapping[str, str]
) -> tuple[DirectoryAddress, ...]:
    """Return `addresses` as locations, numbered after the `given` numbers, with `values`."""
    return tuple(
        replace(address, location_number=number, defaults=values)
        for number, address in enumerate(addresses, start=given + 1)
    )


def unnumbered(
    customer: Customer, addresses: Iterable[DirectoryAddress]
) -> tuple[DirectoryAddress, ...]:
    """Return the directory's addresses that are locations of `customer` and have no number."""
    own = pair(customer.addresses, customer.source.channel, addresses)
    return tuple(
        known
        for is_location, known in zip(_are_locations(customer), own, strict=True)
        if is_location and known and known.location_number is None
    )


def _are_locations(customer: Customer) -> list[bool]:
    """Return for each of the addresses whether it is one."""
    are_named = [bool(address.location_name) for address in customer.addresses]
    is_company = customer.entity is Entity.COMPANY
    return are_named if is_company and any(are_named) else [True] * len(are_named)


def with_locations(
    existing: DirectoryCustomer, changes: AddressChanges, locations: Iterable[DirectoryAddress]
) -> AddressChanges:
    """Return `changes` in which `locations` have their numbers."""
    by_id = {address.id: address for address in locations}
    before = {address.id for address in existing.addresses}
    changed = {address.id: address for address in changes.changed}
    changed |= {key: address for key, address in by_id.items() if key in before}
    added = tuple(by_id.get(address.id, address) for address in changes.added)
    return replace(changes, added=added, changed=tuple(changed.values()))


def location_numbers(customer: Customer, addresses: Iterable[DirectoryAddress]) -> dict[str, int]:
    """Return the numbers of the locations that `customer` speaks of, by their remote ids."""
    own = pair(customer.addresses, customer.source.channel, addresses)
    return {
        address.external_id: known.location_number
        for address, known in zip(customer.addresses, own, strict=True)
        if address.external_id and known and known.location_number is not None
    }
