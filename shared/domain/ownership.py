"""Field ownership: who has the last word about a field when shop and directory differ (NEW-6).

A rule is given for a field or for a group of fields; the nearest wins: the field's own, its
group's, the one for `default`. Without any the platform owns, and a blank wipes nothing (ASK-18).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from shared.domain.directory import CUSTOMER_FIELDS


class Owner(StrEnum):
    """Whose value stands where both sides changed a field, or one may not change it."""

    PLATFORM = "platform"
    ERP = "erp"
    NEWEST = "newest"
    ONLY_IF_EMPTY = "only_if_empty"


class BlankPolicy(StrEnum):
    """What it means that the shop emptied a field."""

    KEEP = "keep"
    CLEAR = "clear"


@dataclass(frozen=True, slots=True)
class FieldRule:
    """Who owns a field, and what a blank means."""

    owner: Owner = Owner.PLATFORM
    blank: BlankPolicy = BlankPolicy.KEEP


GROUPS: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {
        "names": ("prefix", "first_name", "middle_name", "last_name", "suffix"),
        "contact": ("email", "phone", "phone_extension"),
        "company": ("kind", "company_name", "tax_id"),
        "preferences": (
            "language", "currency", "birth_date", "gender", "marketing_consent", "notes",
        ),
    }
)  # fmt: skip
ADDRESSES: Final = "addresses"
DEFAULT: Final = "default"
FIELD_NAMES: Final = frozenset({*CUSTOMER_FIELDS, *GROUPS, ADDRESSES, DEFAULT})
"""What a rule may be given for."""

_GROUP_OF: Final = {field: group for group, fields in GROUPS.items() for field in fields}
_DEFAULT_RULE: Final = FieldRule()


@dataclass(frozen=True, slots=True)
class Ownership:
    """The rules in force, by the name of a field or group."""

    rules: Mapping[str, FieldRule] = field(default_factory=dict)

    def rule(self, name: str) -> FieldRule:
        """Return the rule for a field of the directory, or for `addresses`."""
        for key in (name, _GROUP_OF.get(name), DEFAULT):
            if key and (found := self.rules.get(key)):
                return found
        return _DEFAULT_RULE
