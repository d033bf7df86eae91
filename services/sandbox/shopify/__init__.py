"""A sandbox shop that behaves as Shopify does, B2B and traps included."""

from services.sandbox.shopify.control import Control
from services.sandbox.shopify.quirks import Quirks
from services.sandbox.shopify.sandbox import SandboxShopify

__all__ = ["Control", "Quirks", "SandboxShopify"]
