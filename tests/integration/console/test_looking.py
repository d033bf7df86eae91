"""Staging, decisions, timelines and cursors of a database that the processor has filled."""

from dataclasses import replace
from typing import Any
from uuid import UUID

import pytest

from services.processor.worker import process_batch
from shared.domain.customer import FieldWarning
from shared.domain.messages import CustomerUnreadable, Envelope
from shared.persistence.cursors import Cursors
from tests.builders import NOON, a_customer, a_policy, a_source, an_address, imported
from tests.integration.console.conftest import Desk

NOBODY = UUID(int=404)


def test_what_waits_is_listed_and_what_arrived_is_the_archive(desk: Desk) -> None:
    """Without --state the list shows what still needs somebody."""
    desk.process(a_customer("1"), a_customer("2", addresses=()))

    waiting = desk.patron("staging", "list", "-o", "json").json
    archive = desk.patron("staging", "list", "--state", "processed", "-o", "json").json
    everything = desk.patron("staging", "list", "--state", "all", "-o", "json").json

    assert [(x["external_id"], x["reason"]) for x in waiting] == [("2", "no_billing_address")]
    assert [(x["external_id"], x["is_existing"]) for x in archive] == [("1", False)]
    assert archive[0]["customer_number"] == "D10001"
    assert len(everything) == 2


def test_filters_narrow_and_the_limit_is_told(desk: Desk) -> None:
    """By reason, channel and store view; a list that is cut says so."""
    desk.process(*(a_customer(str(n), addresses=()) for n in range(1, 6)))

    by_reason = desk.patron("staging", "list", "--reason", "no_billing_address", "-o", "json").json
    by_view = desk.patron("staging", "list", "--channel", "shop", "--store-view", "fr")
    cut = desk.patron("staging", "list", "--limit", "2")

    assert len(by_reason) == 5
    assert (by_view.code, by_view.out) == (0, "there is no such record\n")
    assert "2 of 5; --limit shows more" in cut.out


@pytest.mark.parametrize(
    ("words", "what"),
    [
        (["--channel", "shpo"], "there is no channel 'shpo'; configured are shop"),
        (["--store-view", "ed"], "there is no store view 'ed'; configured are de, fr"),
    ],
)
def test_a_filter_that_can_find_nothing_is_refused(
    sqlite_desk: Desk, words: list[str], what: str
) -> None:
    """A typing error must not look like an empty list."""
    answer = sqlite_desk.patron("staging", "list", *words)

    assert answer.code == 2
    assert answer.err == f"error: {what}\n"


def test_a_record_shows_the_customer_and_the_decision(desk: Desk) -> None:
    """Both default addresses, and why it waits."""
    customer = a_customer("7", addresses=(an_address(is_default_billing=False),))
    desk.process(customer)
    (line,) = desk.patron("staging", "list", "-o", "json").json

    shown = desk.patron("staging", "show", line["id"])
    tree = desk.patron("staging", "show", line["id"], "-o", "json").json

    assert shown.code == 0
    assert "default shipping  Ann Lang, Lindenweg 4, 10115 Berlin, DE" in shown.out
    assert "Held: there is no default billing address." in shown.out
    assert tree["customer"]["email"] == "ann7@example.com"
    assert tree["decision"]["config_version"] == "test"


def test_a_record_that_could_not_be_read_shows_the_fields_at_fault(sqlite_desk: Desk) -> None:
    """There is no customer to show, but the fields are named."""
    body = CustomerUnreadable(
        source=a_source("5"), problems=(FieldWarning(field="email", problem="too long"),)
    )
    message: Envelope[Any] = imported(a_customer("5"))
    message = replace(message, body=body, raw=body.to_json())
    with sqlite_desk.units.begin() as work:
        process_batch([message], work, a_policy())
    (line,) = sqlite_desk.patron("staging", "list", "-o", "json").json

    shown = sqlite_desk.patron("staging", "show", line["id"])

    assert shown.code == 0
    assert "Held: the record holds something that a customer cannot have." in shown.out
    assert "email: too long" in shown.out


def test_a_match_is_explained_by_rule_evidence_and_customer(desk: Desk) -> None:
    """The twin of another website: its e-mail address in other letters found the customer."""
    desk.process(a_customer("1", email="ann@example.com"))
    desk.process(a_customer("2", email="Ann@Example.com"))

    explained = desk.patron("customer", "explain", "shop/2")
    tree = desk.patron("customer", "explain", "shop/2", "--output", "json").json

    assert explained.code == 0
    assert "Matched with customer D10001 by e-mail address and linked." in explained.out
    assert "found this customer" in explained.out
    assert tree["decision"]["trials"][1] == {
        "rule": "e-mail address",
        "evidence": "ann@example.com",
        "outcome": "found this customer",
        "candidates": ["D10001"],
    }


def test_the_last_decision_is_the_one_explained(desk: Desk) -> None:
    """A customer that was created and then changed is explained by the change."""
    desk.process(a_customer("1"))
    desk.process(a_customer("1", minutes=5, last_name="Lang-Meier"))

    explained = desk.patron("customer", "explain", "shop/1")

    assert "Updated customer D10001, to whom it is linked." in explained.out
    assert "fields changed  last_name" in explained.out


def test_the_timeline_tells_everything_in_order(desk: Desk) -> None:
    """What was read and decided line by line, with the facts, and who it is above."""
    desk.process(a_customer("1"))
    desk.process(a_customer("1", minutes=5, last_name="Lang-Meier"))

    shown = desk.patron("customer", "history", "shop/1")
    tree = desk.patron("customer", "history", "D10001", "-o", "json").json

    assert "customer D10001: shop/1\n" in shown.out
    assert "fields: last_name" in shown.out
    decided = [line for line in tree["lines"] if line["worker"] == "processor"]
    assert [line["event"] for line in decided] == ["customer.created", "customer.updated"]
    assert decided[1]["detail"] == {"fields": ["last_name"]}


@pytest.mark.parametrize(
    ("words", "what"),
    [
        (["customer", "explain", "shop/404"], "nothing is known of a customer 404 in shop"),
        (["customer", "history", "shop/404"], "nothing is known of a customer 404 in shop"),
        (["staging", "show", NOBODY], f"there is no staging record {NOBODY}"),
        (["dead-letters", "show", NOBODY], f"there is no dead letter {NOBODY}"),
    ],
)
def test_what_is_not_there_is_1_and_a_sentence(
    sqlite_desk: Desk, words: list[object], what: str
) -> None:
    """Nothing on standard output."""
    answer = sqlite_desk.patron(*words)

    assert (answer.code, answer.out) == (1, "")
    assert answer.err.startswith(f"error: {what}\n")


def test_a_customer_that_was_ignored_says_why(sqlite_desk: Desk) -> None:
    """Nothing was staged, but something happened."""
    policy = a_policy(start_date=NOON)
    with sqlite_desk.units.begin() as work:
        process_batch([imported(a_customer("1"))], work, policy)

    answer = sqlite_desk.patron("customer", "explain", "shop/1")

    assert answer.code == 1
    assert "customer.ignored reason: before_start_date" in answer.err


def test_cursors_show_watermark_failures_and_lease(desk: Desk) -> None:
    """How far, when next, who is at it, what went wrong."""
    with desk.units.begin() as work:
        cursors = Cursors(work)
        cursors.ensure([("shop", "de"), ("shop", "fr")])
        lease = cursors.acquire("importer@host:1", 60, among=[("shop", "de")])
        assert lease
        cursors.save_watermark(lease, NOON, "7", seconds=60)

    shown = desk.patron("cursor", "list")
    rows = desk.patron("cursor", "list", "-o", "json").json

    assert "importer@host:1" in shown.out
    assert "2026-11-01 12:00:00Z" in shown.out
    assert [(row["store_view"], row["watermark_key"]) for row in rows] == [("de", "7"), ("fr", "")]
