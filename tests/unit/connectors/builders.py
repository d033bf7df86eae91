"""What these tests are built from: a customer as Magento sends it, and a scripted shop."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import httpx2
import orjson

from shared.connectors.calls import Limits, RemoteCall
from shared.connectors.http import HttpClient
from shared.connectors.magento.client import MagentoClient
from shared.connectors.magento.errors import Explanation
from shared.connectors.magento.groups import Groups
from shared.connectors.magento.settings import MagentoSettings
from shared.connectors.magento.sink import MagentoSink
from shared.connectors.magento.source import MagentoSource
from shared.connectors.registry import settings_of

NOW = datetime(2026, 1, 5, 12, 0, tzinfo=UTC)
Respond = Callable[[httpx2.Request], httpx2.Response]


def settings(**changes: Any) -> MagentoSettings:
    """Return settings with one store view, `de`: store 3 of website 2."""
    connector = {
        "base_url": "https://shop.example",
        "auth": {"kind": "bearer", "token": "s3cret"},
        "page_size": 2,
        "timeouts": {"attempts": 1, "total_seconds": 5},
        **changes,
    }
    parsed = settings_of("magento", connector, {"de": {"store_id": 3, "website_id": 2}})
    assert isinstance(parsed, MagentoSettings)
    return parsed


def item(customer_id: int = 4711, **changes: Any) -> dict[str, Any]:
    """Return a customer as Magento sends it; None leaves a key out."""
    whole = {
        "id": customer_id,
        "group_id": 1,
        "default_billing": "91",
        "default_shipping": "92",
        "created_at": "2025-11-03 08:15:12",
        "updated_at": "2026-01-05 10:02:44",
        "created_in": "German Store View",
        "email": "petra.lang@example.com",
        "firstname": "Petra",
        "lastname": "Lang",
        "gender": 2,
        "store_id": 3,
        "taxvat": "DE123456789",
        "website_id": 2,
        "addresses": [address(91, company="Lang GmbH"), address(92)],
        "disable_auto_group_change": 0,
        "extension_attributes": {"is_subscribed": True},
        "custom_attributes": [{"attribute_code": "loyalty", "value": "gold"}],
        **changes,
    }
    return {key: value for key, value in whole.items() if value is not None}


def address(address_id: int, **changes: Any) -> dict[str, Any]:
    """Return an address as Magento sends it; None leaves a key out."""
    whole = {
        "id": address_id,
        "customer_id": 4711,
        "region": {"region_code": "BER", "region": "Berlin", "region_id": 82},
        "region_id": 82,
        "country_id": "DE",
        "street": ["Lindenweg 4", "Hinterhaus"],
        "telephone": "+49 30 5550142",
        "postcode": "10115",
        "city": "Berlin",
        "firstname": "Petra",
        "lastname": "Lang",
        **changes,
    }
    return {key: value for key, value in whole.items() if value is not None}


def answering(status: int, body: Any = None, **headers: str) -> httpx2.Response:
    """Return a JSON answer; header names are written with underscores."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return httpx2.Response(status, content=orjson.dumps(body), headers=named)


def found(*items: dict[str, Any], total: int | None = None, **headers: str) -> httpx2.Response:
    """Return a search answer."""
    count = len(items) if total is None else total
    return answering(200, {"items": items, "search_criteria": {}, "total_count": count}, **headers)


class Script:
    """Answers requests one by one from a list, and remembers them."""

    def __init__(self, *answers: httpx2.Response | Exception) -> None:
        self.answers = list(answers)
        self.requests: list[httpx2.Request] = []

    def __call__(self, request: httpx2.Request) -> httpx2.Response:
        """Give the next answer."""
        self.requests.append(request)
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer


def http_client(
    respond: Respond, limits: Limits | None = None, calls: list[RemoteCall] | None = None
) -> HttpClient:
    """Return a client whose requests `respond` answers, without a socket."""
    return HttpClient(
        platform="magento",
        channel="shop-de",
        limits=limits or Limits(attempts=1),
        observe=(calls if calls is not None else []).append,
        explain=Explanation(["erp_customer_number"]),
        transport=httpx2.MockTransport(respond),
    )


def magento(respond: Respond, using: MagentoSettings | None = None) -> MagentoClient:
    """Return a client of a scripted shop."""
    return MagentoClient(using or settings(), http_client(respond), Explanation())


def source(respond: Respond, using: MagentoSettings | None = None) -> MagentoSource:
    """Return the reading side of a scripted shop, which lists its groups unasked."""

    def respond_or_list_groups(request: httpx2.Request) -> httpx2.Response:
        is_about_groups = request.url.path.endswith("customerGroups/search")
        return groups_answer() if is_about_groups else respond(request)

    client = magento(respond_or_list_groups, using)
    return MagentoSource("shop-de", using or settings(), client, Groups(client))


def sink(respond: Respond, using: MagentoSettings | None = None) -> MagentoSink:
    """Return the writing side of a scripted shop."""
    client = magento(respond, using)
    return MagentoSink(client, Groups(client), using or settings(), ("loyalty", "group_id"))


def groups_answer() -> httpx2.Response:
    """Return the shop's customer groups."""
    groups = [(0, "NOT LOGGED IN"), (1, "General"), (2, "Wholesale")]
    return found(*({"id": number, "code": code, "tax_class_id": 3} for number, code in groups))
