"""A running shop for each test, and a client that talks to it."""

from collections.abc import Iterator

import httpx2
import pytest

from services.sandbox.shopify import SandboxShopify
from tests.services.plain import PLAIN
from tests.unit.sandbox.shopify.asking import Asking


@pytest.fixture
def shop() -> Iterator[SandboxShopify]:
    """Run a shop for one test; it must not have run into a bug of its own."""
    with SandboxShopify(customers=80, seed=7, companies=5) as running:
        yield running
        assert running.control.bugs() == []


@pytest.fixture(scope="session")
def http() -> Iterator[httpx2.Client]:
    """Connect to whatever shop is running; making a client anew costs more than most tests."""
    with httpx2.Client(timeout=10, verify=PLAIN) as client:
        yield client


@pytest.fixture
def ask(shop: SandboxShopify, http: httpx2.Client) -> Asking:
    """Talk to the shop with the permanent token."""
    return Asking(shop, http)
