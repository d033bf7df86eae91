"""The root of the command line: commands, help, exits."""

import re

import pytest

from services.console.cli import app as root
from services.console.cli.app import COMMANDS
from services.console.cli.failures import failure_of
from shared.domain.errors import ConfigurationError, RemoteRejected
from shared.messaging.broker import BrokerUnavailable
from tests.unit.console.runner import Patron

COMMAND_PATHS = [
    *("config check", "config show", "config schema", "db upgrade", "db current"),
    *("broker provision", "broker check", "channel list", "channel spec", "channel check"),
    *("broker users", "channel discover", "channel read", "channel resume"),
    *("cursor list", "cursor show", "cursor set"),
    *("staging list", "staging show", "staging explain", "staging process", "staging link"),
    *("staging discard", "customer explain", "customer history"),
    *("dead-letters list", "dead-letters show", "run", "up", "import", "queues", "demo", "version"),
]


def test_the_version_is_printed(patron: Patron) -> None:
    """One line for people and bug reports."""
    answer = patron("version")

    assert answer.code == 0
    assert re.fullmatch(r"patron \d+\.\d+\.\d+\n", answer.out)


def test_help_names_every_command(patron: Patron) -> None:
    """The help of the root is the table of contents."""
    answer = patron("--help")

    assert answer.code == 0
    assert all(f" {name} " in answer.out for name in COMMANDS)
    assert "Exit codes" in answer.out


@pytest.mark.parametrize("path", COMMAND_PATHS)
def test_every_command_explains_itself(patron: Patron, path: str) -> None:
    """Help says more than the command's name, on standard output."""
    answer = patron(*path.split(), "--help")

    assert answer.code == 0
    assert f"Usage: patron {path}" in answer.out
    assert answer.err == ""


@pytest.mark.parametrize(
    "words",
    [
        ["stage"],
        ["staging", "lst"],
        ["staging", "list", "--state", "lost"],
        ["staging", "list", "--limit", "0"],
        ["staging", "show", "five"],
        ["run", "janitor"],
        ["customer", "explain"],
    ],
)
def test_wrong_usage_is_2_and_said_on_standard_error(patron: Patron, words: list[str]) -> None:
    """Nothing on standard output, no traceback."""
    answer = patron(*words)

    assert answer.code == 2
    assert answer.out == ""
    assert answer.err
    assert "Traceback" not in answer.err


def test_a_typing_error_is_met_with_a_suggestion(patron: Patron) -> None:
    """`stagin` probably means `staging`."""
    assert "staging" in patron("stagin", "list").err


@pytest.mark.parametrize("words", [["config", "check"], ["staging", "list"], ["up"], ["queues"]])
def test_a_missing_configuration_is_2(patron: Patron, words: list[str]) -> None:
    """Whoever names a file that is not there is told so by every command."""
    answer = patron("--config", "nowhere.toml", *words)

    assert answer.code == 2
    assert answer.err == "error: nowhere.toml: there is no such file; see patron.example.toml\n"


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (ConfigurationError("no"), 2),
        (BrokerUnavailable("away"), 75),
        (RemoteRejected("no"), 1),
        (ValueError("a value that may be private"), 1),
    ],
)
def test_failures_have_exit_codes(error: Exception, code: int) -> None:
    """Set-up 2, temporary 75, everything else 1; a defect never shows the data it stumbled over."""
    failure = failure_of(error)

    assert failure.exit_code == code
    assert "private" not in " ".join(failure.lines)


def test_a_worker_is_started_without_importing_the_other_commands() -> None:
    """Only the command that is named is imported."""
    one = root.app_for(["--config", "demo", "queues", "--output", "json"])

    assert [command.name for command in one.registered_commands] == ["queues"]
    assert one.registered_groups == []
