"""A keeper that is killed at the worst moment neither loses a letter nor makes a twin."""

import signal
import subprocess
import sys
from pathlib import Path

from tests.integration.keeper.vault import DEAD, Vault, subjects
from tests.integration.runtime.rig import a_parcel, eventually

ROOT = Path(__file__).parents[3]


def test_killed_between_commit_and_acknowledgement(
    rabbit_vault: Vault, amqp_vhost: str, migrated_database_url: str
) -> None:
    """Everything comes again, is known by then, and is acknowledged (fault 7)."""
    vault = rabbit_vault
    vault.publish(*(a_parcel(str(n)) for n in range(5)))
    vault.reject(5)

    killed = subprocess.run(
        [
            sys.executable, "-m", "tests.integration.keeper.doomed",
            amqp_vhost, migrated_database_url,
        ],
        cwd=ROOT,
        check=False,
        timeout=60,
    )  # fmt: skip

    assert killed.returncode == -signal.SIGKILL
    assert vault.letters()
    eventually(lambda: vault.rig.broker.depth(DEAD) == 5)
    vault.drain()
    assert subjects(vault.letters()) == ["0", "1", "2", "3", "4"]
    assert vault.rig.owed() == {}
