"""The shops that the demo can be given on, by platform."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from services.console.demo.shops.bigcommerce import BigCommerceShop
from services.console.demo.shops.magento import MagentoShop
from services.console.demo.shops.port import DemoShop
from services.console.demo.shops.shopify import ShopifyShop

ALL: Final = "all"


@dataclass(frozen=True, slots=True)
class Kind:
    """One platform: how its sandbox is started, and what opens the shop at a URL as a channel."""

    name: str
    open: Callable[[str, str], DemoShop]
    options: Sequence[str] = ()


# The quotas of these platforms are theirs; only their clocks run ten times as fast.
KINDS: Final = (
    Kind("magento", MagentoShop),
    Kind("bigcommerce", BigCommerceShop, ("--window-seconds", "3")),
    Kind(
        "shopify",
        ShopifyShop,
        (
            "--companies",
            "20",
            "--without-definition",
            "--restore-rate",
            "1000",
            "--bucket",
            "20000",
        ),
    ),
)


def kinds_of(shop: str) -> Sequence[Kind]:
    """Return the kinds that are meant: one by its name, or all of them."""
    return [kind for kind in KINDS if shop in (kind.name, ALL)]
