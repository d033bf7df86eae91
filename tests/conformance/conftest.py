"""Fixtures of the conformance suite: each shop in turn, and what is connected to it."""

from collections.abc import Iterator

import pytest

from shared.connectors.ports import Connector, CustomerSink, CustomerSource
from tests.conformance.channel import Channel
from tests.conformance.drivers import DRIVERS
from tests.conformance.shop import Shop


def pytest_configure(config: pytest.Config) -> None:
    """Name the suite's own marker."""
    config.addinivalue_line("markers", "needs(*abilities): the platform must have these")


@pytest.fixture(params=DRIVERS)
def shop(request: pytest.FixtureRequest) -> Iterator[Shop]:
    """Give an empty shop of each platform; skip, with the reason, what it cannot do."""
    kind = DRIVERS[request.param]
    for marker in request.node.iter_markers("needs"):
        for ability in marker.args:
            if ability in kind.lacks:
                pytest.skip(f"{request.param} lacks {ability}: {kind.lacks[ability]}")
    with kind() as shop:
        yield shop
        assert not shop.bugs()


@pytest.fixture
def channel(shop: Shop) -> Iterator[Channel]:
    """Give what connects to the shop, and lets go of it in the end."""
    channel = Channel(shop)
    yield channel
    channel.close()


@pytest.fixture
def connector(channel: Channel) -> Connector:
    """Give the shop's connector, that writes one additional field."""
    field = channel.shop.additional_field
    return channel.connect(*([field] if field else []))


@pytest.fixture
def source(connector: Connector) -> CustomerSource:
    """Give the reading side."""
    return connector.reading


@pytest.fixture
def sink(connector: Connector) -> CustomerSink:
    """Give the writing side."""
    return connector.sink
