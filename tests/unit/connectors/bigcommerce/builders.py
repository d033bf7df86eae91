"""What these tests are built from: customers as BigCommerce sends them, and a scripted shop."""

from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qsl

import httpx2
import orjson

from shared.connectors.bigcommerce.connect import connect
from shared.connectors.bigcommerce.mapping import Dictionary
from shared.connectors.bigcommerce.settings import BigCommerceSettings
from shared.connectors.ports import Connector
from shared.connectors.registry import settings_of
from shared.domain.customer import Source, Version

NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
GROUPS = {3: "Wholesale"}
ATTRIBUTES = {5: "erp_customer_number", 6: "Loyalty"}
DICTIONARY = Dictionary(
    lambda number: GROUPS.get(number, str(number)),
    lambda number: ATTRIBUTES.get(number, str(number)),
)


def settings(views: dict[str, Any] | None = None, **changes: Any) -> BigCommerceSettings:
    """Return settings with one store view, `b2c`, of everybody."""
    connector = {
        "store_hash": "abc123",
        "access_token": "s3cret",
        "page_size": 2,
        "timeouts": {"attempts": 1, "total_seconds": 5},
        **changes,
    }
    parsed = settings_of("bigcommerce", connector, {"b2c": {}} if views is None else views)
    assert isinstance(parsed, BigCommerceSettings)
    return parsed


def source_of(external_id: str = "4711") -> Source:
    """Return where a customer was read."""
    version = Version(changed_at=NOW, read_at=NOW, fingerprint="f")
    return Source(channel="shop", store_view="b2c", external_id=external_id, version=version)


def item(customer_id: int = 4711, **changes: Any) -> dict[str, Any]:
    """Return a customer as BigCommerce sends it."""
    return {
        "id": customer_id,
        "email": "anke.petersen@example.com",
        "first_name": "Anke",
        "last_name": "Petersen",
        "company": "Nordwind GmbH",
        "phone": "+49 40 555010203",
        "registration_ip_address": "192.0.2.7",
        "notes": "",
        "tax_exempt_category": "",
        "customer_group_id": 3,
        "date_created": "2026-11-18T09:12:44Z",
        "date_modified": "2026-11-20T08:03:17Z",
        "address_count": 2,
        "attribute_count": 2,
        "authentication": {"force_password_reset": False},
        "store_credit_amounts": [{"amount": 0}],
        "origin_channel_id": 1,
        "channel_ids": None,
        "addresses": [address(9001), address(9002, city="Bremen")],
        "attributes": [attribute(5, "D-10021"), attribute(6, "gold")],
        "form_fields": [{"customer_id": customer_id, "name": "VAT ID", "value": "DE123456789"}],
        **changes,
    }


def address(address_id: int, **changes: Any) -> dict[str, Any]:
    """Return an address as BigCommerce sends it."""
    return {
        "id": address_id,
        "customer_id": 4711,
        "first_name": "Anke",
        "last_name": "Petersen",
        "company": "Nordwind GmbH",
        "address1": "Hafenstr. 12",
        "address2": "",
        "city": "Hamburg",
        "state_or_province": "Hamburg",
        "postal_code": "20457",
        "country_code": "DE",
        "country": "Germany",
        "phone": "",
        "address_type": "commercial",
        **changes,
    }


def attribute(attribute_id: int, value: str, **changes: Any) -> dict[str, Any]:
    """Return the value of an attribute as BigCommerce sends it."""
    return {
        "id": 70 + attribute_id,
        "attribute_id": attribute_id,
        "attribute_value": value,
        "customer_id": 4711,
        "date_modified": "2026-11-18T09:12:45Z",
        **changes,
    }


def company(**changes: Any) -> dict[str, Any]:
    """Return a company as the B2B Edition lists it."""
    return {
        "companyId": 2001,
        "companyName": "Nordwind GmbH",
        "companyEmail": "einkauf@example.com",
        "companyPhone": "+4940555010203",
        "bcGroupId": 3,
        "bcGroupName": "Wholesale",
        "companyStatus": "1",
        "extraFields": [
            {"fieldName": "erp_customer_number", "fieldValue": "D-10021"},
            {"fieldName": "VAT", "fieldValue": "DE123456789"},
            {"fieldName": "Empty", "fieldValue": ""},
        ],
        "createdAt": "1763457164",
        "updatedAt": "1763625797",
        **changes,
    }


def location(address_id: int, **changes: Any) -> dict[str, Any]:
    """Return an address of a company as the B2B Edition lists it."""
    return {
        "addressId": address_id,
        "companyId": 2001,
        "label": "Lager Nord",
        "firstName": "Anke",
        "lastName": "Petersen",
        "addressLine1": "Hafenstr. 12",
        "addressLine2": "",
        "city": "Hamburg",
        "zipCode": "20457",
        "stateName": "Hamburg",
        "stateCode": "HH",
        "countryCode": "DE",
        "countryName": "Germany",
        "phoneNumber": "",
        "isBilling": True,
        "isShipping": True,
        "isDefaultBilling": False,
        "isDefaultShipping": False,
        "externalId": "",
        **changes,
    }


def user(user_id: int, **changes: Any) -> dict[str, Any]:
    """Return a buyer of a company as the B2B Edition lists it."""
    return {
        "id": user_id,
        "companyId": 2001,
        "customerId": 4711,
        "firstName": "Anke",
        "lastName": "Petersen",
        "email": "anke.petersen@example.com",
        "phoneNumber": "",
        "role": 0,
        "updatedAt": 1763625797,
        **changes,
    }


def answering(status: int, body: Any = None, **headers: str) -> httpx2.Response:
    """Return a JSON answer; header names are written with underscores."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return httpx2.Response(status, content=orjson.dumps(body), headers=named)


def found(*items: dict[str, Any], cursor: str | None = None, **headers: str) -> httpx2.Response:
    """Return a page of a list, the last one without a cursor."""
    links = {"next": f"?after={cursor}"} if cursor else {}
    pages = {"end_cursor": cursor, "links": links}
    return answering(200, {"data": items, "meta": {"cursor_pagination": pages}}, **headers)


def refused(status: int, errors: Any, title: str = "Update failed.") -> httpx2.Response:
    """Return a refusal in the shop's own form."""
    kind = "https://developer.bigcommerce.com/api-docs/getting-started/api-status-codes"
    return answering(status, {"status": status, "title": title, "type": kind, "errors": errors})


class Script:
    """A shop that knows its attributes and groups, and answers all else from a list."""

    def __init__(self, *answers: httpx2.Response) -> None:
        self.answers = list(answers)
        self.requests: list[httpx2.Request] = []

    def __call__(self, request: httpx2.Request) -> httpx2.Response:
        """Give the next answer."""
        if request.url.path.endswith("/customers/attributes"):
            return found(*({"id": i, "name": name} for i, name in ATTRIBUTES.items()))
        if request.url.path.endswith("/customer_groups"):
            return answering(200, [{"id": i, "name": name} for i, name in GROUPS.items()])
        self.requests.append(request)
        return self.answers.pop(0)


def connected(
    script: Script,
    using: BigCommerceSettings | None = None,
    fields: tuple[str, ...] = (),
) -> Connector:
    """Return the connector of a scripted shop."""
    transport = httpx2.MockTransport(script)
    return connect(using or settings(), "shop", additional_fields=fields, transport=transport)


def asked(request: httpx2.Request) -> dict[str, str]:
    """Return the query of a request."""
    return dict(parse_qsl(request.url.query.decode(), keep_blank_values=True))
