"""What these tests are built from: records as Shopify sends them, and a scripted shop."""

from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import httpx2
import orjson

from shared.connectors.budget import RateBudget
from shared.connectors.calls import Limits
from shared.connectors.http import HttpClient
from shared.connectors.ports import Connector
from shared.connectors.registry import settings_of
from shared.connectors.shopify.client import ShopifyClient
from shared.connectors.shopify.connect import connect
from shared.connectors.shopify.errors import Explanation
from shared.connectors.shopify.reading import Reading
from shared.connectors.shopify.settings import ShopifySettings
from shared.connectors.shopify.throttle import CostThrottle
from shared.domain.customer import Source, Version
from shared.domain.messages import CustomerExport

NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
NUMBER = 7420011223344
GID = f"gid://shopify/Customer/{NUMBER}"
COMPANY = "gid://shopify/Company/98765001"
Answer = dict[str, Any] | httpx2.Response


def settings(**changes: Any) -> ShopifySettings:
    """Return settings with a store view for customers and one for companies."""
    connector = {
        "base_url": "https://nordwind.myshopify.com",
        "auth": {"kind": "token", "token": "shpat_secret"},
        "timeouts": {"attempts": 1, "total_seconds": 5},
        **changes,
    }
    views = {"shop": {}, "b2b": {"entity": "companies"}}
    parsed = settings_of("shopify", connector, views)
    assert isinstance(parsed, ShopifySettings)
    return parsed


def customer(customer_id: int = NUMBER, **changes: Any) -> dict[str, Any]:
    """Return a customer as Shopify sends it; its addresses are a page."""
    return {
        "id": f"gid://shopify/Customer/{customer_id}",
        "createdAt": "2025-11-18T09:12:44Z",
        "updatedAt": "2026-11-20T08:03:17Z",
        "locale": "de",
        "note": "Rampe 3",
        "tags": ["erp", "b2b"],
        "taxExempt": False,
        "taxExemptions": [],
        "firstName": "Anke",
        "lastName": "Petersen",
        "defaultEmailAddress": {
            "emailAddress": "einkauf@nordwind-beispiel.de",
            "marketingState": "SUBSCRIBED",
            "marketingUpdatedAt": "2026-01-02T03:04:05Z",
        },
        "defaultPhoneNumber": {"phoneNumber": "+4940555010203"},
        "defaultAddress": {"id": address(91)["id"]},
        "addressesV2": page(address(91), address(92, company=None)),
        "companyContactProfiles": [{"company": {"id": COMPANY}}],
        "number": None,
        **changes,
    }


def whole(item: dict[str, Any]) -> dict[str, Any]:
    """Return a record as it is once its lists are whole."""
    return {k: v["nodes"] if isinstance(v, dict) and "nodes" in v else v for k, v in item.items()}


def address(number: int, **changes: Any) -> dict[str, Any]:
    """Return a customer's address."""
    return {
        "id": f"gid://shopify/MailingAddress/{number}?model_name=CustomerAddress",
        "company": "Nordwind Beispiel GmbH",
        "address1": "Hafenstr. 12",
        "address2": "Hof",
        "zip": "20457",
        "city": "Hamburg",
        "provinceCode": None,
        "province": None,
        "countryCodeV2": "DE",
        "firstName": "Anke",
        "lastName": "Petersen",
        "phone": "+4940555010203",
        **changes,
    }


def metafield(name: str, value: str, **changes: Any) -> dict[str, Any]:
    """Return a metafield."""
    namespace, _, key = name.rpartition(".")
    return {
        "namespace": namespace,
        "key": key,
        "type": "single_line_text_field",
        "value": value,
        "compareDigest": f"digest of {value}",
        **changes,
    }


def company(**changes: Any) -> dict[str, Any]:
    """Return a company with one location and one contact."""
    return {
        "id": COMPANY,
        "name": "Nordwind Beispiel GmbH",
        "externalId": None,
        "note": None,
        "createdAt": "2025-11-18T09:12:44Z",
        "updatedAt": "2026-11-20T08:03:17Z",
        "locations": page(location(55)),
        "contacts": page(contact(77)),
        **changes,
    }


def location(number: int, **changes: Any) -> dict[str, Any]:
    """Return a location whose bills go where its goods go."""
    return {
        "id": f"gid://shopify/CompanyLocation/{number}",
        "name": "Zentrale Hamburg",
        "externalId": None,
        "locale": "de",
        "currency": "EUR",
        "updatedAt": "2026-11-20T08:05:00Z",
        "taxSettings": {"taxRegistrationId": "DE123456789"},
        "phone": "+4940555010299",
        "shippingAddress": company_address(1),
        "billingAddress": company_address(2),
        **changes,
    }


def company_address(number: int, **changes: Any) -> dict[str, Any]:
    """Return an address of a location."""
    return {
        "id": f"gid://shopify/CompanyAddress/{number}",
        "recipient": "Wareneingang",
        "companyName": "Nordwind Beispiel GmbH",
        "address1": "Hafenstr. 12",
        "address2": None,
        "zip": "20457",
        "city": "Hamburg",
        "zoneCode": None,
        "province": None,
        "countryCode": "DE",
        "firstName": None,
        "lastName": None,
        "phone": None,
        **changes,
    }


def contact(number: int, **changes: Any) -> dict[str, Any]:
    """Return a contact, who is the customer of these tests."""
    return {
        "id": f"gid://shopify/CompanyContact/{number}",
        "title": "Einkauf",
        "isMainContact": True,
        "updatedAt": "2026-11-20T08:03:17Z",
        "customer": {
            "id": GID,
            "updatedAt": "2026-11-20T08:03:17Z",
            "firstName": "Anke",
            "lastName": "Petersen",
            "defaultEmailAddress": {"emailAddress": "einkauf@nordwind-beispiel.de"},
            "defaultPhoneNumber": {"phoneNumber": "+4940555010203"},
        },
        **changes,
    }


def page(*nodes: dict[str, Any], cursor: str | None = None) -> dict[str, Any]:
    """Return a page of a list; with a cursor there is more."""
    info = {"hasNextPage": cursor is not None, "endCursor": cursor}
    return {"nodes": list(nodes), "pageInfo": info}


def found(*nodes: dict[str, Any], cursor: str | None = None) -> dict[str, Any]:
    """Return the answer to a search."""
    return answer({"found": page(*nodes, cursor=cursor)})


def answer(
    data: Any, *errors: dict[str, Any], cost: dict[str, Any] | None = None
) -> dict[str, Any]:
    """Return an answer with status 200."""
    body: dict[str, Any] = {"data": data}
    if errors:
        body["errors"] = list(errors)
    return {**body, "extensions": {"cost": cost or costing()}}


def costing(requested: float = 10, available: float = 1990, rate: float = 100) -> dict[str, Any]:
    """Return what an answer says of its cost."""
    status = {
        "maximumAvailable": 2000.0,
        "currentlyAvailable": available,
        "restoreRate": rate,
    }
    return {"requestedQueryCost": requested, "actualQueryCost": 5, "throttleStatus": status}


def error(code: str, message: str = "", path: list[str | int] | None = None) -> dict[str, Any]:
    """Return a top-level error."""
    return {"message": message or code.title(), "path": path, "extensions": {"code": code}}


class Script:
    """Answers queries one by one from a list, and remembers what was asked."""

    def __init__(self, *answers: Answer | Exception, date: datetime = NOW) -> None:
        self.answers = list(answers)
        self.requests: list[httpx2.Request] = []
        self.date = date

    def __call__(self, request: httpx2.Request) -> httpx2.Response:
        """Give the next answer."""
        request.read()
        self.requests.append(request)
        given = self.answers.pop(0)
        if isinstance(given, Exception):
            raise given
        if isinstance(given, httpx2.Response):
            return given
        return ok(given, Date=self.date.strftime("%a, %d %b %Y %H:%M:%S GMT"))

    @property
    def asked(self) -> list[str]:
        """The operations, in order."""
        return [orjson.loads(request.content)["operationName"] for request in self.requests]

    def variables(self, position: int = -1) -> dict[str, Any]:
        """Return the variables of a query."""
        values: dict[str, Any] = orjson.loads(self.requests[position].content)["variables"]
        return values

    def text(self, position: int = -1) -> str:
        """Return the text of a query."""
        return str(orjson.loads(self.requests[position].content)["query"])


class Shop:
    """Answers by what is asked: a function for each operation, given its variables."""

    def __init__(self, **operations: Callable[[dict[str, Any]], Answer]) -> None:
        self.operations = operations
        self.asked: list[tuple[str, dict[str, Any]]] = []

    def __call__(self, request: httpx2.Request) -> httpx2.Response:
        """Answer one query."""
        body = orjson.loads(request.read())
        name, variables = body["operationName"], body["variables"]
        self.asked.append((name, variables))
        given = self.operations[name](variables)
        return given if isinstance(given, httpx2.Response) else ok(given)

    def count(self, name: str) -> int:
        """Return how often an operation was asked for."""
        return [asked for asked, _ in self.asked].count(name)


def ok(body: Any, **headers: str) -> httpx2.Response:
    """Return a JSON answer."""
    named = {"X-Shopify-API-Version": "2026-07", **headers}
    return httpx2.Response(200, content=orjson.dumps(body), headers=named)


Respond = Callable[[httpx2.Request], httpx2.Response]


def client(
    respond: Respond, using: ShopifySettings | None = None, budget: RateBudget | None = None
) -> ShopifyClient:
    """Return a client of a scripted shop."""
    explain = Explanation(["erp.customer_number"])
    budget = budget or RateBudget(channel="nordwind")
    http = HttpClient(
        platform="shopify",
        channel="nordwind",
        limits=Limits(attempts=1),
        explain=explain,
        transport=httpx2.MockTransport(respond),
        budget=budget,
    )
    return ShopifyClient(using or settings(), http, explain, budget, CostThrottle())


def reading(respond: Respond, **changes: Any) -> Reading:
    """Return what reads whole records of a scripted shop."""
    using = settings(**changes)
    return Reading(client(respond, using), using)


def connected(respond: Respond, fields: Iterable[str] = (), **changes: Any) -> Connector:
    """Return the connector of a scripted shop."""
    transport = httpx2.MockTransport(respond)
    return connect(settings(**changes), "nordwind", additional_fields=[*fields],
                   transport=transport)  # fmt: skip


def source(external_id: str = str(NUMBER), store_view: str = "shop") -> Source:
    """Return where a record was read."""
    version = Version(changed_at=NOW, read_at=NOW, fingerprint="f")
    return Source(
        channel="nordwind", store_view=store_view, external_id=external_id, version=version
    )


def export(external_id: str = str(NUMBER), **changes: Any) -> CustomerExport:
    """Return the export of a customer number, or of `values`."""
    return CustomerExport(
        effect="additional_data" if "values" in changes else "customer_number",
        channel="nordwind",
        external_id=external_id,
        store_view="shop",
        customer_id=UUID(int=1),
        customer_number=changes.pop("customer_number", "D-10021"),
        version=Version(changed_at=NOW, read_at=NOW, fingerprint="f"),
        **changes,
    )
