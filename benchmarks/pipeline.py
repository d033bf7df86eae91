"""`python -m benchmarks.pipeline`: how fast the pipeline is on this machine, and where time goes.

Starts its own servers and real worker processes. Its promise: it exits with 0 only if all the
work that it measured was really done, down to the number in the shop.
"""

import argparse
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from rich.console import Console

from benchmarks import stages
from benchmarks.embedded import embedded
from benchmarks.installation import Installation, NotDone, installed
from benchmarks.measuring import Figures
from benchmarks.page import as_markdown, put_in
from benchmarks.processes import NotStarted
from benchmarks.report import Report
from benchmarks.updates import updates
from shared.observability import logs

_ALONE: Final = {
    "pipeline": stages.pipeline_and_sweep,
    "pairs": stages.pipeline_of_pairs,
    "updates": updates,
    "embedded": embedded,
}
STAGES: Final = (*_ALONE, "importer", "processor", "exporter", "latency", "phases")


def main(arguments: list[str] | None = None) -> int:
    """Measure for some rounds and print the medians."""
    given = _parser().parse_args(arguments)
    logs.configure("console", "warning", service="benchmark")
    report, console = Report(), Console(soft_wrap=True)
    try:
        _measure(given, report)
    except (NotDone, NotStarted) as error:
        print(f"not measured: {error}", file=sys.stderr)
        return 1
    report.show(console)
    if given.json:
        report.write(given.json, {"customers": given.customers, "rounds": given.rounds})
    if given.write:
        head = (f"{given.customers:,} customers, rounds: {given.rounds}", "median", "spread")
        put_in("pipeline", as_markdown(head, report.rows()))
    return 0


def _measure(given: argparse.Namespace, report: Report) -> None:
    with (
        tempfile.TemporaryDirectory(prefix="patron-benchmark-") as folder,
        installed(Path(folder)) as installation,
    ):
        for number in range(given.rounds):
            for figures in _round(installation, given, number):
                report.add(figures)


def _round(installation: Installation, given: argparse.Namespace, number: int) -> Iterator[Figures]:
    """Run every stage that was asked for, each on the databases that earlier ones left."""
    customers, wanted = given.customers, set(given.only or STAGES)
    for name, stage in _ALONE.items():
        if name in wanted:
            yield stage(installation, customers)
    if wanted & {"importer", "processor", "exporter", "phases"}:
        imported, figures = stages.importer(installation, customers)
        yield figures
    if wanted & {"processor", "exporter"}:
        decided, figures = stages.processor(installation, customers, imported, processes=1)
        yield figures
    if "processor" in wanted:
        yield stages.processor(installation, customers, imported, processes=2)[1]
    if "exporter" in wanted:
        yield stages.exporter(installation, customers, decided)
    if "latency" in wanted:
        yield stages.latency(installation, given.registrations, number)
    if "phases" in wanted:
        yield stages.phases(installation, customers, imported)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.pipeline", description=__doc__)
    parser.add_argument("--customers", type=int, default=2000, help="in the shop")
    parser.add_argument("--rounds", type=int, default=3, help="of which the median is shown")
    parser.add_argument("--registrations", type=int, default=30, help="for the latency")
    parser.add_argument("--only", nargs="+", choices=STAGES, help="the stages to measure")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write all figures there")
    parser.add_argument("--write", action="store_true", help="bring docs/performance.md up to date")
    return parser


if __name__ == "__main__":
    sys.exit(main())
