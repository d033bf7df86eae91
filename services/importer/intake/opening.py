"""Builds the intake of an importer from its configuration.

Imported only where there is an intake: a web framework takes its time to load.
"""

from collections.abc import Callable, Mapping, Sequence

from pydantic import SecretStr

from services.importer.intake.app import Intake, create_app
from services.importer.intake.hooks import Hook, Hooks
from services.importer.intake.keyring import ChannelKeys, Keyring
from services.importer.intake.pushing import Pushes
from services.importer.intake.reading import Door
from services.importer.intake.server import IntakeServer
from shared.config import Settings
from shared.connectors.push.settings import PushSettings
from shared.connectors.registry import PLATFORMS
from shared.observability.health import cached
from shared.persistence.unit_of_work import utc_now
from shared.runtime.checks import PING_EVERY_SECONDS, database_check
from shared.runtime.foundation import Foundation
from shared.runtime.installation import Installation

# The process has to let go of the rest, too, before its own time is up.
_SHARE_OF_GRACE = 0.7


def open_intake(foundation: Foundation, wake: Callable[[str], None]) -> IntakeServer:
    """Return the intake, listening and not yet answering; `wake` is told of wishes to fetch."""
    settings = foundation.installation.settings
    server = IntakeServer(
        create_app(intake_of(foundation, wake)),
        settings.intake.host,
        settings.intake.port,
        connections=settings.intake.connections,
        drain_seconds=max(1, int(settings.lifecycle.grace_seconds * _SHARE_OF_GRACE)),
    )
    foundation.closing(server.close)
    return server


def intake_of(foundation: Foundation, wake: Callable[[str], None]) -> Intake:
    """Return what the routes work with. Raises `ConfigurationError`."""
    installation = foundation.installation
    settings, doors = installation.settings, doors_of(installation)
    return Intake(
        hooks=Hooks(
            hooks_of(settings),
            foundation.units,
            wake,
            settings.intake.debounce_seconds,
            utc_now,
        ),
        pushes=Pushes(
            foundation.units,
            foundation.outbox.offer,
            foundation.tombstones(),
            foundation.metrics,
            tracer=foundation.tracer,
        ),
        keyring=Keyring({name: _keys(door.settings) for name, door in doors.items()}),
        doors=doors,
        units=foundation.units,
        metrics=foundation.metrics,
        max_body_bytes=settings.intake.max_body_bytes,
        request_seconds=settings.intake.request_seconds,
        readiness=cached(database_check(foundation.engine), PING_EVERY_SECONDS),
        tracer=foundation.tracer,
    )


def doors_of(installation: Installation) -> dict[str, Door]:
    """Return the channels that are pushed to."""
    settings = installation.settings
    return {
        name: Door(
            name,
            connector,
            frozenset(
                view.code for view in settings.channels[name].store_views if view.import_enabled
            ),
            settings.retention.raw_payload_days > 0,
        )
        for name, connector in installation.connectors.items()
        if isinstance(connector, PushSettings)
    }


def hooks_of(settings: Settings) -> Mapping[str, Hook]:
    """Return how the webhooks of each channel that has keys for them are read."""
    return {
        name: Hook(reader, _plain(channel.webhooks.keys))
        for name, channel in settings.channels.items()
        if channel.webhooks and (reader := PLATFORMS[channel.platform].read_notice)
    }


def _keys(settings: PushSettings) -> ChannelKeys:
    return ChannelKeys(_plain(settings.api_keys), _plain(settings.signing_keys))


def _plain(keys: Sequence[SecretStr]) -> tuple[str, ...]:
    return tuple(key.get_secret_value() for key in keys)
