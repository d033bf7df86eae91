"""What holds of every merge, whoever said what before."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any
from uuid import uuid4

from hypothesis import given
from hypothesis import strategies as st

from shared.domain.addresses import address_merge, addresses_after
from shared.domain.customer import Address, Customer, CustomerKind, Phone
from shared.domain.directory import (
    ADDRESS_FIELDS,
    CUSTOMER_FIELDS,
    DirectoryAddress,
    DirectoryCustomer,
    FieldValue,
    customer_fields,
)
from shared.domain.merge import agreed, field_merge, is_blank, same_value
from shared.domain.ownership import ADDRESSES, BlankPolicy, FieldRule, Owner, Ownership
from tests.builders import a_source, counting_ids

TEXTS = st.sampled_from([None, "", "a", "b", "c"])
PHONES = st.sampled_from(
    [None, Phone(raw="1"), Phone(raw="2", extension="12"), Phone(raw="3", extension="34")]
)
KINDS = st.sampled_from(list(CustomerKind))
IDS = st.sampled_from([None, "a1", "a2", "a3"])
VALUES: Mapping[str, st.SearchStrategy[Any]] = {
    "first_name": TEXTS, "last_name": TEXTS, "company_name": TEXTS, "email": TEXTS,
    "language": TEXTS, "notes": TEXTS, "phone": PHONES, "kind": KINDS,
}  # fmt: skip
RULES = st.builds(FieldRule, st.sampled_from(list(Owner)), st.sampled_from(list(BlankPolicy)))
OWNERSHIPS = st.builds(
    Ownership,
    st.dictionaries(st.sampled_from(["default", "contact", "email", ADDRESSES]), RULES),
)
ADDRESSES_OF_A_SHOP = st.lists(
    st.fixed_dictionaries(
        {},
        optional={
            "external_id": IDS, "is_default_billing": st.booleans(),
            "is_default_shipping": st.booleans(), "city": TEXTS, "region": TEXTS,
            "tax_id": TEXTS, "country": st.sampled_from([None, "DE", "DK"]),
        },
    ).map(lambda said: Address(**said)),
    max_size=4,
    unique_by=lambda address: address.external_id or object(),
).map(tuple)  # fmt: skip


@st.composite
def customers(draw: st.DrawFn, minutes: int = 0) -> Customer:
    """Return what a shop may say: any field, or nothing of it."""
    said = draw(st.fixed_dictionaries({}, optional=dict(VALUES)))
    if draw(st.booleans()):
        said["addresses"] = draw(ADDRESSES_OF_A_SHOP)
    return Customer(source=a_source(minutes=minutes), **said)


@st.composite
def directories(draw: st.DrawFn) -> DirectoryCustomer:
    """Return a customer of the directory, with one default of each kind at the most."""
    fields: dict[str, FieldValue] = dict.fromkeys(CUSTOMER_FIELDS)
    fields |= {name: draw(TEXTS) for name in VALUES} | {"kind": draw(KINDS).value}
    addresses: list[DirectoryAddress] = [
        DirectoryAddress(
            uuid4(), draw(st.sampled_from(["shop", "outlet"])), draw(IDS), False, False,
            dict.fromkeys(ADDRESS_FIELDS)
            | {"lines": "", "city": draw(TEXTS), "tax_id": draw(TEXTS), "country": "DE"},
        )
        for _ in range(draw(st.integers(0, 3)))
    ]  # fmt: skip
    for flag in ("is_default_billing", "is_default_shipping"):
        is_marked: bool = draw(st.booleans())
        if addresses and is_marked:
            index = draw(st.integers(0, len(addresses) - 1))
            changes: dict[str, Any] = {flag: True}
            addresses[index] = replace(addresses[index], **changes)
    unique = {(a.channel, a.external_id or a.id): a for a in addresses}
    return DirectoryCustomer(uuid4(), "D1", fields, addresses=tuple(unique.values()))


SNAPSHOTS = st.none() | customers()
NEWS = customers(minutes=5)


def applied(
    news: Customer, snapshot: Customer | None, directory: DirectoryCustomer, ownership: Ownership
) -> DirectoryCustomer:
    """Return the directory's customer after the news."""
    fields = field_merge(news, snapshot, directory, ownership).changes
    addresses = address_merge(news, snapshot, directory, ownership, counting_ids()).changes
    return replace(
        directory,
        fields={**directory.fields, **fields},
        addresses=addresses_after(directory, addresses),
    )


@given(NEWS, SNAPSHOTS, directories(), OWNERSHIPS)
def test_the_same_news_twice_is_the_same_as_once(
    news: Customer, snapshot: Customer | None, directory: DirectoryCustomer, ownership: Ownership
) -> None:
    """What was taken over, or refused, is no news again (NEW-6, C365-20)."""
    once = applied(news, snapshot, directory, ownership)
    known = agreed(news, snapshot)

    fields = field_merge(news, known, once, ownership)
    addresses = address_merge(news, known, once, ownership, uuid4)

    assert (fields.changes, fields.conflicts) == ({}, ())
    assert (bool(addresses.changes), addresses.conflicts) == (False, ())


@given(NEWS, SNAPSHOTS, directories(), OWNERSHIPS, st.booleans())
def test_what_was_not_said_is_never_changed(
    news: Customer,
    snapshot: Customer | None,
    directory: DirectoryCustomer,
    ownership: Ownership,
    repairs: bool,
) -> None:
    """Absent is not empty, under every owner (ORO-7)."""
    fields = field_merge(news, snapshot, directory, ownership, repairs=repairs)
    addresses = address_merge(news, snapshot, directory, ownership, uuid4, repairs=repairs)

    said = {"phone_extension" if name == "phone" else name for name in news.model_fields_set}
    assert fields.changes.keys() <= said | news.model_fields_set
    assert news.said("addresses") or not addresses.changes


@given(NEWS, SNAPSHOTS, directories(), st.sampled_from(list(BlankPolicy)), st.booleans())
def test_what_the_erp_owns_never_changes(
    news: Customer,
    snapshot: Customer | None,
    directory: DirectoryCustomer,
    blank: BlankPolicy,
    repairs: bool,
) -> None:
    """No field, and no field of a known address; none is removed (NEW-6)."""
    ownership = Ownership({"default": FieldRule(Owner.ERP, blank)})

    fields = field_merge(news, snapshot, directory, ownership, repairs=repairs)
    addresses = address_merge(news, snapshot, directory, ownership, uuid4, repairs=repairs)

    known = {address.id: address.fields for address in directory.addresses}
    assert fields.changes == {}
    assert addresses.changes.removed == ()
    assert all(address.fields == known[address.id] for address in addresses.changes.changed)


@given(NEWS, SNAPSHOTS, directories(), OWNERSHIPS)
def test_a_first_link_overwrites_no_value(
    news: Customer, snapshot: Customer | None, directory: DirectoryCustomer, ownership: Ownership
) -> None:
    """It only fills what is empty, whoever owns it (XPR-9)."""
    after = applied(news, None, directory, ownership)

    kept = {name: value for name, value in directory.fields.items() if not is_blank(value)}
    assert {**after.fields, **kept} == after.fields
    assert {a.id for a in directory.addresses} <= {a.id for a in after.addresses}


@given(NEWS, customers(), directories(), st.sampled_from(list(BlankPolicy)))
def test_what_the_platform_owns_and_changed_stands_in_the_directory(
    news: Customer, snapshot: Customer, directory: DirectoryCustomer, blank: BlankPolicy
) -> None:
    """Every value that the shop changed, but the kind of a company whose name is kept (NEW-6)."""
    after = applied(news, snapshot, directory, Ownership({"default": FieldRule(blank=blank)}))

    before = customer_fields(snapshot)
    changed = {
        name: value
        for name, value in customer_fields(news).items()
        if not is_blank(value) and not same_value(value, before.get(name)) and name != "kind"
    }
    assert {**after.fields, **changed} == after.fields


@given(customers(), NEWS, directories(), st.sets(st.sampled_from(sorted(VALUES))))
def test_changes_of_different_fields_both_survive(
    snapshot: Customer, news: Customer, directory: DirectoryCustomer, edited: set[str]
) -> None:
    """What the ERP changed alone stays; what the shop changed alone comes (NEW-6)."""
    before, said = customer_fields(snapshot), customer_fields(news)
    erp = replace(directory, fields={**before, **{name: directory.fields[name] for name in edited}})

    merge = field_merge(news, snapshot, erp, Ownership())

    by_shop = {name for name in said if not same_value(said[name], before.get(name))}
    assert merge.changes.keys().isdisjoint(edited - by_shop)
    assert {conflict.field for conflict in merge.conflicts} <= edited & by_shop


@given(NEWS, SNAPSHOTS, directories(), OWNERSHIPS, st.booleans())
def test_there_is_one_default_of_each_kind_at_the_most(
    news: Customer,
    snapshot: Customer | None,
    directory: DirectoryCustomer,
    ownership: Ownership,
    repairs: bool,
) -> None:
    """Never a second, and never none where there was one (ASK-12)."""
    merge = address_merge(news, snapshot, directory, ownership, uuid4, repairs=repairs)

    after = addresses_after(directory, merge.changes)
    for flag in ("is_default_billing", "is_default_shipping"):
        had, has = (sum(getattr(a, flag) for a in each) for each in (directory.addresses, after))
        assert had <= has <= 1
