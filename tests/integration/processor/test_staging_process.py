"""What an operator, or a changed configuration, has decided of records that wait."""

from typing import Any
from uuid import UUID, uuid4

from shared.domain.messages import Envelope, StagingProcess
from shared.domain.policy import ProcessingMethod
from tests.builders import a_customer, a_policy, a_source, a_template
from tests.integration.processor.desk import Desk, a_message, two_shops, unreadable

NOBODY_BY_ITSELF = a_policy(ProcessingMethod.NONE)


def process(staging_id: UUID, external_id: str = "1", **changes: Any) -> Envelope[Any]:
    """Return the message that asks for a staging record to be decided."""
    source = a_source(external_id)
    body = StagingProcess(
        channel=source.channel, external_id=external_id, staging_id=staging_id, **changes
    )
    return a_message(body, source)


def test_an_operator_processes_a_staged_customer(desk: Desk) -> None:
    """C365-11: the record is processed where it stands, in the correlation it was imported in."""
    desk.take(a_customer(), policy=NOBODY_BY_ITSELF)
    staged = desk.staged()

    desk.take(process(staged.id), policy=NOBODY_BY_ITSELF)

    processed = desk.staged()
    assert (processed.id, processed.state, processed.customer_number) == (
        staged.id, "processed", "D10001",
    )  # fmt: skip
    assert processed.correlation_id == staged.correlation_id
    assert processed.body == staged.body
    assert desk.events() == ["customer.staged", "customer.created"]


def test_a_double_click_makes_one_customer(desk: Desk) -> None:
    """C365-11: asked twice, in one batch or after the other, one customer is created."""
    desk.take(a_customer(), policy=NOBODY_BY_ITSELF)
    staged = desk.staged()

    desk.take(process(staged.id), process(staged.id), policy=NOBODY_BY_ITSELF)
    plan = desk.take(process(staged.id), policy=NOBODY_BY_ITSELF)

    assert len(desk.customers()) == 1
    assert plan.outcomes == {"staging.closed": 1}
    assert len(desk.effects()) == 2


def test_what_was_imported_last_is_processed(desk: Desk) -> None:
    """C365-11: a change that came in after the list was shown is not lost."""
    desk.take(a_customer(), policy=NOBODY_BY_ITSELF)
    desk.take(a_customer(minutes=5, first_name="Anna"), policy=NOBODY_BY_ITSELF)

    desk.take(process(desk.staged().id), policy=NOBODY_BY_ITSELF)

    assert desk.customer().first_name == "Anna"


def test_what_is_missing_stays_missing(desk: Desk) -> None:
    """C365-11: without a billing address the record is held, however often it is processed."""
    desk.take(a_customer(addresses=()))

    desk.take(process(desk.staged().id))

    assert (desk.staged().state, desk.staged().reason) == ("held", "no_billing_address")


def test_the_operators_choice_becomes_the_link(desk: Desk) -> None:
    """NEW-3: an ambiguity is resolved by the customer that the operator chose."""
    twins = [
        a_customer(number, email="ann@example.com", source=a_source(number, channel="outlet"))
        for number in ("1", "2")
    ]
    desk.take(*twins, policy=two_shops(matching=()))
    policy = two_shops()
    desk.take(a_customer("3", email="ann@example.com"), policy=policy)
    [parked] = [row for row in desk.staging() if row.state == "ambiguous"]
    chosen = desk.customers()[1]

    desk.take(process(parked.id, "3", choice="customer", customer_id=chosen.id), policy=policy)

    assert desk.linked("3").customer_id == chosen.id
    assert len(desk.customers()) == 2
    assert ("shop", "3", "customer_number") in desk.effects()


def test_somebody_may_be_said_to_be_new(desk: Desk) -> None:
    """NEW-3: none of the candidates is meant, so a customer is created."""
    twins = [
        a_customer(number, email="ann@example.com", source=a_source(number, channel="outlet"))
        for number in ("1", "2")
    ]
    desk.take(*twins, policy=two_shops(matching=()))
    desk.take(a_customer("3", email="ann@example.com"), policy=two_shops())
    [parked] = [row for row in desk.staging() if row.state == "ambiguous"]

    desk.take(process(parked.id, "3", choice="new"), policy=two_shops())

    assert len(desk.customers()) == 3


def test_a_changed_configuration_decides_by_itself_only_what_it_may(desk: Desk) -> None:
    """NEW-5: what a missing template held is released; a processing method is not overridden."""
    no_template = a_policy(templates=())
    desk.take(a_customer("1"), policy=no_template)
    held = desk.staged()

    desk.take(
        process(held.id, by="configuration"),
        policy=a_policy(ProcessingMethod.UPDATE, templates=(a_template(),)),
    )

    assert (desk.staged().state, desk.staged().reason) == ("staged", "method_update")
    desk.take(process(held.id, by="configuration"))
    assert desk.staged().customer_number == "D10001"


def test_try_mapping_links_and_creates_nothing(desk: Desk) -> None:
    """XPR-10: a staged customer is linked if the rules find somebody, and waits if not."""
    desk.take(a_customer("9", email="ann@example.com", source=a_source("9")))
    desk.take(a_customer("1", email="ann@example.com"), a_customer("2"), policy=NOBODY_BY_ITSELF)
    waiting = [row for row in desk.staging() if row.state == "staged"]

    desk.take(
        *(process(row.id, row.external_id, choice="link_only") for row in waiting),
        policy=NOBODY_BY_ITSELF,
    )

    assert len(desk.customers()) == 1
    assert desk.linked("1").status == "synchronized"
    [left] = [row for row in desk.staging() if row.state == "staged"]
    assert (left.external_id, left.reason) == ("2", "link_only")


def test_an_unreadable_record_is_not_processed(desk: Desk) -> None:
    """What could not be read waits to be read again."""
    desk.take(unreadable(a_source("1")))

    desk.take(process(desk.staged().id))

    assert (desk.staged().state, desk.staged().reason) == ("held", "unreadable")


def test_a_record_that_is_nowhere_is_no_failure(desk: Desk) -> None:
    """A message about a record that retention or erasure took away is done."""
    plan = desk.take(process(uuid4()))

    assert plan.outcomes == {"staging.closed": 1}
