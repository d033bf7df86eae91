"""A small valid configuration, and how tests change it."""

from pathlib import Path

SECRET = "hunter2-of-the-shop"
CONFIGURATION = f"""
[number_series.debtors]
prefix = "D"

[[templates]]
name = "standard"
number_series = "debtors"
values = {{ terms = "NET30" }}

[channels.shop]
platform = "magento"

[channels.shop.connector]
base_url = "https://shop.example"
auth = {{ kind = "bearer", token = "{SECRET}" }}

[[channels.shop.store_views]]
code = "de"
remote = {{ store_id = 1, website_id = 1 }}

[[channels.shop.store_views]]
code = "fr"
remote = {{ store_id = 2, website_id = 1 }}
"""


def a_file(place: Path, text: str = CONFIGURATION, name: str = "patron.toml") -> Path:
    """Write `text` as a configuration file; return its path."""
    path = place / name
    path.write_text(text, encoding="utf-8")
    return path


def changed(*changes: tuple[str, str]) -> str:
    """Return the configuration with each first text replaced by the second."""
    text = CONFIGURATION
    for before, after in changes:
        assert before in text
        text = text.replace(before, after)
    return text
