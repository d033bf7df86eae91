"""Keep services up: `python -m tests.services` until interrupted, for a developer's shell.

Prints the variables to export, so that many test runs can share one RabbitMQ and one
PostgreSQL. A test run starts the same program with `--owner` and `--report`; it then ends
with that process and reports the addresses, or why there are none, in a file.
"""

import argparse
import json
import logging
import os
import select
import shutil
import signal
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from types import FrameType

from tests.services.addresses import VARIABLES, Addresses
from tests.services.errors import ServiceUnavailable
from tests.services.provide import provide


class _Asked(BaseException):
    """Somebody asked the program to end."""


def main() -> int:
    """Provide the services named on the command line until asked to end."""
    options = _options()
    logging.basicConfig(level=logging.CRITICAL, format="%(name)s: %(message)s")
    logging.getLogger("tests.services").setLevel(logging.INFO)
    with _until_asked(), ExitStack() as life:
        try:
            addresses = _provide_all(options.services or list(VARIABLES), life)
        except ServiceUnavailable as error:
            return _report_failure(error, options.report)
        _report(addresses, options.report)
        _wait_for_end_of(options.owner)
        if options.report:  # the owner died without tidying up
            shutil.rmtree(options.report.parent, ignore_errors=True)
    return 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.services", description=__doc__)
    parser.add_argument("services", nargs="*", choices=[*VARIABLES, []], default=[])
    parser.add_argument("--owner", type=int, help="process to end with")
    parser.add_argument("--report", type=Path, help="file to write the addresses to")
    return parser.parse_args()


@contextmanager
def _until_asked() -> Iterator[None]:
    def ask(_number: int, _frame: FrameType | None) -> None:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)  # closing is not to be interrupted
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        raise _Asked

    signal.signal(signal.SIGTERM, ask)
    signal.signal(signal.SIGINT, ask)
    try:
        yield
    except _Asked:
        return


def _provide_all(services: list[str], life: ExitStack) -> Addresses:
    addresses: dict[str, str] = {}
    for service in services:
        addresses |= provide(service, life)
    return addresses


def _report(addresses: Addresses, report: Path | None) -> None:
    if report:
        _write(report, {"addresses": dict(addresses)})
        return
    for variable, url in addresses.items():
        sys.stdout.write(f"export {variable}='{url}'\n")
    sys.stdout.flush()


def _report_failure(error: ServiceUnavailable, report: Path | None) -> int:
    if report:
        _write(report, {"error": str(error)})
    sys.stderr.write(f"{error}\n")
    return 1


def _write(report: Path, content: object) -> None:
    """Write the report so that a reader sees all of it or nothing."""
    draft = report.with_suffix(".draft")
    draft.write_text(json.dumps(content))
    draft.replace(report)


def _wait_for_end_of(owner: int | None) -> None:
    if owner is None:
        signal.pause()
    else:
        select.select([os.pidfd_open(owner)], [], [])


if __name__ == "__main__":
    sys.exit(main())
