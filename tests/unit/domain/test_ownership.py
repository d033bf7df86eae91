"""Who owns a field."""

import pytest

from shared.domain.directory import CUSTOMER_FIELDS
from shared.domain.ownership import GROUPS, BlankPolicy, FieldRule, Owner, Ownership

ERP, EMPTY, NEWEST = (FieldRule(o) for o in (Owner.ERP, Owner.ONLY_IF_EMPTY, Owner.NEWEST))


@pytest.mark.parametrize(
    ("field", "rule"),
    [("email", NEWEST), ("phone", ERP), ("first_name", EMPTY), ("addresses", EMPTY)],
)
def test_the_nearest_rule_wins(field: str, rule: FieldRule) -> None:
    """A field's own rule goes before its group's, and that before the one for all (NEW-6)."""
    ownership = Ownership({"default": EMPTY, "contact": ERP, "email": NEWEST})

    assert ownership.rule(field) == rule


@pytest.mark.parametrize("field", [*CUSTOMER_FIELDS, "addresses"])
def test_without_a_rule_the_platform_owns_and_a_blank_wipes_nothing(field: str) -> None:
    """The default is harmless: news is taken, blanks are not (NEW-6, ASK-18)."""
    assert Ownership().rule(field) == FieldRule(Owner.PLATFORM, BlankPolicy.KEEP)


def test_every_field_has_one_group() -> None:
    """A rule for a group reaches each field that the page lists, once (NEW-6)."""
    grouped = [field for fields in GROUPS.values() for field in fields]

    assert sorted(grouped) == sorted(CUSTOMER_FIELDS)
