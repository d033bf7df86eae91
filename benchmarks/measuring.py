"""What all measurements do alike: fill a queue, wait until the work is done, and take the time.

For the stages. Its promise: time and CPU time are of the block alone, and of all who took part.
"""

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Final

import sqlalchemy as sa

from benchmarks.installation import Installation, Scene
from benchmarks.processes import Process, cpu_seconds_of

Figures = dict[str, float]
"""Measured values; a name is "group: what [unit]"."""

NONE_IMPORTED: Final = "NOT EXISTS (SELECT 1 FROM messages WHERE type = 'customer.imported')"
NOTHING_OWED: Final = "NOT EXISTS (SELECT 1 FROM messages)"
ALL_PUBLISHED: Final = "NOT EXISTS (SELECT 1 FROM messages WHERE published_at IS NULL)"


@dataclass
class Usage:
    """What a stretch of work took."""

    seconds: float = 0.0
    cpu: dict[str, float] = field(default_factory=dict)

    def per_customer(self, group: str, customers: int) -> Figures:
        """Return the CPU time of each participant in microseconds per customer."""
        return {
            f"{group}: CPU of {who} [us/customer]": 1e6 * seconds / customers
            for who, seconds in self.cpu.items()
        }


@contextmanager
def measured(
    installation: Installation, scene: Scene, workers: Mapping[str, Process]
) -> Iterator[Usage]:
    """Measure the time and the CPU time of all participants of what happens in the block."""

    def cpu() -> dict[str, float]:
        return {
            **{name: cpu_seconds_of([worker.pid]) for name, worker in workers.items()},
            "broker": installation.broker_cpu_seconds(),
            "database": installation.database_cpu_seconds(),
            "shop": cpu_seconds_of([scene.shop.pid]),
        }

    usage, before, began = Usage(), cpu(), time.perf_counter()
    yield usage
    usage.seconds += time.perf_counter() - began
    usage.cpu = {name: seconds - before[name] for name, seconds in cpu().items()}


@contextmanager
def full_queue(scene: Scene, workers: Mapping[str, Process], *, warm_up: int = 0) -> Iterator[None]:
    """Fill the queue while the workers that will empty it are frozen.

    Before that they handle the oldest `warm_up` messages, so that nothing is measured that is done
    only once: what is loaded late, statements that the database prepares after a few uses.
    """
    owed = scene.owed()
    first, rest = owed[:warm_up], owed[warm_up:]
    if first:
        scene.publish(first)
        last = first[-1].message_id
        until(
            scene, f"NOT EXISTS (SELECT 1 FROM messages WHERE id <= '{last}') AND {ALL_PUBLISHED}"
        )
    for worker in workers.values():
        worker.freeze()
    try:
        scene.publish(rest)
        yield
    finally:
        thaw(workers)


def thaw(workers: Mapping[str, Process]) -> None:
    """Let frozen workers go on."""
    for worker in workers.values():
        worker.thaw()


def all_done(customers: int) -> str:
    """Return the condition that all are imported and nothing that follows from it is left to do."""
    return f"(SELECT count(*) = {customers} FROM source_records) AND {NOTHING_OWED}"


def until(scene: Scene, condition: str) -> None:
    """Wait until an SQL condition holds."""
    question = sa.text(f"SELECT {condition}")

    def holds() -> bool:
        with scene.looking() as connection:
            return bool(connection.execute(question).scalar_one())

    scene.until(holds, condition)
