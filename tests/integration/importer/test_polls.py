"""Polling a shop: everything once, then what changed, and the cursor over rows that were seen."""

from datetime import UTC, datetime

import pytest

from services.sandbox.magento import SandboxMagento
from shared.connectors.ports import Connector
from shared.domain.customer import Customer
from shared.domain.messages import CustomerImported
from tests.integration.importer.shops import first_of, of_store
from tests.integration.importer.station import POLL_SECONDS, Station, no_beat
from tests.integration.persistence.builders import SettableClock

SEARCH = "customers/search"


def test_the_first_poll_brings_everybody_and_the_second_nobody(
    station: Station, shop: SandboxMagento, connector: Connector
) -> None:
    """Every customer of the view is one message; nothing is sent for what is known."""
    schedule = station.schedule(connector.reading)

    station.run_due(schedule)
    first = station.new_subjects()
    station.poll_again(schedule)

    assert set(first) == of_store(shop, 1)
    assert len(first) == len(set(first)) == len(station.seen())
    assert station.new_subjects() == []
    assert sorted(station.subjects()) == sorted(first)


def test_messages_tell_what_was_read_and_start_a_correlation(
    station: Station, shop: SandboxMagento, connector: Connector
) -> None:
    """The canonical customer with its source and version, under a correlation of its own."""
    number = first_of(shop, 1)

    station.run_due(station.schedule(connector.reading))

    [message] = [m for m in station.messages() if m.subject == str(number)]
    assert (message.type, message.channel) == ("customer.imported", "shop")
    assert message.correlation_id == message.message_id
    body = message.body
    assert isinstance(body, CustomerImported)
    customer: Customer = body.customer
    stored = shop.control.customer(number)
    assert (body.origin, customer.source.store_view) == ("poll", "de")
    assert customer.email == stored["email"]
    assert customer.source.version.read_at == station.clock.now
    assert customer.source.version.changed_at == datetime.fromisoformat(
        stored["updated_at"]
    ).replace(tzinfo=UTC)
    [seen] = [row for row in station.seen() if row.external_id == str(number)]
    assert seen.fingerprint == customer.source.version.fingerprint


def test_only_new_and_changed_customers_are_sent(
    station: Station, shop: SandboxMagento, connector: Connector
) -> None:
    """A change and a registration; not a failed login, which moves the change time alone."""
    schedule = station.schedule(connector.reading)
    station.run_due(schedule)
    station.new_subjects()
    changed, touched, *_ = sorted(int(number) for number in of_store(shop, 1))

    shop.control.edit_profile(changed, firstname="Anna")
    shop.control.fail_login(touched)
    person = {"email": "new@example.com", "firstname": "New", "lastname": "Comer"}
    added = shop.control.register(person, store_id=1)
    station.poll_again(schedule)

    assert sorted(station.new_subjects()) == sorted([str(changed), str(added["id"])])
    counts = station.registry.get_sample_value
    labels = {"channel": "shop", "outcome": "unchanged"}
    # The login, and the last record of the first poll, which lies in the overlap.
    assert counts("patron_import_records_total", labels) == 2


def test_a_view_is_not_asked_before_it_is_due(
    station: Station, shop: SandboxMagento, connector: Connector, clock: SettableClock
) -> None:
    """Between two polls the shop has peace."""
    schedule = station.schedule(connector.reading)
    station.run_due(schedule)
    requests = shop.control.requests("GET", SEARCH)

    clock.advance(POLL_SECONDS - 1)
    was_due = schedule.run_next(no_beat)
    clock.advance(1)

    assert (was_due, schedule.run_next(no_beat)) == (False, True)
    assert shop.control.requests("GET", SEARCH) > requests


def test_nothing_is_read_while_it_could_not_be_handed_on(
    station: Station, shop: SandboxMagento, connector: Connector
) -> None:
    """Without a broker connection the shop is not asked (fault 15)."""
    schedule = station.schedule(connector.reading, may_read=lambda: False)

    assert not schedule.run_next(no_beat)
    assert shop.control.requests() == 0


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        ("truncated", "unreadable_answer"),
        ("html", "unreadable_answer"),
        ("repeated_page", "unreadable_answer"),
        ("server_error", "remote_unavailable"),
        ("unavailable", "remote_unavailable"),
        ("reset", "remote_unavailable"),
        ("too_many_requests", "remote_throttled"),
    ],
)
def test_a_page_that_cannot_be_trusted_leaves_the_cursor(
    station: Station, shop: SandboxMagento, connector: Connector, fault: str, reason: str
) -> None:
    """NEW-14: the cursor stands where the last good page ended, and all arrives in the end."""
    schedule = station.schedule(connector.reading)
    shop.control.fail_next(fault, path=SEARCH, skip=1)

    station.run_due(schedule)
    stopped, arrived = station.cursor(), station.new_subjects()
    station.clock.advance(1000)
    station.run_due(schedule)

    assert 0 < len(arrived) < len(of_store(shop, 1))
    assert stopped.watermark_key.endswith(arrived[-1])
    assert (stopped.failures, stopped.lease_owner) == (1, None)
    assert str(stopped.last_error).startswith(f"{reason}: ")
    assert station.cursor().failures == 0
    assert station.cursor().last_error is None
    both = [*arrived, *station.new_subjects()]
    assert sorted(both) == sorted(of_store(shop, 1))
