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


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Skip what a platform lacks; here, so that the report sums it up by platform and reason."""
    callspec = getattr(item, "callspec", None)
    name = callspec.params.get("shop") if callspec else None
    for ability in (each for marker in item.iter_markers("needs") for each in marker.args):
        if name and (reason := DRIVERS[name].lacks.get(ability)):
            pytest.skip(f"{name} lacks {ability}: {reason}")


@pytest.fixture(params=DRIVERS)
def shop(request: pytest.FixtureRequest) -> Iterator[Shop]:
    """Give an empty shop of each platform; the simulation itself must not fail."""
    with DRIVERS[request.param]() as shop:
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
