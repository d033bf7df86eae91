"""The drill of the runbook: a shop refuses everybody, is mended, and all are replayed once.

Meanwhile two operators ask at the same time, and the keeper is killed in the middle.
"""

from concurrent.futures import ThreadPoolExecutor
from subprocess import CompletedProcess

import pytest

from tests.e2e.deployment import Deployment, Worker
from tests.e2e.expectations import (
    assert_every_eligible_customer_is_numbered,
    assert_numbers_have_no_gap_and_no_twin,
)
from tests.faults.oracle import assert_each_number_was_written_once

pytestmark = pytest.mark.timeout(400)

REFUSED = '{"message":"\\"Gender\\" is a required value."}'
BECAUSE = ("--because", "gender is optional again")


def start_keeper(deployment: Deployment) -> Worker:
    """Start a keeper, who alone may read the dead queues."""
    environment = deployment.environment | {"PATRON_BROKER__URL": deployment.amqp_url}
    keeper = Worker("console.keeper", environment, deployment.folder / "keeper.log")
    deployment.workers["keeper"] = keeper
    return keeper


def replay(deployment: Deployment, *words: str) -> CompletedProcess[str]:
    """Ask for a replay, as an operator does."""
    return deployment.run("dead-letters", "replay", *words, *BECAUSE)


def open_letters(deployment: Deployment) -> list[tuple[str, int]]:
    """Return the ids of the letters that are open, and how often each was replayed."""
    return deployment.rows("SELECT id::text, replays FROM dead_letters WHERE state = 'open'")


def done(deployment: Deployment) -> int:
    """Return how many letters of all jobs are done."""
    query = "SELECT count(*) FROM replay_items WHERE state = 'done'"
    return int(deployment.value(query))


def test_everybody_is_replayed_once_though_the_keeper_is_killed(deployment: Deployment) -> None:
    """No letter is sent twice or left behind (faults 52, 53, 54, 55).

    What fails again is the same letter; of two operators one has the job, which survives its
    keeper; and what was done is not done again.
    """
    control = deployment.shop.control
    control.fail_next("status", 100_000, method="PUT", status=400, body=REFUSED)
    keeper = start_keeper(deployment)
    deployment.start()
    letters = 2 * control.customer_count()
    deployment.until(lambda: len(open_letters(deployment)) == letters, "all are dead", 180)

    again = replay(deployment, open_letters(deployment)[0][0])
    assert again.returncode == 3, again.stderr
    assert sorted(count for _, count in open_letters(deployment)) == [0] * (letters - 1) + [1]

    control.clear_faults()
    with ThreadPoolExecutor(2) as operators:
        words = ("--reason", "remote_rejected", "--rate", "5/s", "--no-wait", "--yes")
        answers = [*operators.map(lambda _: replay(deployment, *words), range(2))]
    assert sorted(each.returncode for each in answers) == [0, 1]
    assert deployment.value("SELECT count(*) FROM replay_jobs") == 2

    deployment.until(lambda: done(deployment) >= letters // 8, "some are replayed", 120)
    keeper.kill()
    assert done(deployment) < letters
    start_keeper(deployment)
    deployment.until(lambda: done(deployment) == letters, "all are replayed", 120)

    job = next(each.stdout.strip() for each in answers if each.returncode == 0)
    state = "SELECT state FROM replay_jobs WHERE id::text = :job"
    deployment.until(lambda: deployment.value(state, job=job) == "done", "the job has ended")
    sent = deployment.rows(
        "SELECT count(*), count(DISTINCT message_id) FROM history"
        " WHERE event = 'message.replayed' AND detail LIKE :job",
        job=f"%{job}%",
    )
    assert sent == [(letters, letters)]
    assert deployment.value("SELECT count(*) FROM messages") == 0
    assert_every_eligible_customer_is_numbered(deployment)
    assert_numbers_have_no_gap_and_no_twin(deployment)
    assert_each_number_was_written_once(deployment)

    letter = deployment.value("SELECT id::text FROM dead_letters LIMIT 1")
    once_more = replay(deployment, letter)
    assert once_more.returncode == 0
    assert "already done; it is not done again" in once_more.stderr
