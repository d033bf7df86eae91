"""`python -m services.sandbox --shop magento`: the options that only this shop knows."""

import argparse

from services.sandbox.magento.sandbox import SandboxMagento
from services.sandbox.magento.versions import DEFAULT_RELEASE, RELEASES


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add release, authorization and missing attributes."""
    parser.add_argument("--release", choices=sorted(RELEASES), default=DEFAULT_RELEASE)
    parser.add_argument("--integration-as-bearer", action="store_true")
    parser.add_argument(
        "--without-attribute", action="append", default=[], metavar="CODE",
        help="a custom attribute that this shop lacks, such as erp_customer_number",
    )  # fmt: skip


def open_shop(given: argparse.Namespace) -> SandboxMagento:
    """Return the shop that the options describe."""
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
    return shop
