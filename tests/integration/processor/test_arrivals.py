"""New customers arrive: in the directory, linked, numbered, archived, and owed to the shop."""

import json
from dataclasses import replace
from typing import Any

import orjson
import pytest

from services.processor.worker import process_batch
from shared.domain.conditions import Condition
from shared.domain.customer import Customer, Phone, SourceKey
from shared.domain.errors import UnknownType
from shared.domain.messages import CustomerImported, ImportRequested
from shared.domain.policy import NumberSeries
from shared.persistence.tables import history
from tests.builders import a_customer, a_policy, a_source, a_template, an_address, imported
from tests.integration.persistence.builders import Crash
from tests.integration.processor.desk import Desk, a_message, explanation


def test_new_customers_get_the_next_numbers_in_their_order(desk: Desk) -> None:
    """A batch draws from the template's series in order of arrival, and the next goes on."""
    desk.take(a_customer("3"), a_customer("1"), a_customer("2"))
    desk.take(a_customer("4"))

    numbers = {row.email: row.number for row in desk.customers()}
    assert numbers == {
        "ann3@example.com": "D10001",
        "ann1@example.com": "D10002",
        "ann2@example.com": "D10003",
        "ann4@example.com": "D10004",
    }
    assert desk.next_number() == 10005


def test_a_new_customer_stands_in_the_directory_with_all_it_said(desk: Desk) -> None:
    """C365-13, C365-16: fields, template defaults and every address with its own flags."""
    addresses = (
        an_address("a1", is_default_shipping=False),
        an_address("a2", is_default_billing=False, lines=("Hof 1", "Tor 2"), city="Köln 🏡"),
        an_address("a3", is_default_billing=False, is_default_shipping=False),
    )

    desk.take(a_customer(language="de", phone=Phone(raw="1", e164="+4930123"), addresses=addresses))

    row = desk.customer()
    assert (row.first_name, row.language, row.phone, row.kind) == (
        "Ann",
        "de",
        "+4930123",
        "individual",
    )
    assert (row.template, orjson.loads(row.defaults)) == ("standard", {"price_group": "RETAIL"})
    assert (row.phone, row.email_key, row.phone_key) == (
        "+4930123", "ann1@example.com", "+4930123",
    )  # fmt: skip
    stored = desk.addresses()
    assert [(a.external_id, a.is_default_billing, a.is_default_shipping) for a in stored] == [
        ("a1", True, False), ("a2", False, True), ("a3", False, False),
    ]  # fmt: skip
    assert (stored[1].lines, stored[1].city) == ("Hof 1\nTor 2", "Köln 🏡")
    assert {a.customer_id for a in stored} == {row.id}


def test_a_new_customer_is_linked_with_store_and_group(desk: Desk) -> None:
    """C365-14, C365-15: the link leads from the remote record to the customer and back."""
    customer = a_customer(group="Wholesale")

    desk.take(customer)

    link = desk.link()
    assert (link.channel, link.external_id, link.customer_id) == ("shop", "1", desk.customer().id)
    assert (link.status, link.store_view, link.customer_group) == (
        "synchronized",
        "de",
        "Wholesale",
    )
    assert (link.changed_at, link.fingerprint) == (customer.source.version.changed_at, "f0")
    assert link.exported_number is None


def test_a_new_customer_is_archived_with_its_explanation(desk: Desk) -> None:
    """C365-12, NEW-2: the staging record is finished, knows the number, and says why."""
    message = imported(a_customer())

    desk.take(message)

    row = desk.staged()
    assert (row.state, row.reason, row.is_existing) == ("processed", None, False)
    assert (row.customer_id, row.customer_number) == (desk.customer().id, "D10001")
    assert (row.message_id, row.correlation_id) == (message.message_id, message.correlation_id)
    assert row.body == message.raw
    said = explanation(row)
    assert (said["config_version"], said["template"]) == ("test", "standard")
    assert [(trial["rule"], trial["outcome"]) for trial in said["rules"]] == [
        ("customer_number", "no_evidence"), ("email", "no_candidate"),
        ("phone", "no_evidence"), ("tax_id", "no_evidence"),
    ]  # fmt: skip


def test_a_new_customer_has_a_timeline(desk: Desk) -> None:
    """NEW-10: the decision is a line of history under the import's correlation id."""
    message = imported(a_customer())

    desk.take(message)

    [line] = desk.rows(history)
    assert (line.event, line.worker, line.channel, line.external_id) == (
        "customer.created", "processor", "shop", "1",
    )  # fmt: skip
    assert (line.customer_id, line.correlation_id) == (desk.customer().id, message.correlation_id)


def test_a_new_customer_is_owed_exactly_two_exports(desk: Desk) -> None:
    """C365-17: the number and the additional data, as messages that an exporter can decode."""
    message = imported(a_customer())

    plan = desk.take(message)

    number, data = desk.exports()
    assert (number.body.effect, number.body.customer_number) == ("customer_number", "D10001")
    assert data.body.effect == "additional_data"
    assert data.body.values == {"erp_template": "standard", "erp_price_group": "RETAIL"}
    for export in (number, data):
        assert (export.channel, export.subject) == ("shop", "1")
        assert (export.correlation_id, export.causation_id) == (
            message.correlation_id, message.message_id,
        )  # fmt: skip
        assert export.body.version == message.body.customer.source.version
        assert export.body.customer_id == desk.customer().id
    assert plan.outcomes == {"customer.created": 1}


def test_the_same_message_again_changes_nothing(desk: Desk) -> None:
    """C365-17: a replay adds no customer, number, record, export or line of history."""
    message = imported(a_customer())
    desk.take(message)
    before = (desk.customers(), desk.addresses(), desk.staging(), desk.effects(), desk.events())

    plan = desk.take(message)

    assert (
        desk.customers(), desk.addresses(), desk.staging(), desk.effects(), desk.events()
    ) == before  # fmt: skip
    assert desk.next_number() == 10002
    assert plan.outcomes == {"customer.unchanged": 1}


def test_two_changes_to_one_customer_share_a_batch(desk: Desk) -> None:
    """The second of a batch sees what the first decided: one customer, as last said."""
    first = a_customer(first_name="Ann", language="de")
    second = a_customer(first_name="Anna", language="de", minutes=5)

    desk.take(first, second)

    row = desk.customer()
    assert (row.first_name, row.number) == ("Anna", "D10001")
    assert desk.link().fingerprint == "f5"
    assert [(r.state, r.is_existing, r.customer_number) for r in desk.staging()] == [
        ("processed", False, "D10001"), ("processed", True, "D10001"),
    ]  # fmt: skip
    assert len(desk.addresses()) == 1
    assert len(desk.exports()) == 2


@pytest.mark.parametrize("together", [True, False])
def test_two_accounts_with_one_email_are_one_customer(desk: Desk, together: bool) -> None:
    """ASK-5: one directory record, one number, two links, and the exports to both accounts."""
    here = a_customer("1", email="ann@example.com")
    there = a_customer(
        "7", email="ANN@Example.com", source=a_source("7", channel="outlet"), language="de"
    )

    desk.take(here, there) if together else desk.one_by_one(here, there)

    row = desk.customer()
    assert (row.number, row.language) == ("D10001", "de")
    assert desk.next_number() == 10002
    linked = desk.links()
    assert set(linked) == {SourceKey("shop", "1"), SourceKey("outlet", "7")}
    assert {link.customer_id for link in linked.values()} == {row.id}
    assert desk.effects() == [
        ("outlet", "7", "additional_data"), ("outlet", "7", "customer_number"),
        ("shop", "1", "additional_data"), ("shop", "1", "customer_number"),
    ]  # fmt: skip
    assert {export.body.customer_number for export in desk.exports()} == {"D10001"}
    assert len(desk.addresses()) == 1


@pytest.mark.parametrize(
    ("known", "newcomer", "rule"),
    [
        ({"email": "Ann@Example.com"}, {"email": "ann@EXAMPLE.com"}, "email"),
        (
            {"email": "a@example.com", "phone": Phone(raw="x", e164="+4930123456")},
            {"email": "b@example.com", "phone": Phone(raw="y", e164="+4930123456")},
            "phone",
        ),
        (
            {"email": "a@example.com", "tax_id": "DE 136 695 976"},
            {"email": "b@example.com", "tax_id": "DE136695976"},
            "tax_id",
        ),
        (
            {"email": "a@example.com"},
            {"email": "b@example.com", "customer_number": "D10001"},
            "customer_number",
        ),
    ],
)
def test_a_known_customer_is_found_by_each_key(
    desk: Desk, known: dict[str, Any], newcomer: dict[str, Any], rule: str
) -> None:
    """XPR-12: rows written by one batch are found by the normalised keys of the next."""
    desk.take(a_customer("1", **known))

    desk.take(a_customer("2", source=a_source("2", channel="outlet"), **newcomer))

    row = desk.customer()
    assert {link.customer_id for link in desk.links().values()} == {row.id}
    matched = explanation(desk.staging()[-1])["rules"][-1]
    assert (matched["rule"], matched["outcome"]) == (rule, "matched")
    assert desk.staging()[-1].is_existing


def test_templates_draw_from_their_own_series(desk: Desk) -> None:
    """Two templates with two series count apart in one batch."""
    policy = a_policy(
        templates=(
            a_template("business", number_series="firms", when=Condition('kind == "business"')),
            a_template(),
        ),
        number_series={
            "firms": NumberSeries("firms", prefix="F", width=3, start=1),
            "debtors": NumberSeries("debtors", prefix="D", width=5, start=10001),
        },
    )
    batch = [a_customer("1"), a_customer("2", kind="business"), a_customer("3")]

    desk.take(*batch, policy=policy)

    assert [row.number for row in desk.customers()] == ["D10001", "D10002", "F001"]


def test_a_failed_batch_returns_its_numbers(desk: Desk) -> None:
    """What a rolled back batch drew is drawn by the next: the series has no gap."""

    def crash_before_the_commit() -> None:
        with desk.units.begin() as work:
            process_batch([imported(a_customer("1"))], work, desk.policy)
            raise Crash

    with pytest.raises(Crash):
        crash_before_the_commit()
    desk.take(a_customer("2"))

    assert [(row.email, row.number) for row in desk.customers()] == [("ann2@example.com", "D10001")]
    assert len(desk.exports()) == 2


def test_a_message_of_another_worker_is_refused(desk: Desk) -> None:
    """A message that is not the processor's is told as such, to be dead-lettered at once."""
    stray = a_message(ImportRequested(channel="shop"), a_source())

    with pytest.raises(UnknownType):
        desk.take(a_customer(), stray)

    assert desk.customers() == []


@pytest.mark.parametrize("indent", [None, 1], ids=["as we write", "spread over lines"])
@pytest.mark.parametrize(
    "said",
    [{"origin": "poll", "mode": "normal"}, {"origin": "sweep"}, {"mode": "repair"}, {}],
    ids=lambda said: "-".join(said.values()) or "nothing",
)
def test_the_link_keeps_the_customer_of_the_message(
    desk: Desk, said: dict[str, Any], indent: int | None
) -> None:
    """However a message is written, the snapshot is the customer in it, said fields and all."""
    customer = a_customer(first_name='Ann "},"origin":"poll","mode":"normal"}', notes=None)
    body = CustomerImported(customer=customer, **said)
    raw = json.dumps(json.loads(body.to_json()), indent=indent).encode() if indent else None

    desk.take(replace(imported(customer), body=body, raw=raw or body.to_json()))

    snapshot = Customer.model_validate_json(desk.link().snapshot)
    assert snapshot == customer
    assert snapshot.model_fields_set == customer.model_fields_set


def test_the_link_keeps_what_was_decided_about_the_customer(desk: Desk) -> None:
    """C365-7: where the decision filled the shipping address in, the snapshot has it as well."""
    customer = a_customer(addresses=(an_address("a1", is_default_shipping=False),))
    body = CustomerImported(customer=customer, origin="poll", mode="normal")

    desk.take(replace(imported(customer), body=body, raw=body.to_json()))

    [address] = Customer.model_validate_json(desk.link().snapshot).addresses
    assert address.is_default_shipping
