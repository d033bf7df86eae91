"""A directory customer after an update: its fields, its addresses, and what it is then found by."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from shared.domain.addresses import addresses_after
from shared.domain.customer import Customer
from shared.domain.decisions import AddressChanges
from shared.domain.directory import DirectoryCustomer, FieldValue, directory_name_key
from shared.domain.normalise import MatchKeys

_NAMED_BY: Final = frozenset({"kind", "first_name", "last_name", "company_name"})


def after_update(
    existing: DirectoryCustomer,
    customer: Customer,
    said: MatchKeys,
    fields: Mapping[str, FieldValue],
    addresses: AddressChanges,
) -> DirectoryCustomer:
    """Return `existing` with the changes that `customer`, of the keys `said`, has brought."""
    changed_at = customer.source.version.changed_at
    updated = replace(
        existing,
        fields={**existing.fields, **fields},
        field_times={**existing.field_times, **dict.fromkeys(fields, changed_at)},
        addresses=addresses_after(existing, addresses),
    )
    keys = _merged_keys(existing, updated, said, fields)
    if addresses or not _NAMED_BY.isdisjoint(fields) or keys.name is None:
        keys = keys._replace(name=directory_name_key(updated))
    return replace(updated, keys=keys)


def _merged_keys(
    existing: DirectoryCustomer,
    updated: DirectoryCustomer,
    said: MatchKeys,
    changes: Mapping[str, FieldValue],
) -> MatchKeys:
    """Return the keys after an update: a changed field's new key, and keys that were missing.

    A field that was not taken over gives no key either. Phone and tax id may be those of an
    address, which are no fields.
    """
    taken = {
        name: getattr(said, name)
        for name in ("email", "phone", "tax_id")
        if name in changes
        or (not getattr(existing.keys, name) and (name != "email" or updated.fields.get(name)))
    }
    return existing.keys._replace(**taken)
