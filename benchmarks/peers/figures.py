"""What was measured, and what follows: medians, spreads, and ratios within each round.

Pure arithmetic. Its promise: a ratio is taken between two runs of one round, which stood side by
side in time, and never between medians.
"""

import json
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final, NamedTuple

from benchmarks.peers.catalogue import BATCHES, FULL, PLAIN, TUNED

OURS: Final = "Patron"
CELERY: Final = "Celery"
CPU: Final = ("client", "broker", "database")


class Spread(NamedTuple):
    """A value of many rounds."""

    median: float
    low: float
    high: float


@dataclass(frozen=True)
class Run:
    """One run: who, in which round, how fast, and the CPU microseconds for each message."""

    name: str
    variant: str
    processes: int
    round: int
    rate: float
    cpu: Mapping[str, float]


@dataclass(frozen=True)
class Line:
    """One implementation with one number of processes."""

    name: str
    variant: str
    processes: int
    rate: Spread
    cpu: Mapping[str, float]
    to_best: Spread | None
    to_celery: Spread | None

    @property
    def title(self) -> str:
        """What tables and charts call it."""
        return f"{self.name}, {self.variant}"

    @property
    def is_ours(self) -> bool:
        """Whether it is the product's own."""
        return self.name == OURS


def lines(runs: Sequence[Run], processes: int) -> list[Line]:
    """Return what was measured with so many processes, in the order of the first round."""
    chosen = [run for run in runs if run.processes == processes]
    rates = _rates(chosen)
    tuned = {who: by_round for who, by_round in rates.items() if who[1] == TUNED}
    best = max(tuned.values(), key=lambda rounds: statistics.median(rounds.values()), default={})
    celery = tuned.get((CELERY, TUNED), {})
    return [
        Line(
            *who,
            processes,
            spread(list(by_round.values())),
            _cpu([run for run in chosen if (run.name, run.variant) == who]),
            ratio(by_round, best),
            ratio(by_round, celery),
        )
        for who, by_round in rates.items()
    ]


def spread(values: Sequence[float]) -> Spread:
    """Return the median of values, the lowest and the highest."""
    return Spread(statistics.median(values), min(values), max(values))


def ratio(one: Mapping[int, float], other: Mapping[int, float]) -> Spread | None:
    """Return the ratio of rates by round, over the rounds that both have; None for none."""
    ratios = [rate / other[number] for number, rate in one.items() if number in other]
    return spread(ratios) if ratios else None


def write(runs: Sequence[Run], path: Path, about: Mapping[str, Any]) -> None:
    """Write every run to a JSON file."""
    path.write_text(
        json.dumps({"about": dict(about), "runs": [asdict(run) for run in runs]}, indent=2) + "\n"
    )


def read(path: Path) -> list[Run]:
    """Return the runs that were written to a file."""
    return [Run(**run) for run in json.loads(path.read_text("utf-8"))["runs"]]


def order(line: Line) -> tuple[int, float]:
    """Sort the plain ones first, then the tuned, then ours."""
    return [PLAIN, TUNED, FULL, BATCHES].index(line.variant), line.rate.median


def _rates(runs: Sequence[Run]) -> dict[tuple[str, str], dict[int, float]]:
    rates: dict[tuple[str, str], dict[int, float]] = {}
    for run in runs:
        rates.setdefault((run.name, run.variant), {})[run.round] = run.rate
    return rates


def _cpu(runs: Sequence[Run]) -> dict[str, float]:
    return {who: statistics.median(run.cpu[who] for run in runs) for who in CPU}
