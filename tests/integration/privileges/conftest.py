"""One house for each module; setting roles up takes a second or two."""

from collections.abc import Iterator

import pytest

from tests.integration.privileges.house import House, open_house
from tests.services import Databases, RabbitManagement


@pytest.fixture(scope="module")
def house(databases: Databases, rabbit_management: RabbitManagement) -> Iterator[House]:
    """Give an installation whose roles and users are set up."""
    with open_house(databases, rabbit_management) as house:
        yield house
