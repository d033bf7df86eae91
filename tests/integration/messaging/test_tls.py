"""RabbitMQ over TLS: the server is verified by its authority and its name."""

import subprocess
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from urllib.parse import quote

import pytest

from shared.messaging.broker import BrokerUnavailable
from shared.messaging.provision import declare, verify
from shared.messaging.rabbitmq import RabbitMQBroker
from tests.contract.broker_cases import QUEUE, TOPOLOGY, a_message, ids, take_all
from tests.services import RabbitNode
from tests.services.ports import free_ports


def a_certificate(directory: Path, name: str) -> tuple[Path, Path]:
    """Make a self-signed certificate for a host; return the paths of it and of its key."""
    certificate, key = directory / f"{name}.pem", directory / f"{name}.key"
    words = (
        f"openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN={name} "
        f"-addext subjectAltName=DNS:{name} -keyout {key} -out {certificate}"
    )
    subprocess.run(words.split(), check=True, capture_output=True)
    key.chmod(0o644)
    return certificate, key


@pytest.fixture(scope="module")
def directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give where the certificates are."""
    return tmp_path_factory.mktemp("tls")


@pytest.fixture(scope="module")
def url(directory: Path) -> Iterator[str]:
    """Give the amqps URL of a provisioned node, without options."""
    certificate, key = a_certificate(directory, "localhost")
    [port] = free_ports(1)
    settings = {
        "listeners.ssl.1": f"127.0.0.1:{port}",
        "ssl_options.cacertfile": str(certificate),
        "ssl_options.certfile": str(certificate),
        "ssl_options.keyfile": str(key),
        "ssl_options.verify": "verify_none",
    }
    with RabbitNode(settings=settings) as node:
        declare(node.url(), TOPOLOGY)
        yield (
            node.url()
            .replace("amqp://", "amqps://")
            .replace(f"127.0.0.1:{node.port}", f"localhost:{port}")
        )


def test_a_server_known_to_the_authority_is_used(url: str, directory: Path) -> None:
    """Publishing, consuming and checking, all encrypted."""
    trusted = f"{url}?cacertfile={quote(str(directory / 'localhost.pem'))}&verify=verify_peer"
    verify(trusted, [QUEUE])

    with (
        closing(RabbitMQBroker(trusted, name="tls")) as broker,
        closing(broker.consume(QUEUE, 10)) as consumption,
    ):
        broker.publish([message := a_message(b"x" * 500_000)])
        taken = take_all(consumption, 1)
        consumption.settle(taken)

    assert ids(taken) == [message.message_id]


def test_an_unknown_server_is_refused(url: str, directory: Path) -> None:
    """By default, with another authority, and under another name."""
    other, _ = a_certificate(directory, "other")
    known = quote(str(directory / "localhost.pem"))

    for options in (
        "",
        f"?cacertfile={quote(str(other))}",
        f"?cacertfile={known}&server_name_indication=elsewhere",
    ):
        with closing(RabbitMQBroker(url + options, name="tls")) as broker:
            with pytest.raises(BrokerUnavailable, match="SSL"):
                broker.publish([a_message()])
            assert not broker.is_connected


def test_verification_can_be_switched_off(url: str) -> None:
    """For a test installation, and only when the URL says so."""
    with closing(RabbitMQBroker(f"{url}?verify=verify_none", name="tls")) as broker:
        broker.publish([a_message()])

        assert broker.is_connected
