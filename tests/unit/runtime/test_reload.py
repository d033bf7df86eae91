"""A configuration that is read again is used only if it is another one and can be started on."""

from pathlib import Path

import pytest
from structlog.testing import capture_logs

from shared.domain.errors import ConfigurationError, TransientError
from shared.runtime.installation import Installation, load_installation
from shared.runtime.reload import Reload, Verify
from tests.unit.config.builders import SECRET, a_file, changed


def approve(_: Installation) -> None:
    """Find nothing missing on broker and database."""


def a_reload(path: Path, verify: Verify = approve) -> Reload:
    """Return the reload of a process that runs on the file as it is now."""
    return Reload(load_installation(path, {}), lambda: load_installation(path, {}), verify)


def test_a_changed_configuration_is_accepted(tmp_path: Path) -> None:
    """Both versions and the tables that changed are told; it is what to start on (C365-21)."""
    reload = a_reload(a_file(tmp_path))
    before = reload.in_force.policy.version
    a_file(tmp_path, changed(('code = "de"', 'code = "de"\nimport = false')))

    with capture_logs() as logs:
        is_accepted = reload.is_to_start_anew()

    assert is_accepted
    assert reload.accepted
    assert not reload.accepted.settings.channels["shop"].store_views[0].import_enabled
    [line] = logs
    assert line["event"] == "configuration.reloaded"
    assert (line["config_version_before"], line["tables"]) == (before, ["channels"])
    assert line["config_version"] == reload.accepted.policy.version != before


def test_another_secret_is_a_change(tmp_path: Path) -> None:
    """Credentials are taken up, although decisions do not depend on them."""
    reload = a_reload(a_file(tmp_path))
    a_file(tmp_path, changed((SECRET, "another-secret")))

    with capture_logs() as logs:
        is_accepted = reload.is_to_start_anew()

    assert is_accepted
    assert logs[0]["tables"] == ["channels"]
    assert "secret" not in repr(logs)


def test_an_unchanged_configuration_is_noticed(tmp_path: Path) -> None:
    """Comments and order are no change: nothing is started anew."""
    reload = a_reload(a_file(tmp_path))
    a_file(tmp_path, "# looked at today\n" + changed())

    with capture_logs() as logs:
        is_accepted = reload.is_to_start_anew()

    assert (is_accepted, reload.accepted) == (False, None)
    assert [line["event"] for line in logs] == ["configuration.unchanged"]


def test_every_problem_of_a_bad_configuration_is_told_without_its_value(tmp_path: Path) -> None:
    """The operator sees all of them at once in the log; what is wrong may be a secret."""
    reload = a_reload(a_file(tmp_path))
    a_file(
        tmp_path,
        changed(
            ('code = "de"', 'code = "de"\npoll_cron = "hunter2"'),
            ('number_series = "debtors"', 'number_series = "nobodys"'),
        ),
    )

    with capture_logs() as logs:
        is_accepted = reload.is_to_start_anew()

    assert (is_accepted, reload.accepted) == (False, None)
    [line] = logs
    assert (line["event"], line["log_level"]) == ("configuration.refused", "error")
    assert [problem.split(": ")[1] for problem in line["problems"]] == [
        "channels.shop.store_views.0.poll_cron", "templates.0.number_series",
    ]  # fmt: skip
    assert "hunter2" not in repr(logs)


@pytest.mark.parametrize(
    "error", [ConfigurationError("missing on the broker: q"), TransientError("no database")]
)
def test_what_broker_and_database_are_not_prepared_for_is_refused(
    tmp_path: Path, error: Exception
) -> None:
    """A new channel without its queue stops nobody: the old configuration stays."""

    def refuse(_: Installation) -> None:
        raise error

    reload = a_reload(a_file(tmp_path), refuse)
    a_file(tmp_path, changed(("store_id = 2", "store_id = 3")))

    with capture_logs() as logs:
        is_accepted = reload.is_to_start_anew()

    assert not is_accepted
    assert logs[0]["problems"] == [str(error)]


@pytest.mark.parametrize(
    ("before", "after", "keys"),
    [
        ("sqlite:///a.db", "sqlite:///b.db", ["database.url"]),
        ("sqlite:///a.db", "postgresql://db/patron", ["database.url"]),
        ("postgresql://one@db/patron", "postgresql://two@db/patron", []),
    ],
)
def test_embedded_state_does_not_move_under_a_running_process(
    tmp_path: Path, before: str, after: str, keys: list[str]
) -> None:
    """Another file needs a restart; a server's new address or credentials do not."""
    table = '[database]\nurl = "{}"\n'
    reload = a_reload(a_file(tmp_path, table.format(before) + changed()))
    a_file(tmp_path, table.format(after) + changed())

    with capture_logs() as logs:
        is_accepted = reload.is_to_start_anew()

    assert is_accepted is not bool(keys)
    assert [problem.split(": ")[1] for problem in logs[0].get("problems", [])] == keys
    assert "@db" not in repr(logs)
