"""Data as it comes: strange, long, plenty, and from publishers other than ourselves."""

import pytest

from shared.domain.customer import Custom, Phone
from shared.domain.errors import ConfigurationError
from shared.domain.messages import CustomerImported
from shared.persistence.tables import links
from tests.builders import a_customer, a_policy, a_source, an_address
from tests.integration.processor.desk import Desk, a_message, a_tax_id, explanation

LONG = "ß" * 255


def test_long_and_strange_values_are_kept_whole(desk: Desk) -> None:
    """The longest the model takes, in any script, reaches the directory as it is."""
    customer = a_customer(
        LONG,
        email="ann@example.com",
        first_name="Żółć 🙂 \u202eabc",
        last_name=LONG,
        notes="n" * 4000,
        tax_id=LONG,
        addresses=(an_address(LONG, lines=(LONG,) * 20, region=LONG),),
    )

    desk.take(customer)

    row = desk.customer()
    assert (row.first_name, row.last_name) == ("Żółć 🙂 \u202eabc", LONG)
    assert (len(row.notes), row.tax_id) == (4000, LONG)
    assert desk.addresses()[0].lines == "\n".join([LONG] * 20)
    assert desk.link().external_id == LONG


def test_custom_values_of_any_kind_survive_in_the_snapshot(desk: Desk) -> None:
    """Numbers, truth values and nothing at all are what they were when next compared."""
    custom = Custom(
        attributes={"level": 3, "rate": 0.1, "vip": True, "none": None, "Größe": "5.0000"},
        metafields={"big": 2**70, "": ""},
    )
    desk.take(a_customer(custom=custom))

    plan = desk.take(a_customer(custom=custom, minutes=5))

    assert plan.outcomes == {"customer.unchanged": 1}


def test_many_customers_and_addresses_fit_a_batch(desk: Desk) -> None:
    """The largest batch there may be, each with every key, and one with hundreds of addresses."""
    crowd = [
        a_customer(
            str(n),
            tax_id=a_tax_id(n),
            phone=Phone(raw="x", e164=f"+4930{n:07}"),
            customer_number=f"X{n}",
        )
        for n in range(1000)
    ]
    book = tuple(
        an_address(f"b{n}", is_default_billing=n == 0, is_default_shipping=n == 0, city=f"Ort {n}")
        for n in range(300)
    )

    desk.take(*crowd[1:], a_customer("0", addresses=book))

    assert len(desk.customers()) == 1000
    assert len(desk.addresses()) == 999 + 300
    assert desk.next_number() == 11001


def test_a_key_that_many_share_is_told_with_all_of_them(desk: Desk) -> None:
    """Nobody is chosen from a crowd, however large."""
    crowd = [a_customer(str(n), email="info@example.com") for n in range(30)]
    desk.take(*crowd, policy=a_policy(matching=()))

    desk.take(a_customer("99", email="info@example.com"))

    [trial] = [t for t in explanation(desk.staging()[-1])["rules"] if t["outcome"] == "ambiguous"]
    assert trial["candidates"] == [str(row.id) for row in desk.customers()]


def test_a_customer_from_an_outside_publisher_is_brought_into_form(desk: Desk) -> None:
    """XPR-12: keys are normalised on both sides, also when the importer did not see the record."""
    desk.take(a_customer("1", phone=Phone(raw="030 1234567", e164="+49301234567")))
    stranger = a_customer(
        "7",
        source=a_source("7", channel="outlet"),
        email="other@example.com",
        first_name="  Ann \n",
        phone=Phone(raw="(030) 123 45 67"),
    )
    body = CustomerImported(customer=stranger, origin="push")

    desk.take(a_message(body, stranger.source, is_foreign=True))

    assert desk.customer().number == "D10001"
    assert len(desk.rows(links)) == 2
    assert explanation(desk.staging()[-1])["rules"][-1]["evidence"] == "+49301234567"


def test_a_missing_number_series_is_a_fault_of_the_setup(desk: Desk) -> None:
    """C365-4: no number is made up for a series that nobody configured."""
    with pytest.raises(ConfigurationError, match="debtors"):
        desk.take(a_customer(), policy=a_policy(number_series={}))

    assert desk.customers() == []
