"""Every platform that Patron knows: its settings, and how to connect to it.

A new platform is one package and one line here.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from pydantic import BaseModel, ValidationError

from shared.connectors.http import CallObserver, unobserved
from shared.connectors.magento.connect import connect as connect_magento
from shared.connectors.magento.settings import MagentoSettings
from shared.connectors.ports import Connector
from shared.domain.errors import ConfigurationError


class Platform(NamedTuple):
    """`settings` is the model of a channel's settings; `connect` takes an instance of it.

    `connect(settings, channel, observe, additional_fields) -> Connector` opens nothing.
    """

    settings: type[BaseModel]
    connect: Callable[[Any, str, CallObserver, Sequence[str]], Connector]


PLATFORMS: Mapping[str, Platform] = {
    "magento": Platform(MagentoSettings, connect_magento),
}


def settings_of(platform: str, values: Mapping[str, Any]) -> BaseModel:
    """Parse a channel's settings. Raises `ConfigurationError` naming them without their values."""
    try:
        return _platform(platform).settings.model_validate(values)
    except ValidationError as error:
        problems = error.errors(include_url=False, include_context=False, include_input=False)
        text = "; ".join(
            f"{'.'.join(map(str, p['loc'])) or platform}: {p['msg']}" for p in problems
        )
        raise ConfigurationError(text) from None


def connect(
    platform: str,
    values: Mapping[str, Any],
    channel: str,
    observe: CallObserver = unobserved,
    additional_fields: Sequence[str] = (),
) -> Connector:
    """Return the connector of a channel, from its settings as they were read."""
    settings = settings_of(platform, values)
    return _platform(platform).connect(settings, channel, observe, additional_fields)


def _platform(name: str) -> Platform:
    try:
        return PLATFORMS[name]
    except KeyError:
        known = ", ".join(sorted(PLATFORMS))
        raise ConfigurationError(f"no platform {name}; known: {known}") from None
