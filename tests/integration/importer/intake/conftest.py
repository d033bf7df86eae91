"""A gate on both dialects."""

from collections.abc import Iterator

import pytest

from tests.integration.importer.intake.gate import Client, Gate
from tests.integration.importer.station import Station


@pytest.fixture
def gate(station: Station) -> Gate:
    """Give a gate on each dialect in turn."""
    return Gate(station)


@pytest.fixture
def client(gate: Gate) -> Iterator[Client]:
    """Give a client before a gate with the ordinary settings."""
    with gate.open() as client:
        yield client
