"""Effects outside the database are leased, carried out, and recorded with their claim."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any
from uuid import uuid4

from shared.domain.errors import AccessDenied, RemoteRejected, RemoteUnavailable
from shared.domain.messages import Envelope, Parcel
from shared.messaging.broker import Delivery
from shared.messaging.codec import decode, to_wire
from shared.messaging.topology import PROCESSOR_QUEUE
from shared.persistence.unit_of_work import UnitOfWork
from shared.runtime.effects import EffectHandler
from shared.runtime.loops import Beat
from shared.runtime.pauses import PauseGate
from shared.runtime.received import Received
from tests.integration.runtime.rig import Rig, a_parcel, eventually, patience


@dataclass(frozen=True)
class Did:
    """The outcome of an effect."""

    error: Exception | None = None


@dataclass
class Shop:
    """Effects that note what was done, and fail as they are told."""

    errors: dict[str, list[Exception]] = field(default_factory=dict)
    done: list[str] = field(default_factory=list)
    recorded: list[tuple[str, bool]] = field(default_factory=list)
    while_acting: Callable[[], None] = lambda: None
    while_recording: list[Exception] = field(default_factory=list)

    def perform(self, envelopes: Sequence[Envelope[Any]], beat: Beat) -> Sequence[Did]:
        """Do what the messages ask for."""
        beat()
        self.while_acting()
        return [self._do(envelope.subject) for envelope in envelopes]

    def record(self, outcomes: Sequence[tuple[Envelope[Any], Did]], work: UnitOfWork) -> None:
        """Note the outcomes."""
        if self.while_recording:
            raise self.while_recording.pop()
        self.recorded += [(envelope.subject, did.error is None) for envelope, did in outcomes]

    def _do(self, subject: str) -> Did:
        if errors := self.errors.get(subject):
            return Did(errors.pop(0))
        self.done.append(subject)
        return Did()


def handler(rig: Rig, shop: Shop, owner: str = "here") -> EffectHandler[Did]:
    """Return a handler of the shop's effects."""
    return EffectHandler(
        shop, rig.units, rig.failures, rig.outbox.offer, owner=owner, lease_seconds=60
    )


def test_effects_are_done_recorded_and_claimed(rig: Rig) -> None:
    """A batch of effects leaves nothing owed and its outcomes on record."""
    parcels = [a_parcel("1"), a_parcel("2")]
    rig.owe(*parcels, published=True)
    rig.broker.publish([to_wire(parcel) for parcel in parcels])
    shop = Shop()

    with rig.consuming(handler(rig, shop)):
        eventually(lambda: rig.settled("done") == 2)

    assert shop.done == ["1", "2"]
    assert shop.recorded == [("1", True), ("2", True)]
    assert rig.owed() == {}


def test_each_failure_goes_its_own_way(rig: Rig) -> None:
    """In one batch some effects work, one is retried, one is given up; none holds another up."""
    parcels = [a_parcel("fine"), a_parcel("slow"), a_parcel("refused")]
    rig.owe(*parcels, published=True)
    rig.broker.publish([to_wire(parcel) for parcel in parcels])
    shop = Shop({"slow": [RemoteUnavailable("timeout")], "refused": [RemoteRejected("tax_id")]})

    with rig.consuming(handler(rig, shop)):
        eventually(lambda: rig.settled("done") == 2 and rig.settled("dead") == 1)

    assert shop.done == ["fine", "slow"]
    assert sorted(shop.recorded) == [
        ("fine", True), ("refused", False), ("slow", False), ("slow", True),
    ]  # fmt: skip
    assert [row.reason for row in rig.buried()] == ["remote_rejected"]
    assert rig.owed() == {}


def test_effects_hold_leases_while_they_act(rig: Rig) -> None:
    """While an effect is under way its row is leased, and nobody else begins the same."""
    parcel = a_parcel("1")
    rig.owe(parcel, published=True)
    received = a_received(parcel)
    other = Shop()
    results: list[str] = []

    def meanwhile() -> None:
        [result] = handler(rig, other, "there").handle([received], patience())
        results.append(result.outcome)

    shop = Shop(while_acting=meanwhile)
    [mine] = handler(rig, shop).handle([received], patience())

    assert (mine.outcome, results, other.done) == ("done", ["deferred"], [])
    assert rig.owed() == {}


def test_a_message_whose_holder_died_comes_back_when_the_lease_is_over(rig: Rig) -> None:
    """Deferred behind a lease that nobody ends, a message is due again at the lease's end."""
    parcel = a_parcel("1")
    rig.owe(parcel, published=True)
    with rig.units.begin() as work:
        until = work.now + timedelta(hours=1)
        work.store.lease([parcel.message_id], "dead", until)

    [result] = handler(rig, Shop()).handle([a_received(parcel)], patience())

    row = rig.owed()[parcel.message_id]
    assert result.outcome == "deferred"
    assert (row.available_at, row.published_at) == (row.leased_until, None)


def test_a_start_that_meets_a_lease_is_taken_back(rig: Rig) -> None:
    """Delivered again while its holder lives, however often: put off, and not taken for poison."""
    parcel = a_parcel("1")
    rig.owe(parcel, published=True)
    with rig.units.begin() as work:
        work.store.lease([parcel.message_id], "elsewhere", work.now + timedelta(minutes=5))
    again = replace(a_received(parcel), is_counted=True)
    outcomes = []

    for _ in range(3):
        with rig.units.begin() as work:
            work.store.count_start(parcel.message_id)
        [result] = handler(rig, Shop()).handle([again], patience())
        outcomes.append(result.outcome)

    assert outcomes == ["deferred"] * 3
    assert rig.owed()[parcel.message_id].attempts == 0


def test_an_effect_done_before_is_a_duplicate(rig: Rig) -> None:
    """A copy of a finished message leads to no second effect."""
    parcel, shop = a_parcel("1"), Shop()
    rig.owe(parcel, published=True)
    received = a_received(parcel)

    first = handler(rig, shop).handle([received, a_received(parcel)], patience())
    [again] = handler(rig, shop).handle([received], patience())

    assert [result.outcome for result in (*first, again)] == ["done", "duplicate", "duplicate"]
    assert shop.done == ["1"]


def test_effects_from_outside_get_a_row_and_run_once(rig: Rig) -> None:
    """A foreign message is adopted before its effect, so that it can be leased like ours."""
    received = replace(a_received(a_parcel("1")), is_foreign=True)
    shop = Shop()

    [first] = handler(rig, shop).handle([received], patience())
    [again] = handler(rig, shop).handle([received], patience())

    assert (first.outcome, again.outcome, shop.done) == ("done", "duplicate", ["1"])
    assert rig.owed() == {}


def test_an_outcome_that_cannot_be_recorded_is_the_failure_of_its_message_only(rig: Rig) -> None:
    """When recording fails, the batch is recorded in halves; the effects are not repeated."""
    parcels = [a_parcel("1"), a_parcel("2")]
    rig.owe(*parcels, published=True)
    shop = Shop(while_recording=[ValueError("second"), ValueError("whole batch")])

    results = handler(rig, shop).handle([a_received(parcel) for parcel in parcels], patience())

    assert [result.outcome for result in results] == ["retried", "done"]
    assert shop.done == ["1", "2"]


def test_effects_that_raise_are_a_bug_of_every_message(embedded_rig: Rig) -> None:
    """An exception from the effects is no crash: each message is retried, bounded."""
    rig, parcel = embedded_rig, a_parcel("1")
    rig.owe(parcel, published=True)

    def fail() -> None:
        raise LookupError

    [result] = handler(rig, Shop(while_acting=fail)).handle([a_received(parcel)], patience())

    row = rig.owed()[parcel.message_id]
    assert (result.outcome, result.reason, row.attempts) == ("retried", "bug", 1)
    assert row.lease_owner is None


def test_a_pause_closes_the_gate_and_a_success_opens_it(rig: Rig) -> None:
    """Refused credentials pause the channel for its gate to see; the first success ends that."""
    parcels = [a_parcel("1"), a_parcel("2")]
    rig.owe(*parcels, published=True)
    shop = Shop({"1": [AccessDenied("token refused")]})
    gate = PauseGate("shop", rig.units, look_every_seconds=0.0)
    before = gate.closed_for()

    handler(rig, shop).handle([a_received(parcels[0])], patience())
    paused = gate.closed_for()
    handler(rig, shop).handle([a_received(parcels[1])], patience())

    assert before == 0.0
    assert 3500 < paused <= 3600
    assert gate.closed_for() == 0.0


def a_received(parcel: Parcel) -> Received:
    """Return `parcel` as a consumer receives it."""
    message = to_wire(parcel)
    delivery = Delivery(message, PROCESSOR_QUEUE, redelivered=False, tag=uuid4())
    return Received(decode(message), delivery)
