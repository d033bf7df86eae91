"""Tells a pushing system the customer numbers, where it named a URL for that.

One signed POST for each effect on a customer; any 2xx is an acknowledgement. The header
`Patron-Delivery` is the same when the same thing is told again, so that doing so is harmless.
Without a callback there is nothing to do: the number stands at the status URL.
"""

from collections.abc import Callable, Sequence
from datetime import datetime
from hashlib import blake2b
from http import HTTPStatus
from typing import Any, Final
from urllib.parse import urlsplit

import orjson

from shared.connectors.http import Answer, HttpClient
from shared.connectors.ports import Finding, Outcome, Written
from shared.connectors.push.settings import CallbackSettings
from shared.connectors.push.signing import Signed, sign
from shared.domain.errors import (
    ConfigurationError,
    PatronError,
    RemoteGone,
    RemoteRejected,
)
from shared.domain.messages import CustomerExport

DELIVERY: Final = "patron-delivery"
_NOT_THERE: Final = frozenset({HTTPStatus.NOT_FOUND, HTTPStatus.METHOD_NOT_ALLOWED})
_DONE: Final = Written(changed=False, before="", after="")
_TOLD: Final = Written(changed=True, before="", after="")


class SilentSink:
    """The writing side where nobody wants to be told."""

    customers_at_once = 100

    def write(self, exports: Sequence[CustomerExport]) -> Sequence[Outcome]:
        """Succeed: whoever wants the number reads it."""
        return [Outcome(export, _DONE) for export in exports]

    def check(self) -> Sequence[Finding]:
        """Find nothing that could be wrong."""
        return []


class CallbackSink:
    """The writing side that calls the pusher back; threads may share it."""

    customers_at_once = 1

    def __init__(
        self, callback: CallbackSettings, http: HttpClient, clock: Callable[[], datetime]
    ) -> None:
        self._url = callback.base_url
        self._path = urlsplit(callback.base_url).path or "/"
        self._secret = callback.secret
        self._http = http
        self._clock = clock

    def write(self, exports: Sequence[CustomerExport]) -> Sequence[Outcome]:
        """Tell each effect, in order; the failure of one keeps none of the others from it."""
        return [self._tell(export) for export in exports]

    def check(self) -> Sequence[Finding]:
        """Name where is called; a call without anything to tell would only confuse."""
        return [Finding(f"callback to {urlsplit(self._url).hostname}")]

    def _tell(self, export: CustomerExport) -> Outcome:
        said = told(export)
        body = orjson.dumps(said)
        signed = Signed("POST", self._path, body)
        try:
            answer = self._http.request(
                "POST",
                self._url,
                headers=lambda: {
                    **sign(self._secret.get_secret_value(), self._clock(), signed),
                    DELIVERY: blake2b(body, digest_size=16).hexdigest(),
                },
                json=said,
            )
        except PatronError as error:
            return Outcome(export, error=error)
        refusal = _refusal(answer)
        return Outcome(export, error=refusal) if refusal else Outcome(export, _TOLD)


def told(export: CustomerExport) -> dict[str, Any]:
    """Return what a callback says of an export."""
    said: dict[str, Any] = {
        "event": export.effect,
        "channel": export.channel,
        "store_view": export.store_view,
        "external_id": export.external_id,
        "customer_number": export.customer_number,
    }
    if export.values:
        said["values"] = dict(export.values)
    if export.locations:
        said["locations"] = dict(export.locations)
    return said


def _refusal(answer: Answer) -> PatronError | None:
    if answer.is_success:
        return None
    text = f"the callback answered {answer.status}"
    if answer.status == HTTPStatus.GONE:
        return RemoteGone(text)
    if answer.status in _NOT_THERE:
        return ConfigurationError(f"{text}: is callback.url right?")
    return RemoteRejected(text)
