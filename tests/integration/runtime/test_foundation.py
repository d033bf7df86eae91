"""What a process stands on: here, what it shows from the first moment on."""

import json
import math
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from shared.runtime.foundation import Foundation, open_foundation
from shared.runtime.installation import load_installation
from tests.conformance.drivers import DRIVERS
from tests.unit.config.builders import a_file


@contextmanager
def standing_on(place: Path, configuration: str, database_url: str) -> Iterator[Foundation]:
    """Open a foundation for a configuration, and let go of it."""
    path = a_file(place, configuration + f'[database]\nurl = "{database_url}"\n')
    foundation = open_foundation(load_installation(path, {}), "exporter")
    try:
        yield foundation
    finally:
        for close in foundation.closers():
            close()


@pytest.mark.parametrize("platform", ["shopify", "bigcommerce"])
def test_what_a_shop_still_allows_is_shown(
    tmp_path: Path, migrated_sqlite_url: str, platform: str
) -> None:
    """By its own last word: points or requests, as soon as it was asked for anything."""
    quota = "patron_http_client_quota_left"
    with DRIVERS[platform]() as shop:
        channel = {
            "platform": platform,
            "connector": shop.table,
            "credentials_end": "2099-12-31T00:00:00Z",
            "store_views": [
                {"code": code, "remote": dict(remote)}
                for code, remote in shop.views.items()
                if remote.get("entity") != "companies"
            ],
        }
        text = f"channels.shop = {_toml(channel)}\n"
        with standing_on(tmp_path, text, migrated_sqlite_url) as foundation:
            connector = foundation.connector("shop")
            before = foundation.registry.get_sample_value(quota, {"channel": "shop"})
            connector.sink.check()
            after = foundation.registry.get_sample_value(quota, {"channel": "shop"})
            ends = foundation.registry.get_sample_value(
                "patron_credential_expiry_timestamp_seconds", {"channel": "shop"}
            )

    assert before is None or math.isnan(before)
    assert after is not None
    assert after > 0
    assert ends == 4102358400


def test_a_process_shows_what_it_takes_of_its_machine(
    tmp_path: Path, migrated_sqlite_url: str
) -> None:
    """Memory and the like, by the names that Prometheus's clients have everywhere."""
    with standing_on(tmp_path, "", migrated_sqlite_url) as foundation:
        memory = foundation.registry.get_sample_value("process_resident_memory_bytes")

    assert memory
    assert memory > 1_000_000


def _toml(value: Any) -> str:
    """Write a value as TOML does in one line."""
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{key} = {_toml(each)}" for key, each in value.items()) + " }"
    if isinstance(value, list):
        return "[" + ", ".join(map(_toml, value)) + "]"
    return json.dumps(value)
