"""A shop that a command reads from: the connection, and what reads its store views."""

from collections.abc import Iterator
from contextlib import contextmanager

from services.console.cli.failures import EXIT_TEMPORARY, EXIT_USAGE, Refused
from services.console.cli.invocation import Invocation
from services.importer.pages import StoreViewReader
from shared.config.settings import StoreViewSettings
from shared.connectors.ports import Connector
from shared.domain.errors import TransientError
from shared.persistence.tombstones import Tombstones
from shared.runtime.installation import Installation


@contextmanager
def connected(call: Invocation, channel: str) -> Iterator[Connector]:
    """Give the shop to be read from; put its failures into words."""
    connector = call.installation.connect(known_channel(call.installation, channel))
    try:
        yield connector
    except TransientError as error:
        text = f"{channel} does not answer as it should: {error}"
        raise Refused(text, "Try again in a while.", exit_code=EXIT_TEMPORARY) from None
    finally:
        connector.close()


def known_channel(installation: Installation, name: str) -> str:
    """Return the name of a configured channel. Raises `Refused` naming those there are."""
    channels = installation.settings.channels
    if name not in channels:
        known = ", ".join(sorted(channels)) or "none"
        raise Refused(f"there is no channel {name!r}; configured are {known}", exit_code=EXIT_USAGE)
    return name


def readers_of(
    call: Invocation, connector: Connector, channel: str, store_view: str | None
) -> list[StoreViewReader]:
    """Return what reads the store views that are meant: the one named, or all that are imported.

    Raises `Refused` for one that is not configured.
    """
    views = _views(call, channel, store_view)
    return [reader_of(call, connector, channel, view.code) for view in views]


def _views(call: Invocation, channel: str, code: str | None) -> list[StoreViewSettings]:
    views = call.installation.settings.channels[channel].store_views
    if code is None:
        return [view for view in views if view.import_enabled]
    named = [view for view in views if view.code == code]
    if not named:
        known = ", ".join(view.code for view in views)
        raise Refused(
            f"{channel} has no store view {code!r}; configured are {known}", exit_code=EXIT_USAGE
        )
    return named


def reader_of(
    call: Invocation, connector: Connector, channel: str, store_view: str
) -> StoreViewReader:
    """Return what reads one store view, and knows who was erased."""
    key = call.installation.settings.privacy.key
    return StoreViewReader(channel, store_view, connector.reading, Tombstones(key))
