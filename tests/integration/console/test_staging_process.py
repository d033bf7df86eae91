"""`patron staging process`: staged customers are decided when an operator says so."""

from uuid import UUID

import pytest
import sqlalchemy as sa

from shared.domain.policy import ProcessingMethod
from shared.persistence.tables import (
    audit_log,
    customers,
    history,
    links,
    messages,
    staging_customers,
)
from tests.builders import a_customer, a_policy
from tests.integration.console.conftest import Desk
from tests.integration.console.waiting import ambiguous

NOBODY = UUID(int=404)
BY_HAND = a_policy(ProcessingMethod.NONE)


@pytest.fixture(autouse=True)
def _leaves_all_to_operators(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have the store view process nobody by itself."""
    monkeypatch.setenv("PATRON_CHANNELS__SHOP__STORE_VIEWS__0__PROCESSING_METHOD", "none")


def stage(desk: Desk, *external_ids: str) -> list[str]:
    """Leave ordinary customers staged; return the ids of their records."""
    desk.process(*(a_customer(each) for each in external_ids), policy=BY_HAND)
    return [str(row.id) for row in desk.rows(staging_customers) if row.state == "staged"]


def test_a_staged_customer_is_processed_when_an_operator_says_so(desk: Desk) -> None:
    """C365-11, C365-9, C365-12: the number is told, and what was done is archived and audited."""
    (record,) = stage(desk, "1")

    with desk.processor_running():
        answer = desk.patron("staging", "process", record)

    assert (answer.code, answer.err) == (0, "")
    assert "shop/1" in answer.out
    (row,), (customer,) = desk.rows(staging_customers), desk.rows(customers)
    assert (row.state, row.customer_number, row.is_existing) == (
        "processed",
        customer.number,
        False,
    )
    assert customer.number in answer.out
    (audited,) = desk.rows(audit_log)
    assert (audited.action, audited.subject) == ("staging.process_asked", record)
    assert [line.event for line in desk.rows(history)] == [
        "customer.staged", "staging.process_asked", "customer.created",
    ]  # fmt: skip
    assert len({line.correlation_id for line in desk.rows(history)}) == 1


def test_processing_twice_makes_one_customer(desk: Desk) -> None:
    """C365-11: asked for again while it waits and after it arrived; neither does harm."""
    (record,) = stage(desk, "1")
    early = [desk.patron("staging", "process", record, "--no-wait") for _ in range(2)]

    with desk.processor_running():
        first = desk.patron("staging", "process", record)
        again = desk.patron("staging", "process", record)

    assert [answer.code for answer in (*early, first, again)] == [0, 0, 0, 0]
    assert "was processed before; nothing was done" in again.out
    assert len(desk.rows(customers)) == 1
    assert len(desk.rows(messages)) == 1  # the number that is written back


def test_a_selection_is_processed_as_a_whole(desk: Desk) -> None:
    """C365-11: by filter; what cannot be done is told apart from what is, with exit code 3."""
    stage(desk, "1", "2", "3")
    desk.process(a_customer("4", addresses=()))

    dry = desk.patron("staging", "process", "--channel", "shop", "--dry-run")
    with desk.processor_running():
        answer = desk.patron("staging", "process", "--all", "--yes")
        rest = desk.patron("staging", "process", "--all", "-o", "json")

    assert "4 would be processed; nothing was done" in dry.out
    assert answer.code == 3
    assert "3 processed, 1 still wait" in answer.out
    assert "Held: there is no default billing address." in answer.out
    assert (rest.code, [(x["external_id"], x["result"]) for x in rest.json]) == (
        1, [("4", "waits")],
    )  # fmt: skip
    assert len(desk.rows(customers)) == 3


def test_filters_narrow_what_is_processed(desk: Desk) -> None:
    """By state, reason, age and whether the customer was known."""
    stage(desk, "1")
    desk.process(a_customer("2", addresses=()))

    def meant(*words: str) -> int:
        return len(desk.patron("staging", "process", *words, "--dry-run", "-o", "json").json)

    assert meant("--state", "staged") == 1
    assert meant("--reason", "no_billing_address", "--reason", "method_none") == 2
    assert meant("--older-than", "1h") == 0
    assert meant("--newer-than", "1h", "--new") == 2
    assert meant("--existing") == 0


def test_nobody_took_it_is_75_and_it_stays_asked_for(desk: Desk) -> None:
    """Without a processor the message waits; one that comes later takes it."""
    (record,) = stage(desk, "1")

    answer = desk.patron("staging", "process", record, "--timeout", "0")
    with desk.processor_running():
        later = desk.patron("staging", "process", record)

    assert answer.code == 75
    assert "no processor has taken them yet" in answer.out
    assert later.code == 0


def test_an_ambiguous_customer_stays_one(desk: Desk) -> None:
    """XPR-11: the rules are the same for an operator; two candidates are two candidates."""
    record = ambiguous(desk)

    with desk.processor_running():
        answer = desk.patron("staging", "process", record)

    assert answer.code == 1
    assert "more than one customer may be meant" in answer.out
    assert "patron staging explain ID" in answer.out
    assert len(desk.rows(customers)) == 2


def test_as_new_creates_although_there_are_candidates(desk: Desk) -> None:
    """NEW-3: an operator knows that it is none of them."""
    record = ambiguous(desk)

    with desk.processor_running():
        answer = desk.patron("staging", "process", record, "--as-new", "-o", "json")

    assert answer.code == 0
    assert answer.json[0]["result"] == "processed"
    assert len(desk.rows(customers)) == 3


def test_trying_to_link_creates_nobody(desk: Desk) -> None:
    """XPR-10: of a selection those are linked whom the rules find; the others still wait."""
    desk.process(a_customer("1", email="ann@example.com"))
    desk.process(
        a_customer("2", email="Ann@Example.com"), a_customer("3", phone=None), policy=BY_HAND
    )

    with desk.processor_running():
        answer = desk.patron("staging", "process", "--all", "--link-only", "--yes")

    assert answer.code == 3
    assert "1 processed, 1 still wait" in answer.out
    assert [row.external_id for row in desk.rows(links)] == ["1", "2"]
    assert len(desk.rows(customers)) == 1
    waiting = desk.patron("staging", "list", "--reason", "link_only", "-o", "json").json
    assert [line["external_id"] for line in waiting] == ["3"]


def test_a_large_selection_is_asked_for_in_slices(desk: Desk) -> None:
    """C365-11: 1,200 records, each once, with a line in the audit log each."""
    stage(desk, "0")
    (one,) = desk.rows(staging_customers)
    same = dict(one._mapping)
    copies = [same | {"id": UUID(int=n), "external_id": str(n)} for n in range(1, 1200)]
    with desk.units.begin() as work:
        work.bulk.insert(staging_customers, copies)

    answer = desk.patron("staging", "process", "--all", "--no-wait", "-o", "json")

    assert answer.code == 0
    assert {each["result"] for each in answer.json} == {"asked"}
    assert len(desk.rows(messages)) == len(desk.rows(audit_log)) == 1200
    assert len({row.subject for row in desk.rows(messages)}) == 1200


def test_what_cannot_be_read_is_not_asked_for(sqlite_desk: Desk) -> None:
    """There is no customer to decide about; it says what to do."""
    stage(sqlite_desk, "1")
    with sqlite_desk.units.begin() as work:
        change = sa.update(staging_customers).values(state="held", reason="unreadable")
        work.connection.execute(change)

    answer = sqlite_desk.patron("staging", "process", "--all")

    assert answer.code == 1
    assert "Held: the record holds something that a customer cannot have." in answer.out
    assert sqlite_desk.rows(messages) == []


def test_records_that_do_not_exist_are_named(sqlite_desk: Desk) -> None:
    """1 if there is none of them, 3 if there are others."""
    (record,) = stage(sqlite_desk, "1")

    nobody = sqlite_desk.patron("staging", "process", NOBODY)
    both = sqlite_desk.patron("staging", "process", record, NOBODY, "--no-wait")

    assert (nobody.code, both.code) == (1, 3)
    assert "there is no such record" in nobody.out


@pytest.mark.parametrize(
    ("words", "what"),
    [
        ([], "which records?"),
        ([NOBODY, "--all"], "name records by id or by filters, not by both"),
        (["--all", "--as-new", "--link-only"], "--as-new and --link-only exclude each other"),
        (["--channel", "shpo"], "there is no channel 'shpo'; configured are shop"),
    ],
)
def test_what_cannot_be_meant_is_refused(sqlite_desk: Desk, words: list[object], what: str) -> None:
    """Nothing is asked for."""
    answer = sqlite_desk.patron("staging", "process", *words)

    assert answer.code == 2
    assert what in answer.err
    assert sqlite_desk.rows(messages) == []


def test_an_age_that_is_none_is_a_usage_error(sqlite_desk: Desk) -> None:
    """With the ways to write one."""
    answer = sqlite_desk.patron("staging", "process", "--older-than", "soon")

    assert answer.code == 2
    assert "write it like 90s, 30m, 2h, 3d or 1w" in answer.err
