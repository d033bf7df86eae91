"""Questions whether a customer is imported: fetched at once, and answered whatever happens."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
import sqlalchemy as sa

from services.importer.on_demand import Deadlines, OnDemand
from services.importer.pages import StoreViewReader
from services.importer.requests import take_requests
from shared.domain.errors import (
    AccessDenied,
    RemoteThrottled,
    RemoteUnavailable,
)
from shared.domain.messages import Envelope, ImportAnswered, ImportRequested
from shared.persistence import import_requests
from shared.persistence.cursors import Cursors
from shared.persistence.import_requests import ImportRequest
from shared.persistence.tables import customers, links
from tests.builders import a_source
from tests.integration.importer.shelf import Shelf, a_record, a_shelf
from tests.integration.importer.station import CHANNEL, LEASE_SECONDS, Station, no_beat
from tests.integration.processor.desk import a_message


def a_question(external_id: str = "1", **changes: Any) -> Envelope[ImportRequested]:
    """Return the message of somebody who wants a customer of the shop imported."""
    about = {"reply_to": "answers", "reply_id": "order 4711"} | changes
    within = about.pop("within", 60.0)
    body = ImportRequested(
        channel=about.pop("channel", CHANNEL), external_id=external_id, answer_within_seconds=within
    )
    return a_message(body, a_source(external_id), **about)


@dataclass
class Counter:
    """Where questions are asked, and importers that fetch on demand."""

    station: Station
    shelf: Shelf

    def ask(self, *questions: Envelope[Any]) -> None:
        """Take questions in as the importer's consumer does."""
        with self.station.units.begin() as work:
            take_requests(questions, work, {CHANNEL})

    def importer(self, views: Sequence[str] = ("de",)) -> OnDemand:
        """Return what fetches, for these store views."""
        readers = {view: StoreViewReader(CHANNEL, view, self.shelf) for view in views}
        return OnDemand(
            CHANNEL,
            self.shelf,
            readers,
            units=self.station.units,
            offer=self.station.sent.extend,
            metrics=self.station.metrics,
            lease_seconds=LEASE_SECONDS,
        )

    def run_due(self, importer: OnDemand | None = None) -> int:
        """Fetch everybody who is due; return how many that were."""
        importer = importer or self.importer()
        fetched = 0
        while importer.run_next(no_beat):
            fetched += 1
            assert fetched < 100, "there is always more to do"
        return fetched

    def let_deadlines_pass(self) -> bool:
        """Answer whose time is up; return whether there may be more."""
        return Deadlines(self.station.units, self.station.sent.extend).run(no_beat)

    def answers(self) -> list[tuple[Any, ...]]:
        """Return the answers that were sent, in order: to whom, about whom, and what."""
        return [
            (parcel.reply_to, parcel.reply_id, body.external_id, body.answer,
             body.customer_number or body.reason)
            for parcel in self.station.sent
            if parcel.type == "import.answered"
            for body in [ImportAnswered.model_validate_json(parcel.body)]
        ]  # fmt: skip

    def question(self, question: Envelope[Any]) -> ImportRequest:
        """Return what became of a question."""
        with self.station.units.read() as work:
            found = import_requests.get(work, question.message_id)
        assert found
        return found


@pytest.fixture
def counter(station: Station) -> Counter:
    """Give a counter before a shop with the customers 1 and 2."""
    return Counter(station, a_shelf(1, 2))


def test_who_is_asked_for_is_fetched_and_handed_on(counter: Counter) -> None:
    """MYOB-4: one customer, in the asker's correlation and caused by his question."""
    question = a_question("2", correlation_id=uuid4())

    counter.ask(question)
    counter.run_due()

    [message] = counter.station.messages()
    assert (message.type, message.subject) == ("customer.imported", "2")
    assert (message.body.origin, message.body.customer.source.store_view) == ("request", "de")
    assert message.correlation_id == question.correlation_id
    assert message.causation_id == question.message_id
    assert counter.shelf.asked == ["fetch 2"]
    asked = counter.question(question)
    assert (asked.state, asked.import_id) == ("fetched", message.message_id)
    assert counter.answers() == []


def test_a_customer_who_is_known_is_handed_on_all_the_same(counter: Counter) -> None:
    """MYOB-4: nothing has changed, but the asker wants to hear of it."""
    counter.ask(a_question())
    counter.run_due()

    counter.ask(a_question())
    counter.run_due()

    assert counter.station.subjects() == ["1", "1"]
    assert [row.external_id for row in counter.station.seen()] == ["1"]


def test_questions_about_one_customer_share_a_fetch(counter: Counter) -> None:
    """MYOB-4: each is answered later, from the one message."""
    questions = [a_question(), a_question("2"), a_question()]

    counter.ask(*questions)
    counter.run_due()

    assert sorted(counter.shelf.asked) == ["fetch 1", "fetch 2"]
    asked = [counter.question(question) for question in questions]
    assert [each.state for each in asked] == ["fetched"] * 3
    assert asked[0].import_id == asked[2].import_id != asked[1].import_id


def test_the_same_question_again_is_one_question(counter: Counter) -> None:
    """MYOB-4: known by its message id, whatever it was put off by."""
    question = a_question()

    counter.ask(question)
    counter.run_due()
    counter.ask(question)

    assert counter.run_due() == 0
    assert counter.question(question).state == "fetched"


@pytest.mark.parametrize(
    ("views", "number", "reason"),
    [(("de",), "9", "unknown_in_shop"), (("uk",), "1", "store_view_not_imported"),
     ((), "1", "store_view_not_imported")],
)  # fmt: skip
def test_who_cannot_be_imported_is_refused_with_the_reason(
    counter: Counter, views: tuple[str, ...], number: str, reason: str
) -> None:
    """MYOB-4: at once, to the queue that the asker named, in his own words."""
    counter.ask(a_question(number))
    counter.run_due(counter.importer(views))

    assert counter.answers() == [("answers", "order 4711", number, "refused", reason)]
    assert counter.station.subjects() == []


def test_a_store_view_that_nobody_configured_is_not_imported(counter: Counter) -> None:
    """MYOB-4: the customer is of a store that Patron does not know."""
    counter.shelf.put(a_record(3, view=None))

    counter.ask(a_question("3"))
    counter.run_due()

    assert [answer[3:] for answer in counter.answers()] == [("refused", "store_view_not_imported")]


def test_a_channel_that_nobody_configured_is_refused_at_once(counter: Counter) -> None:
    """MYOB-4: there is no importer that could fetch anybody."""
    question = a_question(channel="shpo")

    with counter.station.units.begin() as work:
        take_requests([question], work, {CHANNEL})

    assert [parcel.reply_to for parcel in work.sent] == ["answers"]
    asked = counter.question(question)
    assert (asked.state, asked.answer, asked.reason) == ("answered", "refused", "unknown_channel")


def test_nobody_is_sent_an_answer_who_named_no_queue(counter: Counter) -> None:
    """MYOB-4: the answer stands with the question, for who looks there."""
    question = a_question("9", reply_to=None, reply_id=None)

    counter.ask(question)
    counter.run_due()

    assert counter.answers() == []
    asked = counter.question(question)
    assert (asked.answer, asked.reason) == ("refused", "unknown_in_shop")


def failing(*errors: Exception) -> Callable[[], None]:
    """Return a `before_fetch` that raises each of `errors` in turn, then no more."""
    remaining = list(errors)

    def fail() -> None:
        if remaining:
            raise remaining.pop(0)

    return fail


@pytest.mark.parametrize(
    "error", [RemoteUnavailable("503"), AccessDenied("401"), LookupError("ann@example.com")]
)
def test_a_shop_that_is_down_is_asked_again(counter: Counter, error: Exception) -> None:
    """MYOB-4: after a second, then after twice as long each time; until it is back."""
    counter.shelf.before_fetch = failing(error, error, error)
    counter.ask(a_question(within=60))

    tried = []
    for second in range(12):
        if counter.run_due():
            tried.append(second)
        counter.station.clock.advance(1)

    assert tried == [0, 1, 2, 4]
    assert counter.station.subjects() == ["1"]


def test_a_shop_that_asks_for_peace_gets_it(counter: Counter) -> None:
    """MYOB-4: it says when it may be asked again."""
    counter.shelf.before_fetch = failing(RemoteThrottled("429", retry_after_seconds=20))
    counter.ask(a_question())
    counter.run_due()

    counter.station.clock.advance(19)
    early = counter.run_due()
    counter.station.clock.advance(1)

    assert (early, counter.run_due()) == (0, 1)


def test_the_time_is_up_while_the_shop_is_down(counter: Counter) -> None:
    """MYOB-4: the asker hears that, once, and the number if the customer has one already."""
    counter.shelf.before_fetch = failing(*[RemoteUnavailable("503")] * 20)
    link_to_number(counter.station, "1", "D10001")
    questions = [a_question("1", within=30), a_question("2", within=30)]
    counter.ask(*questions)
    counter.run_due()

    counter.station.clock.advance(29)
    counter.let_deadlines_pass()
    early = counter.answers()
    counter.station.clock.advance(1)
    counter.let_deadlines_pass()
    counter.let_deadlines_pass()

    assert early == []
    assert sorted(answer[2:] for answer in counter.answers()) == [
        ("1", "waiting", "D10001"),
        ("2", "waiting", "timeout"),
    ]
    assert counter.question(questions[0]).reason == "timeout"
    assert counter.run_due() == 0


def test_the_time_is_up_while_nobody_decides(counter: Counter) -> None:
    """MYOB-4: fetched, but no processor is running; what it decides later changes nothing."""
    question = a_question(within=30)
    counter.ask(question)
    counter.run_due()

    counter.station.clock.advance(30)
    counter.let_deadlines_pass()

    assert [answer[3:] for answer in counter.answers()] == [("waiting", "timeout")]
    with counter.station.units.begin() as work:
        late = import_requests.Verdict(question.message_id, "customer", "D1")
        assert import_requests.answer(work, [late]) == []
    assert work.sent == []


def test_the_shop_came_back_after_the_time_was_up(counter: Counter) -> None:
    """MYOB-4: a fetch that ends too late hands nobody on: there is nobody to answer."""
    counter.ask(a_question(within=5))

    def hang() -> None:
        counter.station.clock.advance(6)
        counter.let_deadlines_pass()

    counter.shelf.before_fetch = hang
    counter.run_due()

    assert [answer[3:] for answer in counter.answers()] == [("waiting", "timeout")]
    assert counter.station.subjects() == []


def test_two_importers_fetch_a_customer_once(counter: Counter) -> None:
    """MYOB-4: whoever leased the question fetches; the other finds nothing to do."""
    other = counter.importer()
    found = []
    counter.shelf.before_fetch = lambda: found.append(other.run_next(no_beat))
    counter.ask(a_question())

    counter.run_due()

    assert found == [False]
    assert counter.station.subjects() == ["1"]


def test_an_importer_that_dies_leaves_the_question_to_others(counter: Counter) -> None:
    """MYOB-4: when its lease is over."""
    counter.ask(a_question())
    with counter.station.units.begin() as work:
        assert import_requests.claim(work, CHANNEL, LEASE_SECONDS)

    early = counter.run_due()
    counter.station.clock.advance(LEASE_SECONDS)

    assert (early, counter.run_due()) == (0, 1)


def test_a_customer_who_cannot_be_read_is_told_as_that(counter: Counter) -> None:
    """MYOB-4: held with the fields named, in the asker's correlation."""
    counter.shelf.put(a_record(3, unreadable=True))
    question = a_question("3")

    counter.ask(question)
    counter.run_due()

    [message] = counter.station.messages()
    assert (message.type, message.causation_id) == ("customer.unreadable", question.message_id)
    assert counter.question(question).import_id == message.message_id


def test_during_a_first_run_that_only_links_nobody_is_created(counter: Counter) -> None:
    """MYOB-4, ASK-8: whoever asks, the customer is only linked then."""
    with counter.station.units.begin() as work:
        Cursors(work).ensure([(CHANNEL, "de")])
        Cursors(work).request_now(CHANNEL, "de", sweep=True, link_only=True)

    counter.ask(a_question())
    counter.run_due()

    [message] = counter.station.messages()
    assert message.body.mode == "link_only"


def test_questions_are_forgotten_long_after_their_answer(counter: Counter) -> None:
    """MYOB-4: those that are open never are."""
    answered, open_ = a_question("9"), a_question("2", within=3600)
    counter.ask(answered)
    counter.run_due()
    counter.station.clock.advance(timedelta(days=31).total_seconds())
    counter.ask(open_)

    counter.let_deadlines_pass()

    with counter.station.units.read() as work:
        assert import_requests.get(work, answered.message_id) is None
        assert import_requests.get(work, open_.message_id)


def link_to_number(station: Station, external_id: str, number: str) -> None:
    """Have a customer of the shop known under a number."""
    customer_id, now = UUID(int=1), station.clock.now
    with station.units.begin() as work:
        work.connection.execute(
            sa.insert(customers).values(
                id=customer_id, number=number, state="active", kind="individual", defaults=b"{}",
                created_at=now, updated_at=now,
            )
        )  # fmt: skip
        work.connection.execute(
            sa.insert(links).values(
                channel=CHANNEL, external_id=external_id, customer_id=customer_id,
                status="synchronized", store_view="de", changed_at=now, read_at=now,
                fingerprint="f", snapshot=b"{}", created_at=now, updated_at=now,
            )
        )  # fmt: skip
