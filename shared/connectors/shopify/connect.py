"""Builds the two sides of a Shopify channel around one pool of connections."""

from collections.abc import Sequence

import httpx2

from shared.connectors.budget import RateBudget
from shared.connectors.calls import CallObserver, unobserved
from shared.connectors.http import HttpClient
from shared.connectors.ports import Connector
from shared.connectors.shopify.bulk import BulkExport
from shared.connectors.shopify.client import ShopifyClient
from shared.connectors.shopify.errors import Explanation
from shared.connectors.shopify.reading import Reading
from shared.connectors.shopify.settings import MetafieldKey, ShopifySettings, is_metafield
from shared.connectors.shopify.sink import ShopifySink
from shared.connectors.shopify.source import ShopifySource
from shared.connectors.shopify.throttle import CostThrottle

PLATFORM = "shopify"


def connect(
    settings: ShopifySettings,
    channel: str,
    observe: CallObserver = unobserved,
    additional_fields: Sequence[str] = (),
    *,
    transport: httpx2.BaseTransport | None = None,
) -> Connector:
    """Return the connector of `channel`. Opens no connection yet.

    `additional_fields` are the metafields that additional data is written to, or `tags`;
    `transport` takes the place of the pool of connections.
    """
    written = [field for field in additional_fields if is_metafield(field)]
    names = filter(None, (settings.number_metafield, settings.tax_id_metafield))
    explain = Explanation((*names, *settings.metafields, *written))
    budget = RateBudget(settings.requests_per_second, channel=channel)
    http = HttpClient(
        platform=PLATFORM,
        channel=channel,
        limits=settings.limits,
        tls=None if transport else settings.tls(),
        observe=observe,
        explain=explain,
        transport=transport,
        budget=budget,
    )
    throttle = CostThrottle()
    client = ShopifyClient(settings, http, explain, budget, throttle)
    reading = Reading(client, settings, [MetafieldKey.of(field) for field in written])
    return Connector(
        source=ShopifySource(channel, settings, reading, BulkExport(client)),
        sink=ShopifySink(reading, settings, additional_fields),
        close=http.close,
        quota_left=throttle.available,
    )
