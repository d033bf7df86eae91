"""What a shop is owed after a decision: the customer number, and the data that goes with it."""

from shared.domain.customer import Customer
from shared.domain.decisions import ExportIntent
from shared.domain.directory import DirectoryCustomer
from shared.domain.known import Link
from shared.domain.policy import Policy
from shared.domain.templates import additional_values


def first_exports(
    directory: DirectoryCustomer, policy: Policy, channel: str
) -> tuple[ExportIntent, ...]:
    """Return the two exports that a newly linked customer gets (C365-17)."""
    number = ExportIntent("customer_number")
    wanted = policy.additional_data(channel)
    values = additional_values(directory.template, directory.defaults, wanted)
    return (number, ExportIntent("additional_data", values)) if values else (number,)


def exports_of_update(
    existing: DirectoryCustomer, customer: Customer, link: Link | None, policy: Policy
) -> tuple[ExportIntent, ...]:
    """Return what the shop lacks: everything on a first link, the number if it was lost there."""
    if link is None:
        return first_exports(existing, policy, customer.source.channel)
    was_written = link.exported_number is not None and link.exported_number == existing.number
    is_lost = customer.said("customer_number") and customer.customer_number != existing.number
    return (ExportIntent("customer_number"),) if was_written and is_lost else ()
