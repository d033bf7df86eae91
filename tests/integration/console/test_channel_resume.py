"""Going on with a paused channel, from the command line."""

from datetime import timedelta

import sqlalchemy as sa

from shared.domain.messages import ImportRequested, parcel
from shared.persistence import pauses
from shared.persistence.store import Retry
from shared.persistence.tables import audit_log
from tests.integration.console.conftest import Desk


def test_a_paused_channel_goes_on_at_once(desk: Desk) -> None:
    """What waited for its shop is due, what waits for another reason is not, and it is audited."""
    with desk.units.begin() as work:
        later = work.now + timedelta(hours=1)
        body = ImportRequested(channel="shop")
        held, other = (
            parcel(body, channel="shop", subject=each, at=work.now) for each in ("1", "2")
        )
        work.store.add([held, other])
        work.store.retry(
            [
                Retry(held.message_id, later, "attribute_missing"),
                Retry(other.message_id, later, "bug"),
            ]
        )
        pauses.pause(work, "shop", reason="attribute_missing", detail="x", retry_at=later)

    answer = desk.patron("channel", "resume", "shop")

    assert (answer.code, answer.out) == (0, "shop goes on; 1 messages are due now\n")
    with desk.units.begin() as work:
        assert pauses.active(work) == {}
        assert [each.message_id for each in work.store.due(10)] == [held.message_id]
        (line,) = work.connection.execute(sa.select(audit_log)).all()
    assert (line.action, line.subject) == ("channel.resumed", "shop")
    assert line.detail == "was paused for attribute_missing"


def test_a_channel_that_is_not_paused_is_left_alone(desk: Desk) -> None:
    """Exit code 1 and a sentence; nothing is audited."""
    answer = desk.patron("channel", "resume", "shop")

    assert (answer.code, answer.out) == (1, "")
    assert "shop is not paused" in answer.err
    with desk.units.read() as work:
        assert work.connection.execute(sa.select(audit_log)).all() == []
