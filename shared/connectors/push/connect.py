"""Builds the sides of a channel whose customers are pushed: nothing to read, perhaps a callback."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Final

import httpx2

from shared.connectors.calls import CallObserver, unobserved
from shared.connectors.http import HttpClient
from shared.connectors.ports import Connector
from shared.connectors.push.settings import PushSettings
from shared.connectors.push.sink import CallbackSink, SilentSink

PLATFORM: Final = "push"


def _utc_now() -> datetime:
    return datetime.now(UTC)


def connect(
    settings: PushSettings,
    channel: str,
    observe: CallObserver = unobserved,
    additional_fields: Sequence[str] = (),
    *,
    transport: httpx2.BaseTransport | None = None,
    clock: Callable[[], datetime] = _utc_now,
) -> Connector:
    """Return the connector of `channel`. Opens no connection yet.

    Whatever additional data is configured is told by its own names.
    """
    callback = settings.callback
    if callback is None:
        return Connector(source=None, sink=SilentSink())
    http = HttpClient(
        platform=PLATFORM,
        channel=channel,
        limits=callback.limits,
        tls=None if transport else callback.tls(),
        observe=observe,
        transport=transport,
    )
    return Connector(source=None, sink=CallbackSink(callback, http, clock), close=http.close)
