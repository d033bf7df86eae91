"""The suite itself: who is held to it, and what is let pass."""

from shared.connectors.registry import PLATFORMS
from tests.conformance.drivers import DRIVERS
from tests.conformance.shop import Ability


def test_every_platform_is_held_to_the_suite() -> None:
    """Whoever adds a line to the registry adds a driver as well."""
    held = []
    for driver in DRIVERS.values():
        with driver() as shop:
            held.append(shop.platform)

    assert [name for name, platform in PLATFORMS.items() if platform not in held] == []


def test_what_is_let_pass_has_a_reason() -> None:
    """A driver may lack what its platform lacks, and says why."""
    reasons = {
        (name, ability): reason
        for name, driver in DRIVERS.items()
        for ability, reason in driver.lacks.items()
    }

    assert {ability for _, ability in reasons} <= set(Ability)
    assert all(len(reason.split()) >= 3 for reason in reasons.values())
