"""A sandbox shop of 400 customers and a client with an admin token."""

from collections.abc import Iterator

import httpx2
import pytest

from services.sandbox.magento import SandboxMagento
from tests.services.plain import PLAIN


@pytest.fixture
def shop() -> Iterator[SandboxMagento]:
    """Run a shop for one test; it must not have run into a bug of its own."""
    with SandboxMagento(customers=400, seed=7) as running:
        yield running
        assert running.control.bugs() == []


@pytest.fixture
def client(shop: SandboxMagento) -> Iterator[httpx2.Client]:
    """Talk to the shop as an admin."""
    with httpx2.Client(
        base_url=shop.url, headers=shop.bearer(), timeout=5, verify=PLAIN
    ) as talking:
        yield talking
