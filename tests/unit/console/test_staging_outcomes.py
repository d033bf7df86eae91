"""What is told of records that something was asked for, and the exit code."""

from uuid import UUID

import orjson
import pytest

from services.console.cli.output import Output
from services.console.cli.staging_filters import parse_age
from services.console.cli.staging_outcomes import Fate, Result, exit_code, show_fates


def fates(*results: Result) -> list[Fate]:
    """Return records with these results."""
    return [Fate(UUID(int=n), result, "shop", str(n)) for n, result in enumerate(results)]


@pytest.mark.parametrize(
    ("results", "code"),
    [
        ([], 0),
        (["processed", "closed", "asked"], 0),
        (["processed", "waits"], 3),
        (["closed", "missing"], 3),
        (["waits", "given_up"], 1),
        (["missing"], 1),
        (["processed", "waits", "not_taken"], 75),
    ],
)
def test_the_exit_code_says_how_much_is_done(results: list[Result], code: int) -> None:
    """C365-11: all, some, none, or nobody has taken it yet."""
    assert exit_code(fates(*results)) == code


def test_of_many_only_those_are_listed_that_did_not_arrive(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """A hundred that arrived are a number, not a hundred lines; JSON has them all."""
    hundred: list[Result] = ["processed"] * 100
    many = fates(*hundred, "waits")

    show_fates(many, Output.TABLE)
    table = capsys.readouterr().out
    show_fates(many, Output.JSON)
    tree = orjson.loads(capsys.readouterr().out)

    assert "shop/100 " in table
    assert "shop/99 " not in table
    assert "100 processed, 1 still wait" in table
    assert len(tree) == 101


@pytest.mark.parametrize(
    ("text", "seconds"), [("90s", 90), ("30m", 1800), ("2h", 7200), ("3d", 259200), ("1w", 604800)]
)
def test_an_age_is_a_number_and_a_unit(text: str, seconds: int) -> None:
    """As people write it."""
    assert parse_age(text).total_seconds() == seconds
