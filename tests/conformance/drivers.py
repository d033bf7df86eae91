"""Every platform that the suite holds to the ports. A new connector adds its driver here."""

from collections.abc import Mapping
from typing import Final

from tests.conformance.magento import MagentoShop
from tests.conformance.shop import Shop

DRIVERS: Final[Mapping[str, type[Shop]]] = {
    "magento": MagentoShop,
}
