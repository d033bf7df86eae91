"""What `python -m services.sandbox --shop shopify` needs to know.

Its promise: every option is a parameter of `SandboxShopify`, or one call of its control.
"""

import argparse

from services.sandbox.shopify.sandbox import SandboxShopify


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of this shop."""
    parser.add_argument("--companies", type=int, default=0, help="companies, with locations")
    parser.add_argument("--first-person", type=int, default=0, metavar="INDEX",
                        help="which person of the seed is the first customer")  # fmt: skip
    parser.add_argument("--restore-rate", type=float, default=100, help="points for each second")
    parser.add_argument("--bucket", type=float, default=2000, help="points at most")
    parser.add_argument("--latency-seconds", type=float, default=0,
                        help="how long every answer takes")  # fmt: skip
    parser.add_argument("--without-definition", action="store_true",
                        help="a shop that nobody has set up for ERP numbers")  # fmt: skip


def open_shop(given: argparse.Namespace) -> SandboxShopify:
    """Return the sandbox that the options describe."""
    return SandboxShopify(
        customers=given.customers,
        seed=given.seed,
        companies=given.companies,
        awkward=not given.tidy,
        first_person=given.first_person,
        restore_rate=given.restore_rate,
        bucket=given.bucket,
        latency_seconds=given.latency_seconds,
        defines_number=not given.without_definition,
        host=given.host,
        port=given.port,
    )
