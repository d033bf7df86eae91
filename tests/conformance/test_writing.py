"""Writing to a shop: once, verified, harmless to repeat, and nothing but what was meant."""

import pytest

from shared.connectors.ports import CustomerSink, CustomerSource
from shared.domain.errors import (
    AttributeMissing,
    PatronError,
    PermanentError,
    RemoteGone,
    RemoteRejected,
    RemoteUnavailable,
    TransientError,
)
from tests.conformance import hostile, person
from tests.conformance.channel import (
    READ_AT,
    Channel,
    fetched,
    fingerprints_of,
    numbered,
    records_of,
    scan,
    succeeded,
    text_of,
)
from tests.conformance.shop import Ability, Shop, Trouble
from tests.conformance.trouble import FAMILIES, skip_unless_possible

NUMBER = "D10023"

pytestmark = pytest.mark.needs(Ability.SINK)


def test_a_number_is_written_and_nothing_else(shop: Shop, sink: CustomerSink) -> None:
    """One change in the shop's own books; names, addresses and neighbours are as they were."""
    one, other = shop.register(2)
    before = shop.rest(one), shop.rest(other)

    [outcome] = sink.write([numbered(one, NUMBER)])

    assert succeeded(outcome)
    assert outcome.written
    assert outcome.written.changed
    assert not outcome.written.unforeseen
    assert (shop.number(one), shop.number(other)) == (NUMBER, None)
    assert (shop.writes(one), shop.writes(other)) == (1, 0)
    assert (shop.rest(one), shop.rest(other)) == before


@pytest.mark.needs(Ability.SOURCE)
def test_the_echo_of_a_write_is_known(
    shop: Shop, source: CustomerSource, sink: CustomerSink
) -> None:
    """Before and after are the fingerprints that the next import sees."""
    [one] = shop.register()
    before = fetched(source, one).fingerprint

    [outcome] = sink.write([numbered(one, NUMBER)])

    seen = fingerprints_of(records_of(scan(source, shop.view)))
    assert outcome.written
    assert outcome.written.before == before
    assert outcome.written.after == seen[one] == fetched(source, one).fingerprint != before


@pytest.mark.needs(Ability.SOURCE)
def test_what_was_written_is_read_back(
    shop: Shop, source: CustomerSource, sink: CustomerSink
) -> None:
    """The canonical customer knows the number that stands in the shop."""
    [one] = shop.register()
    sink.write([numbered(one, NUMBER)])

    customer = source.to_customer(fetched(source, one), shop.view, READ_AT)

    assert customer.customer_number == NUMBER


@pytest.mark.needs(Ability.READ_BACK)
def test_writing_again_changes_nothing(shop: Shop, sink: CustomerSink) -> None:
    """The second write finds the number there."""
    [one] = shop.register()

    first, second = (sink.write([numbered(one, NUMBER)])[0] for _ in range(2))

    assert succeeded(first)
    assert succeeded(second)
    assert second.written
    assert not second.written.changed
    assert second.written.before == second.written.after
    assert shop.writes(one) == 1


@pytest.mark.needs(Ability.READ_BACK)
def test_a_number_that_is_there_is_not_written(shop: Shop, sink: CustomerSink) -> None:
    """The shop's staff were faster."""
    [one] = shop.register()
    shop.set_number(one, NUMBER)

    [outcome] = sink.write([numbered(one, NUMBER)])

    assert succeeded(outcome)
    assert outcome.written
    assert not outcome.written.changed
    assert shop.writes(one) == 0


def test_another_number_is_replaced(shop: Shop, sink: CustomerSink) -> None:
    """The customer master decides."""
    [one] = shop.register()
    shop.set_number(one, "OLD-1")

    [outcome] = sink.write([numbered(one, NUMBER)])

    assert succeeded(outcome)
    assert shop.number(one) == NUMBER


@pytest.mark.parametrize("number", hostile.NUMBERS.values(), ids=hostile.NUMBERS)
def test_an_odd_number_is_kept_to_the_letter(shop: Shop, sink: CustomerSink, number: str) -> None:
    """Or refused; never stored as something else and called done."""
    [one] = shop.register()

    [outcome] = sink.write([numbered(one, number)])

    if outcome.error:
        assert isinstance(outcome.error, PermanentError)
    else:
        assert shop.number(one) == number


def test_a_lost_answer_leads_to_no_second_write(shop: Shop, sink: CustomerSink) -> None:
    """The shop has stored it and cannot say so; whoever writes again finds it there."""
    [one] = shop.register()
    shop.upset(Trouble.LOST, on="write")

    [lost] = sink.write([numbered(one, NUMBER)])
    [found] = sink.write([numbered(one, NUMBER)])

    assert isinstance(lost.error, RemoteUnavailable | None)
    assert succeeded(found)
    assert shop.number(one) == NUMBER
    assert shop.writes(one) == 1


@pytest.mark.parametrize("trouble", FAMILIES)
def test_a_write_that_fails_says_what_helps(
    shop: Shop, sink: CustomerSink, trouble: Trouble
) -> None:
    """Its outcome carries the family, free of personal data; the next try succeeds."""
    skip_unless_possible(shop, trouble)
    [one] = shop.register()
    shop.upset(trouble, on="write")

    [outcome] = sink.write([numbered(one, NUMBER)])

    assert type(outcome.error) is FAMILIES[trouble]
    assert not person.told_in(text_of(outcome.error), shop.secrets)
    [again] = sink.write([numbered(one, NUMBER)])
    assert succeeded(again)
    assert shop.number(one) == NUMBER


def test_a_shop_that_says_nothing_is_left_at_the_deadline(shop: Shop, channel: Channel) -> None:
    """Nothing was written, and it can be tried again."""
    [one] = shop.register()
    sink = channel.connect(**shop.bounded(1, 0.5)).sink
    shop.upset(Trouble.HELD, on="write")

    [outcome] = sink.write([numbered(one, NUMBER)])

    assert isinstance(outcome.error, RemoteUnavailable)
    shop.release()


def test_a_refusal_tells_nothing_private(shop: Shop, sink: CustomerSink) -> None:
    """The shop quotes an e-mail address; the error does not."""
    [one] = shop.register()
    shop.upset(Trouble.REFUSED, on="write")

    [outcome] = sink.write([numbered(one, NUMBER)])

    assert isinstance(outcome.error, RemoteRejected)
    assert not person.told_in(text_of(outcome.error), shop.secrets)


@pytest.mark.needs(Ability.SILENT_DROP)
def test_a_silent_drop_is_noticed(shop: Shop, sink: CustomerSink) -> None:
    """The shop says yes and keeps nothing: that is an error, not a success."""
    [one] = shop.register()
    shop.drop_silently()

    [outcome] = sink.write([numbered(one, NUMBER)])

    assert isinstance(outcome.error, AttributeMissing | RemoteRejected)
    assert shop.number(one) is None


@pytest.mark.needs(Ability.REMOVABLE_FIELD)
def test_a_missing_field_is_an_error(shop: Shop, sink: CustomerSink) -> None:
    """It is the set-up that is wrong, so the channel pauses."""
    [one] = shop.register()
    shop.remove_field()

    [outcome] = sink.write([numbered(one, NUMBER)])

    assert isinstance(outcome.error, AttributeMissing)


@pytest.mark.needs(Ability.READ_BACK)
def test_a_deleted_customer_is_gone(shop: Shop, sink: CustomerSink) -> None:
    """No retry will bring anybody back."""
    [one] = shop.register()
    shop.delete(one)

    outcomes = [sink.write([numbered(each)])[0] for each in (one, shop.unknown_id, "../1", "x y")]

    assert [type(outcome.error) for outcome in outcomes] == [RemoteGone] * 4


@pytest.mark.needs(Ability.BATCHES)
def test_one_bad_item_costs_no_neighbour(shop: Shop, sink: CustomerSink) -> None:
    """As many customers at once as a call takes, one of whom is gone."""
    ids = shop.register(min(sink.customers_at_once, 12))
    gone = ids[len(ids) // 2]
    shop.delete(gone)
    exports = [numbered(one, f"D{number}") for number, one in enumerate(ids)]

    outcomes = sink.write(exports)

    assert [outcome.export for outcome in outcomes] == exports
    for export, outcome in zip(exports, outcomes, strict=True):
        if export.external_id == gone:
            assert isinstance(outcome.error, RemoteGone)
        else:
            assert succeeded(outcome)
            assert shop.number(export.external_id) == export.customer_number
            assert shop.writes(export.external_id) == 1


@pytest.mark.needs(Ability.BATCHES)
def test_a_batch_whose_answer_is_lost_is_done_once(shop: Shop, sink: CustomerSink) -> None:
    """Every customer of it."""
    ids = shop.register(min(sink.customers_at_once, 5))
    exports = [numbered(one, f"D{number}") for number, one in enumerate(ids)]
    shop.upset(Trouble.LOST, on="write")

    sink.write(exports)
    outcomes = sink.write(exports)

    assert all(succeeded(outcome) for outcome in outcomes)
    assert [shop.number(one) for one in ids] == [export.customer_number for export in exports]
    assert [shop.writes(one) for one in ids] == [1] * len(ids)


@pytest.mark.needs(Ability.ADDITIONAL_DATA)
def test_number_and_additional_data_go_together(shop: Shop, sink: CustomerSink) -> None:
    """Two exports about one customer, an outcome for each, in order."""
    [one] = shop.register()
    exports = [numbered(one, NUMBER), numbered(one, **{shop.additional_field: "platinum"})]

    outcomes = sink.write(exports)

    assert [outcome.export for outcome in outcomes] == exports
    assert all(succeeded(outcome) for outcome in outcomes)
    assert (shop.number(one), shop.value(one)) == (NUMBER, "platinum")


@pytest.mark.needs(Ability.ADDITIONAL_DATA, Ability.READ_BACK)
def test_additional_data_that_is_there_is_not_written(shop: Shop, sink: CustomerSink) -> None:
    """As with the number."""
    [one] = shop.register()
    exports = [numbered(one, **{shop.additional_field: "platinum"})]
    sink.write(exports)

    [again] = sink.write(exports)

    assert succeeded(again)
    assert again.written
    assert not again.written.changed
    assert shop.writes(one) == 1


@pytest.mark.needs(Ability.REFUSED_VALUE)
def test_a_bad_export_costs_no_other_of_its_customer(shop: Shop, channel: Channel) -> None:
    """What the shop does not take is refused; the number is written all the same."""
    [one] = shop.register()
    refused = shop.refused_values()
    sink = channel.connect(*refused).sink

    bad, good = sink.write([numbered(one, **refused), numbered(one, NUMBER)])

    assert isinstance(bad.error, PatronError)
    assert not isinstance(bad.error, TransientError)
    assert succeeded(good)
    assert shop.number(one) == NUMBER


def test_nothing_to_write_is_no_outcome(sink: CustomerSink) -> None:
    """And nobody is asked."""
    assert list(sink.write([])) == []
    assert sink.customers_at_once >= 1
