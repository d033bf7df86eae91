"""A channel that is not set up for our writes pauses before a customer meets it."""

from collections.abc import Iterator

import pytest

from services.exporter.setup_check import SetupCheck
from services.sandbox.magento.sandbox import SandboxMagento
from shared.connectors import registry
from shared.connectors.ports import Connector
from shared.persistence import pauses
from shared.persistence.engine import create_engine
from shared.persistence.unit_of_work import UnitsOfWork


@pytest.fixture
def shop() -> Iterator[SandboxMagento]:
    """Give a small shop."""
    with SandboxMagento(customers=3, awkward=False) as shop:
        yield shop


@pytest.fixture
def connector(shop: SandboxMagento) -> Iterator[Connector]:
    """Give the connector of a channel that also writes a price group."""
    table = {
        "base_url": shop.url,
        "auth": {"kind": "bearer", "token": shop.control.admin_token()},
        "timeouts": {"attempts": 1},
    }
    views = {"de": {"store_id": 1, "website_id": 1}}
    settings = registry.settings_of("magento", table, views)
    connector = registry.connect("magento", settings, "shop", additional_fields=["erp_price_group"])
    yield connector
    connector.close()


@pytest.fixture
def units(migrated_sqlite_url: str) -> Iterator[UnitsOfWork]:
    """Give units of work on an empty database."""
    engine = create_engine(migrated_sqlite_url)
    yield UnitsOfWork(engine)
    engine.dispose()


def paused(units: UnitsOfWork) -> dict[str, str]:
    """Return reason by paused channel."""
    with units.read() as work:
        return {name: pause.reason for name, pause in pauses.active(work).items()}


def nothing() -> None:
    """Beat."""


def test_a_missing_attribute_pauses_the_channel_until_it_is_there(
    shop: SandboxMagento, connector: Connector, units: UnitsOfWork
) -> None:
    """Nothing is written in vain; creating the attribute is enough to go on."""
    told: list[dict[str, str]] = []
    check = SetupCheck(
        "shop",
        connector.sink,
        units,
        pause_seconds=60,
        on_change=lambda: told.append(paused(units)),
    )

    check.look(nothing)
    shop.control.add_attribute("erp_price_group")
    check.look(nothing)

    assert told == [{"shop": "configuration"}, {}]


def test_a_channel_that_is_well_is_left_alone_for_a_while(
    shop: SandboxMagento, connector: Connector, units: UnitsOfWork
) -> None:
    """The check costs the shop a few requests an hour."""
    shop.control.add_attribute("erp_price_group")
    check = SetupCheck("shop", connector.sink, units, pause_seconds=60, on_change=nothing)
    check.look(nothing)
    asked = shop.control.requests()

    check.look(nothing)

    assert shop.control.requests() == asked


def test_an_unreachable_shop_is_no_verdict(
    shop: SandboxMagento, connector: Connector, units: UnitsOfWork
) -> None:
    """A shop that is down is not paused for its set-up; writes retry by themselves."""
    shop.control.maintenance(on=True)

    SetupCheck("shop", connector.sink, units, pause_seconds=60, on_change=nothing).look(nothing)

    assert paused(units) == {}
