"""A name that leads into the private network is not followed there, unless that is allowed."""

import socket
from collections.abc import Iterator

import pytest

from services.sandbox.magento import SandboxMagento
from shared.connectors.calls import Limits
from shared.connectors.http import HttpClient
from shared.domain.errors import ConfigurationError


@pytest.fixture
def shop() -> Iterator[SandboxMagento]:
    """Give a shop on this machine."""
    with SandboxMagento(customers=1, seed=7) as running:
        yield running


@pytest.fixture
def name(monkeypatch: pytest.MonkeyPatch) -> str:
    """Give a name that the resolver leads to this machine, as a hostile zone could."""
    real = socket.getaddrinfo

    def lead_here(host: str, *rest: object, **more: object) -> object:
        return real("127.0.0.1" if host == "shop.example" else host, *rest, **more)  # type: ignore[arg-type]

    monkeypatch.setattr(socket, "getaddrinfo", lead_here)
    return "shop.example"


def _client(*, may_reach_private: bool) -> HttpClient:
    limits = Limits(attempts=1, may_reach_private=may_reach_private)
    return HttpClient(platform="magento", channel="shop", limits=limits)


def _status(client: HttpClient, url: str) -> int:
    try:
        return client.request("GET", f"{url}/rest/V1/nothing", headers=dict).status
    finally:
        client.close()


def test_a_name_that_leads_to_a_private_address_is_refused(shop: SandboxMagento, name: str) -> None:
    """Nothing is sent there, and the operator is told which setting would allow it."""
    url = shop.url.replace("127.0.0.1", name)

    with pytest.raises(ConfigurationError, match=r"shop\.example .* allow_private_addresses"):
        _status(_client(may_reach_private=False), url)

    assert shop.control.requests() == 0


def test_what_is_allowed_or_written_down_is_reached(shop: SandboxMagento, name: str) -> None:
    """With the setting the name is followed; an address that was written down always is."""
    url = shop.url.replace("127.0.0.1", name)

    statuses = (
        _status(_client(may_reach_private=True), url),
        _status(_client(may_reach_private=False), shop.url),
    )

    assert statuses == (404, 404)
    assert shop.control.requests() == 2
