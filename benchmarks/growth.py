"""`python -m benchmarks.growth`: what a customer costs the processor as the directory grows.

A real processor decides the same work from a full queue beside 10,000, 100,000 and 1,000,000
customers: newcomers, edits of customers who are linked, and records that only an e-mail address
leads to their customer. Its promise: it exits with 0 only if all was decided as it had to be, and
no look-up reads a table of the directory from one end to the other.
"""

import argparse
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from rich.console import Console

from benchmarks import crowd, lookups
from benchmarks.changes import must_be
from benchmarks.installation import Installation, NotDone, Scene, installed
from benchmarks.measuring import (
    ALL_PUBLISHED,
    NONE_IMPORTED,
    Figures,
    full_queue,
    measured,
    until,
)
from benchmarks.page import as_markdown, put_in
from benchmarks.processes import NotStarted
from benchmarks.report import Report
from shared.domain.customer import Customer
from shared.observability import logs

SIZES: Final = (10_000, 100_000, 1_000_000)
MANY_SIZES: Final = 50_000
"""How large a directory must be before reading all of it is surely a mistake."""

_MATCHED_ONE_IN: Final = 10
_BATCH: Final = 200
_COUNTED: Final = (
    "customers",
    "links",
    "staging_customers",
    "history WHERE event = 'customer.created'",
    "dead_letters",
)
_SHOWN: Final = ("decided", "CPU of processor", "CPU of database")


@dataclass(frozen=True)
class Work:
    """What is to be decided: newcomers, edited customers, and those to be found by e-mail."""

    new: list[Customer]
    edited: list[Customer]
    matched: list[Customer]

    @property
    def all(self) -> list[Customer]:
        """Everybody, mixed as they come from a shop."""
        mixed = [*self.new, *self.edited, *self.matched]
        return sorted(mixed, key=lambda customer: customer.source.external_id)


def work_for(size: int, customers: int) -> Work:
    """Return the work beside a directory of `size`: half of it new, the other half known."""
    matched = customers // _MATCHED_ONE_IN
    edited = customers // 2 - matched
    return Work(
        [crowd.person(size + n) for n in range(1, customers - edited - matched + 1)],
        [_edited(n) for n in crowd.everywhere(size, edited, linked=True)],
        [crowd.person(n, phone=None) for n in crowd.everywhere(size, matched, linked=False)],
    )


def _edited(place: int) -> Customer:
    """Return a customer of the crowd who moved house and took another name."""
    before = crowd.person(place, minutes=5)
    [address] = before.addresses
    moved = address.model_copy(update={"lines": (f"Neue Gasse {place}",)})
    return before.model_copy(update={"last_name": f"Neumann{place}", "addresses": (moved,)})


def main(arguments: list[str] | None = None) -> int:
    """Measure for some rounds, and print the medians and how the tables are read."""
    given = _parser().parse_args(arguments)
    logs.configure("console", "warning", service="benchmark")
    report = Report()
    try:
        with (
            tempfile.TemporaryDirectory(prefix="patron-benchmark-") as folder,
            installed(Path(folder)) as installation,
        ):
            ways = _measure(installation, given, report)
    except (NotDone, NotStarted) as error:
        print(f"not measured: {error}", file=sys.stderr)
        return 1
    report.show(Console(soft_wrap=True))
    _tell(ways)
    if given.json:
        report.write(given.json, {"customers": given.customers, "rounds": given.rounds})
    if given.write:
        about = f"Medians; rounds: {given.rounds}, customers decided in each: {given.customers:,}."
        put_in("growth", f"{about}\n\n{_table(report, given.sizes)}")
    return 0


def _measure(
    installation: Installation, given: argparse.Namespace, report: Report
) -> list[lookups.Access]:
    """Measure the sizes in turn, round after round; return how the largest one is read."""
    sizes = sorted(given.sizes)
    filled = {size: _filled(installation, size) for size in sizes}
    ways = _ways(installation, filled[sizes[-1]], work_for(sizes[-1], _BATCH))
    for _ in range(given.rounds):
        smallest: Figures = {}
        for size in sizes:
            figures = _decide(installation, filled[size], size, given.customers)
            smallest = smallest or figures
            report.add(_named(size, figures, smallest))
    return ways


def _filled(installation: Installation, size: int) -> str:
    """Return a database with a directory of `size`."""
    began = time.perf_counter()
    with installation.scene(1) as scene:
        scene.hold_imports()
        processor = scene.start("services.processor")
        crowd.owe([crowd.model()], scene)
        scene.publish(scene.owed())
        until(scene, f"{NONE_IMPORTED} AND {ALL_PUBLISHED}")
        processor.end()
        crowd.fill(scene, size)
        found = scene.value("SELECT count(*) FROM customers")
        must_be("customers of the directory", found, size)
        url = scene.database_url
    print(f"{size:,} customers filled in within {time.perf_counter() - began:.0f} s", flush=True)
    return url


def _ways(installation: Installation, filled: str, work: Work) -> list[lookups.Access]:
    with installation.scene(1, template=filled) as scene:
        ways = lookups.ways(work.all, scene)
    installation.drop(scene.database_url)
    return ways


def _decide(installation: Installation, filled: str, size: int, customers: int) -> Figures:
    """Have the work done beside a directory, and return what it took."""
    work = work_for(size, customers)
    with installation.scene(1, template=filled) as scene:
        workers = {"processor": scene.start("services.processor")}
        before = _counts(scene)
        scene.engine.dispose()  # sessions tell what they scanned at the latest when they end
        crowd.settle(scene)
        scans = lookups.scans(scene)
        workers["processor"].freeze()
        crowd.owe(work.all, scene)
        with full_queue(scene, workers), measured(installation, scene, workers) as usage:
            workers["processor"].thaw()
            until(scene, f"{NONE_IMPORTED} AND {ALL_PUBLISHED}")
        workers["processor"].end()
        if size >= MANY_SIZES:
            must_be("reading of whole tables", lookups.scans(scene), scans)
        _check(scene, work, before)
    installation.drop(scene.database_url)
    return {
        "decided [customers/s]": customers / usage.seconds,
        **{
            f"CPU of {who} [us/customer]": 1e6 * usage.cpu[who] / customers
            for who in ("processor", "database")
        },
    }


def _named(size: int, figures: Figures, smallest: Figures) -> Figures:
    """Return the figures under the size's name, and as shares of the smallest directory's."""
    ratios = {
        f"{name.partition(' [')[0]}, to the smallest [%]": 100 * value / smallest[name]
        for name, value in figures.items()
    }
    return {f"{size:,} customers: {name}": value for name, value in (figures | ratios).items()}


def _counts(scene: Scene) -> dict[str, int]:
    return {what: int(scene.value(f"SELECT count(*) FROM {what}")) for what in _COUNTED}


def _check(scene: Scene, work: Work, before: dict[str, int]) -> None:
    """Check that everybody was decided upon as the one who it is."""
    came = len(work.new) + len(work.edited) + len(work.matched)
    more = {what: count - before[what] for what, count in _counts(scene).items()}
    expected = {
        "customers": len(work.new),
        "links": len(work.new) + len(work.matched),
        "staging_customers": came,
        "history WHERE event = 'customer.created'": len(work.new),
        "dead_letters": 0,
    }
    must_be("more rows", more, expected)
    waiting = "SELECT count(*) FROM staging_customers WHERE state <> 'processed'"
    must_be("customers who wait", scene.value(waiting), 0)
    first = crowd.FIRST_NEW_NUMBER
    numbers = scene.pairs(
        "SELECT number, 1 FROM customers WHERE length(number) = :long", long=len(f"D{first}")
    )
    must_be("numbers", set(numbers), {f"D{first + n}" for n in range(len(work.new))})
    must_be("e-mail addresses of matched customers", _linked(scene, work.matched, "email"),
             {each.source.external_id: each.email for each in work.matched})  # fmt: skip
    must_be("names of edited customers", _linked(scene, work.edited, "last_name"),
             {each.source.external_id: each.last_name for each in work.edited})  # fmt: skip
    streets = scene.pairs("SELECT l.external_id, a.lines FROM customer_addresses a"
                          " JOIN links l ON l.customer_id = a.customer_id"
                          " WHERE a.lines LIKE '%Neue Gasse%'")  # fmt: skip
    must_be("who moved", set(streets), {each.source.external_id for each in work.edited})


def _linked(scene: Scene, people: list[Customer], column: str) -> dict[str, str]:
    """Return a column of the customers whom these records are linked to."""
    return scene.pairs(
        f"SELECT l.external_id, c.{column} FROM links l JOIN customers c ON c.id = l.customer_id"
        " WHERE l.external_id = ANY(:ids)",
        ids=[each.source.external_id for each in people],
    )


def _tell(ways: list[lookups.Access]) -> None:
    print("How the look-ups of a batch read the largest directory:")
    for way in ways:
        print(f"  {way.table:<22}{way.how:<24}{way.by}")


def _table(report: Report, sizes: list[int]) -> str:
    """Return the medians for the page, a line for each size."""
    medians = {(line.group, line.what): line.median for line in report.lines()}
    rows = []
    for size in sorted(sizes):
        group = f"{size:,} customers"
        cells = [f"{medians[group, what]:,.0f}" for what in _SHOWN]
        shares = [f"{medians[group, f'{what}, to the smallest']:.0f} %" for what in _SHOWN]
        cells = [f"{cell} ({share})" for cell, share in zip(cells, shares, strict=True)]
        rows.append((f"{size:,}", *cells))
    head = ("customers in the directory", "decided, customers/s", "CPU of the processor, µs",
            "CPU of PostgreSQL, µs")  # fmt: skip
    return as_markdown(head, rows)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.growth", description=__doc__)
    parser.add_argument("--sizes", type=int, nargs="+", default=SIZES, help="of the directory")
    parser.add_argument("--customers", type=int, default=2000, help="who are decided upon")
    parser.add_argument("--rounds", type=int, default=3, help="of which the median is shown")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write all figures there")
    parser.add_argument("--write", action="store_true", help="bring docs/performance.md up to date")
    return parser


if __name__ == "__main__":
    sys.exit(main())
