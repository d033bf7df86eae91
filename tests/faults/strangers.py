"""What a stranger may put on the wire, and what has to become of it."""

import json
import pickle
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final
from uuid import UUID, uuid4

SECRET: Final = "Zerlina-Quastenflosser"
"""A value that stands in every bad message, and must not be told to anybody."""

PLAIN: Final[Mapping[str, Any]] = {"content_type": "application/json", "content_encoding": "utf-8"}
BEFORE_TIME: Final = "0001-01-01T00:00:00+14:00"
"""A moment that has none in UTC."""

_Q: Final = json.dumps(SECRET).encode()


@dataclass(frozen=True)
class Message:
    """Bytes on the wire, and the reason they have to be given up for."""

    name: str
    reason: str
    body: bytes
    properties: Mapping[str, Any] = field(default_factory=lambda: PLAIN)
    routing_key: str = "customer.imported"
    message_id: UUID = field(default_factory=uuid4)

    def publish(self, channel: Any) -> None:
        """Send it as another program would: persistent, mandatory, confirmed."""
        properties = {"message_id": str(self.message_id), "delivery_mode": 2, **self.properties}
        message = channel.prepare_message(
            self.body,
            content_type=properties.pop("content_type", None),
            content_encoding=properties.pop("content_encoding", None),
            headers=properties.pop("headers", None),
            properties=properties,
        )
        channel.basic_publish(
            message, exchange="patron.customers", routing_key=self.routing_key, mandatory=True
        )


def publish_customer(channel: Any, external_id: str, **changes: Any) -> UUID:
    """Send a good customer and return the message's id."""
    message = Message("good", "", _customer(external_id, **changes))
    message.publish(channel)
    return message.message_id


def bad_messages() -> list[Message]:
    """Return one of each kind; no two have the same bytes."""
    return [*_not_json(), *_not_plain(), *_not_of_the_schema(), *_not_for_the_processor()]


def _not_json() -> list[Message]:
    deep = b'{"customer": ' + b'{"a":' * 20_000 + _Q + b"}" * 20_001
    twice = b'{"customer": {}, "customer": {"last_name": ' + _Q + b"}}"
    bodies = {
        "noise": b"\x00\x01\xfe\xff" + _Q,
        "broken UTF-8": b'{"customer": "\xc3\x28", "last_name": ' + _Q + b"}",
        "nothing": b"",
        "cut off": _bad()[:-20],
        "not a number": b'{"a": NaN, "last_name": ' + _Q + b"}",
        "a key said twice": twice,
        "deep nesting": deep,
        "nesting that a lenient reader takes": b"[" * 900 + _Q + b"]" * 900,
        "NUL in a value": _bad(first_name="a\x00b"),
        "a number beyond all numbers": _bad(custom={"attributes": {"big": 10**400}}),
        "half a character": _bad(first_name="\ud83d"),
    }
    return [
        *(Message(name, "undecodable", body) for name, body in bodies.items()),
        Message("over a mebibyte", "oversized", _bad(notes="n" * 1_100_000)),
    ]


def _not_plain() -> list[Message]:
    asked = {
        "pickle": {"content_type": "application/x-python-serialize", "content_encoding": "binary"},
        "plain text": {**PLAIN, "content_type": "text/plain"},
        "another encoding": {**PLAIN, "content_encoding": "utf-16"},
        "compressed": {**PLAIN, "headers": {"compression": "application/x-gzip"}},
    }
    bodies = {"pickle": pickle.dumps(_Q), "compressed": zlib.compress(_bad())}
    return [
        Message(name, "undecodable", bodies.get(name, _bad(suffix=name)), properties)
        for name, properties in asked.items()
    ]


def _not_of_the_schema() -> list[Message]:
    too_early = {"changed_at": BEFORE_TIME, "read_at": BEFORE_TIME, "fingerprint": "x"}
    bodies = {
        "no customer": b'{"customer": {"last_name": ' + _Q + b"}}",
        "not an object": b"[" + _Q + b"]",
        "an unknown key": _bad(None, **{f"{SECRET}@example.com": 1}),
        "too long a name": _bad(first_name=SECRET * 20),
        "line breaks in an id": _bad(source={"external_id": f"1\r\n{SECRET}"}),
        "a date that is none": _bad(registered_at=SECRET),
        "changed before all time": _bad(source={"version": too_early}),
    }
    headers = {
        "a version that is none": {"schema_version": SECRET},
        "line breaks in a header": {"subject": f"{SECRET}\r\n"},
        "occurred before all time": {"occurred_at": BEFORE_TIME},
    }
    future = {**PLAIN, "headers": {"schema_version": 99}}
    return [
        *(Message(name, "wrong_schema", body) for name, body in bodies.items()),
        *(
            Message(name, "wrong_schema", _bad(prefix=name), {**PLAIN, "headers": each})
            for name, each in headers.items()
        ),
        Message("a schema of the future", "schema_too_new", _bad(prefix="future"), future),
    ]


def _not_for_the_processor() -> list[Message]:
    types = {
        "no such type": "customer.exploded",
        "a type with line breaks": "customer.exploded\r\n",
        "a type with NUL": "customer\x00",
        "another worker's type": "import.requested",
    }
    return [
        Message(name, "unknown_type", _request(view=name), {**PLAIN, "type": type_})
        for name, type_ in types.items()
    ]


def _request(view: str) -> bytes:
    return json.dumps({"channel": "shop", "store_view": f"{view} {SECRET}"}).encode()


def _bad(source: Mapping[str, Any] | None = None, **changes: Any) -> bytes:
    return _customer("666", source, **{"last_name": SECRET, **changes})


def _customer(external_id: str, source: Mapping[str, Any] | None = None, **changes: Any) -> bytes:
    now = datetime.now(UTC).isoformat()
    version = {"changed_at": now, "read_at": now, "fingerprint": f"outside-{external_id}"}
    known = {
        "source": {
            "channel": "shop",
            "store_view": "de",
            "external_id": external_id,
            "version": version,
            **(source or {}),
        },
        "first_name": "Zoë",
        "last_name": "Meyer",
        "email": f"zoe.{external_id}@example.com",
        "addresses": [
            {
                "is_default_billing": True,
                "lines": ["Lindenweg 4"],
                "postcode": "10115",
                "city": "Berlin",
                "country": "DE",
            }
        ],
    }
    return json.dumps({"customer": known | changes}).encode()
