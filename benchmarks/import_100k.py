"""`python -m benchmarks.import_100k`: a shop of 100,000 customers, imported once and then kept.

Real processes on a real broker and database. First everything is imported, decided and written
back; then one customer in a hundred is changed in the shop, half of them only in an address, which
leaves the shop's change time alone, and the shop is swept. Its promise: it exits with 0 only if
all the work was done, nobody but the changed customers was processed, and no worker's memory grew
with the shop.
"""

import argparse
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import sqlalchemy as sa
from rich.console import Console

from benchmarks.changes import Changes, change, check_changed, linked, must_be
from benchmarks.checks import check_decided, check_shop, check_unchanged
from benchmarks.installation import Installation, NotDone, Scene, installed
from benchmarks.measuring import Figures
from benchmarks.processes import NotStarted
from benchmarks.report import Report
from benchmarks.watch import Watch, Watched, free_port
from shared.observability import logs

SHARES: Final = (0.25, 0.5)
ALL: Final = "100%"
SWEPT: Final = "after the sweeps"
MOST_GROWTH_MIB: Final = 24.0
"""What a worker's peak may rise after a quarter of the first import: buffers, not customers."""

_LONGEST_SECONDS: Final = 7200.0
_ONE_IN: Final = 100
_EFFECTS: Final = 2
_NONE_IMPORTED: Final = "NOT EXISTS (SELECT 1 FROM messages WHERE type = 'customer.imported')"
_NOTHING_OWED: Final = "NOT EXISTS (SELECT 1 FROM messages)"
_SWEPT: Final = (
    "NOT EXISTS (SELECT 1 FROM cursors WHERE sweep_finished_at IS NULL"
    " OR sweep_finished_at < :since OR lease_owner IS NOT NULL)"
)
_COUNTERS: Final = {
    "importer": ("patron_import_records_total", 1),
    "processor": ("patron_decisions_total", 1),
    "exporter": ("patron_exports_total", _EFFECTS),
}


def main(arguments: list[str] | None = None) -> int:
    """Import, change, sweep, and print what was measured."""
    given = _parser().parse_args(arguments)
    logs.configure("console", "warning", service="benchmark")
    report = Report()
    try:
        with (
            tempfile.TemporaryDirectory(prefix="patron-benchmark-") as folder,
            installed(Path(folder)) as installation,
        ):
            for figures in _prove(installation, given.customers):
                report.add(figures)
    except (NotDone, NotStarted) as error:
        report.show(Console(soft_wrap=True))
        print(f"not proven: {error}", file=sys.stderr)
        return 1
    report.show(Console(soft_wrap=True))
    if given.json:
        report.write(given.json, {"customers": given.customers})
    return 0


def _prove(installation: Installation, customers: int) -> Iterator[Figures]:
    with installation.scene(customers) as scene:
        scene.hold_imports()
        workers = _start(scene, customers)
        with Watch(workers, SHARES) as watch:
            yield _first_import(scene, customers)
            watch.mark(ALL)
        yield _cpu(workers, customers)
        check_decided(scene, customers)
        check_shop(scene)
        yield _sweep_of_changes(scene, workers)
        yield _sweep_of_nothing(scene)
        watch.mark(SWEPT)
        yield _memory(watch)
        _check_memory(watch)


def _start(scene: Scene, customers: int) -> dict[str, Watched]:
    workers = {}
    for role, (counter, each) in _COUNTERS.items():
        port = free_port()
        process = scene.start(f"services.{role}", health_port=port)
        workers[role] = Watched(process, port, counter, customers * each)
    return workers


def _first_import(scene: Scene, customers: int) -> Figures:
    began = time.perf_counter()
    scene.request_imports()
    _until(scene, f"(SELECT count(*) = {customers} FROM source_records) AND {_NONE_IMPORTED}")
    decided = time.perf_counter() - began
    _until(scene, _NOTHING_OWED)
    written = time.perf_counter() - began
    parked = scene.value("SELECT count(*) FROM staging_customers WHERE state = 'ambiguous'")
    return {
        "first import: decided [customers/s]": customers / decided,
        "first import: decided [s]": decided,
        "first import: all numbers written back [customers/s]": customers / written,
        "first import: all numbers written back [s]": written,
        "first import: left to an operator, who share a telephone [customers]": parked,
    }


def _cpu(workers: dict[str, Watched], customers: int) -> Figures:
    return {
        f"first import: CPU of {role} [us/customer]": 1e6 * worker.cpu_seconds() / customers
        for role, worker in workers.items()
    }


def _sweep_of_changes(scene: Scene, workers: dict[str, Watched]) -> Figures:
    changes = change(linked(scene)[::_ONE_IN], scene)
    with _only_these(scene, workers, changes):
        seconds = _sweep(scene)
    records = scene.shop.customers
    return {
        "sweep that finds the changes: records [records/s]": records / seconds,
        "sweep that finds the changes: changed, in the shop and in the directory [customers]": len(
            changes.all
        ),
    }


def _sweep_of_nothing(scene: Scene) -> Figures:
    with check_unchanged(scene):
        seconds = _sweep(scene)
    return {"sweep that finds nothing: records [records/s]": scene.shop.customers / seconds}


def _sweep(scene: Scene) -> float:
    """Sweep every store view, and return how long that took once all that follows is done."""
    since = scene.value("SELECT now()")
    began = time.perf_counter()
    scene.request_imports(sweep=True)
    _until(scene, _SWEPT, since=since)
    seconds = time.perf_counter() - began
    _until(scene, _NOTHING_OWED)
    return seconds


@contextmanager
def _only_these(scene: Scene, workers: dict[str, Watched], changes: Changes) -> Iterator[None]:
    """Check that what happens in the block takes over these changes, and touches nobody else."""
    since = scene.value("SELECT now()")
    line = scene.value("SELECT max(id) FROM history")
    before = {role: worker.counts() for role, worker in workers.items()}
    updates = scene.shop.stats()["updates"]
    yield
    counted = {role: worker.counts() - before[role] for role, worker in workers.items()}
    everybody, changed = scene.shop.customers, len(changes.all)
    must_be("writes to the shop", scene.shop.stats()["updates"] - updates, 0)
    must_be("records read", counted["importer"],
             Counter({"shop changed": changed, "shop unchanged": everybody - changed}))  # fmt: skip
    must_be("decisions", counted["processor"], Counter({"updated": changed}))
    must_be("effects", counted["exporter"], Counter())
    staged = scene.pairs("SELECT external_id, state FROM staging_customers"
                         " WHERE updated_at >= :since", since=since)  # fmt: skip
    must_be("customers staged", staged, dict.fromkeys(changes.all, "processed"))
    told = scene.pairs("SELECT external_id, event FROM history WHERE id > :line", line=line)
    must_be("lines of history", told, dict.fromkeys(changes.all, "customer.updated"))
    check_changed(changes, scene)


def _memory(watch: Watch) -> Figures:
    return {
        f"peak memory of the {role}: {when} [MiB]": peak
        for role, peaks in watch.peaks.items()
        for when, peak in peaks.items()
    }


def _check_memory(watch: Watch) -> None:
    for role, peaks in watch.peaks.items():
        first, *later = peaks.values()
        growth = max(later) - first
        if growth > MOST_GROWTH_MIB:
            raise NotDone(f"the {role} grew by {growth:.0f} MiB with the shop")


def _until(scene: Scene, condition: str, **values: object) -> None:
    """Wait until an SQL condition holds; asked seldom, because on a large table it costs."""
    question = sa.text(f"SELECT {condition}")

    def holds() -> bool:
        if not scene.shop.is_running:
            raise NotDone("the shop has ended")
        with scene.engine.connect() as connection:
            return bool(connection.execute(question, values).scalar_one())

    scene.until(holds, condition, timeout_seconds=_LONGEST_SECONDS, every_seconds=0.25)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.import_100k", description=__doc__)
    parser.add_argument("--customers", type=int, default=100_000, help="in the shop")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write all figures there")
    return parser


if __name__ == "__main__":
    sys.exit(main())
