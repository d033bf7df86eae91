"""The demo, end to end: the first thing a newcomer runs must work."""

import re
import tempfile
from pathlib import Path

import pytest

from tests.integration.console.processes import run


@pytest.mark.e2e
def test_the_demo_ends_well_and_leaves_nothing_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Import, numbers, verification, explanation, sweep and timeline, and no file afterwards."""
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr(tempfile, "tempdir", None)

    ended = run("demo", "--customers", 60, place=tmp_path, seconds=120)

    assert (ended.code, ended.err) == (0, "")
    assert re.search(r"read from the shops +60\b", ended.out)
    assert re.search(r"✓ shop: each of \d+ customers shows the number", ended.out)
    assert "Matched with customer C" in ended.out
    assert "-> Am Neuen Markt 12" in ended.out
    assert "✓ 60 customers were compared, 1 had changed" in ended.out
    assert re.search(r"processor +shop/\d+ +customer\.updated +fields: addresses", ended.out)
    assert "Traceback" not in ended.out
    assert list(tmp_path.iterdir()) == []


@pytest.mark.e2e
def test_a_demo_that_fails_says_why_and_keeps_the_evidence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Exit code 1, a sentence, and where logs and database are."""
    monkeypatch.setenv("TMPDIR", str(tmp_path))

    ended = run("demo", "--customers", 60, "--patience", 0.1, place=tmp_path, seconds=120)

    assert ended.code == 1
    assert "error: the import did not end within 0.1 s" in ended.err
    (kept,) = tmp_path.iterdir()
    assert str(kept) in ended.err
    assert (kept / "patron.log").exists()


@pytest.mark.e2e
def test_the_demo_on_all_shops_makes_one_customer_of_one_person(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Four channels, one directory: who has accounts in all of them has one number everywhere."""
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr(tempfile, "tempdir", None)

    ended = run("demo", "--shop", "all", "--customers", 25, place=tmp_path, seconds=180)

    assert (ended.code, ended.err) == (0, "")
    for channel in ("magento", "bigcommerce", "shopify", "push"):
        assert re.search(rf"✓ {channel}: each of \d+ customers shows the number", ended.out)
    assert re.search(r"\d+ customers have accounts in 4 of the shops", ended.out)
    assert re.search(r"✓ one customer, 4 accounts, one number: [BC]\d+", ended.out)
    assert list(tmp_path.iterdir()) == []
