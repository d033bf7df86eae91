"""`python -m benchmarks.soak`: the pipeline for N minutes among faults of every kind.

Real processes, two of each worker, on a real broker and database, while shoppers register and
edit. Workers, broker and database are killed, hung and cut off; the shop throttles, fails and
crawls. Its promise: it exits with 0 only if afterwards every customer is right, every message is
accounted for and no worker's memory has grown.
"""

import argparse
import json
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.soak.curves import mib_per_minute, sparkline
from benchmarks.soak.drive import WARM_UP_SECONDS, Order, Outcome, soak
from shared.observability import logs


def main(arguments: list[str] | None = None) -> int:
    """Soak, and print what was found."""
    given = _parser().parse_args(arguments)
    logs.configure("console", "error", service="soak")
    seed = int(time.time()) if given.seed is None else given.seed
    order = Order(given.minutes * 60, seed, given.customers)
    print(f"seed {seed}, {given.minutes:g} minutes, {given.customers} customers at the beginning")
    folder = Path(tempfile.mkdtemp(prefix="patron-soak-"))
    try:
        outcome = soak(order, folder, print)
    except AssertionError as error:
        print(f"never came to rest (seed {seed}, logs in {folder}): {error}", file=sys.stderr)
        return 1
    _show(outcome)
    if given.json:
        _write(outcome, order, given.json)
    print(f"logs and journal: {folder}")
    print(f"seed {seed}: {'FAILED' if outcome.problems else 'passed'}")
    return 1 if outcome.problems else 0


def _show(outcome: Outcome) -> None:
    print("\nFaults")
    for what, times in sorted(outcome.faults.items()):
        print(f"  {what:<40}{times:>6}")
    print("\nFacts")
    for what, value in {**outcome.facts, "starts again": str(outcome.restarts)}.items():
        print(f"  {what:<40}{value:>6}")
    print("\nCurves: first, lowest, highest, last; slope a minute after the warm-up")
    if curves := outcome.curves:
        for name in curves.names:
            values = [value for _, value in curves.series(name)]
            after = curves.series(name, after_seconds=WARM_UP_SECONDS)
            figures = f"{values[0]:.0f} {min(values):.0f} {max(values):.0f} {values[-1]:.0f}"
            print(f"  {name:<32}{figures:<24}{mib_per_minute(after):>8.2f}  {sparkline(values)}")
    print("\nVerdict")
    for finding in outcome.findings:
        print(f"  {'FAILED' if finding.problems else 'ok':<8}{finding.text}")


def _write(outcome: Outcome, order: Order, path: Path) -> None:
    samples = outcome.curves.samples if outcome.curves else []
    found = {
        "seed": order.seed,
        "seconds": order.seconds,
        "faults": outcome.faults,
        "facts": outcome.facts,
        "findings": {each.what: list(each.problems) for each in outcome.findings},
        "samples": [{"seconds": each.seconds, **each.values} for each in samples],
    }
    path.write_text(json.dumps(found, indent=2) + "\n", encoding="utf-8")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.soak", description=__doc__)
    parser.add_argument("--minutes", type=float, default=20.0, help="for which faults strike")
    parser.add_argument("--seed", type=int, help="of all dice; the clock without it")
    parser.add_argument("--customers", type=int, default=300, help="in the shop at the beginning")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write everything there")
    return parser


if __name__ == "__main__":
    sys.exit(main())
