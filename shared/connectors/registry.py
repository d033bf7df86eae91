"""Every platform that Patron knows: its settings, and how to connect to it.

A new platform is one package and one line here. Promise: a process imports no package but those of
the platforms that it asks for, and what connects to one only when it connects.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from importlib import import_module
from typing import Any, NamedTuple

from pydantic import BaseModel

from shared.connectors.calls import CallObserver, unobserved
from shared.connectors.ports import Connector, NoticeReader
from shared.domain.errors import ConfigurationError

Connect = Callable[[Any, str, CallObserver, Sequence[str]], Connector]


class Platform(NamedTuple):
    """`settings` is the model of a channel's settings; `connect` takes an instance of it.

    `connect(settings, channel, observe, additional_fields) -> Connector` opens nothing yet.
    `read_notice` reads the platform's webhooks, where it sends any.
    """

    settings: type[BaseModel]
    connect: Connect
    read_notice: NoticeReader | None = None


class Package(NamedTuple):
    """A platform's package, by its parts: `settings`, `connect`, and `webhooks` if it sends any."""

    settings: str
    sends_notices: bool = False

    def imported_as(self, name: str) -> Platform:
        """Import what the configuration needs of it."""

        def connect(*arguments: Any) -> Connector:
            return _part(name, "connect").connect(*arguments)  # type: ignore[no-any-return]

        settings = getattr(_part(name, "settings"), self.settings)
        reader = _part(name, "webhooks").read_notice if self.sends_notices else None
        return Platform(settings, connect, reader)


class _OnDemand(Mapping[str, Platform]):
    """Platforms, each imported when it is first asked for."""

    def __init__(self, packages: Mapping[str, Package]) -> None:
        self._packages = packages
        self._imported: dict[str, Platform] = {}

    def __getitem__(self, name: str) -> Platform:
        if name not in self._imported:
            self._imported.setdefault(name, self._packages[name].imported_as(name))
        return self._imported[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._packages)

    def __len__(self) -> int:
        return len(self._packages)


PLATFORMS: Mapping[str, Platform] = _OnDemand(
    {
        "bigcommerce": Package("BigCommerceSettings", sends_notices=True),
        "magento": Package("MagentoSettings"),
        "push": Package("PushSettings"),
        "shopify": Package("ShopifySettings", sends_notices=True),
    }
)


def settings_of(
    platform: str, connector: Mapping[str, Any], store_views: Mapping[str, Mapping[str, Any]]
) -> BaseModel:
    """Parse a channel's `connector` table and the `remote` table of each store view, by code.

    Raises pydantic's `ValidationError` (which hides what it was given), or `ConfigurationError`
    for a platform that is not known.
    """
    views = [{"code": code, **remote} for code, remote in store_views.items()]
    return _platform(platform).settings.model_validate({**connector, "store_views": views})


def connect(
    platform: str,
    settings: BaseModel,
    channel: str,
    observe: CallObserver = unobserved,
    additional_fields: Sequence[str] = (),
) -> Connector:
    """Return the connector of `channel`; `settings` come from `settings_of`.

    `additional_fields` are the names in the shop that additional data is written to.
    """
    return _platform(platform).connect(settings, channel, observe, additional_fields)


def _platform(name: str) -> Platform:
    try:
        return PLATFORMS[name]
    except KeyError:
        known = ", ".join(sorted(PLATFORMS))
        raise ConfigurationError(f"no platform {name!r}; known are {known}") from None


def _part(platform: str, part: str) -> Any:
    return import_module(f"shared.connectors.{platform}.{part}")
