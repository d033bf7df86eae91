"""What the tour asks of a simulated shop, whatever its platform.

Reads go through the shop's own API, with its owner's credentials, so they are not Patron's view of
things. Its promise: what a shop shows is what a person who opens it would see.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Account:
    """A customer as the shop shows it.

    `number` and `values` are what Patron wrote, if it did; `has_billing` whether the shop knows
    where bills go, without which nobody is linked.
    """

    external_id: str
    store_view: str
    number: str | None
    has_billing: bool
    values: Mapping[str, str | None] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Edit:
    """An address that a shopper edited: the street before and after, and what the shop says of it.

    `is_dated` is False where the shop's change time did not move, so that no poll finds it.
    """

    before: str
    after: str
    changed_at: str
    is_dated: bool


class DemoShop(Protocol):
    """One simulated shop, running. What is not polled pushes its customers to Patron."""

    title: str
    channel: str
    url: str
    is_polled: bool

    def configuration(self) -> str:
        """Return the channel's tables in `patron.toml`."""
        ...

    def prepare(self) -> None:
        """Make the shop ready as its operator does once: the fields that are written."""
        ...

    def expected(self) -> Mapping[str, int]:
        """Return how many customers each store view has, by the shop's own count."""
        ...

    def accounts(self) -> Iterator[Account]:
        """Yield everybody, as the shop shows them."""
        ...

    def edit_an_address(self, external_id: str, street: str) -> Edit:
        """Let a shopper edit the street of the billing address; whoever pushes pushes that."""
        ...

    def close(self) -> None:
        """Let go of the connections."""
        ...
