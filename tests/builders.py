"""Builders of domain values for tests: ordinary ones, varied by the few things a test is about."""

import itertools
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from shared.domain.customer import Address, Contact, Customer, Entity, Source, Version
from shared.domain.directory import DirectoryCustomer, customer_fields
from shared.domain.known import Account, Known, Link
from shared.domain.messages import CustomerImported, Envelope
from shared.domain.normalise import match_keys
from shared.domain.places import new_addresses
from shared.domain.policy import (
    ChannelPolicy,
    NumberSeries,
    Policy,
    ProcessingMethod,
    StoreViewPolicy,
    Template,
)

NOON = datetime(2026, 11, 1, 12, 0, tzinfo=UTC)
ADDITIONAL = {"erp_template": "template", "erp_price_group": "values.price_group"}


def counting_ids() -> Callable[[], UUID]:
    """Return a supply of predictable ids, counted from 1."""
    counter = itertools.count(1)
    return lambda: UUID(int=next(counter))


def a_source(
    external_id: str = "1", *, minutes: int = 0, read_minutes: int | None = None, **changes: Any
) -> Source:
    """Return where a customer was read, `minutes` after noon."""
    changed_at = NOON + timedelta(minutes=minutes)
    read_at = changed_at if read_minutes is None else NOON + timedelta(minutes=read_minutes)
    given = {
        "channel": "shop",
        "store_view": "de",
        "external_id": external_id,
        "version": Version(changed_at=changed_at, read_at=read_at, fingerprint=f"f{minutes}"),
    }
    return Source(**(given | changes))


def an_address(external_id: str = "a1", **changes: Any) -> Address:
    """Return a German address that is both defaults."""
    given = {
        "external_id": external_id,
        "is_default_billing": True,
        "is_default_shipping": True,
        "first_name": "Ann",
        "last_name": "Lang",
        "lines": ("Lindenweg 4",),
        "city": "Berlin",
        "postcode": "10115",
        "country": "DE",
    }
    return Address(**(given | changes))


def a_customer(external_id: str = "1", *, minutes: int = 0, **changes: Any) -> Customer:
    """Return an ordinary customer with one address."""
    given: dict[str, Any] = {
        "source": a_source(external_id, minutes=minutes),
        "first_name": "Ann",
        "last_name": "Lang",
        "email": f"ann{external_id}@example.com",
        "registered_at": NOON - timedelta(days=30),
        "addresses": (an_address(),),
    }
    return Customer(**(given | changes))


def a_company(external_id: str = "c1", *, minutes: int = 0, **changes: Any) -> Customer:
    """Return a company with two locations and one contact, who has the account `p1`."""
    places = (
        an_address("l1", location_name="Head office", company_name="Nordwind GmbH"),
        an_address(
            "l2",
            location_name="Warehouse",
            lines=("Hafenstr. 12",),
            city="Hamburg",
            postcode="20457",
            is_default_billing=False,
            is_default_shipping=False,
        ),
    )
    given: dict[str, Any] = {
        "source": a_source(external_id, minutes=minutes),
        "entity": Entity.COMPANY,
        "kind": "business",
        "company_name": "Nordwind GmbH",
        "addresses": places,
        "contacts": (a_contact(),),
    }
    return Customer(**(given | changes))


def a_contact(external_id: str = "k1", account: str | None = "p1", **changes: Any) -> Contact:
    """Return somebody who acts for a company."""
    given = {"external_id": external_id, "account": account, "first_name": "Anke", "is_main": True}
    return Contact(**(given | changes))


def in_directory(
    customer: Customer, number: str | None = "D1", **changes: Any
) -> DirectoryCustomer:
    """Return `customer` as the directory holds it."""
    given: dict[str, Any] = {
        "id": uuid4(),
        "number": number,
        "fields": customer_fields(customer),
        "keys": match_keys(customer),
        "template": "standard",
        "defaults": {"price_group": "RETAIL"},
        "addresses": new_addresses(customer, uuid4),
    }
    return DirectoryCustomer(**(given | changes))


def a_link(
    customer: Customer, directory: DirectoryCustomer, exported_number: str | None = None
) -> Link:
    """Return the link of `customer`, last taken over as it is given."""
    return Link(
        source=customer.source.key,
        customer_id=directory.id,
        version=customer.source.version,
        snapshot=customer,
        exported_number=exported_number,
        store_view=customer.source.store_view,
    )


def knowing(
    *customers: DirectoryCustomer,
    links: tuple[Link, ...] = (),
    accounts: tuple[Account, ...] = (),
) -> Known:
    """Return what is known, with predictable new ids."""
    return Known(links=links, customers=customers, accounts=accounts, new_id=counting_ids())


def a_template(name: str = "standard", **changes: Any) -> Template:
    """Return a template that fits everybody."""
    given: dict[str, Any] = {
        "name": name,
        "number_series": "debtors",
        "values": {"price_group": "RETAIL"},
    }
    return Template(**(given | changes))


def a_policy(
    method: ProcessingMethod = ProcessingMethod.CREATE_AND_UPDATE,
    *,
    start_date: datetime | None = None,
    **changes: Any,
) -> Policy:
    """Return a policy of one shop with the store view `de`."""
    view = StoreViewPolicy("de", method, start_date)
    given: dict[str, Any] = {
        "version": "test",
        "channels": {"shop": ChannelPolicy("shop", {"de": view}, ADDITIONAL)},
        "templates": (a_template(),),
        "number_series": {"debtors": NumberSeries("debtors", prefix="D", width=5, start=10001)},
    }
    return Policy(**(given | changes))


def imported(customer: Customer) -> Envelope[CustomerImported]:
    """Return the message that `customer` was imported."""
    body = CustomerImported(customer=customer)
    message_id = uuid4()
    return Envelope(
        message_id=message_id,
        type="customer.imported",
        schema_version=1,
        correlation_id=message_id,
        occurred_at=NOON,
        channel=customer.source.channel,
        subject=customer.source.external_id,
        body=body,
        raw=body.to_json(),
    )
