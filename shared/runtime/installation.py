"""An installation: the configuration as a whole, validated down to every connector's own table.

Opens nothing: reading it is what `patron config check` does, and the first thing of every process.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from pydantic import BaseModel, SecretStr, ValidationError

from shared.config import ConfigurationInvalid, Problem, Settings, policy_of
from shared.config.loading import validated
from shared.config.problems import faults_of
from shared.config.sources import Given, read
from shared.connectors import registry
from shared.connectors.calls import CallObserver, unobserved
from shared.connectors.ports import Connector
from shared.connectors.push.settings import PushSettings
from shared.connectors.settings import HttpSettings
from shared.domain.errors import ConfigurationError
from shared.domain.policy import Policy
from shared.messaging.topology import Topology, topology_for

DEFAULT_PATH = Path("patron.toml")


@dataclass(frozen=True)
class Installation:
    """Settings, the policy they make, the queues they need, and each channel's own settings."""

    settings: Settings
    policy: Policy
    topology: Topology
    connectors: Mapping[str, BaseModel]

    @property
    def platforms(self) -> dict[str, str]:
        """The platform of each channel."""
        return {name: channel.platform for name, channel in self.settings.channels.items()}

    @property
    def longest_call_seconds(self) -> float:
        """How long a call to a shop may take, of all that are configured; 0 without any."""
        asked = [
            settings.callback if isinstance(settings, PushSettings) else settings
            for settings in self.connectors.values()
        ]
        bounds = [each.limits.total_seconds for each in asked if isinstance(each, HttpSettings)]
        return max(bounds, default=0.0)

    def connect(self, channel: str, observe: CallObserver = unobserved) -> Connector:
        """Return the connector of a configured channel; no connection is opened yet."""
        settings = self.settings.channels[channel]
        fields = tuple(settings.additional_data)
        return registry.connect(
            settings.platform, self.connectors[channel], channel, observe, fields
        )


def load_installation(path: Path | None, environment: Mapping[str, str]) -> Installation:
    """Read and validate everything. Raises `ConfigurationInvalid` with every problem found."""
    given = read(path, environment)
    settings, problems = validated(given)
    connectors: dict[str, BaseModel] = {}
    for name, channel in _channels(given.data):
        try:
            connectors[name] = registry.settings_of(*channel)
        except ValidationError as error:
            problems += _connector_problems(error, name, channel, given)
        except ConfigurationError as error:
            location = ("channels", name, "platform")
            problems.append(Problem(given.origin_of(location), ".".join(location), str(error)))
    problems += _webhooks_of_the_silent(given)
    problems += _shared_api_keys(connectors, given)
    if settings is None or problems:
        raise ConfigurationInvalid(problems)
    try:
        topology = topology_for(settings.channels)
    except ConfigurationError as error:
        raise ConfigurationInvalid([Problem(given.origin, "channels", str(error))]) from None
    return Installation(settings, policy_of(settings), topology, connectors)


def _webhooks_of_the_silent(given: Given) -> Iterator[Problem]:
    """Yield the keys of webhooks that would never come."""
    channels = given.data.get("channels")
    for name, channel in channels.items() if isinstance(channels, Mapping) else ():
        if isinstance(channel, Mapping) and "webhooks" in channel:
            platform = registry.PLATFORMS.get(str(channel.get("platform")).strip())
            if platform and platform.read_notice is None:
                location = ("channels", name, "webhooks")
                text = f"{channel['platform']} sends no webhooks that Patron could read"
                yield Problem(given.origin_of(location), ".".join(location), text)


def _shared_api_keys(connectors: Mapping[str, BaseModel], given: Given) -> Iterator[Problem]:
    """Yield channels whose API key would not tell which channel is meant."""
    owners: dict[SecretStr, str] = {}
    for name, connector in connectors.items():
        for key in connector.api_keys if isinstance(connector, PushSettings) else ():
            if owners.setdefault(key, name) != name:
                location = ("channels", name, "connector", "api_keys")
                text = f"channel {owners[key]} has one of them, too; each needs its own"
                yield Problem(given.origin_of(location), ".".join(location), text)


def configuration_path(given: Path | None, environment: Mapping[str, str]) -> Path | None:
    """Return the file to read: the one given, `PATRON_CONFIG`, `patron.toml` if it is there."""
    if given:
        return given
    if named := environment.get("PATRON_CONFIG"):
        return Path(named)
    return DEFAULT_PATH if DEFAULT_PATH.exists() else None


class _Channel(NamedTuple):
    """What a connector's settings are made of."""

    platform: str
    connector: Mapping[str, Any]
    store_views: Mapping[str, Mapping[str, Any]]


def _channels(data: Mapping[str, Any]) -> Iterator[tuple[str, _Channel]]:
    """Yield the channels that are whole enough to ask their connector about them.

    What is not was named as a problem of the settings already.
    """
    channels = data.get("channels")
    for name, channel in channels.items() if isinstance(channels, Mapping) else ():
        try:
            views = {
                view["code"].strip(): {**view.get("remote", {})} for view in channel["store_views"]
            }
            connector = {**channel.get("connector", {})}
            whole = _Channel(channel["platform"].strip(), connector, views)
        except (AttributeError, KeyError, TypeError):
            continue
        yield name, whole


def _connector_problems(
    error: ValidationError, name: str, channel: _Channel, given: Given
) -> Iterator[Problem]:
    """Yield what a connector refuses, at the keys of the file."""
    views = [{"code": code, **remote} for code, remote in channel.store_views.items()]
    for fault in faults_of(error, {**channel.connector, "store_views": views}):
        match fault.location:
            case ("store_views", position, *key):
                location = ("channels", name, "store_views", position, "remote", *key)
            case key:
                location = ("channels", name, "connector", *key)
        problem = Problem(given.origin_of(location), ".".join(location), fault.text)
        if not given.is_unread(problem.key):
            yield problem
