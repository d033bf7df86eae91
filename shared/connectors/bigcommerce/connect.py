"""Builds the two sides of a BigCommerce channel, around one pool of connections for each API."""

from collections.abc import Sequence
from typing import Final

import httpx2

from shared.connectors.bigcommerce.assembly import Assembly
from shared.connectors.bigcommerce.catalogue import discovered
from shared.connectors.bigcommerce.checks import Checks
from shared.connectors.bigcommerce.client import BigCommerceClient
from shared.connectors.bigcommerce.companies.client import CompaniesClient
from shared.connectors.bigcommerce.companies.reader import CompanyReader
from shared.connectors.bigcommerce.companies.sink import CompanyWriter
from shared.connectors.bigcommerce.customers import CustomerReader
from shared.connectors.bigcommerce.errors import MEANINGS, Explanation
from shared.connectors.bigcommerce.fields import Fields
from shared.connectors.bigcommerce.quota import allowance, asked_to_wait
from shared.connectors.bigcommerce.settings import BigCommerceSettings
from shared.connectors.bigcommerce.sink import BigCommerceSink
from shared.connectors.bigcommerce.source import BigCommerceSource
from shared.connectors.bigcommerce.writer import CustomerWriter
from shared.connectors.budget import RateBudget
from shared.connectors.calls import CallObserver, unobserved
from shared.connectors.http import HttpClient
from shared.connectors.ports import Connector

PLATFORM: Final = "bigcommerce"


def connect(
    settings: BigCommerceSettings,
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
    explain = Explanation(_names(settings, additional_fields))

    def http(ceiling: float | None) -> HttpClient:
        return HttpClient(
            platform=PLATFORM,
            channel=channel,
            limits=settings.limits,
            tls=None if transport else settings.tls(),
            observe=observe,
            explain=explain,
            transport=transport,
            budget=RateBudget(ceiling, channel=channel),
            allowance=allowance,
            asked_to_wait=asked_to_wait,
            meanings=MEANINGS,
        )

    shop = http(settings.requests_per_second)
    client = BigCommerceClient(settings, shop, explain)
    b2b = http(settings.b2b_requests_per_second)
    companies = CompaniesClient(settings, b2b, explain)
    assembly = Assembly(settings, client, companies)

    def close() -> None:
        shop.close()
        b2b.close()

    return Connector(
        source=BigCommerceSource(
            channel,
            settings,
            CustomerReader(settings, client, assembly),
            CompanyReader(settings, companies),
            lambda: discovered(client, companies if settings.company_view else None),
        ),
        sink=BigCommerceSink(
            CustomerWriter(client, assembly, Fields(settings, assembly.attributes)),
            CompanyWriter(settings, companies, assembly.groups),
            Checks(settings, client, companies, additional_fields),
        ),
        close=close,
    )


def _names(settings: BigCommerceSettings, additional_fields: Sequence[str]) -> tuple[str, ...]:
    return (settings.number.name, settings.company_number_field, *additional_fields)
