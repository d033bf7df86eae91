"""Every platform that Patron knows: its settings, and how to connect to it.

A new platform is one package and one line here.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from pydantic import BaseModel

from shared.connectors.bigcommerce.connect import connect as connect_bigcommerce
from shared.connectors.bigcommerce.settings import BigCommerceSettings
from shared.connectors.bigcommerce.webhooks import read_notice as read_bigcommerce_notice
from shared.connectors.http import CallObserver, unobserved
from shared.connectors.magento.connect import connect as connect_magento
from shared.connectors.magento.settings import MagentoSettings
from shared.connectors.ports import Connector, NoticeReader
from shared.connectors.push.connect import connect as connect_push
from shared.connectors.push.settings import PushSettings
from shared.connectors.shopify.connect import connect as connect_shopify
from shared.connectors.shopify.settings import ShopifySettings
from shared.connectors.shopify.webhooks import read_notice as read_shopify_notice
from shared.domain.errors import ConfigurationError


class Platform(NamedTuple):
    """`settings` is the model of a channel's settings; `connect` takes an instance of it.

    `connect(settings, channel, observe, additional_fields) -> Connector` opens nothing yet.
    `read_notice` reads the platform's webhooks, where it sends any.
    """

    settings: type[BaseModel]
    connect: Callable[[Any, str, CallObserver, Sequence[str]], Connector]
    read_notice: NoticeReader | None = None


PLATFORMS: Mapping[str, Platform] = {
    "bigcommerce": Platform(BigCommerceSettings, connect_bigcommerce, read_bigcommerce_notice),
    "magento": Platform(MagentoSettings, connect_magento),
    "push": Platform(PushSettings, connect_push),
    "shopify": Platform(ShopifySettings, connect_shopify, read_shopify_notice),
}


def settings_of(
    platform: str, connector: Mapping[str, Any], store_views: Mapping[str, Mapping[str, Any]]
) -> BaseModel:
    """Parse a channel's `connector` table and the `remote` table of each store view, by code.

    Raises pydantic's `ValidationError` (which hides what it was given), or `ConfigurationError`
    for a platform that is not known.
    """
    views = [{"code": code, **remote} for code, remote in store_views.items()]
    return _platform(platform).settings.model_validate({**connector, "store_views": views})


def connect(
    platform: str,
    settings: BaseModel,
    channel: str,
    observe: CallObserver = unobserved,
    additional_fields: Sequence[str] = (),
) -> Connector:
    """Return the connector of `channel`; `settings` come from `settings_of`.

    `additional_fields` are the names in the shop that additional data is written to.
    """
    return _platform(platform).connect(settings, channel, observe, additional_fields)


def _platform(name: str) -> Platform:
    try:
        return PLATFORMS[name]
    except KeyError:
        known = ", ".join(sorted(PLATFORMS))
        raise ConfigurationError(f"no platform {name!r}; known are {known}") from None
