"""From settings to the policy that decisions are made by."""

import hashlib
from collections.abc import Mapping

from shared.config.settings import (
    ChannelSettings,
    FieldRuleSettings,
    MatchSettings,
    Settings,
    StoreViewSettings,
    TemplateSettings,
)
from shared.domain.match_rules import DEFAULT_MATCHING, MatchRule
from shared.domain.ownership import FieldRule, Ownership
from shared.domain.policy import (
    ChannelPolicy,
    Features,
    NumberSeries,
    Policy,
    StoreViewPolicy,
    Template,
)

_POLICY_TABLES = {
    "erp", "features", "matching", "fields", "templates", "number_series", "channels",
}  # fmt: skip


def policy_of(settings: Settings) -> Policy:
    """Return the policy, with a digest of all that decisions depend on as its version."""
    return Policy(
        version=_digest(settings),
        channels={
            name: _channel(name, c, settings.fields) for name, c in settings.channels.items()
        },
        templates=tuple(map(_template, settings.templates)),
        number_series={
            name: NumberSeries(name, series.prefix, series.width, series.start)
            for name, series in settings.number_series.items()
        },
        matching=(
            DEFAULT_MATCHING if settings.matching is None else tuple(map(_rule, settings.matching))
        ),
        required_values=settings.erp.required_values,
        locations=settings.erp.locations,
        required_location_values=settings.erp.required_location_values,
        features=Features(**settings.features.model_dump()),
    )


def _template(template: TemplateSettings) -> Template:
    return Template(
        name=template.name,
        number_series=template.number_series,
        values=template.values,
        when=template.when,
        number_from=template.number_from,
        number_prefix=template.number_prefix,
        location_values=template.location_values,
    )


def _rule(rule: MatchSettings) -> MatchRule:
    return MatchRule(
        by=rule.by,
        already_linked=rule.already_linked,
        name=rule.name,
        key=rule.field,
        channels=frozenset(rule.channels),
        kinds=frozenset(rule.kinds),
        scope=rule.scope,
        similarity=rule.similarity,
    )


def _channel(
    name: str, channel: ChannelSettings, fields: Mapping[str, FieldRuleSettings]
) -> ChannelPolicy:
    return ChannelPolicy(
        name,
        {view.code: _store_view(view) for view in channel.store_views},
        channel.additional_data,
        # A channel's own rules lie over those of all channels.
        Ownership(
            {n: FieldRule(r.owner, r.blank) for n, r in {**fields, **channel.fields}.items()}
        ),
    )


def _store_view(view: StoreViewSettings) -> StoreViewPolicy:
    return StoreViewPolicy(
        code=view.code,
        processing_method=view.processing_method,
        start_date=view.start_date,
        store_group=view.store_group,
        guests=view.guests,
        guest_customer=view.guest_customer,
        countries=view.countries,
        company_contacts=view.company_contacts,
        reads_companies=view.reads_companies,
    )


def _digest(settings: Settings) -> str:
    decisive = repr(
        [
            (name, value)
            for name, value in sorted(settings.model_dump(exclude=_connectors(settings)).items())
            if name in _POLICY_TABLES
        ]
    )
    return hashlib.blake2b(decisive.encode(), digest_size=6).hexdigest()


def _connectors(settings: Settings) -> dict[str, dict[str, set[str]]]:
    return {"channels": {name: {"connector", "webhooks"} for name in settings.channels}}
