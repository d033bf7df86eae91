"""Tables and JSON."""

import io
from contextlib import redirect_stdout
from datetime import UTC, datetime
from uuid import UUID

import orjson
import pytest

from services.console.cli.output import Output, readable, show_record, show_rows


def printed(rows: list[dict[str, object]], output: Output = Output.TABLE) -> str:
    """Return what is printed of rows with the columns id and name."""
    stream = io.StringIO()
    with redirect_stdout(stream):
        show_rows(rows, {"id": "id", "name": "name"}, output, nothing="none")
    return stream.getvalue()


def test_markup_and_control_characters_of_a_shop_are_only_text() -> None:
    """A customer called [red] or one with an escape sequence cannot play with the terminal."""
    out = printed([{"id": 1, "name": "[red]Ann[/red]\x1b[2J\r\n"}])

    assert r"[red]Ann[/red]\x1b[2J\r\n" in out


def test_away_from_a_terminal_nothing_is_cut_coloured_or_padded(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A pipe gets whole lines."""
    monkeypatch.setenv("COLUMNS", "20")
    long = "x" * 150

    out = printed([{"id": 1, "name": long}])

    assert long in out
    assert "\x1b" not in out
    assert all(line == line.rstrip() for line in out.splitlines())


def test_no_rows_are_said_to_people_and_an_empty_list_to_programs() -> None:
    """Neither gets a bare heading."""
    assert printed([]) == "none\n"
    assert orjson.loads(printed([], Output.JSON)) == []


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "-"),
        (True, "yes"),
        (datetime(2026, 1, 2, 3, 4, 5, 999, tzinfo=UTC), "2026-01-02 03:04:05Z"),
        (["a", "b"], "a, b"),
        ((), "-"),
        (UUID(int=1), "00000000-0000-0000-0000-000000000001"),
    ],
)
def test_values_are_printed_as_people_read_them(value: object, text: str) -> None:
    """Moments are in UTC and say so."""
    assert readable(value) == text


def test_records_keep_their_keys_in_json(capsys: pytest.CaptureFixture[str]) -> None:
    """Programs get the names, people get words."""
    record = {"first_failed_at": datetime(2026, 1, 2, tzinfo=UTC), "body": b"\xff{}"}

    show_record(record, Output.JSON)

    assert orjson.loads(capsys.readouterr().out) == {
        "first_failed_at": "2026-01-02T00:00:00+00:00",
        "body": "\ufffd{}",
    }
