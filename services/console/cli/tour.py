"""`patron demo`: Patron at work on a simulated shop."""

import signal
import sys
from enum import StrEnum
from types import FrameType
from typing import Annotated

import typer

from services.console.demo.tour import Wish, give_tour


class Shop(StrEnum):
    """The shops that the demo can be given on."""

    MAGENTO = "magento"
    BIGCOMMERCE = "bigcommerce"
    SHOPIFY = "shopify"
    PUSH = "push"
    ALL = "all"


_TERMINATED = 128 + signal.SIGTERM


def demo(
    *,
    shop: Annotated[Shop, typer.Option("--shop", help="Which simulated shop, or all at once.")] = (
        Shop.MAGENTO
    ),
    customers: Annotated[
        int, typer.Option("--customers", min=20, max=20_000, help="How many each shop has.")
    ] = 1000,
    seed: Annotated[int, typer.Option("--seed", help="Another seed, other customers.")] = 7,
    keep: Annotated[
        bool, typer.Option("--keep", help="Keep configuration, database and logs afterwards.")
    ] = False,
    patience: Annotated[
        float, typer.Option("--patience", min=0.1, help="Seconds to wait before giving up.")
    ] = 120,
) -> None:
    """Show Patron at work on simulated shops; needs no configuration and no server.

    Starts a shop full of invented customers (or one of each platform, with the same people) and
    all of Patron beside it, imports them, gives them customer numbers, writes these back, and
    checks the outcome in the shop itself.
    Ends by itself and leaves nothing behind. Fails loudly if anything does not come out right.
    """
    signal.signal(signal.SIGTERM, _end)
    give_tour(Wish(shop.value, customers, seed, keep, patience))


def _end(number: int, frame: FrameType | None) -> None:
    """End in order, children and files included."""
    sys.exit(_TERMINATED)
