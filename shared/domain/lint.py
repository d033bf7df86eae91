"""Configuration lint: try the templates before a customer does, and find rules that cannot work.

Every store view that creates customers is tried with each of its countries and each kind of
customer, by the very choice that the processor makes (NEW-15). Pure. Its promise: a gap that it
names would hold a customer; what cannot be tried is said, not guessed.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import combinations
from typing import Final

from shared.domain.customer import Address, Customer, CustomerKind, Entity, Source, Version
from shared.domain.normalise import country_code
from shared.domain.policy import (
    GuestPolicy,
    NumberSeries,
    Policy,
    ProcessingMethod,
    StoreViewPolicy,
    Template,
)
from shared.domain.templates import choose_template, missing_location_values, missing_values

_TRIED_FACTS: Final = frozenset(
    {"channel", "store_view", "kind", "entity", "country", "has_tax_id"}
)
_Sort = tuple[CustomerKind, str | None]
_KINDS: Final[Mapping[str, _Sort]] = {
    "individual": (CustomerKind.INDIVIDUAL, None),
    "business": (CustomerKind.BUSINESS, None),
    "business with tax id": (CustomerKind.BUSINESS, "given"),
}
_COMPANIES: Final[Mapping[str, _Sort]] = {
    "company": (CustomerKind.BUSINESS, None),
    "company with tax id": (CustomerKind.BUSINESS, "given"),
}
_LITERAL: Final = re.compile(r"""["']([A-Z]{2})["']""")
_NEVER: Final = datetime(2000, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Trial:
    """A new customer of a store view as it would be treated: the template, and what it lacks."""

    channel: str
    store_view: str
    country: str
    kind: str
    template: str | None
    missing: tuple[str, ...] = ()

    @property
    def is_gap(self) -> bool:
        """Whether such a customer would be held."""
        return self.template is None or bool(self.missing)


def try_templates(policy: Policy) -> list[Trial]:
    """Choose a template for each kind of customer from each country of every creating view."""
    return [
        _trial(channel, view, country, kind, policy)
        for channel, view in _creating(policy)
        for country in view.countries
        for kind in (_COMPANIES if view.reads_companies else _KINDS)
    ]


def lint(policy: Policy) -> list[str]:
    """Return, in words, what can hardly be meant; gaps are told by `try_templates`."""
    trials = try_templates(policy)
    return [
        *_untried(policy),
        *_incomplete(policy, trials),
        *_never_chosen(policy, trials),
        *_foreign_countries(policy),
        *_colliding_series(policy),
        *_guests(policy),
    ]


def _trial(channel: str, view: StoreViewPolicy, country: str, kind: str, policy: Policy) -> Trial:
    somebody = _somebody(channel, view, country, kind)
    template, _ = choose_template(somebody, policy.templates)
    missing = missing_values(template, policy.required_values) if template else ()
    if template and policy.has_locations(somebody.entity):
        missing += missing_location_values(template, policy.required_location_values)
    return Trial(channel, view.code, country, kind, template.name if template else None, missing)


def _somebody(channel: str, view: StoreViewPolicy, country: str, kind: str) -> Customer:
    """Return a customer of whom nothing is known but what is tried."""
    customer_kind, tax_id = (_COMPANIES if view.reads_companies else _KINDS)[kind]
    version = Version(changed_at=_NEVER, read_at=_NEVER, fingerprint="-")
    return Customer(
        source=Source(channel=channel, store_view=view.code, external_id="-", version=version),
        entity=Entity.COMPANY if view.reads_companies else Entity.ACCOUNT,
        kind=customer_kind,
        tax_id=tax_id,
        addresses=(Address(country=country, is_default_billing=True),),
    )


def _creating(policy: Policy) -> Iterator[tuple[str, StoreViewPolicy]]:
    for channel in policy.channels.values():
        for view in channel.store_views.values():
            if view.processing_method.creates:
                yield channel.name, view


def _untried(policy: Policy) -> Iterator[str]:
    """Name the store views where a gap may be and nothing says which countries to try."""
    views = [f"{channel}/{view.code}" for channel, view in _creating(policy) if not view.countries]
    fits_all = any(template.when is None for template in policy.templates)
    is_complete = not any(missing_values(t, policy.required_values) for t in policy.templates)
    if views and policy.templates and not (fits_all and is_complete):
        yield (
            f"templates are not tried for {', '.join(views)}: give countries to have that checked"
        )


def _incomplete(policy: Policy, trials: list[Trial]) -> Iterator[str]:
    """Name incomplete templates that no trial has shown: who gets them is held all the same."""
    shown = {trial.template for trial in trials}
    for template in policy.templates:
        missing = missing_values(template, policy.required_values)
        if missing and template.name not in shown:
            yield (
                f"template {template.name} lacks {', '.join(missing)}, which [erp] required_values"
                " wants: customers who get it are held"
            )


def _never_chosen(policy: Policy, trials: list[Trial]) -> Iterator[str]:
    """Name templates behind an equal condition, and those that no trial could reach."""
    is_whole = bool(trials) and all(view.countries for _, view in _creating(policy))
    chosen = {trial.template for trial in trials}
    earlier: dict[str, str] = {}
    for template in policy.templates:
        if template.when is None:
            return
        first = earlier.setdefault(template.when.text, template.name)
        if first != template.name:
            yield f"template {template.name} is never chosen: {first} has the same condition"
        elif is_whole and template.name not in chosen and template.when.names <= _TRIED_FACTS:
            yield (
                f"template {template.name} is never chosen: no customer of a configured store view"
                " and country gets it"
            )


def _foreign_countries(policy: Policy) -> Iterator[str]:
    """Name countries that a condition speaks of and no store view sells to."""
    views = [view for channel in policy.channels.values() for view in channel.store_views.values()]
    if not views or not all(view.countries for view in views):
        return
    sold_to = {country for view in views for country in view.countries}
    for template in policy.templates:
        named = _countries_in(template) - sold_to
        if named:
            countries = ", ".join(sorted(named))
            yield f"template {template.name} speaks of {countries}: no store view sells there"


def _countries_in(template: Template) -> set[str]:
    if not template.when or "country" not in template.when.names or "region" in template.when.names:
        return set()
    return {code for code in _LITERAL.findall(template.when.text) if country_code(code) == code}


def _colliding_series(policy: Policy) -> Iterator[str]:
    for one, other in combinations(policy.number_series.values(), 2):
        if number := common_number(one, other):
            yield (
                f"number series {one.name} and {other.name} can both write {number}: give them"
                " prefixes that differ"
            )


def _guests(policy: Policy) -> Iterator[str]:
    """Name store views whose guests wait although they are to be taken together or linked."""
    for channel in policy.channels.values():
        for view in channel.store_views.values():
            waits = {
                GuestPolicy.COLLECT: view.processing_method is ProcessingMethod.NONE,
                GuestPolicy.LINK: not view.processing_method.updates,
            }
            if waits.get(view.guests):
                yield (
                    f"guests of {channel.name}/{view.code} are staged: guests ="
                    f' "{view.guests.value}" needs a processing method other than'
                    f' "{view.processing_method.value}"'
                )


def common_number(one: NumberSeries, other: NumberSeries) -> str | None:
    """Return a number that both series can write, if there is one."""
    if len(one.prefix) > len(other.prefix):
        one, other = other, one
    start = other.prefix[len(one.prefix) :]
    if not other.prefix.startswith(one.prefix) or (start and not _are_digits(start)):
        return None
    # Long enough for both counters; a number that begins with zeros is as wide as it is padded.
    floor = max(other.width, one.width - len(start), *_lengths(one, other))
    if not start.startswith("0"):
        return f"{other.prefix}{'9' * floor}"
    rest = one.width - len(start)
    candidate = f"{other.prefix}{'9' * max(rest, 0)}"
    writes = rest >= other.width and _writes(one, candidate) and _writes(other, candidate)
    return candidate if writes else None


def _lengths(*series: NumberSeries) -> list[int]:
    return [len(str(each.start)) for each in series]


def _writes(series: NumberSeries, number: str) -> bool:
    counter = int(number[len(series.prefix) :])
    return counter >= series.start and series.number(counter) == number


def _are_digits(text: str) -> bool:
    return text.isascii() and text.isdigit()
