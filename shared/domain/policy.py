"""The merchant's policy: everything configured that a decision depends on, as plain values.

Built and validated from `patron.toml` by `shared.config`; `version` is a digest of it, recorded
with every decision.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from functools import cached_property
from types import MappingProxyType
from typing import Final

from shared.domain.conditions import Condition
from shared.domain.customer import CustomerKind, Entity
from shared.domain.match_rules import DEFAULT_MATCHING, MatchRule
from shared.domain.ownership import Ownership

_MOST_DIGITS: Final = 18
"""What a database keeps in a number of eight bytes."""


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


class GuestPolicy(StrEnum):
    """What becomes of those who ordered without an account (ASK-3).

    `link` ties them to a customer that is known and holds the rest; `collect` takes all of them
    for one configured customer; `create` treats them as anybody; `hold` leaves them to an operator.
    """

    LINK = "link"
    COLLECT = "collect"
    CREATE = "create"
    HOLD = "hold"


class ContactPolicy(StrEnum):
    """Whose orders those of somebody are who acts for a company.

    `individual` takes the account for a customer of its own; `company` ties it to the company's
    customer, so that it carries the company's number.
    """

    INDIVIDUAL = "individual"
    COMPANY = "company"


class LocationPolicy(StrEnum):
    """Whose addresses are locations, with numbers and defaults of their own (MYOB-2)."""

    NONE = "none"
    BUSINESS = "business"
    ALL = "all"

    def includes(self, entity: Entity) -> bool:
        """Whether the addresses of such a record are locations; `business` means companies."""
        return self is self.ALL or (self is self.BUSINESS and entity is Entity.COMPANY)


@dataclass(frozen=True, slots=True)
class Features:
    """What is switched on. Companies are taken in only with both (MYOB-6)."""

    business_accounts: bool = True
    locations: bool = True


@dataclass(frozen=True, slots=True)
class Template:
    """What the ERP must know of a new customer and no shop can say.

    The number is drawn from `number_series`, or is what the platform has in `number_from`, behind
    `number_prefix`. Each location of the customer gets `location_values`.
    """

    name: str
    number_series: str | None = None
    values: Mapping[str, str] = field(default_factory=dict)
    when: Condition | None = None
    number_from: str | None = None
    number_prefix: str = ""
    location_values: Mapping[str, str] = field(default_factory=dict)


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

    def counter(self, number: str) -> int | None:
        """Return the counter that `number` is written by, or None where the series writes none."""
        digits = number.removeprefix(self.prefix) if number.startswith(self.prefix) else ""
        if not (digits.isascii() and digits.isdigit() and len(digits) <= _MOST_DIGITS):
            return None
        counter = int(digits)
        return counter if self.number(counter) == number else None


@dataclass(frozen=True, slots=True)
class StoreViewPolicy:
    """How the customers of one store view are treated.

    `store_group` names the views whose customers are one crowd; `guest_customer` is the number of
    the customer that guests are collected in; `countries` are those it sells to, for
    `patron config check`. One that `reads_companies` reads no persons.
    """

    code: str
    processing_method: ProcessingMethod = ProcessingMethod.CREATE_AND_UPDATE
    start_date: datetime | None = None
    store_group: str = "default"
    guests: GuestPolicy = GuestPolicy.CREATE
    guest_customer: str | None = None
    countries: tuple[str, ...] = ()
    company_contacts: ContactPolicy = ContactPolicy.INDIVIDUAL
    reads_companies: bool = False


@dataclass(frozen=True, slots=True)
class ChannelPolicy:
    """How one channel is treated.

    `additional_data` maps a field of the shop to what is written there with the number, by name:
    `template`, `values.<name of a template value>`.
    """

    name: str
    store_views: Mapping[str, StoreViewPolicy]
    additional_data: Mapping[str, str] = field(default_factory=dict)
    ownership: Ownership = field(default_factory=Ownership)


@dataclass(frozen=True)
class Policy:
    """The whole policy. What follows from it for every customer is worked out once."""

    version: str
    channels: Mapping[str, ChannelPolicy]
    templates: tuple[Template, ...]
    number_series: Mapping[str, NumberSeries]
    matching: tuple[MatchRule, ...] = DEFAULT_MATCHING
    required_values: tuple[str, ...] = ()
    locations: LocationPolicy = LocationPolicy.BUSINESS
    required_location_values: tuple[str, ...] = ()
    features: Features = Features()

    @cached_property
    def takes_companies(self) -> bool:
        """Whether companies, and what acts for them, are taken in (MYOB-6)."""
        return self.features.business_accounts and self.features.locations

    def has_locations(self, entity: Entity) -> bool:
        """Whether the addresses of such a record are locations."""
        return entity in self._with_locations

    @cached_property
    def _with_locations(self) -> frozenset[Entity]:
        included = (entity for entity in Entity if self.locations.includes(entity))
        return frozenset(included if self.features.locations else ())

    def store_view(self, channel: str, code: str) -> StoreViewPolicy | None:
        """Return the policy of a store view, or None where none is configured."""
        known = self.channels.get(channel)
        return known.store_views.get(code) if known else None

    def additional_data(self, channel: str) -> Mapping[str, str]:
        """Return what is written to the shop beside the number."""
        known = self.channels.get(channel)
        return known.additional_data if known else MappingProxyType({})

    def ownership(self, channel: str) -> Ownership:
        """Return who owns which field of the customers of a channel."""
        known = self.channels.get(channel)
        return known.ownership if known else Ownership()

    def store_group(self, channel: str, code: str) -> str | None:
        """Return the store group of a store view, or None where none is configured."""
        view = self.store_view(channel, code)
        return view.store_group if view else None

    def rules_for(self, channel: str, kind: CustomerKind) -> tuple[MatchRule, ...]:
        """Return the matching order for customers of this channel and kind."""
        rules = self._rules.get((channel, kind))
        if rules is None:
            rules = tuple(rule for rule in self.matching if rule.is_for(channel, kind))
            self._rules[channel, kind] = rules
        return rules

    @cached_property
    def _rules(self) -> dict[tuple[str, CustomerKind], tuple[MatchRule, ...]]:
        return {}

    @cached_property
    def templates_with_numbers(self) -> tuple[Template, ...]:
        """The templates that take the number which the platform has."""
        return tuple(template for template in self.templates if template.number_from)

    @cached_property
    def ties_contacts(self) -> bool:
        """Whether accounts of any store view may belong to a company's customer."""
        return any(
            view.company_contacts is ContactPolicy.COMPANY
            for channel in self.channels.values()
            for view in channel.store_views.values()
        )
