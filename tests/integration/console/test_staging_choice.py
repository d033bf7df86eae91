"""`patron staging link` and `discard`: an operator says who a customer is, or that it may go."""

from uuid import UUID

import orjson
import pytest
import sqlalchemy as sa

from shared.persistence.tables import audit_log, customers, history, links, staging_customers
from tests.builders import a_customer
from tests.integration.console.conftest import Desk
from tests.integration.console.waiting import ambiguous

NOBODY = UUID(int=404)


def test_the_operators_choice_becomes_the_link(desk: Desk) -> None:
    """NEW-3: by the number of the candidate; it says whom, and writes down who decided that."""
    record = ambiguous(desk)

    with desk.processor_running():
        answer = desk.patron("staging", "link", record, "--candidate", 2)

    assert (answer.code, answer.err) == (0, "")
    assert "shop/3 is customer D10002, Anna Lang, Lang GmbH, ann@example.com" in answer.out
    link = next(row for row in desk.rows(links) if row.external_id == "3")
    (second,) = (row for row in desk.rows(customers) if row.number == "D10002")
    assert link.customer_id == second.id
    (audited,) = desk.rows(audit_log)
    chosen = {"choice": "customer", "customer_id": str(second.id)}
    assert (audited.subject, orjson.loads(audited.detail)) == (record, chosen)
    asked = next(row for row in desk.rows(history) if row.event == "staging.process_asked")
    assert (asked.worker, asked.customer_id) == ("console", second.id)


def test_what_was_chosen_is_not_asked_again(desk: Desk) -> None:
    """NEW-3: the next change of the customer goes to whom the operator chose."""
    record = ambiguous(desk)
    with desk.processor_running():
        desk.patron("staging", "link", record, "--customer", "D10001")

    desk.process(a_customer("3", email="ann@example.com", minutes=9, language="fr"))

    (first,) = (row for row in desk.rows(customers) if row.number == "D10001")
    assert first.language == "fr"
    assert {row.state for row in desk.rows(staging_customers)} == {"processed"}


def test_an_operator_knows_more_than_the_rules(desk: Desk) -> None:
    """Another customer than the candidates may be chosen; it is said that it is none of them."""
    desk.process(a_customer("9"))
    record = ambiguous(desk)

    with desk.processor_running():
        answer = desk.patron("staging", "link", record, "--customer", "D10001")

    assert answer.code == 0
    assert "(not among those that the matching rules found)" in answer.out
    assert {row.external_id: row.customer_id for row in desk.rows(links)}["3"] == next(
        row.id for row in desk.rows(customers) if row.number == "D10001"
    )


def test_linking_twice_is_harmless(sqlite_desk: Desk) -> None:
    """The same again is done already; another customer is refused, as the record is closed."""
    record = ambiguous(sqlite_desk)
    with sqlite_desk.processor_running():
        sqlite_desk.patron("staging", "link", record, "--candidate", 1)

    again = sqlite_desk.patron("staging", "link", record, "--candidate", 1)
    other = sqlite_desk.patron("staging", "link", record, "--customer", "D10002")

    assert (again.code, again.out) == (0, "shop/3 is customer D10001 already\n")
    assert other.code == 1
    assert "does not wait any more: it was processed as customer D10001" in other.err


@pytest.mark.parametrize(
    ("words", "code", "what"),
    [
        (["--customer", "D9"], 1, "there is no customer 'D9'"),
        (["--candidate", "3"], 1, "there is no candidate 3; it has 2 candidates"),
        ([], 2, "say either --customer NUMBER or --candidate N"),
        (["--customer", "D10001", "--candidate", "1"], 2, "say either --customer"),
    ],
)
def test_a_choice_that_cannot_be_is_refused(
    sqlite_desk: Desk, words: list[str], code: int, what: str
) -> None:
    """Nothing is asked for, nothing is audited."""
    record = ambiguous(sqlite_desk)

    answer = sqlite_desk.patron("staging", "link", record, *words)

    assert answer.code == code
    assert what in answer.err
    assert sqlite_desk.rows(audit_log) == []


def test_a_discarded_customer_waits_no_more_until_it_changes(desk: Desk) -> None:
    """NEW-13: closed with reason, history and audit; a later change stages it anew."""
    record = ambiguous(desk)

    answer = desk.patron("staging", "discard", record, "--reason", "a test account")
    again = desk.patron("staging", "discard", record)
    desk.process(a_customer("3", email="ann@example.com", minutes=9))

    assert (answer.code, again.code) == (0, 0)
    assert answer.out == "shop/3 discarded; was ambiguous, reason ambiguous\n"
    assert again.out == "shop/3 was discarded before; nothing was done\n"
    states = [(row.state, row.reason) for row in desk.rows(staging_customers)][2:]
    assert states == [("discarded", "operator"), ("ambiguous", "ambiguous")]
    (audited,) = desk.rows(audit_log)
    assert (audited.action, audited.reason) == ("staging.discarded", "a test account")
    assert "staging.discarded" in [row.event for row in desk.rows(history)]


def test_what_was_discarded_is_not_decided_any_more(desk: Desk) -> None:
    """C365-11: asked for before it was discarded, it is left as it is."""
    record = ambiguous(desk)
    desk.patron("staging", "process", record, "--as-new", "--no-wait")
    desk.patron("staging", "discard", record)

    with desk.processor_running():
        answer = desk.patron("staging", "process", record, "--as-new")

    assert answer.code == 0
    assert "was discarded before; nothing was done" in answer.out
    assert len(desk.rows(customers)) == 2


def test_discarding_what_is_not_there_says_so(sqlite_desk: Desk) -> None:
    """1 alone, 3 beside others."""
    record = ambiguous(sqlite_desk)

    nobody = sqlite_desk.patron("staging", "discard", NOBODY)
    both = sqlite_desk.patron("staging", "discard", NOBODY, record, "-o", "json")

    assert (nobody.code, both.code) == (1, 3)
    assert [row["is_discarded"] for row in both.json] == [True, False]


def test_a_record_that_could_not_be_read_cannot_be_linked(sqlite_desk: Desk) -> None:
    """There is nobody to link; it says where to look."""
    record = ambiguous(sqlite_desk)
    with sqlite_desk.units.begin() as work:
        change = sa.update(staging_customers).where(staging_customers.c.state == "ambiguous")
        work.connection.execute(change.values(state="held", reason="unreadable"))

    answer = sqlite_desk.patron("staging", "link", record, "--customer", "D10001")

    assert answer.code == 1
    assert "could not be read" in answer.err
