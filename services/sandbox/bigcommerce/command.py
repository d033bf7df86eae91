"""`python -m services.sandbox --shop bigcommerce`: the options that only this shop knows."""

import argparse

from services.sandbox.bigcommerce.sandbox import QUOTA, WINDOW_SECONDS, SandboxBigCommerce


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the limits, and who the first customer is."""
    parser.add_argument("--quota", type=int, default=QUOTA, help="requests in a window")
    parser.add_argument("--window-seconds", type=float, default=WINDOW_SECONDS)
    parser.add_argument("--latency-seconds", type=float, default=0.0, help="of every answer")
    parser.add_argument(
        "--first-person", type=int, default=0, metavar="INDEX",
        help="who is customer 1: 0 for the same people as in another shop of the same seed",
    )  # fmt: skip
    parser.add_argument(
        "--without-attribute", action="append", default=[], metavar="NAME",
        help="a customer attribute that this store lacks, such as 'ERP Customer Number'",
    )  # fmt: skip


def open_shop(given: argparse.Namespace) -> SandboxBigCommerce:
    """Return the store that the options describe."""
    shop = SandboxBigCommerce(
        customers=given.customers,
        seed=given.seed,
        awkward=not given.tidy,
        first_person=given.first_person,
        quota=given.quota,
        window_seconds=given.window_seconds,
        latency_seconds=given.latency_seconds,
        host=given.host,
        port=given.port,
    )
    for name in given.without_attribute:
        shop.control.remove_attribute(name)
    return shop
