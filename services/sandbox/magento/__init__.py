"""A sandbox shop that behaves as Magento 2 / Adobe Commerce does, traps included."""

from services.sandbox.magento.control import Control
from services.sandbox.magento.sandbox import SandboxMagento
from services.sandbox.magento.versions import Quirks

__all__ = ["Control", "Quirks", "SandboxMagento"]
