"""Callbacks of the push connector, over real sockets: told, verified, and told again unharmed."""

import socket
from collections.abc import Iterator
from typing import Any
from uuid import UUID

import pytest

from services.sandbox.push import SandboxPush
from services.sandbox.push.sandbox import CALLBACK_SECRET
from shared.connectors.ports import Connector, Outcome
from shared.connectors.push.connect import connect
from shared.connectors.push.settings import PushSettings
from shared.domain.errors import (
    AccessDenied,
    ConfigurationError,
    RemoteGone,
    RemoteRejected,
    RemoteThrottled,
    RemoteUnavailable,
)
from shared.domain.messages import CustomerExport
from tests.builders import a_source


@pytest.fixture
def crm() -> Iterator[SandboxPush]:
    """Give a system that hears callbacks."""
    with SandboxPush("http://127.0.0.1:9", customers=10) as crm:
        yield crm


def an_export(external_id: str = "c-1", **changes: Any) -> CustomerExport:
    """Return what is to be told of a customer."""
    given: dict[str, Any] = {
        "effect": "customer_number", "channel": "crm", "external_id": external_id,
        "store_view": "crm", "customer_id": UUID(int=1), "customer_number": "C000001",
        "version": a_source().version,
    }  # fmt: skip
    return CustomerExport(**{**given, **changes})


def connected(callback: dict[str, Any] | None) -> Connector:
    """Return the connector of a channel with this callback."""
    given: dict[str, Any] = {"store_views": [{"code": "crm"}], "api_keys": ["k" * 32]}
    if callback:
        given["callback"] = {"secret": CALLBACK_SECRET, **callback}
    return connect(PushSettings.model_validate(given), "crm")


def tell(crm: SandboxPush, *exports: CustomerExport, **changes: Any) -> list[Outcome]:
    """Tell the system of exports."""
    connector = connected({"url": crm.callback_url, **changes})
    try:
        return list(connector.sink.write(exports))
    finally:
        connector.close()


def test_a_number_is_told_and_signed(crm: SandboxPush) -> None:
    """With what else is configured to be told (D365-4)."""
    [number, values] = tell(
        crm, an_export(), an_export(effect="additional_data", values={"group": "RETAIL"})
    )

    assert number.error is values.error is None
    assert number.written
    assert number.written.changed
    assert crm.control.callbacks() == [
        {"event": "customer_number", "channel": "crm", "store_view": "crm",
         "external_id": "c-1", "customer_number": "C000001"},
        {"event": "additional_data", "channel": "crm", "store_view": "crm",
         "external_id": "c-1", "customer_number": "C000001", "values": {"group": "RETAIL"}},
    ]  # fmt: skip


def test_what_is_told_again_is_known(crm: SandboxPush) -> None:
    """After a lost answer: the delivery has the same name."""
    crm.control.fail_next("lost")

    outcomes = [tell(crm, an_export(), timeouts={"total_seconds": 5})[0] for _ in range(2)]

    assert isinstance(outcomes[0].error, RemoteUnavailable)
    assert outcomes[1].error is None
    assert len(crm.control.callbacks()) == 1


@pytest.mark.parametrize(
    ("status", "error"),
    [(400, RemoteRejected), (422, RemoteRejected), (410, RemoteGone), (404, ConfigurationError),
     (405, ConfigurationError), (302, ConfigurationError), (401, AccessDenied),
     (429, RemoteThrottled), (500, RemoteUnavailable)],
)  # fmt: skip
def test_every_answer_means_something(
    crm: SandboxPush, status: int, error: type[Exception]
) -> None:
    """A redirect is not followed; the failure of one is not that of the next."""
    crm.control.fail_next("status", status=status)

    outcomes = tell(crm, an_export(), an_export("c-2"))

    assert type(outcomes[0].error) is error
    assert outcomes[1].error is None
    assert "C000001" not in str(outcomes[0].error)


def test_a_wrong_secret_is_told_to_the_operator(crm: SandboxPush) -> None:
    """As rights that are missing."""
    [outcome] = tell(crm, an_export(), secret="x" * 32)

    assert isinstance(outcome.error, AccessDenied)
    assert crm.control.stats()["forged_callbacks"] == 1


def test_a_name_that_leads_to_a_private_address_is_not_called(
    crm: SandboxPush, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Unless that is allowed: nothing is sent there."""
    real = socket.getaddrinfo

    def lead_here(host: str, *rest: object, **more: object) -> object:
        return real("127.0.0.1" if host == "crm.example" else host, *rest, **more)  # type: ignore[arg-type]

    monkeypatch.setattr(socket, "getaddrinfo", lead_here)
    url = crm.callback_url.replace("127.0.0.1", "crm.example")

    [refused] = tell(crm, an_export(), url=url, allow_plain_http=True)
    [allowed] = tell(crm, an_export(), url=url, allow_plain_http=True, allow_private_addresses=True)

    assert isinstance(refused.error, ConfigurationError)
    assert allowed.error is None
    assert len(crm.control.callbacks()) == 1


def test_without_a_callback_there_is_nothing_to_do() -> None:
    """The number stands at the status URL; nothing can be read."""
    connector = connected(None)

    [outcome] = connector.sink.write([an_export()])

    assert outcome.error is None
    assert outcome.written
    assert not outcome.written.changed
    assert connector.sink.check() == []
    with pytest.raises(ConfigurationError, match="pushed to us"):
        _ = connector.reading
