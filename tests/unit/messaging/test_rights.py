"""Who may do what on the broker, held against the topology."""

import re
import shlex
from typing import Final

import pytest

from shared.messaging.rights import NOTHING, USERS, User, calls, commands
from shared.messaging.topology import WORKERS, dead_queue, topology_for

TOPOLOGY: Final = topology_for(["shop", "crm"])
BY_NAME: Final = {user.name: user for user in USERS}
QUEUES_OF: Final = {
    worker: {
        queue
        for queue in TOPOLOGY.queues
        if queue.startswith(f"patron.{worker}") and not queue.endswith(".dead")
    }
    for worker in WORKERS
}
DEAD: Final = {dead_queue(worker) for worker in WORKERS}


def readable(pattern: str) -> set[str]:
    """Return the queues that a right to read covers."""
    return {queue for queue in TOPOLOGY.queues if re.search(pattern, queue)}


@pytest.mark.parametrize("user", USERS, ids=lambda user: user.name)
def test_only_the_provisioner_may_configure(user: User) -> None:
    """And that is everything of ours, and nothing of others."""
    if user.name != "provisioner":
        assert user.configure == NOTHING
        return
    names = [*TOPOLOGY.queues, *(exchange.name for exchange in TOPOLOGY.exchanges)]
    assert all(re.search(user.configure, name) for name in names)
    assert not any(re.search(user.configure, name) for name in ("patron", "invoices", "amq.topic"))


@pytest.mark.parametrize("worker", WORKERS)
def test_a_worker_reads_its_own_queues(worker: str) -> None:
    """All of its own, whatever the channels are called, and no dead one."""
    assert readable(BY_NAME[worker].read) == QUEUES_OF[worker]


def test_the_keeper_reads_the_dead_and_nobody_else_reads_more() -> None:
    """A dead queue is the keeper's; publisher and watcher read nothing."""
    assert readable(BY_NAME["keeper"].read) == DEAD
    assert BY_NAME["keeper"].write == NOTHING
    assert readable(BY_NAME["publisher"].read) == readable(BY_NAME["watcher"].read) == set()


def test_commands_and_calls_say_the_same() -> None:
    """A shell hands rabbitmqctl the very patterns that the management API is given."""
    said = [shlex.split(line) for line in commands("/", "patron")]
    called = {call["path"]: call["body"] for call in calls("/", "patron")}

    rights = {words[4]: words[5:] for words in said if words[1] == "set_permissions"}

    assert rights.keys() == {f"patron-{user.name}" for user in USERS}
    for name, patterns in rights.items():
        body = called[f"/api/permissions/%2F/{name}"]
        assert patterns == [body["configure"], body["write"], body["read"]]
        assert f"/api/users/{name}" in called
