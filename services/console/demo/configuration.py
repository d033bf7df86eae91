"""The configuration of the demo: what an operator would write for this shop."""

from pathlib import Path
from typing import Final

CHANNEL: Final = "shop"
STORE_VIEWS: Final = {"de": 1, "fr": 2, "nl": 3, "uk": 4, "us": 5}
NUMBER_ATTRIBUTE: Final = "erp_customer_number"
TEMPLATE_ATTRIBUTE: Final = "erp_template"
TERMS_ATTRIBUTE: Final = "erp_payment_terms"


def demo_configuration(base_url: str, place: Path) -> str:
    """Return the text of `patron.toml` for the shop at `base_url`, with its state in `place`."""
    return _TEXT.format(base_url=base_url, database=place / "patron.db")


_TEXT: Final = """\
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

[channels.shop]
platform = "magento"
# What is written to the shop beside the customer number.
additional_data = {{ erp_template = "template", erp_payment_terms = "values.payment_terms" }}

[channels.shop.connector]
base_url = "{base_url}"

# The sandbox's documented integration; worthless anywhere else.
[channels.shop.connector.auth]
kind = "oauth1"
consumer_key = "sandboxconsumerkey00000000000000"
consumer_secret = "sandboxconsumersecret00000000000"
access_token = "sandboxaccesstoken00000000000000"
access_token_secret = "sandboxtokensecret00000000000000"

[[channels.shop.store_views]]
code = "de"
remote = {{ store_id = 1, website_id = 1 }}

[[channels.shop.store_views]]
code = "fr"
remote = {{ store_id = 2, website_id = 1 }}

[[channels.shop.store_views]]
code = "nl"
remote = {{ store_id = 3, website_id = 1 }}

[[channels.shop.store_views]]
code = "uk"
remote = {{ store_id = 4, website_id = 2 }}

[[channels.shop.store_views]]
code = "us"
remote = {{ store_id = 5, website_id = 2 }}
"""
