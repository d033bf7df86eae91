"""The walkthrough's connector: its code runs, is tidy, and passes the conformance suite."""

import subprocess
import sys
from typing import Final

import pytest

from shared.connectors.ports import Connector
from tests.conformance.channel import settings_of
from tests.conformance.drivers import DRIVERS
from tests.conformance.kiosk import PAGE, KioskShop, built, platform
from tests.conformance.shop import CHANNEL
from tests.docs.pages import ROOT, Block, blocks, prose, text_of

CODE: Final = blocks(PAGE, "python")
MODULES: Final = ["settings", "client", "record", "mapping", "source", "sink", "connect"]
MOST_WORDS: Final = 1500
MOST_LINES_OF_CODE: Final = 450
"""What is read in ten minutes, the code glanced over."""


def test_the_pages_code_is_a_connector() -> None:
    """Block by block, in the order that it stands in, as a package of its own."""
    modules = built()

    with KioskShop() as shop:
        connector = platform().connect(settings_of(shop), CHANNEL, print, ())
        connector.close()

    assert [name for name in modules if name] == MODULES
    assert isinstance(connector, Connector)


def test_it_is_held_to_the_conformance_suite() -> None:
    """As every other connector is; the page says how to run that."""
    assert KioskShop in DRIVERS.values()
    assert "pytest tests/conformance -k kiosk" in text_of(PAGE)


def test_the_page_is_read_in_ten_minutes() -> None:
    """Whoever adds to it leaves something else out."""
    assert len(prose(PAGE).split()) < MOST_WORDS
    assert sum(len(block.text.splitlines()) for block in CODE) < MOST_LINES_OF_CODE


@pytest.mark.parametrize("block", CODE, ids=MODULES)
@pytest.mark.parametrize("words", [["check"], ["format", "--check"]], ids=["style", "format"])
def test_its_code_is_as_tidy_as_the_projects(block: Block, words: list[str]) -> None:
    """What the page shows would pass `make style`."""
    name = f"shared/connectors/kiosk/{block.info.removeprefix('python ')}"
    ruff = [sys.executable, "-m", "ruff", *words, "--stdin-filename", name, "-"]

    done = subprocess.run(
        ruff, input=block.text, cwd=ROOT, capture_output=True, text=True, check=False
    )

    assert done.returncode == 0, done.stdout + done.stderr
