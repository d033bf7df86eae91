"""Runs the dead-letter keeper: `python -m services.console.keeper` or `patron run keeper`."""

import gc
import sys

if __name__ == "__main__":
    gc.disable()  # what is imported stays: looking through it is a sixth of a start

from services.console.keeper.drain import Drain
from services.console.keeper.reading import Reader
from shared.messaging.topology import WORKERS, dead_queue
from shared.runtime.foundation import Foundation
from shared.runtime.lifecycle import Worker
from shared.runtime.loops import Periodic
from shared.runtime.main import Role, main_of
from shared.runtime.replay import Replayer
from shared.runtime.state_gauges import EVERY_SECONDS, Measuring

NAME = "keeper"
REPLAY_SECONDS = 0.5


def build(foundation: Foundation) -> Role:
    """Return the keeper on top of `foundation`.

    It publishes nothing: what it replays is due at once, and the workers' relays publish it.
    """
    tombstones = foundation.tombstones()
    drains = [
        Drain(
            worker,
            dead_queue(worker),
            foundation.broker,
            foundation.units,
            reader=Reader(
                worker,
                platforms=foundation.installation.platforms,
                config_version=foundation.installation.policy.version,
            ),
            tombstones=tombstones,
            metrics=foundation.metrics,
        )
        for worker in WORKERS
    ]
    measuring = Measuring(foundation.units, foundation.state_gauges())
    measure = Periodic("measure", measuring.look, EVERY_SECONDS)
    replayer = Replayer(
        foundation.units,
        # Heard where a process is worker and keeper at once.
        lambda _: foundation.outbox.wake(),
        foundation.metrics,
        owner=foundation.owner,
    )
    replay = Periodic("replay", replayer.advance, REPLAY_SECONDS)
    return Role(Worker(NAME, [*drains, measure, replay]), drains, publishes=False)


if __name__ == "__main__":
    sys.exit(main_of(NAME, build))
