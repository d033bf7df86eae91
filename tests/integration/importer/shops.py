"""The simulated Magento shop and its connector, as the tests of importer and exporter use them."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx2

from services.sandbox.magento import SandboxMagento
from services.sandbox.magento.auth import (
    ACCESS_TOKEN,
    ACCESS_TOKEN_SECRET,
    CONSUMER_KEY,
    CONSUMER_SECRET,
)
from shared.connectors.calls import unobserved
from shared.connectors.magento.connect import connect
from shared.connectors.magento.settings import MagentoSettings
from shared.connectors.ports import Connector
from shared.connectors.registry import settings_of

SIGNED = {
    "kind": "oauth1",
    "consumer_key": CONSUMER_KEY,
    "consumer_secret": CONSUMER_SECRET,
    "access_token": ACCESS_TOKEN,
    "access_token_secret": ACCESS_TOKEN_SECRET,
}
STORE_VIEWS = {"de": {"store_id": 1, "website_id": 1}, "uk": {"store_id": 4, "website_id": 2}}
CUSTOMERS = 60


@contextmanager
def running_shop(customers: int = CUSTOMERS) -> Iterator[SandboxMagento]:
    """Give a shop of well-behaved customers; the sandbox itself must not have failed."""
    with SandboxMagento(customers=customers, seed=7, awkward=False) as shop:
        yield shop
        assert not shop.control.bugs()


@contextmanager
def connected(
    shop: SandboxMagento,
    *additional_fields: str,
    transport: httpx2.BaseTransport | None = None,
) -> Iterator[Connector]:
    """Give the connector of the channel `shop`, with small pages and one attempt for each call."""
    settings = settings_of("magento", connector_table(shop.url), STORE_VIEWS)
    assert isinstance(settings, MagentoSettings)
    connector = connect(settings, "shop", unobserved, additional_fields, transport=transport)
    yield connector
    connector.close()


def connector_table(url: str) -> dict[str, Any]:
    """Return the connector's table of the configuration."""
    timeouts = {"attempts": 1, "total_seconds": 10}
    return {"base_url": url, "auth": SIGNED, "page_size": 7, "timeouts": timeouts}


def of_store(shop: SandboxMagento, store_id: int) -> set[str]:
    """Return the ids of the customers of a store view, from the shop's own books."""
    numbers = range(1, shop.control.customer_count() + 1)
    return {str(n) for n in numbers if shop.control.customer(n)["store_id"] == store_id}


def first_of(shop: SandboxMagento, store_id: int) -> int:
    """Return the customer of a store view with the lowest id."""
    return min(int(number) for number in of_store(shop, store_id))
