"""What an imported customer changes about the fields of a directory customer."""

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any

import pytest

from shared.domain.customer import Consent, Customer, CustomerKind, Phone
from shared.domain.decisions import FieldConflict
from shared.domain.directory import (
    CUSTOMER_FIELDS,
    DirectoryCustomer,
    FieldValue,
    customer_fields,
)
from shared.domain.merge import FieldMerge, agreed, field_merge
from shared.domain.ownership import BlankPolicy, FieldRule, Owner, Ownership
from tests.builders import NOON, a_customer, a_source, in_directory

EVERY_OWNER = pytest.mark.parametrize("owner", list(Owner))
PLATFORM = Ownership()


def owned(owner: Owner, blank: BlankPolicy = BlankPolicy.KEEP) -> Ownership:
    """Return the ownership of one rule for everything."""
    return Ownership({"default": FieldRule(owner, blank)})


def holding(customer: Customer, **fields: FieldValue) -> DirectoryCustomer:
    """Return a directory that holds `customer` but for some fields, which the ERP changed."""
    directory = in_directory(customer)
    return in_directory(customer, fields={**directory.fields, **fields})


def shop_said(before: str | None, now: str | None, erp: str | None, **how: Any) -> FieldMerge:
    """Return what becomes of the language, given what the shop said and what the ERP says."""
    ownership = how.pop("ownership", PLATFORM)
    snapshot = a_customer(language=before)
    return field_merge(
        a_customer(language=now, minutes=5), snapshot, holding(snapshot, language=erp), ownership,
        **how,
    )  # fmt: skip


def language(merge: FieldMerge) -> tuple[Mapping[str, FieldValue], list[tuple[str, str]]]:
    """Return the changes, and (rule, winner) of each conflict."""
    return merge.changes, [(conflict.rule, conflict.winner) for conflict in merge.conflicts]


@EVERY_OWNER
def test_what_the_shop_left_alone_stays_as_the_directory_has_it(owner: Owner) -> None:
    """Three-way: a value that the shop did not change overwrites nothing (NEW-6)."""
    merge = shop_said("de", "de", "fr", ownership=owned(owner))

    assert merge == FieldMerge({})


@pytest.mark.parametrize(
    ("owner", "changes", "conflicts"),
    [
        (Owner.PLATFORM, {"language": "fr"}, []),
        (Owner.NEWEST, {"language": "fr"}, []),
        (Owner.ONLY_IF_EMPTY, {}, [("only_if_empty", "erp")]),
        (Owner.ERP, {}, [("erp", "erp")]),
    ],
)
def test_what_the_shop_alone_changed(
    owner: Owner, changes: dict[str, str], conflicts: list[tuple[str, str]]
) -> None:
    """It is taken by the owner's rule; what is refused is told (NEW-6)."""
    merge = shop_said("de", "fr", "de", ownership=owned(owner))

    assert language(merge) == (changes, conflicts)


@pytest.mark.parametrize(
    ("owner", "changes", "winner"),
    [
        (Owner.PLATFORM, {"language": "fr"}, "platform"),
        (Owner.NEWEST, {"language": "fr"}, "platform"),
        (Owner.ONLY_IF_EMPTY, {}, "erp"),
        (Owner.ERP, {}, "erp"),
    ],
)
def test_what_both_changed_is_a_conflict_with_both_values(
    owner: Owner, changes: dict[str, str], winner: Any
) -> None:
    """The owner's value stands, and the other is not lost without a word (NEW-6)."""
    merge = shop_said("de", "fr", "it", ownership=owned(owner))

    assert merge.changes == changes
    assert merge.conflicts == (FieldConflict("language", "fr", "it", owner.value, winner),)


@EVERY_OWNER
def test_both_sides_may_come_to_the_same(owner: Owner) -> None:
    """A value that both have now is neither a change nor a conflict."""
    merge = shop_said("de", "fr", "fr", ownership=owned(owner))

    assert merge == FieldMerge({})


@EVERY_OWNER
def test_a_value_that_the_erp_lacks_is_filled_in_unless_the_field_is_the_erps(
    owner: Owner,
) -> None:
    """Only an owner `erp` means an empty field, too (NEW-6)."""
    merge = shop_said("", "fr", None, ownership=owned(owner))

    is_filled = owner is not Owner.ERP
    assert merge.changes == ({"language": "fr"} if is_filled else {})
    assert bool(merge.conflicts) is not is_filled


@pytest.mark.parametrize(
    ("minutes", "winner"), [(4, "platform"), (5, "platform"), (6, "erp"), (None, "platform")]
)
def test_the_newest_of_two_changes_wins(minutes: int | None, winner: str) -> None:
    """A tie goes to the shop, and a change whose time is not known is the older (NEW-6)."""
    snapshot = a_customer(language="de")
    times = {} if minutes is None else {"language": NOON + timedelta(minutes=minutes)}
    erp = in_directory(a_customer(language="it"), field_times=times)

    merge = field_merge(a_customer(language="fr", minutes=5), snapshot, erp, owned(Owner.NEWEST))

    assert language(merge) == (
        {"language": "fr"} if winner == "platform" else {},
        [("newest", winner)],
    )


def test_what_the_erp_changed_is_kept_beside_what_the_shop_changed() -> None:
    """Three-way: each side's change of another field survives (NEW-6)."""
    snapshot = a_customer(first_name="Ann", last_name="Lang")
    directory = holding(snapshot, first_name="Anne-Marie")

    merge = field_merge(a_customer(last_name="Kurz", minutes=1), snapshot, directory, PLATFORM)

    assert merge == FieldMerge({"last_name": "Kurz"})


def test_a_field_the_source_did_not_speak_of_is_never_a_change() -> None:
    """Absent is not empty, not even where a blank means empty; nor is the kind guessed (ORO-7)."""
    snapshot = a_customer(language="de", kind=CustomerKind.BUSINESS, company_name="Lang KG")
    said_less = Customer(source=a_source(minutes=1), email="ann1@example.com")

    merge = field_merge(
        said_less, snapshot, in_directory(snapshot), owned(Owner.PLATFORM, BlankPolicy.CLEAR)
    )

    assert merge == FieldMerge({})


def test_a_field_that_is_spoken_of_now_and_then_keeps_its_snapshot() -> None:
    """A source that falls silent and then repeats itself has changed nothing (ORO-7)."""
    first = a_customer(language="de")
    silent = Customer(source=a_source(minutes=1), email="ann1@example.com")

    merge = field_merge(
        a_customer(language="de", minutes=2),
        agreed(silent, first),
        holding(first, language="fr"),
        PLATFORM,
    )

    assert merge == FieldMerge({})


@EVERY_OWNER
def test_a_blank_never_wipes_a_value(owner: Owner) -> None:
    """Empty is not erase, unless it is configured to be (ORO-7, ASK-18)."""
    merge = shop_said("de", None, "de", ownership=owned(owner))

    assert merge == FieldMerge({})


@pytest.mark.parametrize(
    ("owner", "changes", "conflicts"),
    [
        (Owner.PLATFORM, {"language": None}, []),
        (Owner.NEWEST, {"language": None}, []),
        (Owner.ONLY_IF_EMPTY, {}, [("only_if_empty", "erp")]),
        (Owner.ERP, {}, [("erp", "erp")]),
    ],
)
def test_a_blank_that_clears_obeys_the_owner(
    owner: Owner, changes: dict[str, None], conflicts: list[tuple[str, str]]
) -> None:
    """With `blank = "clear"` emptying a field is a change like any other (ASK-18)."""
    merge = shop_said("de", None, "de", ownership=owned(owner, BlankPolicy.CLEAR))

    assert language(merge) == (changes, conflicts)


def test_blanks_have_a_rule_for_each_field() -> None:
    """One field is cleared while its neighbour keeps what it has (ASK-18)."""
    ownership = Ownership({"notes": FieldRule(blank=BlankPolicy.CLEAR)})
    snapshot = a_customer(notes="rings twice", language="de")

    merge = field_merge(
        a_customer(notes="", language="", minutes=1), snapshot, in_directory(snapshot), ownership
    )

    assert merge == FieldMerge({"notes": ""})


@EVERY_OWNER
def test_a_first_link_overwrites_nothing(owner: Owner) -> None:
    """Who is matched keeps every value; where the two differ, an operator can see it (XPR-9)."""
    directory = in_directory(a_customer(first_name="Anne", language="de"))

    merge = field_merge(a_customer(first_name="Ann", language=""), None, directory, owned(owner))

    rule = "erp" if owner is Owner.ERP else "only_if_empty"
    assert merge == FieldMerge({}, (FieldConflict("first_name", "Ann", "Anne", rule, "erp"),))


@EVERY_OWNER
def test_a_first_link_fills_gaps_unless_the_field_is_the_erps(owner: Owner) -> None:
    """What the directory lacks is learnt from the shop, but never against the owner (XPR-9)."""
    directory = in_directory(a_customer())

    merge = field_merge(a_customer(language="de"), None, directory, owned(owner))

    assert merge.changes == ({} if owner is Owner.ERP else {"language": "de"})


@EVERY_OWNER
def test_a_repair_brings_back_what_the_platform_owns(owner: Owner) -> None:
    """What the shop did not change is restored where it owns it, and nowhere else (NEW-6)."""
    merge = shop_said("de", "de", "fr", ownership=owned(owner), repairs=True)

    if owner is Owner.PLATFORM:
        assert language(merge) == ({"language": "de"}, [("platform", "platform")])
    else:
        assert merge == FieldMerge({})


def test_a_new_telephone_number_does_not_keep_the_old_ones_extension() -> None:
    """An extension belongs to its number: blank with a new number, it is blank."""
    snapshot = a_customer(phone=Phone(raw="030 1", e164="+49301234", extension="12"))
    now = a_customer(minutes=1, phone=Phone(raw="030 2", e164="+49305678"))

    merge = field_merge(now, snapshot, in_directory(snapshot), PLATFORM)

    assert merge == FieldMerge({"phone": "+49305678", "phone_extension": None})


def test_the_company_name_is_the_same_when_created_and_when_updated() -> None:
    """A company is named by one rule: what an update leaves is what a creation makes (ASK-14)."""
    private = a_customer(kind=CustomerKind.INDIVIDUAL, company_name=None)
    firm = a_customer(minutes=1, kind=CustomerKind.BUSINESS, company_name="Lang & Söhne KG")

    merge = field_merge(firm, private, in_directory(private), PLATFORM)

    assert merge == FieldMerge({"company_name": "Lang & Söhne KG", "kind": "business"})
    assert {**in_directory(private).fields, **merge.changes} == in_directory(firm).fields


def test_a_company_whose_name_is_blank_in_the_shop_stays_a_company() -> None:
    """The name is kept, and so is what it says the customer is (ASK-14, ASK-18)."""
    firm = a_customer(kind=CustomerKind.BUSINESS, company_name="Lang KG")
    blank = a_customer(minutes=1, kind=CustomerKind.INDIVIDUAL, company_name="")
    clearing = owned(Owner.PLATFORM, BlankPolicy.CLEAR)

    kept = field_merge(blank, firm, in_directory(firm), PLATFORM)
    cleared = field_merge(blank, firm, in_directory(firm), clearing)

    assert kept == FieldMerge({})
    assert cleared == FieldMerge({"company_name": "", "kind": "individual"})


def test_every_field_that_the_shop_changes_arrives() -> None:
    """No field of the directory is forgotten by the merge (C365-13)."""
    old: dict[str, Any] = dict.fromkeys(_TEXTS, "old")
    new: dict[str, Any] = dict.fromkeys(_TEXTS, "new")
    before = a_customer(
        **old, kind=CustomerKind.INDIVIDUAL, currency="EUR",
        phone=Phone(raw="030 1", extension="1"), birth_date=date(1990, 1, 1),
        marketing_consent=Consent(granted=True),
    )  # fmt: skip
    now = a_customer(
        **new, kind=CustomerKind.BUSINESS, currency="USD", minutes=1,
        phone=Phone(raw="030 2", extension="2"), birth_date=date(1990, 2, 2),
        marketing_consent=Consent(granted=False),
    )  # fmt: skip

    merge = field_merge(now, before, in_directory(before), PLATFORM)

    assert merge == FieldMerge(customer_fields(now))
    assert merge.changes.keys() == set(CUSTOMER_FIELDS)


_TEXTS = (
    "prefix", "first_name", "middle_name", "last_name", "suffix", "company_name", "email",
    "language", "tax_id", "gender", "notes",
)  # fmt: skip
