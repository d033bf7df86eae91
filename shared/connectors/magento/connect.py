"""Builds the two sides of a Magento channel around one pool of connections."""

from collections.abc import Sequence

import httpx2

from shared.connectors.budget import RateBudget
from shared.connectors.calls import CallObserver, unobserved
from shared.connectors.http import HttpClient
from shared.connectors.magento.client import MagentoClient
from shared.connectors.magento.errors import Explanation
from shared.connectors.magento.groups import Groups
from shared.connectors.magento.settings import MagentoSettings
from shared.connectors.magento.sink import MagentoSink
from shared.connectors.magento.source import MagentoSource
from shared.connectors.ports import Connector

PLATFORM = "magento"


def connect(
    settings: MagentoSettings,
    channel: str,
    observe: CallObserver = unobserved,
    additional_fields: Sequence[str] = (),
    *,
    transport: httpx2.BaseTransport | None = None,
) -> Connector:
    """Return the connector of `channel`. Opens no connection yet.

    `additional_fields` are the names that additional data is written to; `transport` takes the
    place of the pool of connections.
    """
    explain = Explanation((settings.number_attribute, *additional_fields))
    http = HttpClient(
        platform=PLATFORM,
        channel=channel,
        limits=settings.limits,
        tls=None if transport else settings.tls(),
        observe=observe,
        explain=explain,
        transport=transport,
        budget=RateBudget(settings.requests_per_second, channel=channel),
    )
    client = MagentoClient(settings, http, explain)
    groups = Groups(client)
    return Connector(
        source=MagentoSource(channel, settings, client, groups),
        sink=MagentoSink(client, groups, settings, additional_fields),
        close=http.close,
    )
