"""`python -m services.sandbox --shop NAME`: a sandbox shop for demos, until it is told to stop."""

import argparse
import signal
import sys
import threading
from contextlib import AbstractContextManager
from dataclasses import dataclass
from importlib import import_module
from typing import Protocol, cast


class Running(AbstractContextManager["Running"], Protocol):
    """A sandbox that serves as long as its `with` block."""

    @property
    def url(self) -> str:
        """Where it listens."""


class Command(Protocol):
    """What the module `command` of each sandbox offers."""

    def add_options(self, parser: argparse.ArgumentParser) -> None:
        """Add what only this sandbox knows to the options that all share."""

    def open_shop(self, given: argparse.Namespace) -> Running:
        """Return the sandbox that the options describe."""


@dataclass(frozen=True, slots=True)
class Kind:
    """One sandbox of the table: its name for people, and the module of its `Command`."""

    title: str
    module: str

    def command(self) -> Command:
        """Load the module now, not earlier: one sandbox's libraries are no other's need."""
        return cast("Command", import_module(self.module))


SHOPS = {
    "bigcommerce": Kind("BigCommerce", "services.sandbox.bigcommerce.command"),
    "magento": Kind("Magento", "services.sandbox.magento.command"),
    "push": Kind("CRM that pushes", "services.sandbox.push.command"),
    "shopify": Kind("Shopify", "services.sandbox.shopify.command"),
}


def main(arguments: list[str] | None = None) -> int:
    """Serve until SIGTERM or SIGINT; say on stderr where."""
    kind, given = _parsed(arguments)
    stopped = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopped.set())
    with kind.command().open_shop(given) as shop:
        sys.stderr.write(f"sandbox {kind.title} with {given.customers} customers at {shop.url}\n")
        sys.stderr.flush()
        while not stopped.wait(0.5):  # a signal just before a wait is handled after it
            pass
    return 0


def _parsed(arguments: list[str] | None) -> tuple[Kind, argparse.Namespace]:
    """Read the options in two steps: which shop it is decides which others there are."""
    chooser = argparse.ArgumentParser(add_help=False)
    chooser.add_argument("--shop", choices=sorted(SHOPS), default="magento")
    chosen, _ = chooser.parse_known_args(arguments)
    kind = SHOPS[chosen.shop]
    parser = argparse.ArgumentParser(
        prog="python -m services.sandbox", description=__doc__, parents=[chooser]
    )
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8080, help="0 takes a free one")
    parser.add_argument("--customers", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--tidy", action="store_true", help="no awkward customers")
    kind.command().add_options(parser)
    return kind, parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main())
