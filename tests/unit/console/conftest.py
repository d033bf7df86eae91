"""The command line, without a database."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.unit.console.runner import Patron, a_patron


@pytest.fixture
def patron(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> Iterator[Patron]:
    """Give the command line in an empty directory."""
    with a_patron(tmp_path, capsys, monkeypatch) as patron:
        yield patron
