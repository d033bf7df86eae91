"""`patron demo`: Patron at work on a simulated shop."""

from typing import Annotated

import typer


def demo(
    customers: Annotated[
        int, typer.Option("--customers", min=20, max=20_000, help="How many the shop has.")
    ] = 1000,
) -> None:
    """Show Patron at work on a simulated shop; needs no configuration and no server."""
