"""The steps of the matching order: by what two records are known to be of one customer."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from types import MappingProxyType
from typing import Final, Literal

from shared.domain.customer import CustomerKind


class DirectoryKey(StrEnum):
    """What customers of the directory are found by, each in normal form."""

    CUSTOMER_NUMBER = "customer_number"
    EMAIL = "email"
    PHONE = "phone"
    TAX_ID = "tax_id"
    NAME = "name"


class MatchBy(StrEnum):
    """What two records of one customer have in common."""

    CUSTOMER_NUMBER = "customer_number"
    EMAIL = "email"
    PHONE = "phone"
    TAX_ID = "tax_id"
    NAME_POSTCODE = "name_postcode"
    ATTRIBUTE = "attribute"
    METAFIELD = "metafield"
    FORM_FIELD = "form_field"
    SIMILAR = "similar"

    @property
    def is_custom(self) -> bool:
        """Whether the evidence is custom data that a rule must name."""
        return self in _FAMILY_OF


_KEY_OF: Final[Mapping[MatchBy, DirectoryKey]] = MappingProxyType(
    {
        MatchBy.CUSTOMER_NUMBER: DirectoryKey.CUSTOMER_NUMBER,
        MatchBy.EMAIL: DirectoryKey.EMAIL,
        MatchBy.PHONE: DirectoryKey.PHONE,
        MatchBy.TAX_ID: DirectoryKey.TAX_ID,
        MatchBy.NAME_POSTCODE: DirectoryKey.NAME,
        MatchBy.SIMILAR: DirectoryKey.NAME,
    }
)
_FAMILY_OF: Final[Mapping[MatchBy, str]] = MappingProxyType(
    {
        MatchBy.ATTRIBUTE: "attributes",
        MatchBy.METAFIELD: "metafields",
        MatchBy.FORM_FIELD: "form_fields",
    }
)


@dataclass(frozen=True)
class MatchRule:
    """One step of the matching order.

    `already_linked` says what a single candidate means that another account of the same channel
    is linked to: a family shares a telephone, so there a person should look (`park`), while one
    e-mail address on two websites is one customer (`link`). `name` is the custom field that holds
    the evidence and `key` what it is looked up as. With the scope `store_group` only customers of
    the same group of store views are candidates, and those that no shop has yet. `similarity` is
    the least likeness of two names, in percent, that is suggested to an operator.
    """

    by: MatchBy
    already_linked: Literal["link", "park"] = "park"
    name: str | None = None
    key: DirectoryKey | None = None
    channels: frozenset[str] = frozenset()
    kinds: frozenset[CustomerKind] = frozenset()
    scope: Literal["all", "store_group"] = "all"
    similarity: int = 90

    @cached_property
    def label(self) -> str:
        """How the rule is called in an explanation."""
        return f"{self.by.value} {self.name}" if self.name else self.by.value

    @cached_property
    def family(self) -> str | None:
        """The family of custom data that the evidence is among, if it is custom data."""
        return _FAMILY_OF.get(self.by)

    @cached_property
    def looked_up_as(self) -> DirectoryKey:
        """The key of the directory that the evidence is compared with."""
        return _KEY_OF.get(self.by) or self.key or DirectoryKey.CUSTOMER_NUMBER

    def is_for(self, channel: str, kind: CustomerKind) -> bool:
        """Whether the rule applies to customers of this channel and kind."""
        return (not self.channels or channel in self.channels) and (
            not self.kinds or kind in self.kinds
        )


DEFAULT_MATCHING: Final = (
    MatchRule(MatchBy.CUSTOMER_NUMBER, "link"),
    MatchRule(MatchBy.EMAIL, "link"),
    MatchRule(MatchBy.PHONE),
    MatchRule(MatchBy.TAX_ID),
)
