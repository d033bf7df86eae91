"""Webhooks as the shops send them: signed by the platform, believed, and fetched."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import pytest

from services.importer.intake.hooks import Hook
from services.importer.on_demand import OnDemand
from services.importer.pages import StoreViewReader
from services.sandbox.bigcommerce import SandboxBigCommerce
from services.sandbox.shopify import SandboxShopify
from shared.connectors.registry import PLATFORMS, connect, settings_of
from tests.integration.importer.intake.gate import Gate
from tests.integration.importer.station import LEASE_SECONDS, no_beat


@dataclass
class Shop:
    """A sandbox of one platform; `tell` sends a webhook about customer `n`, returns the status."""

    platform: str
    secret: str
    table: dict[str, Any]
    view: dict[str, Any]
    tell: Callable[..., int]
    edit: Callable[[int], object]
    delete: Callable[[int], object]


@contextmanager
def a_bigcommerce() -> Iterator[Shop]:
    """Give a BigCommerce store."""
    with SandboxBigCommerce(customers=20, awkward=False) as shop:

        def tell(url: str, topic: str, number: int, **forged: Any) -> int:
            return shop.control.send_webhook(url, f"store/customer/{topic}", number, **forged)[0]

        table = {
            "base_url": shop.url, "b2b_base_url": shop.url, "store_hash": shop.store_hash,
            "access_token": shop.token,
            "number": {"kind": "attribute", "name": "ERP Customer Number"},
        }  # fmt: skip
        yield Shop(
            "bigcommerce", shop.client_secret, table, {}, tell,
            lambda n: shop.control.edit_profile(n, first_name="Edited"),
            shop.control.delete_customer,
        )  # fmt: skip


@contextmanager
def a_shopify() -> Iterator[Shop]:
    """Give a Shopify shop."""
    with SandboxShopify(customers=20, awkward=False) as shop:

        def tell(url: str, topic: str, number: int, **forged: Any) -> int:
            topic = {"updated": "update", "deleted": "delete"}[topic]
            return shop.control.send_webhook(url, f"customers/{topic}", number, **forged).status

        table = {"base_url": shop.url, "auth": {"kind": "token", "token": shop.token}}
        yield Shop(
            "shopify", shop.client_secret, table, {}, tell,
            lambda n: shop.control.edit_customer(n, firstName="Edited"),
            shop.control.delete_customer,
        )  # fmt: skip


@pytest.fixture(params=[a_bigcommerce, a_shopify], ids=["bigcommerce", "shopify"])
def shop(request: pytest.FixtureRequest) -> Iterator[Shop]:
    """Give a shop of each platform that sends webhooks."""
    with request.param() as shop:
        yield shop


@contextmanager
def importer(gate: Gate, shop: Shop) -> Iterator[OnDemand]:
    """Give what fetches on demand from the shop, by its own connector."""
    settings = settings_of(shop.platform, shop.table, {"all": shop.view})
    connector = connect(shop.platform, settings, "shop")
    yield OnDemand(
        "shop",
        connector.reading,
        {"all": StoreViewReader("shop", "all", connector.reading)},
        units=gate.station.units,
        offer=gate.station.sent.extend,
        metrics=gate.station.metrics,
        lease_seconds=LEASE_SECONDS,
    )
    connector.close()


def test_what_a_shop_tells_is_fetched_from_it(gate: Gate, shop: Shop) -> None:
    """An edit comes at once, a deletion as one, a forgery not at all (D365-2)."""
    gate.station.clock.now = datetime.now(UTC)
    reader = PLATFORMS[shop.platform].read_notice
    assert reader
    gate.hooks = {"shop": Hook(reader, ("an-older-key-of-the-app", shop.secret))}

    with gate.open() as client, importer(gate, shop) as fetching:
        url = f"{client.http.base_url}/v1/webhooks/shop".replace("//v1", "/v1")
        told = [shop.tell(url, "updated", 5)]
        fetching.run_next(no_beat)
        shop.edit(5)
        told.append(shop.tell(url, "updated", 5))
        fetching.run_next(no_beat)
        shop.delete(5)
        told.append(shop.tell(url, "deleted", 5))
        fetching.run_next(no_beat)
        forged = shop.tell(url, "updated", 6, secret="x" * 32)

    assert (told, forged) == ([200, 200, 200], 401)
    names = [m.body.customer.first_name for m in gate.imported_messages()]
    assert (len(names), names[-1]) == (2, "Edited")
    [imported, *_] = gate.imported_messages()
    assert gate.station.subjects("customer.deleted") == [imported.subject]
