"""Whoever asked for a customer is answered in the transaction that decides about him."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from services.processor.plan import Plan
from shared.domain.customer import Customer, Phone
from shared.domain.messages import CustomerImported, Envelope, ImportAnswered
from shared.domain.policy import ProcessingMethod
from shared.persistence import import_requests
from shared.persistence.import_requests import ImportRequest
from shared.persistence.tables import messages
from tests.builders import NOON, a_customer, a_policy, a_source, an_address
from tests.integration.processor.desk import Desk, a_message, two_shops, unreadable


def fetched(customer: Customer) -> Envelope[Any]:
    """Return the message of a customer who was fetched because somebody asked."""
    return a_message(CustomerImported(customer=customer, origin="request"), customer.source)


@dataclass
class Hall:
    """A desk, and those who wait for its answers."""

    desk: Desk

    def question(self, message: Envelope[Any], **changes: Any) -> UUID:
        """Have somebody wait for what becomes of `message`; return the question's id."""
        with self.desk.units.begin() as work:
            given: dict[str, Any] = {
                "id": uuid4(),
                "correlation_id": message.correlation_id,
                "channel": message.channel,
                "external_id": message.subject,
                "reply_to": "answers",
                "reply_id": "order 4711",
                "requested_at": work.now,
                "answer_by": work.now + timedelta(minutes=1),
                "due_at": work.now,
                "state": "fetched",
                "import_id": message.message_id,
            }
            request = ImportRequest(**(given | changes))
            import_requests.add(work, [request])
        return request.id

    def ask_and_take(self, *batch: Envelope[Any], **changes: Any) -> Plan:
        """Have somebody wait for the last message of a batch, and process the batch."""
        self.question(batch[-1])
        return self.desk.take(*batch, **changes)

    def answers(self) -> list[tuple[str, str | None]]:
        """Return the answers that are on their way: what, and the number or the reason."""
        bodies = [ImportAnswered.model_validate_json(row.body) for row in self._replies()]
        return [(body.answer, body.customer_number or body.reason) for body in bodies]

    def reply_ids(self) -> list[str]:
        """Return what the askers call the questions that are answered, sorted."""
        return sorted(row.reply_id for row in self._replies())

    def _replies(self) -> Sequence[Any]:
        rows = self.desk.rows(messages, messages.c.id)
        return [row for row in rows if row.type == "import.answered"]


@pytest.fixture
def hall(desk: Desk) -> Hall:
    """Give a hall on each dialect in turn."""
    return Hall(desk)


def test_a_new_customer_is_answered_with_his_number(hall: Hall) -> None:
    """MYOB-4: created, linked, and the asker told, in one transaction."""
    hall.ask_and_take(fetched(a_customer()))

    assert hall.answers() == [("customer", "D10001")]
    assert hall.reply_ids() == ["order 4711"]


def test_a_known_customer_is_answered_with_his_number(hall: Hall) -> None:
    """MYOB-4: unchanged, changed, or older than what is known: the number is the answer."""
    hall.desk.take(a_customer(minutes=5))

    for customer in (
        a_customer(minutes=5),
        a_customer(minutes=6, language="fr"),
        a_customer(minutes=1),
    ):
        hall.ask_and_take(fetched(customer))

    assert hall.answers() == [("customer", "D10001")] * 3


def test_a_customer_matched_by_e_mail_is_answered_with_the_number(hall: Hall) -> None:
    """MYOB-4: two accounts of one person; the order belongs to the customer of both."""
    hall.desk.take(a_customer("1"))

    source = a_source("2", channel="outlet")
    hall.ask_and_take(fetched(a_customer("2", email="ann1@example.com", source=source)))

    assert hall.answers() == [("customer", "D10001")]


@pytest.mark.parametrize(
    ("customer", "method", "reason"),
    [
        (a_customer(addresses=()), ProcessingMethod.CREATE_AND_UPDATE, "held.no_billing_address"),
        (a_customer(), ProcessingMethod.NONE, "staged.method_none"),
        (a_customer(), ProcessingMethod.UPDATE, "staged.method_update"),
    ],
)
def test_a_customer_who_waits_is_answered_with_the_reason(
    hall: Hall, customer: Customer, method: ProcessingMethod, reason: str
) -> None:
    """MYOB-4: imported, but there is no number until somebody has acted."""
    hall.ask_and_take(fetched(customer), policy=two_shops(method))

    assert hall.answers() == [("waiting", reason)]


def test_an_ambiguous_customer_is_answered_as_such(hall: Hall) -> None:
    """MYOB-4: an operator has to say who it is."""
    phone = Phone(raw="030", e164="+4930123456")
    hall.desk.take(a_customer("1", phone=phone))

    hall.ask_and_take(fetched(a_customer("2", phone=phone)))

    assert hall.answers() == [("waiting", "ambiguous.ambiguous")]


def test_a_customer_who_cannot_be_read_is_answered_as_held(hall: Hall) -> None:
    """MYOB-4: the fields at fault are on the record."""
    hall.ask_and_take(unreadable(a_source("5")))

    assert hall.answers() == [("waiting", "held.unreadable")]


def test_a_customer_from_before_the_start_date_is_refused(hall: Hall) -> None:
    """MYOB-4: left out by the configuration; asking again does not help."""
    hall.ask_and_take(fetched(a_customer()), policy=a_policy(start_date=NOON))

    assert hall.answers() == [("refused", "before_start_date")]


def test_the_change_of_a_known_customer_may_wait(hall: Hall) -> None:
    """MYOB-4: there is a number to order under, though the change is held."""
    hall.desk.take(a_customer())

    billing = an_address(is_default_billing=False)
    hall.ask_and_take(
        fetched(a_customer(minutes=5, addresses=(billing,))),
        policy=two_shops(ProcessingMethod.NONE),
    )

    assert hall.answers() == [("customer", "D10001")]


def test_everybody_who_asked_is_answered(hall: Hall) -> None:
    """MYOB-4: two questions, two answers, one customer; the answer is that of the batch's end."""
    first, second = fetched(a_customer(addresses=())), fetched(a_customer(minutes=1))
    for message, reply_id in ((first, "a"), (second, "b"), (second, "c")):
        hall.question(message, reply_id=reply_id)

    hall.desk.take(first, second)

    assert hall.answers() == [("customer", "D10001")] * 3
    assert hall.reply_ids() == ["a", "b", "c"]
    assert len(hall.desk.customers()) == 1


def test_nobody_is_answered_by_somebody_elses_news(hall: Hall) -> None:
    """MYOB-4: a poll that brings the customer first is not what the asker waits for."""
    question = fetched(a_customer(minutes=1))
    hall.question(question)

    hall.desk.take(a_customer(addresses=()))
    before = hall.answers()
    hall.desk.take(question)

    assert (before, hall.answers()) == ([], [("customer", "D10001")])


def test_a_question_is_answered_once(hall: Hall) -> None:
    """MYOB-4: whose time was up before has been told so; a late decision adds nothing."""
    question = fetched(a_customer())
    id_ = hall.question(question)
    with hall.desk.units.begin() as work:
        import_requests.answer(work, [import_requests.Verdict(id_, "waiting", reason="timeout")])

    hall.desk.take(question)

    assert hall.answers() == [("waiting", "timeout")]
    assert len(hall.desk.customers()) == 1


def test_an_answer_stands_with_the_question(hall: Hall) -> None:
    """MYOB-4: for the command line, which names no queue."""
    question = fetched(a_customer())
    id_ = hall.question(question, reply_to=None, reply_id=None)

    hall.desk.take(question)

    with hall.desk.units.read() as work:
        asked = import_requests.get(work, id_)
    assert asked
    assert (asked.state, asked.answer, asked.customer_number) == ("answered", "customer", "D10001")
    assert hall.answers() == []
