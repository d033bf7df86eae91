"""Store views that cannot be activated yet: companies and locations need default settings (MYOB-7).

Told with all other problems of a configuration, so that no worker starts on it.
"""

from collections.abc import Iterator

from shared.config.policies import policy_of
from shared.config.references import Reference
from shared.config.settings import Settings
from shared.domain.activation import lacking


def incomplete_views(settings: Settings) -> Iterator[Reference]:
    """Yield every store view that lacks something, as (location, what it lacks)."""
    policy = policy_of(settings)
    for name, channel in settings.channels.items():
        for position, view in enumerate(channel.store_views):
            treated = policy.channels[name].store_views[view.code]
            if not view.import_enabled or not (missing := lacking(policy, name, treated)):
                continue
            place = ("channels", name, "store_views", str(position))
            if view.reads_companies:
                yield (*place, "remote", "entity"), f"companies cannot be taken in yet: {missing}"
            else:
                yield (*place, "code"), f'locations = "all" cannot be activated yet: {missing}'
