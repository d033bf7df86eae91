"""Held customers are decided again by a configuration that has changed."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from threading import Barrier
from uuid import uuid4

from services.processor.redecide import Redecision
from shared.domain.messages import Parcel
from shared.domain.policy import ChannelPolicy, Policy, ProcessingMethod, StoreViewPolicy
from shared.messaging.codec import decode, to_wire
from shared.persistence.staging_desk import SLICE
from shared.persistence.tables import staging_customers
from tests.builders import NOON, a_customer, a_template
from tests.integration.processor.desk import Desk, two_shops

WITHOUT = two_shops(templates=())
WITH = replace(two_shops(), version="with a template")


def redecide(desk: Desk, policy: Policy) -> list[Parcel]:
    """Look once as a processor with `policy` does when it starts; return what it sent."""
    sent: list[Parcel] = []
    redecision = Redecision(desk.units, sent.extend, policy.version)
    while redecision.look(lambda: None):
        pass
    return sent


def take(desk: Desk, sent: Sequence[Parcel], policy: Policy) -> None:
    """Have the processor take what was sent, as it arrives."""
    desk.take(*(decode(to_wire(parcel)) for parcel in sent), policy=policy)


def test_held_customers_are_released_by_the_configuration(desk: Desk) -> None:
    """C365-6, NEW-13: what was missing is there now; nobody has to touch the shop."""
    desk.take(a_customer("1"), a_customer("2"), policy=WITHOUT)

    take(desk, redecide(desk, WITH), WITH)

    assert [(row.state, row.reason) for row in desk.staging()] == [("processed", None)] * 2
    assert [row.config_version for row in desk.staging()] == ["with a template"] * 2
    assert len(desk.customers()) == 2


def test_each_is_sent_once_for_a_version(desk: Desk) -> None:
    """One that is still held is not sent again by the next processor; by another version it is."""
    desk.take(a_customer("1"), policy=WITHOUT)
    other = replace(WITHOUT, version="also without")

    first = redecide(desk, other)
    take(desk, first, other)
    again = redecide(desk, other)
    later = redecide(desk, WITH)

    assert (len(first), len(again), len(later)) == (1, 0, 1)
    assert first[0].correlation_id == desk.staged().correlation_id


def test_only_what_a_configuration_can_cure_is_sent(desk: Desk) -> None:
    """A missing address is the shop's; staged and ambiguous ones wait for an operator."""
    by_hand = two_shops(ProcessingMethod.NONE)
    desk.take(a_customer("1", addresses=()), policy=by_hand)
    desk.take(a_customer("2"), policy=by_hand)

    assert redecide(desk, WITH) == []


def test_the_processing_method_still_holds_them_back(desk: Desk) -> None:
    """Nobody asked for them: where the method leaves all to an operator, they are staged now."""
    desk.take(a_customer("1"), policy=WITHOUT)
    by_hand = two_shops(ProcessingMethod.NONE, templates=(a_template(),))

    take(desk, redecide(desk, replace(by_hand, version="v2")), by_hand)

    assert (desk.staged().state, desk.staged().reason) == ("staged", "method_none")


def test_who_is_from_before_a_start_date_waits_no_more(desk: Desk) -> None:
    """C365-3: a date that was set meanwhile takes out whom it leaves out."""
    desk.take(a_customer("1"), policy=WITHOUT)
    view = StoreViewPolicy("de", start_date=NOON)
    later = replace(WITH, channels={"shop": ChannelPolicy("shop", {"de": view})})

    take(desk, redecide(desk, later), later)

    assert (desk.staged().state, desk.staged().reason) == ("discarded", "before_start_date")
    assert desk.customers() == []


def test_many_are_sent_in_slices(desk: Desk) -> None:
    """More than one transaction takes: all are sent, each once."""
    desk.take(a_customer("0"), policy=WITHOUT)
    same = dict(desk.staged()._mapping)
    copies = [same | {"id": uuid4(), "external_id": str(n)} for n in range(1, SLICE + 11)]
    with desk.units.begin() as work:
        work.bulk.insert(staging_customers, copies)

    sent = redecide(desk, WITH)

    assert len(sent) == len({parcel.subject for parcel in sent}) == SLICE + 11


def test_processors_that_start_at_once_share_them(postgresql_desk: Desk) -> None:
    """NEW-13: four look at the same time; each customer is sent by one of them."""
    desk = postgresql_desk
    desk.take(*(a_customer(str(n)) for n in range(200)), policy=WITHOUT)
    together = Barrier(4)

    def start() -> list[Parcel]:
        together.wait()
        return redecide(desk, WITH)

    with ThreadPoolExecutor(4) as threads:
        results = [threads.submit(start) for _ in range(4)]
        sent = [parcel.subject for result in results for parcel in result.result()]

    assert sorted(sent, key=int) == [str(n) for n in range(200)]


def test_it_looks_twice_and_then_rests(desk: Desk) -> None:
    """What a processor that was being replaced held meanwhile is found by the second look."""
    sent: list[Parcel] = []
    redecision = Redecision(desk.units, sent.extend, WITH.version)
    looks = []
    for number in ("1", "2", "3"):
        desk.take(a_customer(number), policy=WITHOUT)
        redecision.look(lambda: None)
        looks.append(len(sent))

    assert looks == [1, 2, 2]
