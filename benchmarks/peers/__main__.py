"""`python -m benchmarks.peers`: the tiny job in everybody's hands, in turn, round after round.

Starts its own servers and real processes. Its promise: it exits with 0 only if everybody did all
of the work, and nobody did any of it twice; with `--kill`, also after a kill in the middle.
"""

import argparse
import os
import platform
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from benchmarks import stages
from benchmarks.installation import Installation, NotDone, installed
from benchmarks.peers import chart, contest, figures, page
from benchmarks.peers.catalogue import FULL, PEERS, PLAIN, PYTHON, Peer
from benchmarks.peers.figures import OURS, Run
from benchmarks.processes import NotStarted
from shared.observability import logs

FULL_TITLE: Final = f"{OURS}, {FULL}"
TITLES: Final = (*(peer.title for peer in PEERS), FULL_TITLE)
_SECOND_PROCESS: Final = 1.4
"""How much more there is to do for two processes, which two cores do not make twice as fast."""


def main(arguments: list[str] | None = None) -> int:
    """Measure, or kill, or only show what was measured before."""
    given = _parser().parse_args(arguments)
    logs.configure("console", "warning", service="benchmark")
    if not (given.read or PYTHON.exists()):
        print("the peers have no environment yet: `make bench` makes it", file=sys.stderr)
        return 1
    runs: list[Run] = figures.read(given.read) if given.read else []
    try:
        if given.kill:
            _kill(given)
            return 0
        if not given.read:
            _measure(given, runs)
    except (NotDone, NotStarted) as error:
        _show(runs)
        print(f"not done: {error}", file=sys.stderr)
        return 1
    _show(runs)
    _keep(given, runs)
    return 0


def _measure(given: argparse.Namespace, runs: list[Run]) -> None:
    with _servers() as folder, installed(Path(folder)) as installation:
        customers = round(given.seconds * 1500) + max(given.processes) * stages.WARM_UP
        imported = ""
        if FULL_TITLE in given.only:
            imported, _ = stages.importer(installation, customers)
        for number in range(given.rounds):
            for run in _round(installation, given, number, customers, imported):
                runs.append(run)
                print(f"round {number + 1}: {run.name}, {run.variant}, {run.processes}:"
                      f" {run.rate:,.0f}/s", file=sys.stderr)  # fmt: skip


def _round(
    installation: Installation,
    given: argparse.Namespace,
    number: int,
    customers: int,
    imported: str,
) -> Iterator[Run]:
    """Run everybody once with each number of processes; every other round backwards."""
    peers = _chosen(given)
    for processes in given.processes:
        # Plain code is measured with one process: what more of them add, the tuned show.
        able = [peer for peer in peers if processes == 1 or peer.variant != PLAIN]
        for peer in able if number % 2 == 0 else reversed(able):
            outcome = contest.run(installation, peer, _size(peer, given, processes), processes)
            cpu = {who: 1e6 * used / outcome.messages for who, used in outcome.cpu.items()}
            yield Run(peer.name, peer.variant, processes, number, outcome.rate, cpu)
        if imported:
            yield _full(installation, customers, imported, processes, number)


def _full(
    installation: Installation, customers: int, imported: str, processes: int, number: int
) -> Run:
    """Run the product's own processor on its own, much larger job."""
    left, found = stages.processor(installation, customers, imported, processes=processes)
    installation.drop(left)
    short = {name.partition(": ")[2]: value for name, value in found.items()}
    cpu = {
        who: short[f"CPU of {participant} [us/customer]"]
        for who, participant in zip(figures.CPU, ("processor", "broker", "database"), strict=True)
    }
    return Run(OURS, FULL, processes, number, short["[customers/s]"], cpu)


def _kill(given: argparse.Namespace) -> None:
    with _servers() as folder, installed(Path(folder)) as installation:
        for peer in _chosen(given):
            messages = max(800, 2 * peer.rate)
            twice = contest.survive(installation, peer, messages)
            print(f"{peer.title}: killed at a quarter of {messages} messages, nothing lost,"
                  f" {twice} results published twice", flush=True)  # fmt: skip


def _servers() -> "tempfile.TemporaryDirectory[str]":
    return tempfile.TemporaryDirectory(prefix="patron-benchmark-")


def _chosen(given: argparse.Namespace) -> list[Peer]:
    return [peer for peer in PEERS if peer.title in given.only]


def _size(peer: Peer, given: argparse.Namespace, processes: int) -> int:
    more = 1.0 if processes == 1 else _SECOND_PROCESS
    seconds: float = given.seconds
    return round(peer.rate * seconds * more)


def _tables(runs: Sequence[Run]) -> list[list[figures.Line]]:
    return [figures.lines(runs, many) for many in sorted({run.processes for run in runs})]


def _show(runs: Sequence[Run]) -> None:
    for lines in _tables(runs):
        print(page.as_text(lines), end="\n\n")


def _keep(given: argparse.Namespace, runs: Sequence[Run]) -> None:
    if given.json:
        about = {"cores": os.cpu_count(), "python": platform.python_version()}
        figures.write(runs, given.json, about)
    if given.write:
        tables = _tables(runs)
        page.write([page.as_markdown(lines) for lines in tables], chart.draw(tables))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.peers", description=__doc__)
    parser.add_argument("--rounds", type=int, default=5, help="of which the median is shown")
    parser.add_argument("--processes", type=int, nargs="+", default=[1, 2], help="at a time")
    parser.add_argument("--seconds", type=float, default=3.0, help="about how long a run takes")
    parser.add_argument("--only", nargs="+", choices=TITLES, default=TITLES, metavar="TITLE",
                        help=f"who takes part: {'; '.join(TITLES)}")  # fmt: skip
    parser.add_argument("--kill", action="store_true", help="kill everybody once instead")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write every run there")
    parser.add_argument("--read", type=Path, metavar="FILE", help="show such a file instead")
    parser.add_argument("--write", action="store_true", help="bring page and picture up to date")
    return parser


if __name__ == "__main__":
    sys.exit(main())
