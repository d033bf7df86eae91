"""Rows of the directory, of links and of staging, and the domain's values they stand for."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, Final
from uuid import UUID

import orjson
import sqlalchemy as sa

from shared.domain.customer import Customer, Entity, Source, SourceKey, Version
from shared.domain.decisions import Explanation
from shared.domain.directory import (
    ADDRESS_FIELDS,
    CUSTOMER_FIELDS,
    DirectoryAddress,
    DirectoryCustomer,
)
from shared.domain.known import Link, OpenStaging
from shared.domain.messages import Envelope
from shared.domain.normalise import MatchKeys

Row = dict[str, Any]

_NOTHING_SAID: Final = dict.fromkeys(CUSTOMER_FIELDS)
_NOTHING_SAID_OF_ADDRESS: Final = dict.fromkeys(ADDRESS_FIELDS)


def customer_row(customer: DirectoryCustomer, number: str | None, now: datetime) -> Row:
    """Return the row of a directory customer."""
    return {
        "id": customer.id,
        "number": number,
        "state": "active",
        **_NOTHING_SAID,
        **customer.fields,
        "template": customer.template,
        "defaults": _as_json(customer.defaults),
        "email_key": customer.keys.email,
        "phone_key": customer.keys.phone,
        "tax_id_key": customer.keys.tax_id,
        "name_key": customer.keys.name,
        "field_times": orjson.dumps(customer.field_times) if customer.field_times else None,
        "entity": customer.entity and str(customer.entity),
        "locations": customer.locations,
        "created_at": now,
        "updated_at": now,
    }


def address_row(address: DirectoryAddress, customer_id: UUID, now: datetime) -> Row:
    """Return the row of an address of a directory customer."""
    return {
        "id": address.id,
        "customer_id": customer_id,
        "channel": address.channel,
        "external_id": address.external_id,
        "is_default_billing": address.is_default_billing,
        "is_default_shipping": address.is_default_shipping,
        **_NOTHING_SAID_OF_ADDRESS,
        **address.fields,
        "location_number": address.location_number,
        "defaults": _as_json(address.defaults) if address.defaults else None,
        "updated_at": now,
    }


def link_row(
    customer: Customer,
    customer_id: UUID,
    now: datetime,
    *,
    is_collected: bool = False,
    is_contact: bool = False,
) -> Row:
    """Return the row of the link of a remote customer, as it is after taking it over."""
    source = customer.source
    return {
        "channel": source.channel,
        "external_id": source.external_id,
        "customer_id": customer_id,
        "status": "collected" if is_collected else "synchronized",
        "store_view": source.store_view,
        "customer_group": customer.group,
        "changed_at": source.version.changed_at,
        "read_at": source.version.read_at,
        "fingerprint": source.version.fingerprint,
        "snapshot": customer.to_json(),
        "is_contact": is_contact,
        "created_at": now,
        "updated_at": now,
    }


def staging_row(
    id_: UUID, message: Envelope[Any], source: Source, explanation: Explanation, now: datetime
) -> Row:
    """Return the row of a staged customer without what is decided about it."""
    return {
        "id": id_,
        "channel": source.channel,
        "external_id": source.external_id,
        "store_view": source.store_view,
        "message_id": message.message_id,
        "correlation_id": message.correlation_id,
        "changed_at": source.version.changed_at,
        "read_at": source.version.read_at,
        "config_version": explanation.config_version,
        "body": message.raw,
        "explanation": orjson.dumps(explanation),
        "created_at": now,
        "updated_at": now,
    }


def to_link(row: sa.Row[Any]) -> Link:
    """Read a link with its snapshot."""
    return Link(
        source=SourceKey(row.channel, row.external_id),
        customer_id=row.customer_id,
        version=_version(row),
        snapshot=Customer.model_validate_json(row.snapshot),
        exported_number=row.exported_number,
        store_view=row.store_view,
        is_collected=row.status == "collected",
        is_removed=row.status == "removed",
        is_contact=row.is_contact,
    )


def to_open_staging(row: sa.Row[Any]) -> OpenStaging:
    """Read what matters of an open staging record."""
    return OpenStaging(row.id, SourceKey(row.channel, row.external_id), _version(row))


def to_customer(row: sa.Row[Any], addresses: Iterable[DirectoryAddress]) -> DirectoryCustomer:
    """Read a directory customer."""
    values = row._mapping  # noqa: SLF001 - the documented way to read by name
    return DirectoryCustomer(
        id=row.id,
        number=row.number,
        fields={name: values[name] for name in CUSTOMER_FIELDS},
        keys=MatchKeys(row.number, row.email_key, row.phone_key, row.tax_id_key, row.name_key),
        template=row.template,
        defaults=orjson.loads(row.defaults),
        field_times=_field_times(row.field_times),
        addresses=tuple(addresses),
        entity=Entity(row.entity) if row.entity else None,
        locations=row.locations,
    )


def _as_json(values: Mapping[str, str]) -> bytes:
    return orjson.dumps(values, default=dict)


def _field_times(text: bytes | None) -> dict[str, datetime]:
    if not text:
        return {}
    return {name: datetime.fromisoformat(at) for name, at in orjson.loads(text).items()}


def to_address(row: sa.Row[Any]) -> DirectoryAddress:
    """Read an address of a directory customer."""
    values = row._mapping  # noqa: SLF001 - the documented way to read by name
    return DirectoryAddress(
        id=row.id,
        channel=row.channel,
        external_id=row.external_id,
        is_default_billing=row.is_default_billing,
        is_default_shipping=row.is_default_shipping,
        fields={name: values[name] for name in ADDRESS_FIELDS},
        location_number=row.location_number,
        defaults=orjson.loads(row.defaults) if row.defaults else {},
    )


def _version(row: sa.Row[Any]) -> Version:
    return Version(
        changed_at=row.changed_at,
        read_at=row.read_at,
        fingerprint=getattr(row, "fingerprint", None) or "-",
    )
