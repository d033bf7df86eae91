"""What an imported customer changes in the directory."""

from collections.abc import Iterable
from uuid import uuid4

from shared.domain.changes import address_changes, addresses_after, field_changes
from shared.domain.customer import Customer
from shared.domain.directory import DirectoryAddress
from tests.builders import a_customer, a_source, an_address, in_directory


def flags(addresses: Iterable[DirectoryAddress]) -> dict[str | None, tuple[bool, bool]]:
    """Return external id → (billing, shipping) of directory addresses."""
    return {a.external_id: (a.is_default_billing, a.is_default_shipping) for a in addresses}


def test_what_the_erp_changed_is_kept_where_the_shop_changed_nothing() -> None:
    """Three-way: a value the shop left alone does not overwrite the directory's."""
    snapshot = a_customer(first_name="Ann", last_name="Lang")
    directory = in_directory(a_customer(first_name="Anne-Marie", last_name="Lang"))

    changes = field_changes(a_customer(last_name="Kurz", minutes=1), snapshot, directory)

    assert changes == {"last_name": "Kurz"}


def test_a_field_the_source_did_not_speak_of_is_never_a_change() -> None:
    """Absent is not empty."""
    snapshot = a_customer(language="de")
    said_less = Customer(source=a_source(minutes=1), email="ann1@example.com")

    changes = field_changes(said_less, snapshot, in_directory(snapshot))

    assert changes == {}


def test_a_blank_never_wipes_a_value() -> None:
    """ORO-7, ASK-18: empty is not erase."""
    snapshot = a_customer(language="de")

    changes = field_changes(a_customer(language=None, minutes=1), snapshot, in_directory(snapshot))

    assert changes == {}


def test_a_new_default_shipping_address_clears_the_old_flag_only() -> None:
    """C365-18: imported, the old flag cleared, the billing flag untouched."""
    before = a_customer(addresses=(an_address("a1"),))
    directory = in_directory(before)
    after = a_customer(
        minutes=1,
        addresses=(
            an_address("a1", is_default_shipping=False),
            an_address("a2", is_default_billing=False, lines=("Hafenstr. 9",)),
        ),
    )

    changes = address_changes(after, before, directory, uuid4)

    assert flags(addresses_after(directory, changes)) == {
        "a1": (True, False),
        "a2": (False, True),
    }


def test_an_address_is_known_by_the_platforms_id() -> None:
    """ASK-15: an edited address is the same address."""
    before = a_customer()
    directory = in_directory(before)
    after = a_customer(minutes=1, addresses=(an_address("a1", lines=("Neuer Weg 1",)),))

    changes = address_changes(after, before, directory, uuid4)

    assert not changes.added
    assert not changes.removed
    assert [(a.id, a.fields["lines"]) for a in changes.changed] == [
        (directory.addresses[0].id, "Neuer Weg 1")
    ]


def test_on_a_first_link_an_address_is_known_by_its_content() -> None:
    """The other shop's same address is not entered twice, and its flags stay."""
    directory = in_directory(a_customer("other", addresses=(an_address("x9"),)))
    customer = a_customer(addresses=(an_address("a1", lines=("LINDENWEG  4",)),))

    changes = address_changes(customer, None, directory, uuid4)

    assert not changes


def test_only_what_the_shop_deleted_is_removed() -> None:
    """Nothing is deleted in the directory unless the shop deleted it."""
    mine, gone = (
        an_address("a1"),
        an_address("a2", is_default_billing=False, is_default_shipping=False, lines=("Alt 1",)),
    )
    before = a_customer(addresses=(mine, gone))
    directory = in_directory(before)

    changes = address_changes(a_customer(minutes=1), before, directory, uuid4)

    assert changes.removed == (directory.addresses[1].id,)
    assert flags(addresses_after(directory, changes)) == {"a1": (True, True)}


def test_an_address_the_erp_edited_stays_while_the_shop_leaves_it_alone() -> None:
    """Three-way for addresses: the shop's unchanged address does not undo the ERP's edit."""
    before = a_customer()
    edited = in_directory(a_customer(addresses=(an_address("a1", city="Potsdam"),)))

    changes = address_changes(a_customer(minutes=1), before, edited, uuid4)

    assert not changes
