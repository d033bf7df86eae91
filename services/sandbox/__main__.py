"""`python -m services.sandbox`: a sandbox shop for demos, until it is told to stop."""

import argparse
import signal
import sys
import threading

from services.sandbox.magento.sandbox import SandboxMagento
from services.sandbox.magento.versions import DEFAULT_RELEASE, RELEASES


def main(arguments: list[str] | None = None) -> int:
    """Serve until SIGTERM or SIGINT; say on stderr where."""
    given = _parser().parse_args(arguments)
    stopped = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopped.set())
    shop = SandboxMagento(
        customers=given.customers,
        seed=given.seed,
        awkward=not given.tidy,
        release=given.release,
        host=given.host,
        port=given.port,
    )
    if given.integration_as_bearer:
        shop.control.set_quirks(integration_as_bearer=True)
    for code in given.without_attribute:
        shop.control.remove_attribute(code)
    with shop:
        sys.stderr.write(f"sandbox Magento with {given.customers} customers at {shop.url}\n")
        sys.stderr.flush()
        while not stopped.wait(0.5):  # a signal just before a wait is handled after it
            pass
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m services.sandbox", description=__doc__)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8080, help="0 takes a free one")
    parser.add_argument("--customers", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--tidy", action="store_true", help="no awkward customers")
    parser.add_argument("--release", choices=sorted(RELEASES), default=DEFAULT_RELEASE)
    parser.add_argument("--integration-as-bearer", action="store_true")
    parser.add_argument(
        "--without-attribute", action="append", default=[], metavar="CODE",
        help="a custom attribute that this shop lacks, such as erp_customer_number",
    )  # fmt: skip
    return parser


if __name__ == "__main__":
    sys.exit(main())
