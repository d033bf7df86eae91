"""The intake against those who mean it harm, or do it: sizes, shapes, slowness, headers."""

import socket
import time
from collections.abc import Iterator
from contextlib import suppress
from urllib.parse import urlsplit

import pytest
from structlog.testing import capture_logs

from services.importer.intake import server as server_module
from shared.persistence.tables import push_items, push_requests
from tests.faults.people import PLANTED
from tests.integration.importer.intake.gate import ANN, API_KEY, Client, Gate

_HEAD = (
    "POST /v1/customers HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
    f"Authorization: Bearer {API_KEY}\r\n"
)


@pytest.fixture
def client(gate: Gate) -> Iterator[Client]:
    """Give a client before a gate that is small."""
    gate.max_body_bytes = 2_000
    with gate.open() as client:
        yield client


def said_to(client: Client, *parts: str, timeout: float = 10) -> str:
    """Send raw bytes, and return all that comes back until the connection ends."""
    address = urlsplit(str(client.http.base_url))
    with socket.create_connection((address.hostname, address.port), timeout=timeout) as line:
        for part in parts:
            line.sendall(part.encode("latin-1"))
        answer = b""
        while chunk := line.recv(65_536):
            answer += chunk
    return answer.decode()


@pytest.mark.parametrize(
    ("body", "status", "kind"),
    [
        (b"", 400, "not-json"),
        (b"{", 400, "not-json"),
        (b'{"external_id": "1", "first_name": NaN}', 400, "not-json"),
        (b'{"external_id": "1", "external_id": "2"}', 400, "not-json"),
        (b'{"external_id": "1", "notes": "\\u0000"}', 400, "not-json"),
        (b'{"external_id": "1", "notes": "\\ud800"}', 400, "not-json"),
        (b'{"external_id": "\xff"}', 400, "not-json"),
        (b"\xef\xbb\xbf{}", 400, "not-json"),
        (b"[" * 900 + b"]" * 900, 400, "too-deep"),
        (b'{"external_id":' * 100, 400, "too-deep"),
        (b'"' + b"\\" * 1000, 400, "not-json"),
        (b'{"external_id": "1", "custom": {"attributes": {"n": 1e999}}}', 400, "not-json"),
        (b" " * 2_001, 413, "too-large"),
        (b"7", 422, "invalid"),
        (b"null", 422, "invalid"),
    ],
)
def test_what_is_no_plain_json_is_refused(
    client: Client, body: bytes, status: int, kind: str
) -> None:
    """Before anybody looks into it, and with a reason (D365-15)."""
    answer = client.push(body)

    assert (answer.status_code, answer.json()["type"]) == (status, f"urn:patron:problem:{kind}")


def test_another_media_type_is_refused(client: Client) -> None:
    """415; what says it is JSON of some kind is taken."""
    for_json = client.push(dict(ANN), **{"Content-Type": "application/vnd.x+json; charset=utf-8"})
    for_text = client.push(dict(ANN), **{"Content-Type": "text/plain"})

    assert (for_json.status_code, for_text.status_code) == (202, 415)


def test_a_body_without_a_length_is_bounded(client: Client) -> None:
    """Chunk by chunk, as it comes."""

    def chunks() -> Iterator[bytes]:
        for _ in range(10):
            yield b" " * 1_000

    answer = client.http.post(
        "/v1/customers",
        content=chunks(),
        headers={"Authorization": f"Bearer {API_KEY}", "Content-Type": "application/json"},
    )

    assert answer.status_code == 413


def test_nobody_holds_a_connection_by_a_slow_body(gate: Gate) -> None:
    """The whole body has to come in time."""
    gate.request_seconds = 0.3
    began = time.monotonic()
    with gate.open() as client:
        answer = said_to(client, f"{_HEAD}Content-Length: 100\r\n\r\n{{")

    assert answer.startswith("HTTP/1.1 408 ")
    assert time.monotonic() - began < 5


@pytest.mark.parametrize("parts", [(), ("POST /v1/cust",), (_HEAD, "X-Slow: 1\r\n")])
def test_nobody_holds_a_connection_by_a_slow_head(
    client: Client, monkeypatch: pytest.MonkeyPatch, parts: tuple[str, ...]
) -> None:
    """Whether he says nothing at all, or never comes to an end."""
    monkeypatch.setattr(server_module, "_HEAD_SECONDS", 0.2)

    assert said_to(client, *parts) == ""


def test_a_second_request_may_be_as_slow_as_the_first(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And no slower: a connection that is kept open is no way around."""
    monkeypatch.setattr(server_module, "_HEAD_SECONDS", 1.0)
    address = urlsplit(str(client.http.base_url))

    with socket.create_connection((address.hostname, address.port), timeout=10) as line:
        line.sendall(b"GET /v1/customers/1 HTTP/1.1\r\nHost: x\r\n\r\n")
        first = line.recv(65_536)
        line.sendall(b"GET /v1/cust")
        while line.recv(65_536):
            pass

    assert first.startswith(b"HTTP/1.1 401 ")


def test_a_head_without_an_end_is_not_kept(client: Client) -> None:
    """However fast it comes."""
    address = urlsplit(str(client.http.base_url))

    with (
        socket.create_connection((address.hostname, address.port), timeout=10) as line,
        suppress(ConnectionError),
    ):
        line.sendall(b"GET / HTTP/1.1\r\nHost: x\r\nX: ")
        for _ in range(200):
            line.sendall(b"y" * 65_536)
        pytest.fail("it was read to the end")


@pytest.mark.parametrize(
    "head",
    [
        "POST /v1/customers HTTP/1.1\r\nHost: x\r\nX: a\x00b\r\n\r\n",
        "POST /v1/customers HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
        "NONSENSE\r\n\r\n",
    ],
)
def test_a_head_that_is_none_is_refused(client: Client, head: str) -> None:
    """400, and the connection ends."""
    answer = said_to(client, head)

    assert answer.startswith("HTTP/1.1 4")


def test_headers_cannot_be_injected(client: Client) -> None:
    """What comes in a path or a key goes nowhere as it is."""
    answer = client.status("x%0d%0aSet-Cookie:%20a=b")
    keyed = client.push(dict(ANN), idempotency="a\tb")

    assert answer.status_code == 404
    assert "set-cookie" not in answer.headers
    assert keyed.status_code == 400


def test_a_reference_may_be_anything(gate: Gate, client: Client) -> None:
    """Ids of others with slashes and signs are found; NUL is nobody's."""
    client.push({**ANN, "external_id": "a/b c?d"})

    assert client.status("a%2Fb%20c%3Fd").json()["state"] == "waiting"
    assert client.status("%00").status_code == 404
    assert client.status("x" * 5_000).status_code == 404


def test_no_personal_data_and_no_key_is_logged(gate: Gate, client: Client) -> None:
    """Neither of what is taken, nor of what is refused, nor of what fails (D365-15)."""
    planted = {
        "external_id": "1", "first_name": PLANTED["first name"], "last_name": PLANTED["last name"],
        "email": f"{PLANTED['e-mail']}@example.com",
    }  # fmt: skip

    with capture_logs() as logs:
        client.push(planted)
        client.push({**planted, "birth_date": PLANTED["last name"]})
        client.push({**planted, PLANTED["first name"]: 1})
        client.push(planted, key=PLANTED["e-mail"])
        gate.station.engine.dispose()
        push_items.drop(gate.station.engine)
        push_requests.drop(gate.station.engine)
        failing = client.push({**planted, "external_id": "2"})

    assert failing.status_code == 500
    assert [line["event"] for line in logs] == ["intake.pushed", "intake.failed"]
    told = [{k: v for k, v in line.items() if k != "exc_info"} for line in logs]
    assert not [value for value in (*PLANTED.values(), API_KEY) if value in repr(told)]


def test_metrics_do_not_grow_by_what_strangers_send(gate: Gate, client: Client) -> None:
    """Channels are those of the configuration."""
    client.http.post("/v1/customers", content=b"{}")
    client.http.get("/v1/nowhere")
    client.http.get("/v1/customers/1", headers={"Authorization": "Bearer nobody"})

    assert gate.counted(channel="-", kind="push", outcome="unauthorized") == 2
