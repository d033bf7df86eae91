"""From a platform's record to the canonical customer: said, not said, and not to be read."""

from dataclasses import replace

import orjson
import pytest

from shared.connectors.ports import CustomerSource, RemoteRecord
from shared.domain.customer import Customer
from shared.domain.errors import UnreadableRecord
from shared.domain.normalise import normalise_customer
from tests.conformance import hostile, person
from tests.conformance.channel import (
    READ_AT,
    Channel,
    fetched,
    records_of,
    scan,
    text_of,
)
from tests.conformance.shop import CHANNEL, UNCONFIGURED, Ability, Shop

pytestmark = pytest.mark.needs(Ability.SOURCE)


def test_a_customer_carries_where_it_was_read(shop: Shop, source: CustomerSource) -> None:
    """Channel, store view, id, and the version that orders what is known of it."""
    [one] = shop.register()
    record = fetched(source, one)

    customer = source.to_customer(record, shop.view, READ_AT)

    read_from, version = customer.source, customer.source.version
    assert (read_from.channel, read_from.store_view) == (CHANNEL, shop.view)
    assert read_from.external_id == one
    assert version.changed_at == record.changed_at
    assert version.read_at == READ_AT
    assert version.fingerprint == record.fingerprint


def test_what_was_typed_is_what_is_read(shop: Shop, source: CustomerSource) -> None:
    """Name, e-mail and address arrive; the canonical form survives JSON."""
    [one] = shop.register()

    customer = source.to_customer(fetched(source, one), shop.view, READ_AT)

    text = customer.to_json().decode()
    for datum in (person.CITY, person.STREET, person.POSTCODE, "canary.example"):
        assert datum in text
    assert Customer.model_validate_json(customer.to_json()) == customer


def test_translating_asks_nobody(shop: Shop, channel: Channel, source: CustomerSource) -> None:
    """It happens within transactions."""
    shop.register(3)
    records = records_of(scan(source, shop.view))
    asked = len(channel.calls)

    for record in records:
        source.to_customer(record, shop.view, READ_AT)

    assert len(channel.calls) == asked


@pytest.mark.needs(Ability.BLANKS)
def test_absent_is_not_empty(shop: Shop, source: CustomerSource) -> None:
    """What was left blank is said to be; of what the platform has no word for nothing is said."""
    [whole] = shop.register()
    fetched(source, whole)  # what nobody shows may be hidden from us, and is not said
    blank = shop.register_blank()

    customer = source.to_customer(fetched(source, blank), shop.view, READ_AT)

    said = customer.model_fields_set
    assert shop.spoken <= said
    assert not shop.unspoken & said
    assert not any(getattr(customer, field) for field in shop.spoken)


def test_no_secret_is_in_a_record(shop: Shop, source: CustomerSource) -> None:
    """A payload may be kept for diagnosis: it is JSON, and holds no credential of ours."""
    [one] = shop.register()

    payload = orjson.dumps(dict(fetched(source, one).payload)).decode()

    assert person.CITY in payload
    assert not [secret for secret in shop.secrets if secret in payload]


def test_a_fetched_record_tells_its_store_view(shop: Shop, source: CustomerSource) -> None:
    """A webhook names an id and no store view."""
    [one] = shop.register()

    assert source.store_view_of(fetched(source, one)) == shop.view


@pytest.mark.needs(Ability.OTHER_VIEW)
def test_another_store_view_is_told_as_well(shop: Shop, source: CustomerSource) -> None:
    """By its own code."""
    [one] = shop.register(1, shop.other_view)

    assert source.store_view_of(fetched(source, one)) == shop.other_view


@pytest.mark.needs(Ability.UNCONFIGURED_VIEW)
def test_a_customer_of_no_configured_store_view_is_told(shop: Shop, source: CustomerSource) -> None:
    """None, so that it is not imported."""
    [one] = shop.register(1, UNCONFIGURED)

    assert source.store_view_of(fetched(source, one)) is None


@pytest.mark.needs(Ability.HOSTILE_TEXT)
@pytest.mark.parametrize("text", hostile.TEXTS.values(), ids=hostile.TEXTS)
def test_hostile_text_is_read_or_named(shop: Shop, source: CustomerSource, text: str) -> None:
    """As it was typed, or with the name of the field; its neighbours are read all the same."""
    [before] = shop.register()
    planted = shop.plant(text)
    [after] = shop.register()

    records = {record.external_id: record for record in records_of(scan(source, shop.view))}

    for neighbour in (before, after):
        assert _read(source, records[neighbour], shop.view, text) is not None
    customer = _read(source, records[planted], shop.view, text)
    if customer:
        assert getattr(customer, shop.text_field) in {text.strip(), text.strip() or None}


def test_a_record_of_any_shape_is_read_or_named(shop: Shop, source: CustomerSource) -> None:
    """Null, numbers, lists, objects and endless texts, wherever the platform has something else."""
    [one] = shop.register()
    record = fetched(source, one)
    whole = orjson.loads(orjson.dumps(dict(record.payload)))

    for _path, payload in hostile.spoiled(whole):
        _read(source, replace(record, payload=payload), shop.view, hostile.MARK)


def _read(source: CustomerSource, record: RemoteRecord, view: str, secret: str) -> Customer | None:
    """Return the customer in its normal form; None for one that cannot be read, and is named."""
    try:
        customer = source.to_customer(record, view, READ_AT)
    except UnreadableRecord as error:
        _names_fields_only(error, secret.strip())
        return None
    normalise_customer(customer)
    assert Customer.model_validate_json(customer.to_json()) == customer
    return customer


def _names_fields_only(error: UnreadableRecord, secret: str) -> None:
    assert error.problems
    assert all(field for field, _ in error.problems)
    assert not secret or secret not in text_of(error)
