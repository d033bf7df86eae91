"""Shops as a model has them: accounts with address books, and the news that an importer sends.

Each state has values that no other has, so that a directory that mixes two of them up is found.
"""

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from itertools import count
from typing import NamedTuple

from shared.domain.customer import Address, Customer, FieldWarning, Source, Version
from shared.domain.messages import (
    CustomerDeleted,
    CustomerImported,
    CustomerUnreadable,
    Parcel,
    parcel,
)
from tests.builders import NOON, a_customer, an_address


class Key(NamedTuple):
    """A remote record's identity."""

    channel: str
    external_id: str


class Place(NamedTuple):
    """An address, as far as the model looks at it."""

    external_id: str
    street: str
    city: str


@dataclass(frozen=True)
class Card:
    """An account as the shop has it; defaults name a place by its id."""

    email: str
    first_name: str
    middle_name: str | None
    last_name: str
    places: tuple[Place, ...]
    billing: str | None
    shipping: str | None

    @property
    def delivers_to(self) -> str | None:
        """Where goods go: to the billing address unless said otherwise (C365-7)."""
        return self.shipping or self.billing


@dataclass(frozen=True)
class News:
    """What an importer tells: the state of a record when it was read, None for gone.

    `changed` is the shop's change time, which an edited address leaves alone (ASK-1). What is not
    readable has a field that no customer can have.
    """

    key: Key
    changed: int
    read: int
    card: Card | None
    is_readable: bool = True


@dataclass
class Account:
    """A remote record that is edited; `card` is None while it is deleted."""

    key: Key
    card: Card | None
    changed: int
    before: Card | None = None


@dataclass
class Shops:
    """All accounts of all shops, and the clock that they share."""

    accounts: list[Account] = field(default_factory=list)
    now: int = 0
    _fresh: "count[int]" = field(default_factory=lambda: count(1))

    def register(self, channel: str, email: str | None = None) -> News:
        """Let somebody register: a new person, or one whose e-mail is known."""
        number = next(self._fresh)
        place = self._place()
        card = Card(
            email=email or f"person{number}@example.com",
            first_name=f"First{number}",
            middle_name=None,
            last_name=f"Last{number}",
            places=(place,),
            billing=place.external_id,
            shipping=place.external_id,
        )
        account = Account(Key(channel, str(number)), None, 0)
        self.accounts.append(account)
        return self._save(account, card)

    def rename(self, account: Account, card: Card) -> News:
        """Change the name."""
        return self._save(account, replace(card, last_name=f"Last{next(self._fresh)}"))

    def set_middle_name(self, account: Account, card: Card, *, blank: bool) -> News:
        """Enter a middle name, or empty it."""
        name = None if blank else f"Middle{next(self._fresh)}"
        return self._save(account, replace(card, middle_name=name))

    def edit_place(self, account: Account, card: Card, at: int) -> News:
        """Edit an address; the change time stays."""
        places = list(card.places)
        fresh = self._place()
        places[at] = fresh._replace(external_id=places[at].external_id)
        return self._save(account, replace(card, places=tuple(places)), touches=False)

    def add_place(self, account: Account, card: Card) -> News:
        """Add an address; the change time stays."""
        return self._save(
            account, replace(card, places=(*card.places, self._place())), touches=False
        )

    def move_defaults(
        self, account: Account, card: Card, at: int, *, billing: bool, shipping: bool
    ) -> News:
        """Make an address the default of one kind or both; a default shipping may be none."""
        place = card.places[at].external_id
        return self._save(
            account,
            replace(
                card,
                billing=place if billing else card.billing,
                shipping=place if shipping else None,
            ),
        )

    def delete_place(self, account: Account, card: Card, at: int) -> News:
        """Delete an address, and with it the defaults that it was."""
        gone = card.places[at].external_id
        kept = tuple(place for place in card.places if place.external_id != gone)
        return self._save(
            account,
            replace(
                card,
                places=kept,
                billing=None if card.billing == gone else card.billing,
                shipping=None if card.shipping == gone else card.shipping,
            ),
            touches=gone in {card.billing, card.shipping},
        )

    def enter_place_anew(self, account: Account, card: Card, at: int) -> News:
        """Delete an address and enter the very same again, which gives it another id."""
        old = card.places[at]
        new = old._replace(external_id=self._place().external_id)
        renamed = {old.external_id: new.external_id}
        return self._save(
            account,
            replace(
                card,
                places=(*card.places[:at], *card.places[at + 1 :], new),
                billing=renamed.get(card.billing or "", card.billing),
                shipping=renamed.get(card.shipping or "", card.shipping),
            ),
        )

    def spoil(self, account: Account, card: Card) -> News:
        """Enter something that nobody can read."""
        return replace(self._save(account, card), is_readable=False)

    def delete(self, account: Account) -> News:
        """Delete an account."""
        self.now += 1
        account.before, account.card = account.card, None
        return News(account.key, self.now, self.now, None)

    def restore(self, account: Account) -> News:
        """Bring a deleted account back as it was."""
        assert account.before
        return self._save(account, account.before)

    def _save(self, account: Account, card: Card, *, touches: bool = True) -> News:
        self.now += 1
        account.card = card
        account.changed = self.now if touches else account.changed
        return News(account.key, account.changed, self.now, card)

    def _place(self) -> Place:
        number = next(self._fresh)
        return Place(f"a{number}", f"Gasse {number}", f"Stadt {number}")


def moment(tick: int) -> datetime:
    """Return the time of a tick."""
    return NOON + timedelta(minutes=tick)


def message(news: News) -> Parcel:
    """Return the message that an importer sends."""
    version = Version(
        changed_at=moment(news.changed), read_at=moment(news.read), fingerprint=f"f{news.read}"
    )
    source = Source(store_view="de", version=version, **news.key._asdict())
    return parcel(
        _body(news, source),
        channel=news.key.channel,
        subject=news.key.external_id,
        at=moment(news.read),
    )


def _body(news: News, source: Source) -> CustomerImported | CustomerUnreadable | CustomerDeleted:
    if news.card is None:
        return CustomerDeleted(source=source)
    if not news.is_readable:
        problem = FieldWarning(field="birth_date", problem="is no date")
        return CustomerUnreadable(source=source, problems=(problem,))
    return CustomerImported(customer=_customer(news.card, source), origin="poll")


def _customer(card: Card, source: Source) -> Customer:
    return a_customer(
        source=source,
        email=card.email,
        first_name=card.first_name,
        middle_name=card.middle_name,
        last_name=card.last_name,
        addresses=tuple(_address(card, place) for place in card.places),
    )


def _address(card: Card, place: Place) -> Address:
    return an_address(
        place.external_id,
        lines=(place.street,),
        city=place.city,
        is_default_billing=place.external_id == card.billing,
        is_default_shipping=place.external_id == card.shipping,
    )
