"""The configuration of the demo: what an operator would write for these shops."""

from collections.abc import Iterable
from pathlib import Path
from typing import Final

from services.console.demo.shops import magento
from services.console.demo.shops.port import DemoShop


def demo_configuration(base_url: str, place: Path) -> str:
    """Return the text of `patron.toml` for the Magento shop at `base_url`, its state in `place`."""
    return _head(place) + magento.configuration(base_url)


def configuration_of(shops: Iterable[DemoShop], place: Path) -> str:
    """Return the text of `patron.toml` for these shops, with its state in `place`."""
    return _head(place) + "".join(shop.configuration() for shop in shops)


def _head(place: Path) -> str:
    return _HEAD.format(database=place / "patron.db")


_HEAD: Final = """\
# The demo's configuration. patron.example.toml explains every key.

[database]
url = "sqlite:///{database}"

[health]               # free ports, so that the demo is in nobody's way
importer_port = 0
processor_port = 0
exporter_port = 0
keeper_port = 0

[importer]
idle_seconds = 0.2

# Numbers are drawn from a series without gaps.
[number_series.individuals]
prefix = "C"
width = 6
start = 100001

[number_series.companies]
prefix = "B"
width = 5
start = 20001

# A new customer gets the defaults of the first template whose condition holds.
[[templates]]
name = "business"
when = 'kind == "business"'
number_series = "companies"
values = {{ payment_terms = "NET30" }}

[[templates]]
name = "germany"
when = 'country == "DE"'
number_series = "individuals"
values = {{ payment_terms = "NET14" }}

[[templates]]
name = "france"
when = 'country == "FR"'
number_series = "individuals"
values = {{ payment_terms = "NET14" }}

[[templates]]
name = "international"
number_series = "individuals"
values = {{ payment_terms = "PREPAID" }}
"""
