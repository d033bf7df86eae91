"""What a shop is owed after a decision: customer number and locations, and what goes with them."""

from collections.abc import Iterable

from shared.domain.customer import Customer
from shared.domain.decisions import ExportIntent
from shared.domain.directory import DirectoryAddress, DirectoryCustomer
from shared.domain.known import Link
from shared.domain.locations import location_numbers
from shared.domain.policy import Policy
from shared.domain.templates import additional_values


def first_exports(
    directory: DirectoryCustomer,
    policy: Policy,
    channel: str,
    locations: dict[str, int] | None = None,
) -> tuple[ExportIntent, ...]:
    """Return the two exports that a newly linked customer gets (C365-17)."""
    number = ExportIntent("customer_number", locations=locations or {})
    wanted = policy.additional_data(channel)
    values = additional_values(directory.template, directory.defaults, wanted)
    return (number, ExportIntent("additional_data", values)) if values else (number,)


def exports_of_update(
    existing: DirectoryCustomer,
    customer: Customer,
    link: Link | None,
    policy: Policy,
    addresses: Iterable[DirectoryAddress] = (),
) -> tuple[ExportIntent, ...]:
    """Return what the shop lacks: everything on a first link, the number if it was lost there.

    And the numbers of locations that were not told yet; `addresses` are those of the customer
    after the update, if the record's addresses are locations.
    """
    addresses = tuple(addresses)
    numbers = location_numbers(customer, addresses) if addresses else {}
    if link is None:
        return first_exports(existing, policy, customer.source.channel, numbers)
    if numbers:
        told = location_numbers(link.snapshot, existing.addresses)
        numbers = {key: number for key, number in numbers.items() if told.get(key) != number}
    was_written = link.exported_number is not None and link.exported_number == existing.number
    is_lost = customer.said("customer_number") and customer.customer_number != existing.number
    if numbers or (was_written and is_lost):
        return (ExportIntent("customer_number", locations=numbers),)
    return ()
