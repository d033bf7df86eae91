"""`patron dead-letters replay` and `patron replays`: dead letters are handled again."""

import shlex
import signal
from pathlib import Path
from uuid import uuid4

import orjson
import pytest

from shared.persistence import migrate
from shared.persistence.engine import create_engine
from shared.persistence.tables import (
    audit_log,
    customers,
    dead_letters,
    history,
    messages,
    replay_jobs,
)
from shared.runtime.installation import load_installation
from tests.integration.console.cemetery import (
    BECAUSE,
    bury,
    bury_bytes,
    imports_of,
    keeper_running,
    states,
)
from tests.integration.console.conftest import Desk
from tests.integration.console.processes import running
from tests.unit.console.runner import Patron

REPLAY = ("dead-letters", "replay")


def test_a_group_is_replayed_and_handled(desk: Desk) -> None:
    """NEW-4: each is decided by the processor, once; who asked and why is written down."""
    bury(desk, imports_of("1", "2", "3"))
    group = desk.rows(dead_letters)[0].group_key

    with desk.processor_running(), keeper_running(desk, handles=False):
        answer = desk.patron(*REPLAY, "--group", group, *BECAUSE, "--rate", "100/s")

    (job,), (line,) = desk.rows(replay_jobs), desk.rows(audit_log)
    assert answer.code == 0, answer
    assert answer.out == "3 letters: 3 done\n"
    assert len(desk.rows(customers)) == 3
    assert states(desk) == {"resolved": 3}
    assert (line.action, line.subject, line.reason) == (
        "replay.started", str(job.id), "the attribute was created",
    )  # fmt: skip
    assert orjson.loads(line.detail) == {
        "letters": 3, "selection": f"--group {group}", "rate_per_second": 100.0,
        "stop_at_percent": 50, "insists": False,
    }  # fmt: skip
    events = [each.event for each in desk.rows(history)]
    assert events.count("message.replayed") == 3
    assert events.count("customer.created") == 3


def test_what_fails_again_is_told_with_its_reason(desk: Desk) -> None:
    """The letter is open again; exit code 3 (fault 55)."""
    bury(desk, imports_of("1", "2", "3"))

    with keeper_running(desk, fails={"2"}):
        answer = desk.patron(*REPLAY, "--channel", "shop", *BECAUSE)

    assert answer.code == 3
    assert answer.out == "3 letters: 2 done, 1 failed again\nfailed again: 1 remote_rejected\n"
    assert "`patron dead-letters groups` shows what failed again" in answer.err
    assert states(desk) == {"resolved": 2, "open": 1}


def test_what_was_done_is_not_done_again(desk: Desk) -> None:
    """NEW-4: asked for a second time, a letter answers `already_done` (fault 52)."""
    (letter,) = bury(desk, imports_of("1"))
    with keeper_running(desk):
        desk.patron(*REPLAY, letter, *BECAUSE)
        again = desk.patron(*REPLAY, letter, *BECAUSE, "-o", "json")

    assert again.code == 0
    assert (again.json["already_done"], again.json["done"]) == (1, 0)
    assert [each["result"] for each in again.json["left_alone"]] == ["already_done"]
    assert desk.rows(messages) == []


def test_of_two_who_ask_one_is_told_of_the_others_job(desk: Desk) -> None:
    """Nothing is sent twice, and nothing is begun that has nothing to do (fault 53)."""
    (letter,) = bury(desk, imports_of("1"))

    first = desk.patron(*REPLAY, letter, *BECAUSE, "--no-wait")
    second = desk.patron(*REPLAY, letter, *BECAUSE, "--no-wait")

    assert first.code == 0
    job = first.out.strip()
    assert second.code == 1
    assert f"being replayed by {job}" in second.err
    assert [str(row.id) for row in desk.rows(replay_jobs)] == [job]
    assert len(desk.rows(audit_log)) == 1


def test_without_a_keeper_the_job_waits_and_is_carried_out_later(desk: Desk) -> None:
    """Exit code 75 says who is missing and how to start it; nothing is lost."""
    bury(desk, imports_of("1"))

    answer = desk.patron(*REPLAY, "--all", *BECAUSE, "--timeout", "0")
    job = desk.rows(replay_jobs)[0].id
    waiting = desk.patron("replays", "show", job)
    with keeper_running(desk):
        desk.patron(*REPLAY, *bury(desk, imports_of("2")), *BECAUSE)
    after = desk.patron("replays", "show", job, "-o", "json")

    assert answer.code == 75
    assert "no keeper is running. `patron run keeper` starts one" in answer.err
    assert "nobody works on it" in waiting.out
    assert (after.json["state"], after.json["done"]) == ("done", 1)


def test_a_replay_is_cancelled(desk: Desk) -> None:
    """The rest is open again; it is audited, and cancelling twice does nothing."""
    bury(desk, imports_of("1", "2"))
    job = desk.patron(*REPLAY, "--all", *BECAUSE, "--no-wait").out.strip()

    first = desk.patron("replays", "cancel", job, "--because", "wrong group")
    again = desk.patron("replays", "cancel", job)

    assert (first.code, first.out) == (0, "cancelled; of its letters 2 are open again\n")
    assert again.code == 0
    assert "nothing to cancel: it is cancelled since" in again.out
    assert states(desk) == {"open": 2}
    lines = [(row.action, row.subject, row.reason) for row in desk.rows(audit_log)]
    assert lines[1:] == [("replay.cancelled", job, "wrong group")]


def test_jobs_are_listed_with_what_became_of_them(desk: Desk) -> None:
    """The newest first, with author, reason, selection, rate and counts; failures by reason."""
    bury(desk, imports_of("1", "2"))
    with keeper_running(desk, fails={"2"}):
        desk.patron(*REPLAY, "--reason", "access_denied", *BECAUSE, "--rate", "90/m")

    (row,) = desk.patron("replays", "list", "-o", "json").json
    table = desk.patron("replays", "list")
    shown = desk.patron("replays", "show", row["job"])
    nobody = desk.patron("replays", "show", uuid4())

    assert (row["state"], row["letters"], row["done"], row["failed"]) == ("done", 2, 1, 1)
    assert (row["rate"], row["selection"]) == ("1.5/s", "--reason access_denied")
    assert "the attribute was created" in table.out
    assert "failed again: 1 remote_rejected" in shown.out
    assert (nobody.code, "there is no replay" in nobody.err) == (2, True)


def test_only_what_the_configuration_was_to_blame_for_is_cured(desk: Desk, tmp_path: Path) -> None:
    """NEW-5: a reason that points to the set-up, and another configuration than the present."""
    now = load_installation(tmp_path / "patron.toml", {}).policy.version
    bury(desk, imports_of("1"), reason="attribute_missing", config_version="before")
    bury(desk, imports_of("2"), reason="attribute_missing", config_version=now)
    bury(desk, imports_of("3"), reason="remote_rejected", config_version="before")
    bury(desk, imports_of("4"), reason="unknown_type", config_version=None)

    with keeper_running(desk):
        answer = desk.patron(*REPLAY, "--cured", *BECAUSE)

    assert (answer.code, answer.out) == (0, "2 letters: 2 done\n")
    done = {row.subject for row in desk.rows(dead_letters) if row.state == "resolved"}
    assert done == {"1", "4"}


def test_the_groups_offer_to_replay_what_may_be_cured(sqlite_desk: Desk) -> None:
    """NEW-5: the very command stands below them, and only where it would find something."""
    bury(sqlite_desk, imports_of("1"), reason="remote_rejected", config_version="before")
    before = sqlite_desk.patron("dead-letters", "groups")
    bury(sqlite_desk, imports_of("2"), reason="attribute_missing", config_version="before")

    after = sqlite_desk.patron("dead-letters", "groups")
    offered = after.out.splitlines()[-1].removeprefix("patron ")
    with keeper_running(sqlite_desk):
        answer = sqlite_desk.patron(*shlex.split(offered))

    assert "--cured" not in before.out
    assert (answer.code, answer.out) == (0, "1 letter: 1 done\n")


def test_letters_that_go_in_circles_need_insisting(desk: Desk) -> None:
    """After five replays a letter is left alone, and told of (fault 55)."""
    (letter,) = bury(desk, imports_of("1"))
    with keeper_running(desk, fails={"1"}):
        for _ in range(5):
            desk.patron(*REPLAY, letter, *BECAUSE)
        refused = desk.patron(*REPLAY, letter, *BECAUSE)
        of_all = desk.patron(*REPLAY, "--all", *BECAUSE)
    with keeper_running(desk):
        insisted = desk.patron(*REPLAY, letter, *BECAUSE, "--insist")

    assert (refused.code, of_all.code, insisted.code) == (1, 1, 0)
    assert "replayed 5 times already" in refused.err
    assert "1 letter: replayed 5 times already" in of_all.err


def test_what_carried_no_id_is_told_apart(desk: Desk) -> None:
    """A stranger's bytes cannot be sent under their own id; the rest of a selection is."""
    bury(desk, imports_of("1"))
    bury_bytes(desk, b"\x00", reason="undecodable")

    with keeper_running(desk):
        answer = desk.patron(*REPLAY, "--all", *BECAUSE)

    assert answer.code == 3
    assert "left alone: 1 letter: came without an id" in answer.err
    assert answer.out == "1 letter: 1 done\n"


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (("--all",), "--because"),
        (BECAUSE, "which letters?"),
        (("--all", *BECAUSE, str(uuid4())), "not by both"),
        (("--type", "customer.gone", *BECAUSE), "there is no type 'customer.gone'"),
        (("--all", *BECAUSE, "--rate", "fast"), "is no rate"),
        (("--all", *BECAUSE, "--rate", "0/s"), "is no rate"),
    ],
)
def test_what_makes_no_sense_is_refused(
    sqlite_desk: Desk, words: tuple[str, ...], complaint: str
) -> None:
    """Exit code 2, and the way out in words; nothing is begun."""
    bury(sqlite_desk, imports_of("1"))

    answer = sqlite_desk.patron(*REPLAY, *words)

    assert answer.code == 2
    assert complaint in " ".join(answer.err.split())
    assert sqlite_desk.rows(replay_jobs) == []


def test_nothing_that_fits_is_no_job(sqlite_desk: Desk) -> None:
    """Exit code 1; with nothing begun and nothing audited."""
    bury(sqlite_desk, imports_of("1"))

    answer = sqlite_desk.patron(*REPLAY, "--channel", "other", *BECAUSE)
    missing = sqlite_desk.patron(*REPLAY, uuid4(), *BECAUSE)

    assert (answer.code, missing.code) == (1, 1)
    assert "no open letter fits --channel other" in answer.err
    assert "there is no such dead letter" in missing.err
    assert sqlite_desk.rows(replay_jobs) == sqlite_desk.rows(audit_log) == []


@pytest.mark.e2e
def test_ctrl_c_ends_the_waiting_and_not_the_job(tmp_path: Path, patron: Patron) -> None:
    """The job goes on without its author, and he is told how to find it again."""
    url = f"sqlite:///{tmp_path}/.patron/patron.db"
    (tmp_path / ".patron").mkdir()
    migrate.upgrade(url)
    engine = create_engine(url)
    desk = Desk(patron, engine)
    (letter,) = bury(desk, imports_of("1"))

    with running(*REPLAY, letter, *BECAUSE, place=tmp_path) as process:
        process.wait_for("replay ")
        ended = process.end(signal.SIGINT)

    assert ended.code == 130
    assert "the replay goes on; `patron replays show" in ended.err
    assert [row.state for row in desk.rows(replay_jobs)] == ["running"]
    engine.dispose()
