"""`python -m benchmarks.replicas`: what a second process of the processor brings.

The same customers are decided from a full queue by one process and by two, in turn: first with all
of the machine for whoever takes it, then with each process held to half a core, as a container's
limit does it. On a machine of two cores the first shows when these are full, the database and the
broker being on them as well; the second shows whether two processes are in each other's way. Its
promise: it exits with 0 only if every customer was decided, once.
"""

import argparse
import statistics
import sys
import tempfile
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from benchmarks import stages
from benchmarks.installation import Installation, NotDone, installed
from benchmarks.limits import Unlimited
from benchmarks.page import as_markdown, put_in
from benchmarks.processes import NotStarted
from shared.observability import logs

HALF: Final = 0.5
LIMITS: Final[Mapping[float | None, str]] = {None: "no limit", HALF: "half a core"}
_HEAD: Final = (
    "limit of each process", "one, customers/s", "two, customers/s", "two to one",
    "cores in use: one", "two",
)  # fmt: skip


@dataclass(frozen=True)
class Run:
    """How many customers a second, and how many cores all who took part were busy with."""

    rate: float
    cores: float


Runs = Mapping[float | None, Sequence[tuple[Run, Run]]]
"""By limit: what one process and two did, in every round."""


def main(arguments: list[str] | None = None) -> int:
    """Measure for some rounds, and print the medians."""
    given = _parser().parse_args(arguments)
    logs.configure("console", "warning", service="benchmark")
    try:
        with (
            tempfile.TemporaryDirectory(prefix="patron-benchmark-") as folder,
            installed(Path(folder)) as installation,
        ):
            runs = _measure(installation, given.customers, given.rounds)
    except (NotDone, NotStarted, Unlimited) as error:
        print(f"not measured: {error}", file=sys.stderr)
        return 1
    table = as_markdown(_HEAD, [_row(LIMITS[limit], pairs) for limit, pairs in runs.items()])
    print(table)
    if given.write:
        put_in("replicas", f"Medians and spread; rounds: {given.rounds}.\n\n{table}")
    return 0


def _measure(installation: Installation, customers: int, rounds: int) -> Runs:
    imported, _ = stages.importer(installation, customers)
    runs: defaultdict[float | None, list[tuple[Run, Run]]] = defaultdict(list)
    for number in range(rounds):
        for limit in LIMITS:
            one, two = (
                _decide(installation, customers, imported, processes, limit) for processes in (1, 2)
            )
            runs[limit].append((one, two))
            print(f"round {number + 1}, {LIMITS[limit]}: {one.rate:,.0f}/s and {two.rate:,.0f}/s",
                  file=sys.stderr)  # fmt: skip
    return runs


def _decide(
    installation: Installation, customers: int, imported: str, processes: int, limit: float | None
) -> Run:
    left, figures = stages.processor(
        installation, customers, imported, processes=processes, cores=limit
    )
    installation.drop(left)
    rate = next(value for name, value in figures.items() if name.endswith(": [customers/s]"))
    busy = sum(value for name, value in figures.items() if "CPU of" in name)
    return Run(rate, rate * busy / 1e6)


def _row(title: str, pairs: Sequence[tuple[Run, Run]]) -> list[str]:
    ones, twos = zip(*pairs, strict=True)
    return [
        title,
        _shown([run.rate for run in ones], ",.0f"),
        _shown([run.rate for run in twos], ",.0f"),
        _shown([two.rate / one.rate for one, two in pairs], ".2f"),
        *(_shown([run.cores for run in runs], ".2f") for runs in (ones, twos)),
    ]


def _shown(values: Sequence[float], form: str) -> str:
    median, low, high = (statistics.median(values), min(values), max(values))
    return f"{median:{form}} ({low:{form}} .. {high:{form}})"


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.replicas", description=__doc__)
    parser.add_argument("--customers", type=int, default=4000, help="to be decided in each run")
    parser.add_argument("--rounds", type=int, default=5, help="of which the median is shown")
    parser.add_argument("--write", action="store_true", help="bring docs/performance.md up to date")
    return parser


if __name__ == "__main__":
    sys.exit(main())
