"""Drift: what differs although it should not, by kind."""

from dataclasses import replace
from typing import Any

import pytest

from shared.domain.customer import Custom, Customer, replaced
from shared.domain.directory import DirectoryCustomer
from shared.domain.drift import Drift, drift_of, is_expected
from shared.domain.ownership import FieldRule, Owner, Ownership
from shared.domain.policy import ChannelPolicy, Policy, ProcessingMethod, StoreViewPolicy
from tests.builders import NOON, a_customer, a_link, a_policy, an_address, in_directory, knowing

WRITTEN = {"erp_template": "standard", "erp_price_group": "RETAIL"}


def there(minutes: int = 0, **changes: Any) -> Customer:
    """Return a customer as the shop has it after number and additional data were written."""
    given: dict[str, Any] = {"customer_number": "D1", "custom": Custom(attributes=WRITTEN)}
    return a_customer("1", minutes=minutes, **(given | changes))


def told(
    now: Customer, here: DirectoryCustomer, policy: Policy | None = None, **link: Any
) -> list[tuple[str, tuple[str, ...]]]:
    """Return kinds and fields of drift, if the shop last said what `there` says."""
    linked = replace(a_link(there(), here, exported_number="D1"), **link)
    found = drift_of(now, knowing(here, links=(linked,)), policy or a_policy())
    return [(each.kind, each.fields) for each in found]


def test_what_agrees_is_no_drift() -> None:
    """NEW-9: shop, snapshot and directory say the same."""
    assert told(there(minutes=5), in_directory(there())) == []


def test_what_the_shop_changed_is_told_apart_from_what_went_astray() -> None:
    """NEW-9: one was not imported yet, the other was, and is different here all the same."""
    here = in_directory(there())
    here = replace(here, fields={**here.fields, "last_name": "Astray"})

    assert told(there(minutes=5, first_name="Zoe"), here) == [
        ("changed", ("first_name",)),
        ("fields", ("last_name",)),
    ]


def test_an_address_that_went_astray_is_told() -> None:
    """NEW-9: the shop did not touch it."""
    elsewhere = replaced(there(), addresses=(an_address(city="Astray"),))

    assert told(there(minutes=5), in_directory(elsewhere)) == [("address", ("addresses",))]


@pytest.mark.parametrize("owner", [Owner.ERP, Owner.NEWEST, Owner.ONLY_IF_EMPTY])
def test_only_what_the_platform_owns_can_go_astray(owner: Owner) -> None:
    """NEW-9, NEW-6: the directory may say what it likes about the rest."""
    here = in_directory(there())
    here = replace(here, fields={**here.fields, "last_name": "Other"})
    channel = a_policy().channels["shop"]
    owned = replace(channel, ownership=Ownership({"names": FieldRule(owner)}))

    assert told(there(minutes=5), here, a_policy(channels={"shop": owned})) == []


@pytest.mark.parametrize("number", [None, "D2"])
def test_another_number_or_none_is_told(number: str | None) -> None:
    """NEW-9: somebody cleared or changed it in the shop."""
    now = there(minutes=5, customer_number=number)

    assert ("number", ("customer_number",)) in told(now, in_directory(there()))


def test_a_source_that_does_not_speak_of_numbers_has_no_other() -> None:
    """NEW-9: absent is not empty."""
    now = a_customer("1", minutes=5, custom=Custom(attributes=WRITTEN))

    assert told(now, in_directory(there())) == []


@pytest.mark.parametrize(
    ("stored", "is_other"),
    [("5", False), ("5.0000", False), (5, False), ("6", True), (None, True), ("", True)],
)
def test_additional_data_is_compared_as_the_shop_stores_it(stored: Any, is_other: bool) -> None:
    """NEW-9: a decimal attribute answers 5 with 5.0000."""
    here = in_directory(there(), defaults={"price_group": "5"})
    now = there(minutes=5, custom=Custom(attributes={**WRITTEN, "erp_price_group": stored}))

    assert told(now, here) == ([("defaults", ("erp_price_group",))] if is_other else [])


def test_the_customer_group_is_additional_data_too() -> None:
    """NEW-9: it stands apart from the attributes."""
    views = {"de": StoreViewPolicy("de")}
    grouped = ChannelPolicy("shop", views, {"group_id": "values.price_group"})
    policy = a_policy(channels={"shop": grouped})
    here = in_directory(there())

    assert told(there(minutes=5, group="RETAIL"), here, policy) == []
    assert told(there(minutes=5, group="General"), here, policy) == [("defaults", ("group_id",))]


def test_the_data_of_guests_is_not_their_customers() -> None:
    """NEW-9, ASK-3: all of them share one customer, who stays as it is."""
    here = in_directory(a_customer("9", last_name="Counter sales", email="x@example.com"))

    kinds = [kind for kind, _ in told(there(), here, is_collected=True)]

    assert "fields" not in kinds
    assert "address" not in kinds


def test_a_customer_that_is_gone_here_is_missing() -> None:
    """NEW-9: the link leads nowhere."""
    link = a_link(there(), in_directory(there()))

    found = drift_of(there(), knowing(links=(link,)), a_policy())

    assert found == [Drift("missing", "de", "1")]


def test_who_is_not_to_be_imported_is_not_expected() -> None:
    """NEW-9, C365-3: from before the start date, or of a store view that is not configured."""
    later = a_policy(ProcessingMethod.CREATE, start_date=NOON)
    elsewhere = replaced(there(), source=replaced(there().source, store_view="fr"))

    assert is_expected(there(), a_policy())
    assert not is_expected(there(), later)
    assert not is_expected(elsewhere, a_policy())
