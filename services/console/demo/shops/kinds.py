"""The shops that the demo can be given on, by platform."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final

from services.console.demo.shops.bigcommerce import BigCommerceShop
from services.console.demo.shops.magento import MagentoShop
from services.console.demo.shops.port import DemoShop
from services.console.demo.shops.push import PushShop, free_port
from services.console.demo.shops.shopify import ShopifyShop

ALL: Final = "all"
_CUSTOMERS_FOR_A_COMPANY: Final = 20


@dataclass(frozen=True, slots=True)
class Opening:
    """With which options a sandbox is started, and what opens the shop at its URL as a channel."""

    options: Sequence[str]
    open: Callable[[str, str], DemoShop]


@dataclass(frozen=True, slots=True)
class Kind:
    """One platform, and how a shop of it is opened for so many customers."""

    name: str
    opening: Callable[[int], Opening]


def _magento(_customers: int) -> Opening:
    return Opening((), MagentoShop)


def _bigcommerce(_customers: int) -> Opening:
    # The quota is the platform's, 150 requests a window; only the clock runs ten times as fast.
    return Opening(("--window-seconds", "3"), BigCommerceShop)


def _shopify(customers: int) -> Opening:
    # Likewise: 100 points a second and 2,000 at first.
    pace = ("--restore-rate", "1000", "--bucket", "20000")
    companies = ("--companies", str(customers // _CUSTOMERS_FOR_A_COMPANY))
    return Opening((*companies, "--without-definition", *pace), ShopifyShop)


def _push(_customers: int) -> Opening:
    port = free_port()
    options = ("--target", f"http://127.0.0.1:{port}", "--push-at-start")
    return Opening(options, partial(PushShop, port=port))


KINDS: Final = (
    Kind("magento", _magento),
    Kind("bigcommerce", _bigcommerce),
    Kind("shopify", _shopify),
    Kind("push", _push),
)


def kinds_of(shop: str) -> Sequence[Kind]:
    """Return the kinds that are meant: one by its name, or all of them."""
    return [kind for kind in KINDS if shop in (kind.name, ALL)]
