"""An installation: the configuration as a whole, validated down to every connector's own table.

Opens nothing: reading it is what `patron config check` does, and the first thing of every process.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from pydantic import BaseModel, ValidationError

from shared.config import ConfigurationInvalid, Problem, Settings, load_settings, policy_of
from shared.config.loading import problems_of
from shared.connectors import registry
from shared.connectors.http import CallObserver, unobserved
from shared.connectors.ports import Connector
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

    def connect(self, channel: str, observe: CallObserver = unobserved) -> Connector:
        """Return the connector of a configured channel; no connection is opened yet."""
        settings = self.settings.channels[channel]
        fields = tuple(settings.additional_data)
        return registry.connect(
            settings.platform, self.connectors[channel], channel, observe, fields
        )


def load_installation(path: Path | None, environment: Mapping[str, str]) -> Installation:
    """Read and validate everything. Raises `ConfigurationInvalid` with every problem found."""
    settings = load_settings(path, environment)
    origin = path.name if path else "environment"
    problems: list[Problem] = []
    connectors: dict[str, BaseModel] = {}
    for name, channel in settings.channels.items():
        views = {view.code: view.remote for view in channel.store_views}
        try:
            connectors[name] = registry.settings_of(channel.platform, channel.connector, views)
        except ValidationError as error:
            problems += problems_of(error, origin, f"channels.{name}.connector")
        except ConfigurationError as error:
            problems.append(Problem(origin, f"channels.{name}.platform", str(error)))
    try:
        topology = topology_for(settings.channels)
    except ConfigurationError as error:
        problems.append(Problem(origin, "channels", str(error)))
    if problems:
        raise ConfigurationInvalid(problems)
    return Installation(settings, policy_of(settings), topology, connectors)


def configuration_path(given: Path | None, environment: Mapping[str, str]) -> Path | None:
    """Return the file to read: the one given, `PATRON_CONFIG`, `patron.toml` if it is there."""
    if given:
        return given
    if named := environment.get("PATRON_CONFIG"):
        return Path(named)
    return DEFAULT_PATH if DEFAULT_PATH.exists() else None
