"""What a directory must hold after some news, whatever came before: the rules in a few lines.

Says nothing of how it is done. News about a record counts if nothing newer about it did (NEW-8);
an account whose e-mail is known is the person who has it (ASK-5), and then only what is lacking is
taken over; later, what an account changed; a blank wipes nothing; and what is deleted stays known.
"""

from dataclasses import dataclass, field

from tests.stateful.shops import Card, Key, News, Place


@dataclass
class Person:
    """A customer of the directory."""

    email: str
    first_name: str
    last_name: str
    middle_name: str | None = None
    places: dict[tuple[str, str], Place] = field(default_factory=dict)
    accounts: list[Key] = field(default_factory=list)


@dataclass
class Account:
    """What is known of a remote record.

    `said` is what was last taken over; `is_parked` while newer news waits for an operator.
    """

    fence: tuple[int, int] = (-1, -1)
    person: Person | None = None
    said: Card | None = None
    taken: tuple[int, int] = (-1, -1)
    is_parked: bool = False
    gone_since: int = -1

    @property
    def is_gone(self) -> bool:
        """Whether the record was found missing, and was not taken over again since."""
        return self.gone_since >= 0


@dataclass
class Expectation:
    """People and accounts, as news comes in."""

    people: list[Person] = field(default_factory=list)
    accounts: dict[Key, Account] = field(default_factory=dict)

    def hear(self, news: News) -> None:
        """Take in news."""
        if news.card is None:
            self._hear_of_deletion(news)
            return
        account = self.accounts.setdefault(news.key, Account())
        version = (news.changed, news.read)
        if version < account.fence or news.read < account.gone_since:
            return
        account.fence = version
        account.is_parked = news.card.billing is None or not news.is_readable
        if not account.is_parked:
            self._take_over(news, account, news.card)

    def _hear_of_deletion(self, news: News) -> None:
        account = self.accounts.get(news.key)
        if account is None or news.read < max(account.fence[1], account.gone_since):
            return
        if account.person is None:
            # Nobody was made of it, so there is nobody to remember it by.
            del self.accounts[news.key]
            return
        account.is_parked, account.gone_since = False, news.read
        account.fence = account.taken

    def _take_over(self, news: News, account: Account, card: Card) -> None:
        if account.person is None:
            account.person = self._person(card)
            account.person.accounts.append(news.key)
        person, before = account.person, account.said
        if before is None:
            person.middle_name = person.middle_name or card.middle_name
        for name in ("first_name", "middle_name", "last_name"):
            said = getattr(card, name)
            if before and said and said != getattr(before, name):
                setattr(person, name, said)
        for place in before.places if before else ():
            person.places.pop((news.key.channel, place.external_id), None)
        for place in card.places:
            person.places[news.key.channel, place.external_id] = place
        account.said, account.taken, account.gone_since = card, account.fence, -1

    def _person(self, card: Card) -> Person:
        for person in self.people:
            if person.email == card.email:
                return person
        self.people.append(Person(card.email, card.first_name, card.last_name))
        return self.people[-1]
