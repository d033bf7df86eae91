"""What the conformance suite needs of a platform's simulated shop: hands, eyes, and trouble.

One driver for each platform and entity implements `Shop` and stands in `drivers.DRIVERS`. What its
platform cannot do it declares in `lacks`, with the reason: the suite skips those cases, visibly.
"""

from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Any, ClassVar, Final, Protocol, Self

from shared.connectors.registry import Platform

CHANNEL: Final = "shop"
UNCONFIGURED: Final = ""
"""Where `register` puts customers of no configured store view."""


class Ability(StrEnum):
    """What a platform may lack, so that a case cannot be played there."""

    SOURCE = "source"
    ADDRESSES = "addresses"
    ADDITIONAL_DATA = "additional data"
    ANSWER_BODY = "answers that are read"
    BATCHES = "batches"
    BLANKS = "blanks"
    CHECKED_CREDENTIALS = "credentials that are checked"
    CHANGES_BY_ITSELF = "changes by itself"
    DISCOVERY = "discovery"
    EXPIRING_TOKEN = "expiring token"
    FORBIDDEN = "forbidden"
    HOSTILE_TEXT = "hostile text"
    OTHER_VIEW = "another store view"
    READ_BACK = "reading before a write"
    REFUSED_VALUE = "refused value"
    REMOVABLE_FIELD = "removable field"
    SINK = "writing of its own"
    SILENT_DROP = "silent drop"
    UNCONFIGURED_VIEW = "unconfigured view"


class Trouble(StrEnum):
    """What goes wrong with requests.

    `DENIED` and `FORBIDDEN` are the platform's 401 and 403; `REFUSED` refuses what is written, with
    `person.EMAIL` in its words; `LOST` carries the request out and answers nothing; `HELD` answers
    nothing until `release`.
    """

    DENIED = "denied"
    FORBIDDEN = "forbidden"
    THROTTLED = "throttled"
    SERVER_ERROR = "server_error"
    UNAVAILABLE = "unavailable"
    HTML = "html"
    TRUNCATED = "truncated"
    RESET = "reset"
    LOST = "lost"
    HELD = "held"
    REFUSED = "refused"


class Shop(Protocol):
    """A running shop that is empty at first; ids are texts, as the port has them."""

    lacks: ClassVar[Mapping[Ability, str]]

    @property
    def platform(self) -> Platform:
        """How to connect, as in the registry."""

    @property
    def view(self) -> str:
        """The store view that is read."""

    @property
    def other_view(self) -> str:
        """Another configured store view with customers of its own."""

    @property
    def views(self) -> Mapping[str, Mapping[str, Any]]:
        """The `remote` table of each configured store view, by its code."""

    @property
    def table(self) -> dict[str, Any]:
        """The `connector` table: correct, with pages of five and one attempt for each call."""

    @property
    def wrong_credentials(self) -> dict[str, Any]:
        """What to change in `table` for credentials that the shop does not know."""

    @property
    def expiring_credentials(self) -> dict[str, Any]:
        """What to change in `table` for credentials that run out and can be renewed."""

    @property
    def elsewhere(self) -> dict[str, Any]:
        """What to change in `table` for an address of this host that is not the API's."""

    @property
    def open_line(self) -> dict[str, Any]:
        """What to change in `table` for an address that anybody could listen to."""

    def bounded(self, attempts: int, total_seconds: float) -> dict[str, Any]:
        """Return what to change in `table` for calls that end sooner, or are tried again."""

    @property
    def secrets(self) -> Sequence[str]:
        """The secrets in `table`."""

    @property
    def text_field(self) -> str:
        """The canonical field that `plant` puts its text into, among others."""

    @property
    def spoken(self) -> frozenset[str]:
        """Canonical fields that are said to be empty of whoever left them blank."""

    @property
    def unspoken(self) -> frozenset[str]:
        """Canonical fields that the platform has no word for."""

    @property
    def unknown_id(self) -> str:
        """An id as the shop gives them, of nobody."""

    @property
    def additional_field(self) -> str:
        """A field that additional data may be written to."""

    @property
    def discoverable(self) -> frozenset[tuple[str, str]]:
        """Families and names that a configuration of this shop uses."""

    def __enter__(self) -> Self:
        """Open the shop."""

    def __exit__(self, *_: object) -> None:
        """Close it."""

    def register(self, count: int = 1, view: str | None = None) -> list[str]:
        """Let as many customers register as `person` describes; return their ids."""

    def register_blank(self) -> str:
        """Let somebody register who fills in what is required and nothing else."""

    def plant(self, text: str) -> str:
        """Store a customer with `text` in every free text there is, past all rules."""

    def edit(self, external_id: str) -> None:
        """Let a shopper change the account to something that it never was."""

    def edit_address(self, external_id: str) -> None:
        """Let a shopper change an address."""

    def touch(self, external_id: str) -> None:
        """Change what changes by itself, such as the change time."""

    def delete(self, external_id: str) -> None:
        """Delete a customer."""

    def ids(self) -> set[str]:
        """Return the ids of the customers of `view`, from the shop's own books."""

    def number(self, external_id: str) -> str | None:
        """Return the customer number that the shop holds."""

    def set_number(self, external_id: str, number: str) -> None:
        """Let the shop's staff enter a customer number."""

    def value(self, external_id: str) -> str | None:
        """Return what the shop holds in `additional_field`."""

    def refused_values(self) -> dict[str, str]:
        """Return additional data that the shop does not take."""

    def rest(self, external_id: str) -> Any:
        """Return all of a customer but its number and what changes by itself, to be compared."""

    def writes(self, external_id: str) -> int:
        """Return how often a customer was changed by the API."""

    def upset(self, trouble: Trouble, *, on: str = "", skip: int = 0) -> float | None:
        """Make a request go wrong, the first or after `skip` more; return the wait it asks for.

        `on` is "read" or "write" for a request that reads customers or writes to them; any is meant
        without it.
        """

    def release(self) -> None:
        """Let go of what is held."""

    def expire_token(self) -> None:
        """Let every token that was given out run out."""

    def logins(self) -> int:
        """Return how many tokens were given out."""

    def freeze_clock(self) -> None:
        """Stop the shop's clock."""

    def advance_clock(self, seconds: int) -> None:
        """Move the shop's clock on."""

    def remove_field(self) -> None:
        """Let the operator remove the field that the customer number stands in."""

    def drop_silently(self) -> None:
        """Let the shop say yes to a customer number and keep nothing."""

    def let_connections_end(self) -> bool:
        """Wait until nobody is connected any more; say whether that came true."""

    def bugs(self) -> Sequence[str]:
        """Return the failures of the simulated shop itself."""
