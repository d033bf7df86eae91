"""The directory and the shop side by side, customer by customer, field by field.

Its promise: the shop is read through the connector, and the directory from its tables, so that
neither is asked what the other says.
"""

from collections.abc import Mapping
from typing import Any

from shared.connectors.ports import Connector
from shared.domain.customer import Customer, utc
from shared.domain.directory import address_fields, customer_fields
from shared.domain.normalise import normalise_customer
from shared.persistence.tables import customer_addresses, customers
from tests.e2e.deployment import Deployment
from tests.e2e.expectations import shop_customers
from tests.integration.importer.shops import connected
from tests.integration.persistence.builders import NOON

Books = dict[str, dict[str, Any]]
OURS = ("location_number", "defaults")
"""What the directory knows of an address and no shop does."""


def compare(deployment: Deployment) -> tuple[int, dict[str, list[str]]]:
    """Return how many linked customers were compared, and what differs, by the shop's id."""
    directory = _directory(deployment)
    different: dict[str, list[str]] = {}
    compared = 0
    with connected(deployment.shop) as connector:
        for record in shop_customers(deployment):
            external_id = str(record["id"])
            if external_id not in directory:
                continue
            compared += 1
            if names := _differences(_canonical(connector, external_id), *directory[external_id]):
                different[external_id] = names
    return compared, different


def _differences(shown: Customer, kept: Mapping[str, Any], addresses: Books) -> list[str]:
    fields = customer_fields(shown)
    names = [name for name, value in fields.items() if kept[name] != value]
    expected = {
        address.external_id: {
            **address_fields(address),
            "is_default_billing": address.is_default_billing,
            "is_default_shipping": address.is_default_shipping,
        }
        for address in shown.addresses
    }
    different = addresses.keys() ^ expected.keys()
    different |= {
        id_ for id_ in addresses.keys() & expected.keys() if addresses[id_] != expected[id_]
    }
    return names + [f"address {id_}" for id_ in sorted(map(str, different))]


def _directory(
    deployment: Deployment,
) -> dict[str, tuple[dict[str, Any], dict[str, dict[str, Any]]]]:
    """Return customer and addresses as the directory has them, by the shop's ids."""
    with deployment.engine.connect() as connection:
        people = {row.id: dict(row._mapping) for row in connection.execute(customers.select())}
        books: dict[Any, dict[str, dict[str, Any]]] = {id_: {} for id_ in people}
        for row in connection.execute(customer_addresses.select()):
            left_out = ("id", "customer_id", "channel", "external_id", "updated_at", *OURS)
            kept = {k: v for k, v in row._mapping.items() if k not in left_out}
            books[row.customer_id][row.external_id] = kept
    links = deployment.rows("SELECT external_id, customer_id FROM links")
    return {external_id: (people[id_], books[id_]) for external_id, id_ in links}


def _canonical(connector: Connector, external_id: str) -> Customer:
    record = connector.reading.fetch(external_id)
    assert record
    return normalise_customer(connector.reading.to_customer(record, "de", utc(NOON)))
