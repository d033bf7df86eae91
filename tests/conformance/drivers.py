"""Every platform that the suite holds to the ports. A new connector adds its driver here."""

from collections.abc import Mapping
from typing import Final

from tests.conformance.bigcommerce import BigCommerceShop
from tests.conformance.bigcommerce_companies import BigCommerceCompanies
from tests.conformance.kiosk import KioskShop
from tests.conformance.magento import MagentoShop
from tests.conformance.push import PushingSystem
from tests.conformance.shop import Shop
from tests.conformance.shopify import ShopifyInBulk, ShopifyShop
from tests.conformance.shopify_companies import ShopifyCompanies

DRIVERS: Final[Mapping[str, type[Shop]]] = {
    "magento": MagentoShop,
    "bigcommerce": BigCommerceShop,
    "bigcommerce-companies": BigCommerceCompanies,
    "shopify": ShopifyShop,
    "shopify-bulk": ShopifyInBulk,
    "shopify-companies": ShopifyCompanies,
    "push": PushingSystem,
    "kiosk": KioskShop,
}
