"""Contacts of companies: whose accounts they are, and a company without some of them. Pure."""

from collections.abc import Iterable

from shared.domain.customer import Customer, SourceKey, replaced


def accounts_of(customer: Customer | None) -> list[SourceKey]:
    """Return the accounts of a company's contacts."""
    if customer is None or not customer.contacts:
        return []
    channel = customer.source.channel
    return [SourceKey(channel, each.account) for each in customer.contacts if each.account]


def names_any(customer: Customer | None, accounts: frozenset[SourceKey]) -> bool:
    """Whether one of `accounts` is among a company's contacts."""
    return bool(accounts) and not accounts.isdisjoint(accounts_of(customer))


def without_contacts(customer: Customer, accounts: Iterable[SourceKey]) -> Customer:
    """Return a company without those of its contacts whose accounts these are."""
    gone = {key.external_id for key in accounts if key.channel == customer.source.channel}
    kept = tuple(each for each in customer.contacts if each.account not in gone)
    left: Customer = replaced(customer, contacts=kept)
    return left
