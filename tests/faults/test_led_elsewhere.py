"""A shop's answer, or its name, leads elsewhere: nothing is followed, and no secret is told there.

Whom Patron talks to is what the operator configured, be it an internal address; whatever anybody
else says is not gone to.
"""

import socket
import ssl
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

from shared.connectors.calls import Limits
from shared.connectors.http import HttpClient
from shared.connectors.magento.settings import MagentoSettings
from shared.connectors.registry import settings_of
from shared.domain.errors import ConfigurationError, RemoteUnavailable
from tests.e2e.deployment import Deployment
from tests.faults.observation import events, told

SECRET = "s3cret-token"
NAME = "shop.example"


class Listener:
    """Somebody inside who should never be spoken to; keeps what is said to it."""

    def __init__(self, tls: ssl.SSLContext | None = None) -> None:
        self._tls = tls
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self.callers = 0
        self.heard = b""
        self._thread = threading.Thread(target=self._listen, daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Stop listening."""
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join()

    def _listen(self) -> None:
        with suppress(OSError):
            while True:
                connection, _ = self._listener.accept()
                self.callers += 1
                with connection, suppress(OSError):
                    self._hear(connection)

    def _hear(self, connection: socket.socket) -> None:
        if self._tls is None:
            self.heard += connection.recv(65_536)
            return
        with self._tls.wrap_socket(connection, server_side=True) as secured:
            self.heard += secured.recv(65_536)


@contextmanager
def listening(tls: ssl.SSLContext | None = None) -> Iterator[Listener]:
    """Have somebody listen inside."""
    listener = Listener(tls)
    try:
        yield listener
    finally:
        listener.close()


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give where a certificate of `inside.example` and its key are."""
    place = tmp_path_factory.mktemp("certificates")
    words = (
        "openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=inside.example"
        f" -addext subjectAltName=DNS:inside.example -keyout {place}/key.pem -out {place}/cert.pem"
    )
    subprocess.run(words.split(), check=True, capture_output=True)
    return place


def test_a_redirect_inside_is_not_followed_and_pauses_the_channel(deployment: Deployment) -> None:
    """Reads and writes stop with the reason; nobody calls there, and it is logged (fault 45)."""
    with listening() as inside, redirecting(inside.port) as shop_url:
        deployment.environment["PATRON_CHANNELS__SHOP__CONNECTOR__BASE_URL"] = shop_url
        deployment.start("importer")
        failed = "SELECT last_error FROM cursors WHERE last_error IS NOT NULL"
        deployment.until(lambda: bool(deployment.rows(failed)), "the import has failed")
        errors = {error for (error,) in deployment.rows(failed)}
        deployment.until(lambda: _tells_of_the_failure(deployment), "it is logged")

        assert inside.callers == 0
    assert all("redirected (302); nothing is followed" in error for error in errors)
    assert "latest/meta-data" not in told(deployment)


def _tells_of_the_failure(deployment: Deployment) -> bool:
    return "import.failed" in {each["event"] for each in events(deployment, "importer")}


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest.mark.parametrize("method", ["GET", "PUT", "POST"])
def test_no_redirect_of_any_kind_is_followed(status: int, method: str) -> None:
    """Whatever the method and the status, the place is neither called nor named (fault 45)."""
    with listening() as inside, redirecting(inside.port, status) as url:
        client = a_client()
        with pytest.raises(ConfigurationError, match="nothing is followed") as refusal:
            client.request(method, url, headers=bearer, json=None if method == "GET" else {})
        client.close()

        assert inside.callers == 0
        assert str(inside.port) not in str(refusal.value)


def test_a_name_that_leads_inside_hears_nothing(
    certificates: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """DNS rebinding: who answers cannot prove the shop's name, so is told nothing (fault 45)."""
    impostor = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    impostor.load_cert_chain(certificates / "cert.pem", certificates / "key.pem")
    trusting_its_authority = ssl.create_default_context(cafile=str(certificates / "cert.pem"))
    for tls in (None, trusting_its_authority):
        with listening(impostor) as inside:
            rebind(monkeypatch, NAME, inside.port)
            client = a_client(tls)
            with pytest.raises(RemoteUnavailable, match="CERTIFICATE_VERIFY_FAILED"):
                client.request("GET", f"https://{NAME}/rest/V1/x", headers=bearer)
            client.close()

        assert inside.callers == 1
        assert inside.heard == b""


@pytest.mark.parametrize("address", ["10.0.0.5", "192.168.1.4", "169.254.169.254", NAME, "intra"])
def test_an_address_without_tls_is_refused_unless_it_was_allowed(address: str) -> None:
    """Without a certificate nobody proves a name; the operator has to say it is trusted."""
    with pytest.raises(ValueError, match="allow_plain_http"):
        settings(f"http://{address}")

    assert settings(f"http://{address}", allow_plain_http=True).base_url == f"http://{address}"
    assert settings(f"https://{address}").base_url == f"https://{address}"


def settings(base_url: str, **changes: Any) -> MagentoSettings:
    """Return a connector's settings."""
    connector = {"base_url": base_url, "auth": {"kind": "bearer", "token": SECRET}, **changes}
    parsed = settings_of("magento", connector, {"de": {"store_id": 1, "website_id": 1}})
    assert isinstance(parsed, MagentoSettings)
    return parsed


def a_client(tls: ssl.SSLContext | None = None) -> HttpClient:
    """Return the client of a connector, on real sockets."""
    limits = Limits(attempts=1, total_seconds=10)
    return HttpClient(platform="magento", channel="shop", limits=limits, tls=tls)


def bearer() -> dict[str, str]:
    """Return the secret that nobody else may hear."""
    return {"Authorization": f"Bearer {SECRET}"}


@contextmanager
def redirecting(port: int, status: int = 302) -> Iterator[str]:
    """Give the address of a shop that sends everybody to a port inside."""
    location = f"http://127.0.0.1:{port}/latest/meta-data"
    head = f"HTTP/1.1 {status} Elsewhere\r\nLocation: {location}\r\nContent-Length: 0\r\n"
    answer = f"{head}Connection: close\r\n\r\n".encode()

    def serve() -> None:
        with suppress(OSError):
            while True:
                connection, _ = listener.accept()
                with connection, suppress(OSError):
                    connection.recv(65_536)
                    connection.sendall(answer)

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            listener.shutdown(socket.SHUT_RDWR)
            thread.join()


def rebind(monkeypatch: pytest.MonkeyPatch, name: str, port: int) -> None:
    """Have a public name lead to a port of this machine."""
    look_up = socket.getaddrinfo

    def answer(host: Any, asked: Any, *others: Any, **named: Any) -> Any:
        if host in {name, name.encode()}:
            return look_up("127.0.0.1", port, *others, **named)
        return look_up(host, asked, *others, **named)

    monkeypatch.setattr(socket, "getaddrinfo", answer)
