"""Shoppers at work while importer, processor and exporter take their turns at random.

Besides the end, every single reading is watched: news is only what a shopper did.
"""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, ClassVar

import hypothesis.strategies as st
import sqlalchemy as sa
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule

from tests.integration.exporter.outpost import PUT
from tests.stateful.loop import Loop, accounts

ANY = st.integers(0, 59)
STORES = st.sampled_from((1, 4))
SOME = st.lists(ANY, max_size=6)
NUMBER = "erp_customer_number"
FIRST_NUMBER = 10001


class LoopMachine(RuleBasedStateMachine):
    """A shop that is edited and written to at once."""

    threads: ClassVar[ThreadPoolExecutor]
    open_engine: ClassVar[Callable[[], sa.Engine]]

    def __init__(self) -> None:
        super().__init__()
        self.loop = Loop(type(self).open_engine(), self.threads)
        self.control = self.loop.shop.control
        self.living: list[int] = []
        self.emails: list[str] = []
        self.edited: set[int] = set()
        self.fresh = 0

    @initialize()
    def begin(self) -> None:
        """Have a customer who is numbered, and one who has just registered."""
        self.register(1, False)
        self._read(sweep=False)
        self.loop.process(self.loop.imported())
        self.loop.export(())
        self.register(4, False)

    @rule(store=STORES, is_homeless=st.booleans())
    def register(self, store: int, is_homeless: bool) -> None:
        """Let somebody new register, perhaps without an address."""
        email = f"shopper{self._next()}@example.com"
        self.emails.append(email)
        self._register(store, email, [] if is_homeless else [self._address()])

    @rule(whose=ANY)
    def register_on_the_other_website(self, whose: int) -> None:
        """Let somebody known register where that e-mail is free."""
        email = self.emails[whose % len(self.emails)]
        taken = {record["store_id"] for record in self._all() if record["email"] == email}
        for store in {1, 4} - taken:
            self._register(store, email, [self._address()])
            return

    @rule(whose=ANY)
    def rename(self, whose: int) -> None:
        """Let somebody change the name."""
        if self.living:
            self.control.edit_profile(self._edited(whose), lastname=f"Last{self._next()}")

    @rule(whose=ANY)
    def log_in(self, whose: int) -> None:
        """Move the time of change alone."""
        if self.living:
            self.control.touch(self._one(whose))

    @rule(whose=ANY, at=ANY)
    def edit_address(self, whose: int, at: int) -> None:
        """Let somebody edit an address; the time of change stays."""
        if book := self._book(whose):
            changes = self._address() | {"default_billing": None, "default_shipping": None}
            given = {name: value for name, value in changes.items() if value is not None}
            address_id = book[at % len(book)]["id"]
            self.control.edit_address(self._edited(whose), address_id, **given)

    @rule(whose=ANY, is_default=st.booleans())
    def add_address(self, whose: int, is_default: bool) -> None:
        """Let somebody add an address."""
        if self.living:
            flags = {"default_billing": is_default, "default_shipping": is_default}
            self.control.add_address(self._edited(whose), **self._address() | flags)

    @rule(whose=ANY, at=ANY)
    def delete_address(self, whose: int, at: int) -> None:
        """Let somebody delete an address, perhaps the default."""
        if book := self._book(whose):
            self.edited.add(self._one(whose))
            self.control.delete_address(book[at % len(book)]["id"])

    @rule(whose=ANY)
    def delete(self, whose: int) -> None:
        """Delete somebody."""
        if self.living:
            number = self._edited(whose)
            self.living.remove(number)
            self.control.delete_customer(number)

    @rule(seconds=st.sampled_from((1, 30, 400)))
    def wait(self, seconds: int) -> None:
        """Let time pass."""
        self.loop.wait(seconds)

    @rule(sweep=st.booleans())
    def read(self, sweep: bool) -> None:
        """Let the importer work."""
        self._read(sweep=sweep)

    @rule(which=SOME)
    def process(self, which: list[int]) -> None:
        """Let the processor work, on some messages in some order, or on all."""
        owed = self.loop.imported()
        chosen = [owed[each % len(owed)] for each in which] if which and owed else owed
        once = {message.message_id: message for message in chosen}
        if once:
            self.loop.process(list(once.values()))

    @rule(which=SOME)
    def export(self, which: list[int]) -> None:
        """Let the exporter work."""
        self.loop.export(which)

    def teardown(self) -> None:
        """Let all come to rest, and compare."""
        try:
            self.loop.come_to_rest(lambda: self._read(sweep=True))
            at_rest(self.loop)
            nothing_comes_back(self.loop)
            assert self.edited.isdisjoint(self.living)
            assert not self.control.bugs()
        finally:
            self.loop.close()

    def _register(self, store: int, email: str, addresses: list[dict[str, Any]]) -> None:
        number = self._next()
        person = {
            "email": email,
            "firstname": f"First{number}",
            "lastname": f"Last{number}",
            "addresses": addresses,
        }
        self.living.append(int(self.control.register(person, store_id=store)["id"]))
        self.edited.add(self.living[-1])

    def _read(self, *, sweep: bool) -> list[str]:
        """Let the importer read; it tells of shoppers' deeds, and of each once (C365-20)."""
        news = self.loop.read(sweep=sweep)
        numbers = {int(subject) for subject in news}
        assert numbers <= self.edited
        assert len(numbers) == len(news)
        self.edited -= numbers
        return news

    def _address(self) -> dict[str, Any]:
        number = self._next()
        return {
            "firstname": "Ann",
            "lastname": "Lang",
            "street": [f"Gasse {number}"],
            "city": f"Stadt {number}",
            "postcode": "10115",
            "country_id": "DE",
            "telephone": f"+49 30 {5550000 + number}",
            "default_billing": True,
            "default_shipping": True,
        }

    def _next(self) -> int:
        self.fresh += 1
        return self.fresh

    def _one(self, whose: int) -> int:
        return self.living[whose % len(self.living)]

    def _edited(self, whose: int) -> int:
        number = self._one(whose)
        self.edited.add(number)
        return number

    def _book(self, whose: int) -> list[dict[str, Any]]:
        if not self.living:
            return []
        book: list[dict[str, Any]] = self.control.customer(self._one(whose))["addresses"]
        return book

    def _all(self) -> list[dict[str, Any]]:
        return [self.control.customer(number) for number in self.living]


def at_rest(loop: Loop) -> None:
    """Compare the shop with the directory, account by account."""
    people, directory = loop.people(), loop.directory()
    assert [p.number for p in people] == [f"D{FIRST_NUMBER + at}" for at in range(len(people))]
    assert len({person.email for person in people}) == len(people)
    shown = {str(record["id"]): record for record in accounts(loop.shop)}
    for external_id, person in directory.items():
        assert (person.status == "removed") is (external_id not in shown)
    for external_id, record in shown.items():
        known = directory.get(external_id)
        assert _attribute(record, NUMBER) == (known.number if known else None)
        assert known or not record.get("default_billing")
        if known and record.get("default_billing"):
            _is_known(record, known, directory, loop)
            _was_numbered_once(record, loop)


def _is_known(record: Any, known: Any, directory: dict[str, Any], loop: Loop) -> None:
    """Check that the directory holds what the shop has; all of it, and that only, if it is one."""
    assert known.email == record["email"]
    book = loop.book(known.id)
    for address in record["addresses"]:
        row = book[str(address["id"])]
        assert (row.lines, row.city) == ("\n".join(address["street"]), address["city"])
    assert sum(row.is_default_billing for row in book.values()) == 1
    if sum(person.id == known.id for person in directory.values()) == 1:
        assert (known.first_name, known.last_name) == (record["firstname"], record["lastname"])
        assert book.keys() == {str(address["id"]) for address in record["addresses"]}
        assert book[record["default_billing"]].is_default_billing
        assert known.phone == record_phone(record)


def record_phone(record: Any) -> str:
    """Return the telephone of the billing address as the directory writes it."""
    [billing] = [a for a in record["addresses"] if str(a["id"]) == record["default_billing"]]
    return str(billing["telephone"]).replace(" ", "")


def _was_numbered_once(record: Any, loop: Loop) -> None:
    """Check by the shop's books that we wrote what is ours, once, and nothing else (ASK-2)."""
    writes = [w for w in loop.shop.control.writes(record["id"]) if w.origin == "api"]
    numbered = [write for write in writes if _attribute(write.given, NUMBER)]
    assert len(numbered) == 1
    assert {write.changed for write in writes} == {("custom_attributes",)}


def nothing_comes_back(loop: Loop) -> None:
    """Check that neither a poll nor a sweep finds anything, now or later (C365-20)."""
    puts = loop.shop.control.requests(*PUT)
    loop.wait(400)
    assert loop.read(sweep=True) == []
    assert not loop.is_busy()
    assert loop.shop.control.requests(*PUT) == puts


def _attribute(record: Any, code: str) -> str | None:
    found = {a["attribute_code"]: a["value"] for a in record.get("custom_attributes") or ()}
    return found.get(code)
