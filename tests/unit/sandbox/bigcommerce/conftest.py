"""A sandbox store of 400 customers and clients that may do everything."""

import ssl
from collections.abc import Iterator

import httpx2
import pytest

from services.sandbox.bigcommerce import SandboxBigCommerce


@pytest.fixture
def shop() -> Iterator[SandboxBigCommerce]:
    """Run a store for one test; it must not have run into a bug of its own."""
    with SandboxBigCommerce(customers=400, seed=7) as running:
        yield running
        assert running.control.bugs() == []


@pytest.fixture(scope="session")
def tls() -> ssl.SSLContext:
    """Make the one thing that costs a client a tenth of a second, once."""
    return httpx2.create_ssl_context()


@pytest.fixture
def client(shop: SandboxBigCommerce, tls: ssl.SSLContext) -> Iterator[httpx2.Client]:
    """Talk to the store's API."""
    base = f"{shop.url}/stores/{shop.store_hash}"
    with httpx2.Client(base_url=base, headers=shop.headers(), timeout=5, verify=tls) as talking:
        yield talking


@pytest.fixture
def b2b(shop: SandboxBigCommerce, tls: ssl.SSLContext) -> Iterator[httpx2.Client]:
    """Talk to the B2B Edition's API."""
    with httpx2.Client(
        base_url=shop.b2b_url, headers=shop.headers(), timeout=5, verify=tls
    ) as talking:
        yield talking
