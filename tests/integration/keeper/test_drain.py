"""Whatever lies in the broker's dead queues gets into the dead letters, once."""

import threading
from dataclasses import replace
from typing import Any
from uuid import uuid4

import pytest
import sqlalchemy as sa

from shared.domain.customer import SourceKey
from shared.domain.errors import PermanentError
from shared.domain.messages import Parcel
from shared.messaging.broker import WireMessage
from shared.messaging.codec import to_wire
from shared.messaging.connect import connect
from shared.messaging.topology import PROCESSOR_QUEUE
from shared.persistence.dead_letters import DeadLetter, of_parcel
from shared.persistence.tables import dead_letters
from shared.runtime.failures import stand_in_id
from tests.integration.keeper.vault import DEAD, Vault, subjects
from tests.integration.runtime.rig import TOPOLOGY, a_parcel, eventually
from tests.services import RabbitManagement


def a_foreign(body: bytes, **changes: Any) -> WireMessage:
    """Return a message of a stranger."""
    given: dict[str, Any] = {"app_id": "other", "headers": {}}
    return replace(to_wire(a_parcel()), body=body, **(given | changes))


def a_worker_letter(parcel: Parcel) -> DeadLetter:
    """Return what the processor would bury."""
    return of_parcel(parcel, worker="processor", queue=PROCESSOR_QUEUE, reason="bug", attempts=3)


def test_what_the_broker_gave_up_is_a_dead_letter(impatient_vault: Vault) -> None:
    """Delivered too often: buried with its bytes, and owed no more (NEW-5) (fault 18)."""
    vault, parcel = impatient_vault, a_parcel("1")
    vault.publish(parcel)
    vault.exhaust()

    vault.drain()

    letter = vault.letter()
    assert (letter.reason, letter.origin, letter.state) == ("delivery_limit", "broker", "open")
    assert (letter.broker_reason, letter.queue) == ("delivery_limit", PROCESSOR_QUEUE)
    assert (letter.message_id, letter.correlation_id) == (parcel.message_id, parcel.correlation_id)
    assert (letter.body, letter.routing_key) == (parcel.body, parcel.routing_key)
    assert (letter.channel, letter.subject, letter.platform) == ("shop", "1", "magento")
    assert vault.rig.owed() == {}
    assert vault.ingested("buried") == 1
    assert vault.rig.count("dead_letters_total", worker="processor", reason="delivery_limit") == 1


def test_what_its_worker_buried_is_counted_once(rabbit_vault: Vault) -> None:
    """The copy in the dead queue adds what the broker noted, and no second letter."""
    vault, rig = rabbit_vault, rabbit_vault.rig

    def refuse(envelopes: object, work: object) -> None:
        raise PermanentError("no")

    with rig.consuming(rig.transactional(refuse)):
        rig.send(a_parcel("1"), a_parcel("2"))
        eventually(lambda: rig.broker.depth(DEAD) == 2)

    vault.drain()

    assert subjects(vault.letters()) == ["1", "2"]
    assert {(x.origin, x.broker_reason, x.reason) for x in vault.letters()} == {
        ("worker", "rejected", "permanent")
    }
    assert vault.ingested("known") == 2
    assert rig.count("dead_letters_total", worker="processor", reason="permanent") == 2


@pytest.mark.parametrize("has_id", [True, False])
def test_bytes_that_are_no_message_are_counted_once(rabbit_vault: Vault, has_id: bool) -> None:
    """Buried by the worker, with the id they came with or one made of them; found again so."""
    vault, rig = rabbit_vault, rabbit_vault.rig
    body = b"\x80\x04\x95 no JSON"
    id_ = uuid4() if has_id else None
    with rig.consuming(rig.transactional(lambda envelopes, work: None)):
        vault.publish_raw(a_foreign(body, message_id=id_))
        eventually(lambda: rig.broker.depth(DEAD) == 1)

    vault.drain()

    letter = vault.letter()
    assert letter.body == body
    assert letter.message_id == (id_ or stand_in_id(a_foreign(body)))
    assert (letter.reason, letter.broker_reason) == ("undecodable", "rejected")


@pytest.mark.parametrize("has_id", [True, False])
def test_bytes_that_no_worker_saw_are_dead_letters(rabbit_vault: Vault, has_id: bool) -> None:
    """Rejected by a stranger: kept byte for byte, and the same bytes without an id only once."""
    vault, body = rabbit_vault, b"\x00\xff{"
    message = a_foreign(body, message_id=uuid4() if has_id else None)
    vault.publish_raw(message, message)
    vault.reject(2)

    vault.drain()

    letter = vault.letter()
    assert letter.body == body
    assert (letter.reason, letter.origin, letter.state) == ("broker_rejected", "broker", "open")
    assert letter.error_class == "shared.domain.errors.Undecodable"
    assert "undecodable" in letter.error


def test_a_message_of_ours_that_a_stranger_rejects_is_moved(rabbit_vault: Vault) -> None:
    """It was owed: now it is dead, and not both."""
    vault = rabbit_vault
    vault.publish(a_parcel("1"), a_parcel("2"))
    vault.reject(2)

    vault.drain()

    assert {letter.reason for letter in vault.letters()} == {"broker_rejected"}
    assert vault.rig.owed() == {}


def test_a_message_that_was_handled_is_no_dead_letter(vault: Vault) -> None:
    """Its worker died after the commit: nothing is owed, and nothing is kept of it."""
    vault.put(to_wire(a_parcel("1")))

    vault.drain()

    assert vault.letters() == []
    assert vault.ingested("handled") == 1


def test_what_only_looks_like_ours_is_kept(vault: Vault) -> None:
    """It was never owed; but nobody could read it, so somebody must see it."""
    vault.put(replace(to_wire(a_parcel("1")), body=b"{"))

    vault.drain()

    letter = vault.letter()
    assert (letter.reason, letter.state, letter.subject) == ("broker_unknown", "open", "1")


def test_a_stranger_cannot_spoil_the_keeping(vault: Vault) -> None:
    """Whatever stands in properties and headers: it is stored, and the next one as well."""
    hostile = a_foreign(
        b"{}",
        type="\x00\x1b[31m",
        headers={
            "x-death": [{"reason": "\x00" * 10, "queue": "\x00", "time": "never", "count": "x"}],
            "channel": "\x00",
            "schema_version": 2**40,
            "occurred_at": "0001-01-01T00:00:00+14:00",
        },
    )
    vault.put(hostile, replace(to_wire(a_parcel("2")), app_id="other"))

    vault.drain()

    assert len(vault.letters()) == 2


def test_a_copy_from_before_a_replay_does_not_stop_it(rabbit_vault: Vault) -> None:
    """The keeper was away: what arrives now is an old copy of a message on its way again."""
    vault, parcel = rabbit_vault, a_parcel("1")
    vault.publish(parcel)
    vault.reject()
    with vault.rig.units.begin() as work:
        work.store.bury([a_worker_letter(parcel)])
    vault.set_state("replaying")
    vault.rig.owe(parcel)

    vault.drain()

    assert vault.letter().state == "replaying"
    assert list(vault.rig.owed()) == [parcel.message_id]


def test_a_replay_that_the_broker_gives_up_is_open_again(impatient_vault: Vault) -> None:
    """The same letter, with the newest reason; nothing is owed (fault 55)."""
    vault, parcel = impatient_vault, a_parcel("1")
    vault.publish(parcel)
    with vault.rig.units.begin() as work:
        work.store.bury([a_worker_letter(parcel)])
    vault.set_state("replaying")
    vault.rig.owe(parcel, published=True)
    vault.exhaust()

    vault.drain()

    letter = vault.letter()
    assert (letter.state, letter.reason, letter.origin) == ("open", "delivery_limit", "broker")
    assert vault.rig.owed() == {}


def test_an_erased_person_does_not_come_back(vault: Vault) -> None:
    """A letter that was erased, or would be new, is not kept for its copy in the queue (NEW-11)."""
    with vault.rig.units.begin() as work:
        vault.tombstones.set_for(work, [SourceKey("shop", "1")])
    vault.put(replace(to_wire(a_parcel("1")), app_id="other"))

    vault.drain()

    assert vault.letters() == []
    assert vault.ingested("erased") == 1


def test_a_letter_that_cannot_be_stored_stops_nobody(rabbit_vault: Vault) -> None:
    """It is counted and stays in the queue; once it can be stored, it is (fault 19)."""
    vault, units = rabbit_vault, rabbit_vault.rig.units
    bad = a_parcel("bad")
    with units.begin() as work:
        work.connection.exec_driver_sql(
            "ALTER TABLE dead_letters ADD CONSTRAINT spoilt CHECK (subject <> 'bad')"
        )
    vault.publish(bad, *(a_parcel(str(n)) for n in range(5)))
    vault.reject(6)

    with vault.draining() as drain:
        eventually(lambda: len(vault.letters()) == 5)
        eventually(lambda: vault.ingested("failed") >= 2)
        assert vault.rig.count("dead_letters_unstored", worker="processor") == 1
        assert drain.readiness() is None
        assert list(vault.rig.owed()) == [bad.message_id]
        with units.begin() as work:
            work.connection.exec_driver_sql("ALTER TABLE dead_letters DROP CONSTRAINT spoilt")
        eventually(lambda: len(vault.letters()) == 6)
        eventually(lambda: vault.rig.count("dead_letters_unstored", worker="processor") == 0)

    eventually(lambda: vault.rig.broker.depth(DEAD) == 0)


def test_what_cannot_be_stored_is_in_the_queue_after_the_keeper(rabbit_vault: Vault) -> None:
    """The next keeper finds it there."""
    vault = rabbit_vault
    with vault.rig.units.begin() as work:
        work.connection.exec_driver_sql(
            "ALTER TABLE dead_letters ADD CONSTRAINT spoilt CHECK (subject <> 'bad')"
        )
    vault.publish(a_parcel("bad"))
    vault.reject()

    with vault.draining():
        eventually(lambda: vault.ingested("failed") >= 1)

    eventually(lambda: vault.rig.broker.depth(DEAD) == 1)


def test_ten_thousand_letters_are_drained_in_batches(rabbit_vault: Vault) -> None:
    """A few statements for each hundred, every letter once."""
    vault, statements = rabbit_vault, []
    body = b"x"
    raw = [a_foreign(body + str(n).encode(), message_id=uuid4()) for n in range(10_000)]
    for first in range(0, len(raw), 1000):
        vault.put(*raw[first : first + 1000])
    lock = threading.Lock()

    def note(*arguments: object) -> None:
        with lock:
            statements.append(arguments[2])

    sa.event.listen(vault.rig.engine, "before_cursor_execute", note)
    vault.drain()

    sa.event.remove(vault.rig.engine, "before_cursor_execute", note)
    with vault.rig.units.read() as work:
        columns = dead_letters.c
        query = sa.select(sa.func.count(), sa.func.count(columns.message_id.distinct()))
        assert tuple(work.connection.execute(query).one()) == (10_000, 10_000)
    writes = [text for text in statements if str(text).startswith("INSERT INTO dead_letters")]
    assert len(writes) <= 10_000 / 20


def test_a_queue_that_may_not_be_read_is_named(
    keeper_user: tuple[str, RabbitManagement, str], rabbit_vault: Vault, amqp_vhost: str
) -> None:
    """Readiness says which right is missing; once it is given, the keeper drains."""
    url, management, user = keeper_user
    vhost = amqp_vhost.rpartition("/")[2]
    management.set_permissions(user, vhost=vhost, configure="", write="", read="^patron[.]x$")
    vault = rabbit_vault
    vault.publish(a_parcel("1"))
    vault.reject()
    broker = connect(url, TOPOLOGY, "keeper")

    with vault.draining(broker=broker) as drain:
        eventually(lambda: "lacks the right" in (drain.readiness() or ""))
        assert DEAD in (drain.readiness() or "")
        management.set_permissions(
            user, vhost=vhost, configure="", write="", read="^patron[.][a-z]+[.]dead$"
        )
        eventually(lambda: len(vault.letters()) == 1)
        eventually(lambda: drain.readiness() is None)
        assert broker.is_connected
    broker.close()
