"""Runs the command line in this process and tells what came of it."""

import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson
import pytest
import structlog

from services.console.cli import main


@dataclass(frozen=True)
class Answer:
    """What a command printed, and its exit code."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """Standard output, read as JSON."""
        return orjson.loads(self.out)


class Patron:
    """`patron`, called in a directory and an environment of the test's own."""

    def __init__(self, capsys: pytest.CaptureFixture[str]) -> None:
        self._capsys = capsys

    def __call__(self, *words: object) -> Answer:
        """Run `patron words`."""
        self._capsys.readouterr()
        code = main([str(word) for word in words])
        out, err = self._capsys.readouterr()
        return Answer(code, out, err)


@contextmanager
def a_patron(
    place: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> Iterator[Patron]:
    """Give `patron` in the directory `place`, configured by nothing else.

    Leaves logging as it was found.
    """
    monkeypatch.chdir(place)
    configure(monkeypatch, {"COLUMNS": "200", "DATABASE_URL": None, "AMQP_URL": None})
    root, before = logging.getLogger(), structlog.get_config()
    handlers, level = root.handlers[:], root.level
    yield Patron(capsys)
    root.handlers[:] = handlers
    root.setLevel(level)
    structlog.configure(**before)


def configure(monkeypatch: pytest.MonkeyPatch, environment: Mapping[str, str | None]) -> None:
    """Set variables, or remove those that are None."""
    for name, value in environment.items():
        if value is None:
            monkeypatch.delenv(name, raising=False)
        else:
            monkeypatch.setenv(name, value)
