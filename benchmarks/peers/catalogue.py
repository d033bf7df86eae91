"""Who takes part, and how each is started: nothing but plain data."""

import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from benchmarks.peers import envelopes
from benchmarks.peers.job import IN

ROOT: Final = Path(__file__).resolve().parents[2]
VENV: Final = ROOT / ".venv-peers"
PYTHON: Final = VENV / "bin" / "python"

PLAIN: Final = "plain"
TUNED: Final = "tuned"
BATCHES: Final = "batches"
FULL: Final = "full job"

Arguments = dict[str, str]


def _quorum(_queue: str) -> Arguments:
    return {"x-queue-type": "quorum"}


def _dramatiq_queue(queue: str) -> Arguments:
    return {
        "x-queue-type": "quorum",
        "x-dead-letter-exchange": "",
        "x-dead-letter-routing-key": f"{queue}.XQ",
    }


def _taskiq_queue(_queue: str) -> Arguments:
    return {
        "x-queue-type": "quorum",
        "x-dead-letter-exchange": "",
        "x-dead-letter-routing-key": "taskiq.dead_letter",
    }


@dataclass(frozen=True)
class Peer:
    """One implementation of the tiny job in one variant.

    `command` is what a process is started with; `rate` is about how many messages a second are to
    be expected of one process here, by which a run is given enough to do.
    """

    name: str
    variant: str
    command: tuple[str, ...]
    rate: int
    envelope: envelopes.Envelope
    queue_arguments: Callable[[str], Arguments] = _quorum
    environment: Mapping[str, str] = field(default_factory=dict)

    @property
    def title(self) -> str:
        """What tables call it."""
        return f"{self.name}, {self.variant}"


def _in_venv(*command: str) -> tuple[str, ...]:
    return (str(PYTHON), "-m", *command)


_CELERY: Final = _in_venv(
    *("celery", "--app", "benchmarks.peers.with_celery", "worker", "--queues", IN),
    *("--loglevel", "WARNING", "--without-gossip", "--without-mingle", "--without-heartbeat"),
)
_SOLO: Final = ("--pool", "solo")
_THREADS: Final = ("--pool", "threads", "--concurrency", "8")
_DRAMATIQ: Final = _in_venv(
    *("dramatiq", "benchmarks.peers.with_dramatiq", "--queues", IN, "--processes", "1"),
)
_FASTSTREAM: Final = _in_venv("benchmarks.peers.with_faststream")
_TASKIQ: Final = _in_venv(
    *("taskiq", "worker", "benchmarks.peers.with_taskiq:broker", "--workers", "1"),
    *("--ack-type", "when_executed", "--log-level", "WARNING"),
)
_PATRON: Final = (sys.executable, "-m", "benchmarks.peers.with_patron")

PEERS: Final = (
    Peer("Celery", PLAIN, (*_CELERY, *_SOLO), 200, envelopes.celery),
    Peer("Celery", TUNED, (*_CELERY, *_THREADS), 400, envelopes.celery),
    Peer("Dramatiq", PLAIN, _DRAMATIQ, 350, envelopes.dramatiq, _dramatiq_queue),
    Peer(
        *("Dramatiq", TUNED, (*_DRAMATIQ, "--threads", "24"), 900, envelopes.dramatiq),
        _dramatiq_queue,
        {"dramatiq_queue_prefetch": "128"},
    ),
    Peer("FastStream", PLAIN, _FASTSTREAM, 350, envelopes.bare),
    Peer("FastStream", TUNED, _FASTSTREAM, 1000, envelopes.bare),
    Peer("Taskiq", PLAIN, _TASKIQ, 300, envelopes.taskiq, _taskiq_queue),
    Peer(
        *("Taskiq", TUNED, (*_TASKIQ, "--max-async-tasks", "100", "--max-prefetch", "100")),
        *(900, envelopes.taskiq, _taskiq_queue),
    ),
    Peer("Patron", BATCHES, _PATRON, 4500, envelopes.bare),
)
