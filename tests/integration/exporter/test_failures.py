"""What fails waits, stops or is given up, each by its cause, and holds nobody else up."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from itertools import groupby

import pytest

from shared.connectors.ports import CustomerSink, Finding, Outcome
from shared.domain.messages import CustomerDeleted, CustomerExport
from shared.persistence import pauses
from tests.builders import a_source
from tests.integration.exporter.outpost import (
    FIRST_DELAY_SECONDS,
    PAUSE_SECONDS,
    Outpost,
    about,
    with_body,
)
from tests.integration.importer.shops import first_of
from tests.integration.importer.station import CHANNEL

CUSTOMER = r"customers/\d+$"


def test_a_missing_attribute_pauses_the_channel_until_it_is_there(outpost: Outpost) -> None:
    """The messages wait without using attempts; created and resumed, all of it is written."""
    number = first_of(outpost.shop, 1)
    outpost.arrive(number)
    outpost.shop.control.remove_attribute("erp_customer_number")
    outpost.shop.control.remove_attribute("erp_template")

    paused = outpost.export()
    waiting = outpost.owed().values()
    [pause] = outpost.pauses()
    outpost.shop.control.add_attribute("erp_customer_number")
    outpost.shop.control.add_attribute("erp_template")
    with outpost.station.units.begin() as work:
        lifted = pauses.lift(work, [CHANNEL])
    outpost.station.clock.advance(PAUSE_SECONDS)
    outcomes = outpost.export()

    assert (paused, outcomes) == (["paused", "paused"], ["done", "done"])
    retry_at = outpost.station.clock.now
    assert {(row.attempts, row.last_reason, row.available_at) for row in waiting} == {
        (0, "attribute_missing", retry_at)
    }
    assert (pause.channel, pause.reason) == (CHANNEL, "attribute_missing")
    assert "erp_customer_number" in pause.detail or "erp_template" in pause.detail
    assert lifted == {CHANNEL}
    assert outpost.attributes(number)["erp_template"] == "standard"
    assert (outpost.buried(), outpost.pauses()) == ([], [])


def test_a_success_beside_it_does_not_hide_a_pause(outpost: Outpost) -> None:
    """The number can be written, the template has no field: the operator must be told."""
    number = first_of(outpost.shop, 1)
    outpost.arrive(number)
    outpost.shop.control.remove_attribute("erp_template")

    outcomes = outpost.export()

    assert sorted(outcomes) == ["done", "paused"]
    assert "erp_customer_number" in outpost.attributes(number)
    [pause] = outpost.pauses()
    assert "erp_template" in pause.detail


def test_a_pause_ends_with_the_first_success(outpost: Outpost) -> None:
    """When its moment has come, the channel is tried; nobody has to lift the pause."""
    number = first_of(outpost.shop, 1)
    outpost.arrive(number)
    outpost.shop.control.revoke_rights("integration", "Magento_Customer::manage")
    denied = outpost.export()
    reason = outpost.pauses()[0].reason

    outpost.shop.control.set_rights("integration")
    outpost.station.clock.advance(PAUSE_SECONDS)
    outcomes = outpost.export()

    assert (denied, reason) == (["paused", "paused"], "access_denied")
    assert (outcomes, outpost.pauses()) == (["done", "done"], [])


@pytest.mark.parametrize("method", ["GET", "PUT"])
def test_a_shop_that_asks_to_wait_is_given_the_time(outpost: Outpost, method: str) -> None:
    """429 with Retry-After: the messages are due again then, and not before (fault 36)."""
    number = first_of(outpost.shop, 1)
    outpost.arrive(number)
    outpost.shop.control.fail_next(
        "too_many_requests", path=CUSTOMER, method=method, retry_after="600"
    )
    asked_at = outpost.station.clock.now

    throttled = outpost.export()
    rows = outpost.owed().values()
    outpost.station.clock.advance(589)
    too_early = outpost.due()
    outpost.station.clock.advance(11)

    assert throttled == ["retried", "retried"]
    assert {(row.available_at, row.attempts, row.last_reason) for row in rows} == {
        (asked_at + timedelta(seconds=600), 1, "remote_throttled")
    }
    assert too_early == []
    assert outpost.export() == ["done", "done"]


def test_an_error_of_the_shop_is_tried_again_later_and_later(outpost: Outpost) -> None:
    """500: the waits double, from the first delay on (fault 50)."""
    number = first_of(outpost.shop, 1)
    outpost.arrive(number)
    outpost.shop.control.fail_next("server_error", times=3, path=CUSTOMER)
    waits = []

    for _ in range(3):
        assert outpost.export() == ["retried", "retried"]
        due_at = {row.available_at for row in outpost.owed().values()}
        waits.append([(at - outpost.station.clock.now).total_seconds() for at in due_at])
        outpost.station.clock.now = max(due_at)

    assert waits == [[FIRST_DELAY_SECONDS / 2 * 2**n] for n in range(3)]
    assert outpost.export() == ["done", "done"]


@pytest.mark.parametrize("kind", ["lost", "truncated", "reset"])
def test_an_unclear_answer_is_looked_into_before_writing_again(outpost: Outpost, kind: str) -> None:
    """Whether the write took place is read from the shop; it is never done blindly twice."""
    number = first_of(outpost.shop, 1)
    outpost.arrive(number)
    outpost.shop.control.fail_next(kind, path=CUSTOMER, method="PUT")

    unclear = outpost.export()
    outpost.station.clock.advance(60)
    outcomes = outpost.export()

    assert (unclear, outcomes) == (["retried", "retried"], ["done", "done"])
    writes = [w for w in outpost.shop.control.writes(number) if w.origin != "shopper"]
    assert len(writes) == 1
    assert not writes[0].is_identical


def test_what_the_shop_refuses_is_a_dead_letter_without_personal_data(outpost: Outpost) -> None:
    """400: given up at once, with the shop's reason and none of the customer's data (fault 48)."""
    number = first_of(outpost.shop, 1)
    control = outpost.shop.control
    control.set_quirks(validates_names=False)
    control.edit_profile(number, firstname="Ann+Bob")
    control.set_quirks(validates_names=True)
    outpost.arrive(number)

    outcomes = outpost.export()

    assert outcomes == ["dead", "dead"]
    assert outpost.owed() == {}
    letters = outpost.buried()
    assert {(row.reason, row.attempts, row.worker) for row in letters} == {
        ("remote_rejected", 1, "exporter")
    }
    for row in letters:
        assert (row.channel, row.subject, row.config_version) == (CHANNEL, str(number), "c1")
        assert "status 400" in row.error
        for personal in ("Ann", "Bob", control.customer(number)["email"]):
            assert personal not in row.error
            assert personal.encode() not in row.body
    assert outpost.events(number) == [
        "additional_data.remote_rejected", "customer_number.remote_rejected",
    ]  # fmt: skip


class BuggySink:
    """A sink with a bug that one customer brings out."""

    def __init__(self, sink: CustomerSink, number: int) -> None:
        """Take `sink` for everybody else."""
        self._sink = sink
        self._number = str(number)
        self.customers_at_once = 3

    def write(self, exports: Sequence[CustomerExport]) -> Sequence[Outcome]:
        """Fail on one customer; the others one by one, as Magento takes them."""
        if self._number in {export.external_id for export in exports}:
            raise LookupError("ann@example.com")
        each = groupby(exports, key=lambda export: export.external_id)
        return [done for _, of_one in each for done in self._sink.write(list(of_one))]

    def check(self) -> Sequence[Finding]:
        """Find nothing."""
        return ()


def test_a_bug_hits_one_customer_only(outpost: Outpost) -> None:
    """The others of the batch are written and done; it is bounded for the one."""
    number = first_of(outpost.shop, 1)
    outpost.arrive()
    batch = outpost.due()
    sink = BuggySink(outpost.connector.sink, number)

    results = outpost.results(*batch, sink=sink)

    of_one = {each.message_id for each in about(batch, number)}
    outcomes = {r.message_id: x for r, x in zip(batch, results, strict=True)}
    assert {outcomes[id_].outcome for id_ in of_one} == {"retried"}
    assert {x.outcome for id_, x in outcomes.items() if id_ not in of_one} == {"done"}
    rows = outpost.owed()
    assert set(rows) == of_one
    assert {(row.last_reason, row.attempts) for row in rows.values()} == {("bug", 1)}
    assert all("ann@" not in row.last_error for row in rows.values())
    assert outpost.events(number) == ["additional_data.bug", "customer_number.bug"]


def test_what_is_no_export_of_this_channel_is_not_written(sqlite_outpost: Outpost) -> None:
    """Another channel's export, or another kind of message, is a dead letter at once."""
    outpost, number = sqlite_outpost, first_of(sqlite_outpost.shop, 1)
    outpost.arrive(number)
    elsewhere, stray = outpost.due()
    body = CustomerDeleted(source=a_source())
    strange = replace(stray.envelope, body=body)

    outcomes = outpost.export(
        with_body(elsewhere, channel="outlet"), type(stray)(strange, stray.delivery)
    )

    assert outcomes == ["dead", "dead"]
    assert {row.reason for row in outpost.buried()} == {"unknown_type"}
    assert (outpost.puts(), outpost.events(number)) == (0, [])


def test_exports_are_told_apart_by_the_customer_they_name(sqlite_outpost: Outpost) -> None:
    """Whatever the subject says, the write goes to the customer in the body."""
    outpost = sqlite_outpost
    outpost.arrive()
    first, *_, last = outpost.due()
    disguised = replace(first.envelope, subject=last.envelope.subject)

    outcomes = outpost.export(type(first)(disguised, first.delivery), last)

    assert outcomes == ["done", "done"]
    assert outpost.puts() == 2
