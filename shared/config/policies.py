"""From settings to the policy that decisions are made by."""

import hashlib

from shared.config.settings import ChannelSettings, Settings
from shared.domain.policy import (
    DEFAULT_MATCHING,
    ChannelPolicy,
    MatchRule,
    NumberSeries,
    Policy,
    StoreViewPolicy,
    Template,
)

_POLICY_TABLES = {"erp", "matching", "templates", "number_series", "channels"}


def policy_of(settings: Settings) -> Policy:
    """Return the policy, with a digest of all that decisions depend on as its version."""
    return Policy(
        version=_digest(settings),
        channels={name: _channel(name, c) for name, c in settings.channels.items()},
        templates=tuple(
            Template(t.name, t.number_series, t.values, t.when) for t in settings.templates
        ),
        number_series={
            name: NumberSeries(name, series.prefix, series.width, series.start)
            for name, series in settings.number_series.items()
        },
        matching=(
            DEFAULT_MATCHING
            if settings.matching is None
            else tuple(MatchRule(rule.by, rule.already_linked) for rule in settings.matching)
        ),
    )


def _channel(name: str, channel: ChannelSettings) -> ChannelPolicy:
    views = {
        view.code: StoreViewPolicy(view.code, view.processing_method, view.start_date)
        for view in channel.store_views
    }
    return ChannelPolicy(name, views, channel.additional_data)


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
    return {"channels": {name: {"connector"} for name in settings.channels}}
