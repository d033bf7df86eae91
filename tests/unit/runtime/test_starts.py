"""What a process imports before it is ready: what it works with, and nothing more."""

import subprocess
import sys
from pathlib import Path
from typing import Final

import pytest

ROOT: Final = Path(__file__).parents[3]
WORKERS: Final = [
    "services.importer.__main__",
    "services.processor.__main__",
    "services.exporter.__main__",
    "services.console.keeper.__main__",
]
# Each is many modules, or slow ones, and of use to other programs, or when something is asked for.
NOT_AT_START: Final = frozenset(
    {
        "alembic", "anyio", "email_validator", "fastapi", "httpcore2", "httpx2", "jinja2", "kombu",
        "oauthlib", "opentelemetry", "phonenumbers", "services.console.cli",
        "services.sandbox", "shared.connectors.bigcommerce", "shared.connectors.magento",
        "shared.connectors.shopify", "stamina", "starlette", "tenacity", "typer", "uvicorn",
    }
)  # fmt: skip
CONFIGURED: Final = """
from pathlib import Path
from shared.runtime.installation import load_installation
load_installation(Path("patron.toml"), {})
"""
ONE_SHOP: Final = """
[channels.shop]
platform = "magento"

[channels.shop.connector]
base_url = "https://shop.example.com"

[channels.shop.connector.auth]
kind = "bearer"
token = "sesame"

[[channels.shop.store_views]]
code = "de"
remote = { store_id = 1, website_id = 1 }
"""


@pytest.mark.parametrize("worker", WORKERS)
def test_a_worker_imports_no_more_than_it_needs(worker: str, tmp_path: Path) -> None:
    """A worker is back soon after a restart, and hundreds of tests start several."""
    imported = imported_by(f"import {worker}", tmp_path)

    assert worker in imported
    assert imported & NOT_AT_START == set()


def test_only_the_platforms_of_the_configuration_are_imported(tmp_path: Path) -> None:
    """Of them the settings, and neither what connects nor what calls."""
    (tmp_path / "patron.toml").write_text(ONE_SHOP)

    imported = imported_by(CONFIGURED, tmp_path)

    assert "shared.connectors.magento.settings" in imported
    assert imported & (NOT_AT_START - {"shared.connectors.magento"}) == set()
    assert "shared.connectors.magento.connect" not in imported


def imported_by(program: str, folder: Path) -> set[str]:
    """Return the modules that are there when `program` has run."""
    done = subprocess.run(
        [sys.executable, "-c", f"{program}\nimport sys; print(*sys.modules)"],
        cwd=folder,
        env={"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=True,
    )
    return set(done.stdout.split())
