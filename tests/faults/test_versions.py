"""Workers of two versions on one broker, as during a rolling restart: each reads what it can.

What stands here on the wire is frozen: these are the bytes of schema version 1, and never change.
"""

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any, Final
from uuid import UUID

import pytest
import structlog

from shared.domain.errors import SchemaTooNew
from shared.domain.messages import MESSAGE_TYPES
from shared.messaging.broker import WireMessage
from shared.messaging.codec import decode, to_wire
from shared.messaging.provision import provision
from tests.faults.books import Books, effect, open_books
from tests.faults.oracle import assert_books_balance
from tests.integration.runtime.rig import TOPOLOGY, eventually
from tests.services import RabbitManagement

pytestmark = pytest.mark.timeout(180)

_ID: Final = "0193c3a5-7c1e-7b39-9c52-5d0e4f6a7b81"
_SOURCE: Final = (
    '{"channel":"shop","store_view":"de","external_id":"17","version":'
    '{"changed_at":"2026-11-22T10:30:15.123456Z","read_at":"2026-11-22T10:30:16Z",'
    '"fingerprint":"f"}}'
)
_VERSION: Final = (
    '"version":{"changed_at":"2026-11-22T10:30:15Z","read_at":"2026-11-22T10:30:16Z",'
    '"fingerprint":"f"}'
)
FROZEN: Final[dict[tuple[str, int], str]] = {
    ("customer.imported", 1): '{"customer":{"source":'
    + _SOURCE
    + ',"kind":"business","first_name":"Ann","email":"ann@example.com",'
    '"phone":{"raw":"030 1","e164":"+49301"},"addresses":[{"external_id":"a1","country":"DE",'
    '"lines":["Weg 1"],"is_default_billing":true}],"custom":{"attributes":{"tier":"gold"}}},'
    '"origin":"sweep"}',
    ("customer.unreadable", 1): '{"source":'
    + _SOURCE
    + ',"problems":[{"field":"email","problem":"too long"}]}',
    ("customer.deleted", 1): '{"source":' + _SOURCE + "}",
    ("customer.export", 1): '{"effect":"customer_number","channel":"shop","external_id":"17",'
    f'"store_view":"de","customer_id":"{_ID}","customer_number":"C-1",' + _VERSION + "}",
    ("import.requested", 1): '{"channel":"shop","store_view":"de","sweep":true}',
    ("import.answered", 1): '{"channel":"shop","external_id":"17","answer":"customer",'
    '"customer_number":"C-1"}',
    ("canary.sent", 1): '{"sent_at":"2026-11-22T10:30:15Z"}',
    ("canary.passed", 1): '{"sent_at":"2026-11-22T10:30:15Z"}',
    ("staging.process", 1): '{"channel":"shop","external_id":"17",' + f'"staging_id":"{_ID}"' + "}",
}
KEYS: Final = {"customer.export": "customer.export.shop"}


@pytest.fixture
def books(
    amqp_vhost: str, rabbit_management: RabbitManagement, migrated_database_url: str
) -> Iterator[Books]:
    """Give books on a provisioned broker."""
    provision(amqp_vhost, TOPOLOGY, management_url=rabbit_management.api_url)
    with open_books(amqp_vhost, migrated_database_url) as books:
        yield books


@pytest.fixture
def log() -> Iterator[list[Any]]:
    """Give what is logged."""
    with structlog.testing.capture_logs() as lines:
        yield lines


def on_wire(name: str, version: int) -> WireMessage:
    """Return a frozen message as a worker of that version publishes it."""
    return WireMessage(
        routing_key=KEYS.get(name, name),
        body=FROZEN[name, version].encode(),
        message_id=UUID(_ID),
        type=name,
        correlation_id=_ID,
        timestamp=None,
        content_type="application/json",
        content_encoding="utf-8",
        headers={"schema_version": version, "channel": "shop", "subject": "17"},
        app_id="patron",
    )


@pytest.mark.parametrize("name", MESSAGE_TYPES)
def test_every_message_has_frozen_bytes_of_this_version_and_the_one_before(name: str) -> None:
    """Whoever raises a schema version must show that the one before is still read (fault 26)."""
    newest = MESSAGE_TYPES[name].schema_version

    assert (name, newest) in FROZEN
    assert newest == 1 or (name, newest - 1) in FROZEN


@pytest.mark.parametrize(("name", "version"), FROZEN)
def test_frozen_bytes_are_read_and_lose_nothing(name: str, version: int) -> None:
    """What a worker of that version has sent is understood, every key of it (faults 26, 58)."""
    envelope = decode(on_wire(name, version))

    said = envelope.body.model_dump(mode="json", exclude_unset=True)
    assert (envelope.type, envelope.schema_version) == (name, version)
    assert _keys(said) == _keys(json.loads(FROZEN[name, version]))


@pytest.mark.parametrize("name", MESSAGE_TYPES)
def test_the_version_before_is_read_after_the_deploy(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """N reads N-1 and N; N-1 refuses N as too new and does not look at its shape (fault 58)."""
    before, ours = MESSAGE_TYPES[name], on_wire(name, 1)
    newer = replace(ours, headers={**ours.headers, "schema_version": 2})
    with pytest.raises(SchemaTooNew, match="newest known is 1"):
        decode(newer)

    monkeypatch.setitem(MESSAGE_TYPES, name, before._replace(schema_version=2))

    assert decode(ours).schema_version == 1
    assert decode(newer).schema_version == 2


def test_what_a_newer_worker_sent_is_kept_for_the_deploy(
    books: Books, log: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A dead letter with every byte, read by the next version; nobody waits (faults 25, 58)."""
    [newer, *others] = books.accept_published(3)
    ours = [to_wire(each) for each in others]
    wire = replace(to_wire(newer), headers={**to_wire(newer).headers, "schema_version": 2})

    with books.consuming(books.transactional(effect)):
        books.broker.publish([ours[0], wire, ours[1]])
        eventually(lambda: books.settled("done") == 2 and books.settled("dead") == 1)

    [letter] = books.buried()
    assert (letter.message_id, letter.reason) == (newer.message_id, "schema_too_new")
    assert letter.attempts <= 1
    kind = MESSAGE_TYPES[newer.type]
    monkeypatch.setitem(MESSAGE_TYPES, newer.type, kind._replace(schema_version=2))
    assert decode(replace(wire, body=letter.body)).subject == newer.subject
    assert_books_balance(books, log)


def _keys(value: Any) -> Any:
    """Return the shape of a JSON value: its keys, at every depth."""
    if isinstance(value, dict):
        return {key: _keys(item) for key, item in value.items()}
    return [_keys(item) for item in value] if isinstance(value, list) else None
