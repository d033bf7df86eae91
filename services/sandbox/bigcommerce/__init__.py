"""A sandbox store that behaves as BigCommerce does, B2B Edition and traps included."""

from services.sandbox.bigcommerce.control import Control
from services.sandbox.bigcommerce.quirks import Quirks
from services.sandbox.bigcommerce.sandbox import SandboxBigCommerce

__all__ = ["Control", "Quirks", "SandboxBigCommerce"]
