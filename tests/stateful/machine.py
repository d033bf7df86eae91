"""A processor under random news: any order, any batches, twice, again, and with crashes.

Hypothesis drives it; `at_rest` compares the real directory with `Expectation`.
"""

import random
from collections.abc import Callable, Sequence
from typing import Any, ClassVar

import hypothesis.strategies as st
import sqlalchemy as sa
from hypothesis import note
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule

from shared.domain.messages import Parcel
from tests.stateful.expectation import Expectation, Person
from tests.stateful.office import Office
from tests.stateful.shops import Account, Card, Key, News, Shops, message, moment

CHANNELS = st.sampled_from(("shop", "outlet"))
ANY = st.integers(0, 59)
"""Which one of what is there: taken round and round."""
FIRST_NUMBER = 10001


class ProcessorMachine(RuleBasedStateMachine):
    """Shops that are edited, and a processor that hears of it somehow."""

    open_engine: ClassVar[Callable[[], sa.Engine]]

    def __init__(self) -> None:
        super().__init__()
        self.office = Office(type(self).open_engine())
        self.shops = Shops()
        self.expectation = Expectation()
        self.on_the_road: list[tuple[Parcel, News]] = []
        self.handled: list[tuple[Parcel, News]] = []

    @initialize(seed=ANY)
    def begin(self, seed: int) -> None:
        """Choose how the last messages are shuffled."""
        self.seed, self.dice = seed, random.Random(seed)
        self._tell(self.shops.register("shop"))

    @rule(channel=CHANNELS)
    def register(self, channel: str) -> None:
        """Let somebody new register."""
        self._tell(self.shops.register(channel))

    @rule(channel=CHANNELS, whose=ANY)
    def register_again(self, channel: str, whose: int) -> None:
        """Let somebody known register once more, in the same shop or the other."""
        card = self._of(whose).card or self._of(whose).before
        assert card
        self._tell(self.shops.register(channel, card.email))

    @rule(whose=ANY)
    def rename(self, whose: int) -> None:
        """Let a name change."""
        self._edit(whose, self.shops.rename)

    @rule(whose=ANY, blank=st.booleans())
    def set_middle_name(self, whose: int, blank: bool) -> None:
        """Let a name be added, or emptied."""
        self._edit(whose, lambda a, c: self.shops.set_middle_name(a, c, blank=blank))

    @rule(whose=ANY, at=ANY)
    def edit_place(self, whose: int, at: int) -> None:
        """Let an address change, which the shop does not date."""
        self._edit_place(whose, at, self.shops.edit_place)

    @rule(whose=ANY)
    def add_place(self, whose: int) -> None:
        """Let an address be added."""
        self._edit(whose, self.shops.add_place)

    @rule(whose=ANY, at=ANY, billing=st.booleans(), shipping=st.booleans())
    def move_defaults(self, whose: int, at: int, billing: bool, shipping: bool) -> None:
        """Let a default move."""

        def move(account: Account, card: Card, place: int) -> News:
            return self.shops.move_defaults(
                account, card, place, billing=billing, shipping=shipping
            )

        self._edit_place(whose, at, move)

    @rule(whose=ANY, at=ANY)
    def delete_place(self, whose: int, at: int) -> None:
        """Let an address go, perhaps the last one."""
        self._edit_place(whose, at, self.shops.delete_place)

    @rule(whose=ANY, at=ANY)
    def enter_place_anew(self, whose: int, at: int) -> None:
        """Let an address go, and come back under another id."""
        self._edit_place(whose, at, self.shops.enter_place_anew)

    @rule(whose=ANY)
    def spoil(self, whose: int) -> None:
        """Let a record become unreadable, until it is edited again."""
        self._edit(whose, self.shops.spoil)

    @rule(whose=ANY)
    def delete(self, whose: int) -> None:
        """Let an account be deleted."""
        self._edit(whose, lambda account, _card: self.shops.delete(account))

    @rule(whose=ANY)
    def restore(self, whose: int) -> None:
        """Let a deleted account be back."""
        account = self._of(whose)
        if account.card is None:
            self._tell(self.shops.restore(account))

    @precondition(lambda self: self.on_the_road)
    @rule(which=st.lists(ANY, min_size=1, max_size=8), is_settled=st.booleans())
    def deliver(self, which: list[int], is_settled: bool) -> None:
        """Handle a batch; what a crash kept from being settled comes again."""
        batch = [self.on_the_road[each % len(self.on_the_road)] for each in which]
        self._deliver(batch, is_settled=is_settled)

    @precondition(lambda self: self.on_the_road)
    @rule(which=st.lists(ANY, min_size=1, max_size=8))
    def die(self, which: list[int]) -> None:
        """Let the processor die before it commits."""
        batch = [self.on_the_road[each % len(self.on_the_road)] for each in which]
        self.office.deliver_and_die([parcel for parcel, _ in batch])

    @precondition(lambda self: self.handled)
    @rule(which=ANY)
    def replay(self, which: int) -> None:
        """Send an old message again under its own id."""
        parcel, news = self.handled.pop(which % len(self.handled))
        self.office.owe(parcel)
        self.on_the_road.append((parcel, news))

    def teardown(self) -> None:
        """Let everything that is on the road arrive, and compare."""
        if self.seed:
            self.dice.shuffle(self.on_the_road)
        while self.on_the_road:
            self._deliver(self.on_the_road[: self.dice.randint(1, 8)], is_settled=True)
        at_rest(self.office, self.expectation, self.shops)

    def _of(self, whose: int) -> Account:
        return self.shops.accounts[whose % len(self.shops.accounts)]

    def _edit(self, whose: int, edit: Callable[[Account, Card], News]) -> None:
        account = self._of(whose)
        if account.card:
            self._tell(edit(account, account.card))

    def _edit_place(self, whose: int, at: int, edit: Callable[[Account, Card, int], News]) -> None:
        account = self._of(whose)
        if account.card and account.card.places:
            self._tell(edit(account, account.card, at % len(account.card.places)))

    def _tell(self, news: News) -> None:
        parcel = message(news)
        self.office.owe(parcel)
        self.on_the_road.append((parcel, news))

    def _deliver(self, batch: Sequence[tuple[Parcel, News]], *, is_settled: bool) -> None:
        owed = self.office.owed()
        outcomes = self.office.deliver([parcel for parcel, _ in batch])
        assert set(outcomes) <= {"done", "duplicate"}
        for parcel, news in batch:
            if parcel.message_id in owed:
                owed.discard(parcel.message_id)
                note(f"handled: {news}")
                self.expectation.hear(news)
                self.handled.append((parcel, news))
        if is_settled:
            settled = {parcel.message_id for parcel, _ in batch}
            self.on_the_road = [e for e in self.on_the_road if e[0].message_id not in settled]


def at_rest(office: Office, expectation: Expectation, shops: Shops) -> None:
    """Compare the directory with what is expected of it."""
    assert office.owed() == set()
    _people_are_as_expected(office, expectation)
    _numbers_have_no_gap(office, len(expectation.people))
    _links_are_as_expected(office, expectation)
    _effects_are_as_expected(office, expectation)
    _who_waits_is_as_expected(office, expectation)
    _the_newest_is_what_stands(expectation, shops)


def _people_are_as_expected(office: Office, expectation: Expectation) -> None:
    rows = office.desk.customers()
    found = {row.email: (row.first_name, row.middle_name, row.last_name) for row in rows}
    assert len(found) == len(rows)
    assert found == {
        p.email: (p.first_name, p.middle_name, p.last_name) for p in expectation.people
    }
    email_of = {row.id: row.email for row in rows}
    books: dict[str, list[Any]] = {row.email: [] for row in rows}
    for address in office.desk.addresses():
        books[email_of[address.customer_id]].append(address)
    for person in expectation.people:
        _book_is_as_expected(books[person.email], person, expectation)


def _book_is_as_expected(book: list[Any], person: Person, expectation: Expectation) -> None:
    assert {(a.channel, a.external_id): (a.lines, a.city) for a in book} == {
        key: (place.street, place.city) for key, place in person.places.items()
    }
    assert len(book) == len(person.places)
    billing = [a.external_id for a in book if a.is_default_billing]
    shipping = [a.external_id for a in book if a.is_default_shipping]
    assert (len(billing), len(shipping)) == (1, 1)
    if len(person.accounts) == 1:
        said = expectation.accounts[person.accounts[0]].said
        assert said
        assert (billing, shipping) == ([said.billing], [said.delivers_to])


def _numbers_have_no_gap(office: Office, people: int) -> None:
    numbers = [row.number for row in office.desk.customers()]
    assert numbers == [f"D{FIRST_NUMBER + place}" for place in range(people)]
    if people:
        assert office.desk.next_number() == FIRST_NUMBER + people


def _links_are_as_expected(office: Office, expectation: Expectation) -> None:
    email_of = {row.id: row.email for row in office.desk.customers()}
    found = {
        Key(*source): (email_of[link.customer_id], link.status, link.changed_at, link.read_at)
        for source, link in office.desk.links().items()
    }
    assert found == {
        key: (
            account.person.email,
            "removed" if account.is_gone else "synchronized",
            moment(account.taken[0]),
            moment(account.gone_since if account.is_gone else account.taken[1]),
        )
        for key, account in expectation.accounts.items()
        if account.person
    }


def _effects_are_as_expected(office: Office, expectation: Expectation) -> None:
    """Each linked account is told its number and its data once, and that number is the person's."""
    linked = [key for key, account in expectation.accounts.items() if account.person]
    kinds = ("additional_data", "customer_number")
    assert office.desk.effects() == sorted((*key, kind) for key in linked for kind in kinds)
    numbers = {row.id: row.number for row in office.desk.customers()}
    assert all(
        export.body.customer_number == numbers[export.body.customer_id]
        for export in office.desk.exports()
    )


def _who_waits_is_as_expected(office: Office, expectation: Expectation) -> None:
    found = [Key(row.channel, row.external_id) for row in office.waiting()]
    parked = [key for key, account in expectation.accounts.items() if account.is_parked]
    assert sorted(found) == sorted(parked)


def _the_newest_is_what_stands(expectation: Expectation, shops: Shops) -> None:
    """Whatever the order was: a person's only account, if it is whole, is what the shop has now."""
    for remote in shops.accounts:
        account = expectation.accounts.get(remote.key)
        if account is None or account.is_parked:
            continue
        alone = account.person and len(account.person.accounts) == 1
        if alone and remote.card and remote.card.billing:
            assert account.said == remote.card
