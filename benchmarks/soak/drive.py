"""Runs a soak: faults, shoppers and curves side by side for some minutes, then rest and verdict.

For the command and for the test suite. Its promise: the verdict is spoken only about a pipeline
that has come to rest with every server whole.
"""

import random
import threading
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from benchmarks.soak.curves import Curves, memory_of, mib_per_minute
from benchmarks.soak.faults import Journal, MachineFaults, ShopFaults
from benchmarks.soak.shoppers import Shoppers
from benchmarks.soak.site import Site, opened
from benchmarks.soak.verdict import Finding, Verdict

WARM_UP_SECONDS: Final = 360.0
"""After this, memory must not grow any more: by then everything that fills once is full."""

MOST_MIB_PER_MINUTE: Final = 0.5
_SHORTEST_TO_JUDGE_MEMORY_SECONDS: Final = 2 * WARM_UP_SECONDS


@dataclass(frozen=True, slots=True)
class Order:
    """What is asked for. The drain takes as long as the last retries and the machine need."""

    seconds: float
    seed: int
    customers: int
    seconds_between_deeds: float = 0.4
    sample_seconds: float = 10.0
    drain_seconds: float = 900.0


@dataclass
class Outcome:
    """What a soak left: its findings, its faults, its curves."""

    findings: list[Finding] = field(default_factory=list)
    faults: Counter[str] = field(default_factory=Counter)
    restarts: dict[str, int] = field(default_factory=dict)
    facts: dict[str, str] = field(default_factory=dict)
    curves: Curves | None = None

    @property
    def problems(self) -> list[Finding]:
        """The findings that are not in order."""
        return [finding for finding in self.findings if finding.problems]


def soak(order: Order, folder: Path, say: Callable[[str], None] = lambda text: None) -> Outcome:
    """Soak the pipeline in `folder` and judge. Raises AssertionError if it never comes to rest."""
    with opened(folder, customers=order.customers, seed=order.seed, poll_seconds=1) as site:
        site.start_workers()
        journal = Journal()
        outcome = Outcome()
        shoppers, curves = _attack(site, order, journal)
        outcome.faults, outcome.curves = journal.counts(), curves
        (folder / "journal.txt").write_text(
            "".join(f"{seconds:8.1f} {what} {whom}\n" for seconds, what, whom in journal.lines)
        )
        say(f"faults over after {journal.seconds:.0f} s; coming to rest")
        ended = journal.seconds
        _come_to_rest(site, order)
        curves.look()
        verdict = Verdict(site)
        outcome.findings = [*verdict.findings(), *_flat_memory(site, curves, order)]
        outcome.restarts = dict(site.restarts)
        outcome.facts = {
            "registered": str(shoppers.registered),
            "edited": str(shoppers.edited),
            "customers at the end": str(site.control.customer_count()),
            "seconds to come to rest": f"{journal.seconds - ended:.0f}",
            "open dead letters": str(len(verdict.dead)),
            **{f"dead: {row[0]}": str(row[1:]) for row in verdict.dead},
        }
    return outcome


def _attack(site: Site, order: Order, journal: Journal) -> tuple[Shoppers, Curves]:
    """Let faults strike and shoppers shop until the time is up; return who took notes."""
    stop = threading.Event()
    shoppers = Shoppers(
        site, journal, _dice(order, "shoppers"), stop, seconds_between=order.seconds_between_deeds
    )
    curves = Curves(site, journal, stop, every_seconds=order.sample_seconds)
    streams: Sequence[Callable[[], None]] = (
        MachineFaults(site, journal, _dice(order, "machines"), stop).run,
        ShopFaults(site, journal, _dice(order, "shop"), stop).run,
        shoppers.run,
        curves.run,
    )
    failed: list[BaseException] = []

    def guarded(run: Callable[[], None]) -> None:
        try:
            run()
        except BaseException as error:  # noqa: BLE001 - told by the thread that waits
            failed.append(error)
            stop.set()

    threads = [threading.Thread(target=guarded, args=(run,), daemon=True) for run in streams]
    for thread in threads:
        thread.start()
    stop.wait(order.seconds)
    stop.set()
    for thread in threads:
        thread.join()
    if failed:
        raise failed[0]
    return shoppers, curves


def _come_to_rest(site: Site, order: Order) -> None:
    """Mend everything, sweep every store view once more, and wait for the end of what follows."""
    deployment = site.deployment
    site.mend()
    since = deployment.request_import(sweep=True)

    def swept() -> bool:
        site.start_again()
        return deployment.is_swept(since)

    deployment.until(swept, "every store view is swept", timeout_seconds=order.drain_seconds)
    deployment.until_nothing_is_owed(order.drain_seconds)


def _flat_memory(site: Site, curves: Curves, order: Order) -> list[Finding]:
    if order.seconds < _SHORTEST_TO_JUDGE_MEMORY_SECONDS:
        return []
    slopes = {
        name: mib_per_minute(curves.series(memory_of(name), after_seconds=WARM_UP_SECONDS))
        for name in site.survivors
    }
    problems = [
        f"{name} grows by {slope:.2f} MiB a minute"
        for name, slope in slopes.items()
        if slope > MOST_MIB_PER_MINUTE
    ]
    return [Finding("memory is flat after the warm-up", len(slopes), problems)]


def _dice(order: Order, whose: str) -> random.Random:
    """Return dice of their own, so that one stream's throws do not depend on another's."""
    return random.Random(f"{order.seed}-{whose}")
