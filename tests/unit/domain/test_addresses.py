"""What an imported customer changes about the addresses of a directory customer."""

from collections.abc import Iterable
from dataclasses import replace
from typing import Any
from uuid import uuid4

import pytest

from shared.domain.addresses import AddressMerge, address_merge, addresses_after
from shared.domain.customer import Address, Customer, Phone, replaced
from shared.domain.decisions import AddressChanges, FieldConflict
from shared.domain.directory import (
    ADDRESS_FIELDS,
    DirectoryAddress,
    DirectoryCustomer,
    address_fields,
)
from shared.domain.ownership import BlankPolicy, FieldRule, Owner, Ownership
from shared.domain.places import new_addresses
from tests.builders import a_customer, a_source, an_address, in_directory

EVERY_OWNER = pytest.mark.parametrize("owner", list(Owner))
TAKING = pytest.mark.parametrize("owner", [Owner.PLATFORM, Owner.NEWEST])
KEEPING = pytest.mark.parametrize("owner", [Owner.ERP, Owner.ONLY_IF_EMPTY])
NOTHING = AddressMerge(AddressChanges())


def merged(
    now: Customer, before: Customer | None, directory: DirectoryCustomer, **how: Any
) -> AddressMerge:
    """Return the merge under one owner of all addresses, the platform by default."""
    rule = FieldRule(how.pop("owner", Owner.PLATFORM), how.pop("blank", BlankPolicy.KEEP))
    return address_merge(now, before, directory, Ownership({"addresses": rule}), uuid4, **how)


def after(merge: AddressMerge, directory: DirectoryCustomer) -> tuple[DirectoryAddress, ...]:
    """Return the addresses as they are then."""
    return addresses_after(directory, merge.changes)


def flags(addresses: Iterable[DirectoryAddress]) -> dict[str | None, tuple[bool, bool]]:
    """Return external id → (billing, shipping) of directory addresses."""
    return {a.external_id: (a.is_default_billing, a.is_default_shipping) for a in addresses}


def told(merge: AddressMerge) -> list[tuple[str, str, str]]:
    """Return (field, rule, winner) of each conflict."""
    return [(conflict.field, conflict.rule, conflict.winner) for conflict in merge.conflicts]


def with_addresses(*addresses: Address, minutes: int = 1) -> Customer:
    """Return the shop's customer with these addresses."""
    return a_customer(minutes=minutes, addresses=addresses)


def spare(external_id: str = "a2", **changes: Any) -> Address:
    """Return an address that is no default."""
    given = {"is_default_billing": False, "is_default_shipping": False, "lines": ("Hafenstr. 9",)}
    return an_address(external_id, **(given | changes))


def edited(directory: DirectoryCustomer, index: int = 0, **fields: str) -> DirectoryCustomer:
    """Return the directory after the ERP edited an address."""
    addresses = list(directory.addresses)
    known = addresses[index]
    addresses[index] = replace(known, fields={**known.fields, **fields})
    return replace(directory, addresses=tuple(addresses))


def test_a_new_default_shipping_address_clears_the_old_flag_only() -> None:
    """The new one is imported, the old flag cleared, the billing flag untouched (C365-18)."""
    before = with_addresses(an_address("a1"), minutes=0)
    directory = in_directory(before)
    now = with_addresses(
        an_address("a1", is_default_shipping=False), spare("a2", is_default_shipping=True)
    )

    merge = merged(now, before, directory)

    assert flags(after(merge, directory)) == {"a1": (True, False), "a2": (False, True)}


def test_another_default_billing_address_is_a_flag_that_moves() -> None:
    """Both addresses stay the ones they were; nothing is added or removed (ASK-15)."""
    before = with_addresses(an_address("a1"), spare("a2"), minutes=0)
    directory = in_directory(before)
    now = with_addresses(
        an_address("a1", is_default_billing=False), spare("a2", is_default_billing=True)
    )

    merge = merged(now, before, directory)

    assert merge.changes == AddressChanges(changed=merge.changes.changed)
    assert flags(after(merge, directory)) == {"a1": (False, True), "a2": (True, False)}
    assert not merge.conflicts


def test_an_address_is_known_by_the_platforms_id() -> None:
    """An edited address is the same address (ASK-15)."""
    before = a_customer()
    directory = in_directory(before)
    now = with_addresses(an_address("a1", lines=("Neuer Weg 1",)))

    merge = merged(now, before, directory)

    assert merge.changes == AddressChanges(changed=merge.changes.changed)
    assert [(a.id, a.fields["lines"]) for a in merge.changes.changed] == [
        (directory.addresses[0].id, "Neuer Weg 1")
    ]


def test_an_address_whose_id_the_shop_changed_is_known_by_its_content() -> None:
    """Deleted and entered again, it is the same address under its new id (ASK-15)."""
    before = a_customer()
    directory = in_directory(before)

    merge = merged(with_addresses(an_address("a7")), before, directory)

    assert [(a.id, a.external_id) for a in merge.changes.changed] == [
        (directory.addresses[0].id, "a7")
    ]
    assert merge.changes == AddressChanges(changed=merge.changes.changed)


@EVERY_OWNER
def test_on_a_first_link_an_address_is_known_by_its_content(owner: Owner) -> None:
    """The other shop's same address is not entered twice, and its flags stay (XPR-9)."""
    directory = in_directory(a_customer("other", addresses=(an_address("x9"),)))
    customer = a_customer(addresses=(an_address("a1", lines=("LINDENWEG  4",)),))

    assert merged(customer, None, directory, owner=owner) == NOTHING


@EVERY_OWNER
def test_a_first_link_adds_addresses_and_moves_no_default(owner: Owner) -> None:
    """What the directory lacks is added; whose defaults differ is told (XPR-9)."""
    directory = in_directory(a_customer("other", addresses=(an_address("x9", city="Ulm"),)))

    merge = merged(a_customer(), None, directory, owner=owner)

    rule = "erp" if owner is Owner.ERP else "only_if_empty"
    assert flags(after(merge, directory)) == {"x9": (True, True), "a1": (False, False)}
    assert told(merge) == [
        ("addresses.default_billing", rule, "erp"),
        ("addresses.default_shipping", rule, "erp"),
    ]


@EVERY_OWNER
def test_a_customer_without_addresses_gets_those_of_the_shop(owner: Owner) -> None:
    """Whoever owns them: without a default no bill can be sent (ASK-12)."""
    directory = in_directory(a_customer(addresses=()))

    merge = merged(with_addresses(an_address("a1"), spare("a2")), None, directory, owner=owner)

    assert flags(after(merge, directory)) == {"a1": (True, True), "a2": (False, False)}
    assert not merge.conflicts


def test_on_a_first_link_an_addresss_gaps_are_filled() -> None:
    """A telephone number that the directory lacks is learnt, one that it has is kept (XPR-9)."""
    directory = in_directory(a_customer(addresses=(an_address("x9", tax_id="DE1", phone=None),)))
    phone = Phone(raw="030 1", e164="+49301234")
    now = a_customer(addresses=(an_address("a1", tax_id="DE2", phone=phone),))

    merge = merged(now, None, directory)

    fields = after(merge, directory)[0].fields
    assert (fields["phone"], fields["tax_id"]) == ("+49301234", "DE1")
    assert told(merge) == [("addresses.tax_id", "only_if_empty", "erp")]


@EVERY_OWNER
def test_an_address_the_erp_edited_stays_while_the_shop_leaves_it_alone(owner: Owner) -> None:
    """The shop's unchanged address does not undo the ERP's edit, whatever else it sends (NEW-6)."""
    before = a_customer()
    directory = edited(in_directory(before), city="Potsdam")

    merge = merged(with_addresses(an_address("a1"), spare("a2")), before, directory, owner=owner)

    assert not merge.changes.changed
    assert [a.external_id for a in merge.changes.added] == ["a2"]


def test_each_side_may_edit_another_field_of_one_address() -> None:
    """The shop's new city and the ERP's new telephone number both survive (NEW-6)."""
    before = a_customer()
    directory = edited(in_directory(before), phone="+49301234")

    merge = merged(with_addresses(an_address("a1", city="Bonn")), before, directory)

    fields = after(merge, directory)[0].fields
    assert (fields["city"], fields["phone"]) == ("Bonn", "+49301234")
    assert not merge.conflicts


@pytest.mark.parametrize(
    ("owner", "city", "winner"),
    [
        (Owner.PLATFORM, "Bonn", "platform"),
        (Owner.NEWEST, "Bonn", "platform"),
        (Owner.ONLY_IF_EMPTY, "Ulm", "erp"),
        (Owner.ERP, "Ulm", "erp"),
    ],
)
def test_what_both_edited_of_an_address_is_a_conflict(owner: Owner, city: str, winner: Any) -> None:
    """Both values are told, the rule, and who won (NEW-6)."""
    before = a_customer()
    directory = edited(in_directory(before), city="Ulm")

    merge = merged(with_addresses(an_address("a1", city="Bonn")), before, directory, owner=owner)

    assert after(merge, directory)[0].fields["city"] == city
    assert merge.conflicts == (FieldConflict("addresses.city", "Bonn", "Ulm", owner.value, winner),)


def test_blank_addresses_wipe_nothing() -> None:
    """Neither a blank field nor a blank list takes away what is known (ASK-18)."""
    before = a_customer()
    directory = in_directory(before)
    blank = an_address("a1", city=None, postcode="", lines=())

    assert merged(with_addresses(blank), before, directory) == NOTHING
    assert merged(with_addresses(), before, directory) == NOTHING


def test_a_customer_whose_addresses_were_not_spoken_of_keeps_them() -> None:
    """Absent is not empty, also where blanks clear (ORO-7)."""
    before = a_customer()
    silent = Customer(source=a_source(minutes=1), email="ann1@example.com")

    merge = merged(silent, before, in_directory(before), blank=BlankPolicy.CLEAR)

    assert merge == NOTHING


def test_a_field_of_an_address_that_was_not_spoken_of_is_kept() -> None:
    """Absent is not empty, field by field, also where blanks clear (ORO-7)."""
    before = a_customer()
    directory = in_directory(before)
    said_less = Address(
        external_id="a1", is_default_billing=True, is_default_shipping=True, city="Bonn"
    )

    merge = merged(with_addresses(said_less), before, directory, blank=BlankPolicy.CLEAR)

    known = directory.addresses[0].fields
    assert after(merge, directory)[0].fields == {**known, "city": "Bonn"}


def test_an_address_in_another_country_does_not_keep_its_region() -> None:
    """A region belongs to its country: blank with a new country, it is blank."""
    before = with_addresses(an_address(region_code="BY", region="Bayern"), minutes=0)
    directory = in_directory(before)

    now = an_address(country="DK", city="Ribe", region_code=None, region="")

    merge = merged(with_addresses(now), before, directory)

    fields = after(merge, directory)[0].fields
    assert (fields["country"], fields["region_code"], fields["region"]) == ("DK", None, "")


@TAKING
def test_only_what_the_shop_deleted_is_removed(owner: Owner) -> None:
    """Nothing is deleted in the directory unless the shop deleted it (NEW-6)."""
    before = with_addresses(an_address("a1"), spare("a2"), minutes=0)
    directory = in_directory(before)
    own = replace(directory.addresses[1], id=uuid4(), external_id="a3", fields={"city": "Ulm"})
    directory = replace(directory, addresses=(*directory.addresses, own))

    merge = merged(with_addresses(an_address("a1")), before, directory, owner=owner)

    assert merge.changes == AddressChanges(removed=(directory.addresses[1].id,))
    assert not merge.conflicts


@KEEPING
def test_nothing_is_removed_from_addresses_that_the_shop_does_not_own(owner: Owner) -> None:
    """The directory keeps it, and what the shop wanted is told (NEW-6)."""
    before = with_addresses(an_address("a1"), spare("a2"), minutes=0)
    directory = in_directory(before)

    merge = merged(with_addresses(an_address("a1")), before, directory, owner=owner)

    line = "Ann, Lang, Hafenstr. 9, 10115, Berlin, DE"
    assert merge == AddressMerge(
        AddressChanges(), (FieldConflict("addresses", None, line, owner.value, "erp"),)
    )


def test_a_removed_address_that_the_erp_had_edited_is_told() -> None:
    """Both changed it: the shop's removal stands, and what is lost can be read (NEW-6)."""
    before = with_addresses(an_address("a1"), spare("a2"), minutes=0)
    directory = edited(in_directory(before), index=1, city="Ulm")

    merge = merged(with_addresses(an_address("a1")), before, directory)

    assert len(merge.changes.removed) == 1
    assert told(merge) == [("addresses", "platform", "platform")]


@KEEPING
def test_a_default_that_the_shop_does_not_own_stays(owner: Owner) -> None:
    """New addresses are added, the defaults are where the ERP has them (NEW-6)."""
    before = a_customer()
    directory = in_directory(before)
    now = with_addresses(spare("a1", lines=("Lindenweg 4",)), an_address("a2", city="Bonn"))

    merge = merged(now, before, directory, owner=owner)

    assert flags(after(merge, directory)) == {"a1": (True, True), "a2": (False, False)}
    assert told(merge) == [
        ("addresses.default_billing", owner.value, "erp"),
        ("addresses.default_shipping", owner.value, "erp"),
    ]


def test_a_default_that_the_erp_moved_stays_until_the_shop_moves_it() -> None:
    """An edit of the shop's default address does not make it the directory's again (NEW-6)."""
    before = with_addresses(an_address("a1"), spare("a2"), minutes=0)
    shop = in_directory(before)
    first, second = shop.addresses
    directory = replace(
        shop,
        addresses=(
            replace(first, is_default_billing=False), replace(second, is_default_billing=True),
        ),
    )  # fmt: skip
    now = with_addresses(an_address("a1", city="Bonn"), spare("a2"))

    merge = merged(now, before, directory)

    assert flags(after(merge, directory)) == {"a1": (False, True), "a2": (True, False)}
    assert not merge.conflicts


def test_a_default_goes_to_the_shops_when_its_address_is_removed() -> None:
    """The ERP's default was an address that is gone: the shop's default takes over (ASK-12)."""
    before = with_addresses(an_address("a1"), spare("a2"), minutes=0)
    shop = in_directory(before)
    first, second = shop.addresses
    directory = replace(
        shop,
        addresses=(
            replace(first, is_default_billing=False), replace(second, is_default_billing=True),
        ),
    )  # fmt: skip

    merge = merged(with_addresses(an_address("a1")), before, directory)

    assert flags(after(merge, directory)) == {"a1": (True, True)}


def test_the_only_default_is_not_lost_with_its_address() -> None:
    """Without a default of the shop to take over, the address stays, and that is told (ASK-12)."""
    before = with_addresses(an_address("a1"), spare("a2"), minutes=0)
    directory = in_directory(before)

    merge = merged(with_addresses(spare("a2")), before, directory)

    assert merge.changes == AddressChanges()
    assert told(merge) == [("addresses", "platform", "erp")]


def test_a_new_customer_has_one_default_of_each_kind() -> None:
    """A shop that marks two is taken at its first word (ASK-12)."""
    customer = a_customer(addresses=(an_address("a1"), an_address("a2", city="Bonn")))

    addresses = new_addresses(customer, uuid4)

    assert flags(addresses) == {"a1": (True, True), "a2": (False, False)}


def test_accounts_do_not_take_each_others_addresses_away() -> None:
    """An address that two accounts of a shop have stays until the one it is known by drops it."""
    directory = in_directory(a_customer("1", addresses=(an_address("a1"), spare("a2"))))
    first = a_customer("2", addresses=(an_address("b1"),))
    linked = replace(directory, addresses=after(merged(first, None, directory), directory))

    removed = merged(
        a_customer("2", minutes=1, addresses=(an_address("b2", city="Bonn"),)), first, linked
    )

    assert not removed.changes.removed
    assert [a.external_id for a in removed.changes.added] == ["b2"]


def test_an_address_that_is_another_channels_too_is_edited_apart() -> None:
    """The other shop still says the old one: the new one is added beside it."""
    outlet = a_source("7", channel="outlet")
    other = in_directory(a_customer("7", source=outlet, addresses=(an_address("x9"),)))
    before = a_customer()

    merge = merged(with_addresses(an_address("a1", city="Bonn")), before, other)

    assert flags(after(merge, other)) == {"x9": (False, False), "a1": (True, True)}


@pytest.mark.parametrize(
    ("city", "added", "conflicts"),
    [("Berlin", [], []), ("Bonn", ["a2"], [("addresses", "platform", "platform")])],
)
def test_an_address_that_the_erp_deleted_comes_back_only_with_an_edit(
    city: str, added: list[str], conflicts: list[tuple[str, str, str]]
) -> None:
    """Left alone in the shop it stays away; edited there it is wanted again (NEW-6)."""
    before = with_addresses(an_address("a1"), spare("a2"), minutes=0)
    shop = in_directory(before)
    directory = replace(shop, addresses=shop.addresses[:1])
    now = with_addresses(an_address("a1", tax_id="DE1"), spare("a2", city=city))

    merge = merged(now, before, directory)

    assert [a.external_id for a in merge.changes.added] == added
    assert told(merge) == conflicts


def test_an_address_that_the_erp_owns_and_deleted_stays_away() -> None:
    """An edit in the shop does not bring it back; it is told (NEW-6)."""
    before = with_addresses(an_address("a1"), spare("a2"), minutes=0)
    shop = in_directory(before)
    directory = replace(shop, addresses=shop.addresses[:1])
    now = with_addresses(an_address("a1"), spare("a2", city="Bonn"))

    merge = merged(now, before, directory, owner=Owner.ERP)

    assert merge.changes == AddressChanges()
    assert told(merge) == [("addresses", "erp", "erp")]


def test_a_repair_brings_addresses_back() -> None:
    """Fields, defaults and addresses are as the shop has them, where it owns them (NEW-6)."""
    before = with_addresses(an_address("a1"), spare("a2"), minutes=0)
    shop = in_directory(before)
    first, _ = shop.addresses
    own = replace(first, id=uuid4(), external_id="e1", fields={"city": "Ulm"})
    damaged = replace(first, is_default_billing=False, is_default_shipping=False)
    directory = edited(replace(shop, addresses=(damaged, own)), city="Hof")
    now = with_addresses(an_address("a1"), spare("a2"))

    repaired = merged(now, before, directory, repairs=True)
    left = merged(now, before, directory, owner=Owner.NEWEST, repairs=True)

    assert flags(after(repaired, directory)) == {
        "a1": (True, True), "e1": (False, False), "a2": (False, False),
    }  # fmt: skip
    assert after(repaired, directory)[0].fields["city"] == "Berlin"
    assert left == NOTHING


def test_every_field_of_an_address_that_the_shop_changes_arrives() -> None:
    """No field of an address is forgotten by the merge (C365-13)."""
    texts = tuple(name for name in ADDRESS_FIELDS if name not in ("lines", "country", "phone"))
    old, new = (
        an_address(**dict.fromkeys(texts, text), lines=(text, "x"), phone=Phone(raw=text))
        for text in ("old", "new")
    )
    now = replaced(new, country="DK")
    before = with_addresses(old, minutes=0)
    directory = in_directory(before)

    merge = merged(with_addresses(now), before, directory)

    [known] = after(merge, directory)
    assert known == replace(directory.addresses[0], fields=address_fields(now))
    assert all(known.fields[name] != directory.addresses[0].fields[name] for name in ADDRESS_FIELDS)
