"""The merchant's policy: everything configured that a decision depends on, as plain values.

Built and validated from `patron.toml` by `shared.config`; `version` is a digest of it, recorded
with every decision.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType
from typing import Final, Literal

from shared.domain.conditions import Condition


class ProcessingMethod(StrEnum):
    """What happens by itself to the customers of a store view (C365-5)."""

    NONE = "none"
    UPDATE = "update"
    CREATE = "create"
    CREATE_AND_UPDATE = "create_and_update"

    @property
    def creates(self) -> bool:
        """Whether unknown customers are created."""
        return self in (self.CREATE, self.CREATE_AND_UPDATE)

    @property
    def updates(self) -> bool:
        """Whether known customers are updated."""
        return self in (self.UPDATE, self.CREATE_AND_UPDATE)


class MatchBy(StrEnum):
    """What two records of one customer have in common."""

    CUSTOMER_NUMBER = "customer_number"
    EMAIL = "email"
    PHONE = "phone"
    TAX_ID = "tax_id"


@dataclass(frozen=True, slots=True)
class MatchRule:
    """One step of the matching order.

    `already_linked` says what a single candidate means that another account of the same channel
    is linked to: a family shares a telephone, so there a person should look (`park`), while one
    e-mail address on two websites is one customer (`link`).
    """

    by: MatchBy
    already_linked: Literal["link", "park"] = "park"


@dataclass(frozen=True, slots=True)
class Template:
    """What the ERP must know of a new customer and no shop can say."""

    name: str
    number_series: str
    values: Mapping[str, str] = field(default_factory=dict)
    when: Condition | None = None


@dataclass(frozen=True, slots=True)
class NumberSeries:
    """How customer numbers are written: `prefix`, then the counter, zero-padded to `width`."""

    name: str
    prefix: str = ""
    width: int = 5
    start: int = 1

    def number(self, counter: int) -> str:
        """Return the customer number for `counter`."""
        return f"{self.prefix}{counter:0{self.width}d}"


@dataclass(frozen=True, slots=True)
class StoreViewPolicy:
    """How the customers of one store view are treated."""

    code: str
    processing_method: ProcessingMethod = ProcessingMethod.CREATE_AND_UPDATE
    start_date: datetime | None = None


@dataclass(frozen=True, slots=True)
class ChannelPolicy:
    """How one channel is treated.

    `additional_data` maps a field of the shop to what is written there with the number, by name:
    `template`, `values.<name of a template value>`.
    """

    name: str
    store_views: Mapping[str, StoreViewPolicy]
    additional_data: Mapping[str, str] = field(default_factory=dict)


DEFAULT_MATCHING: Final = (
    MatchRule(MatchBy.CUSTOMER_NUMBER, "link"),
    MatchRule(MatchBy.EMAIL, "link"),
    MatchRule(MatchBy.PHONE),
    MatchRule(MatchBy.TAX_ID),
)


@dataclass(frozen=True, slots=True)
class Policy:
    """The whole policy."""

    version: str
    channels: Mapping[str, ChannelPolicy]
    templates: tuple[Template, ...]
    number_series: Mapping[str, NumberSeries]
    matching: tuple[MatchRule, ...] = DEFAULT_MATCHING

    def store_view(self, channel: str, code: str) -> StoreViewPolicy | None:
        """Return the policy of a store view, or None where none is configured."""
        known = self.channels.get(channel)
        return known.store_views.get(code) if known else None

    def additional_data(self, channel: str) -> Mapping[str, str]:
        """Return what is written to the shop beside the number."""
        known = self.channels.get(channel)
        return known.additional_data if known else MappingProxyType({})
