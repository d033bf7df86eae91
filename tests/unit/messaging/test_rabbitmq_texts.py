"""URLs and failures of RabbitMQ: understood, or refused without showing a password."""

import socket
from collections.abc import Callable

import pytest
from pika import exceptions

from shared.domain.errors import AccessDenied, ConfigurationError
from shared.messaging.broker import BrokerUnavailable
from shared.messaging.connect import connect, is_rabbitmq
from shared.messaging.embedded import EmbeddedBroker
from shared.messaging.rabbitmq.backoff import Backoff
from shared.messaging.rabbitmq.faults import channel_fault, connection_fault
from shared.messaging.rabbitmq.parameters import parameters_from, place
from shared.messaging.topology import topology_for

PLACE = "mq:5672, virtual host '/'"


def test_a_url_says_everything() -> None:
    """Host, port, virtual host and credentials, percent-encoded as needed."""
    parameters = parameters_from(
        "amqp://us%40er:pass%2Fword@mq.example:5673/a%2Fb", connection_name="importer: publish"
    )

    assert (parameters.host, parameters.port) == ("mq.example", 5673)
    assert parameters.virtual_host == "a/b"
    assert parameters.credentials.username == "us@er"
    assert parameters.credentials.password == "pass/word"
    assert parameters.heartbeat == 30
    assert parameters.ssl_options is None
    assert parameters.client_properties["connection_name"] == "importer: publish"


@pytest.mark.parametrize(
    ("url", "vhost", "port"),
    [
        ("amqp://mq", "/", 5672),
        ("amqp://mq/", "/", 5672),
        ("amqp://mq/%2F", "/", 5672),
        ("amqps://mq/prod", "prod", 5671),
    ],
)
def test_what_a_url_leaves_out_is_the_usual(url: str, vhost: str, port: int) -> None:
    """Port by scheme, the default virtual host."""
    parameters = parameters_from(url, connection_name="x")

    assert (parameters.virtual_host, parameters.port) == (vhost, port)


def test_tls_verifies_the_server_unless_told_otherwise() -> None:
    """By its name and by a trusted authority."""
    strict = parameters_from("amqps://mq", connection_name="x").ssl_options
    named = parameters_from("amqps://mq?server_name_indication=b", connection_name="x").ssl_options
    blind = parameters_from("amqps://mq?verify=verify_none", connection_name="x").ssl_options

    assert strict.context.check_hostname
    assert strict.server_hostname == "mq"
    assert named.server_hostname == "b"
    assert not blind.context.check_hostname


@pytest.mark.parametrize(
    "url",
    [
        "http://user:sesame@mq",
        "amqp://user:sesame@mq?verify=verify_peer",
        "amqps://user:sesame@mq?verify=maybe",
        "amqps://user:sesame@mq?heartbeat=1",
        "amqps://user:sesame@mq?cacertfile=/no/such/file.pem",
        "amqp://user:sesame@mq:port/",
        "amqp://user:sesame@[mq/",
    ],
)
def test_an_unusable_url_is_refused_without_being_shown(url: str) -> None:
    """The text names what is wrong with it."""
    with pytest.raises(ConfigurationError, match="broker URL") as refusal:
        parameters_from(url, connection_name="x")

    assert "sesame" not in str(refusal.value)


@pytest.mark.parametrize("url", ["memory", "nosuch://here", "pyamqp://guest:sesame@mq"])
def test_a_url_without_an_adapter_is_refused(url: str) -> None:
    """RabbitMQ by another name too: its adapter is the one for amqp."""
    with pytest.raises(ConfigurationError, match="broker URL") as refusal:
        connect(url, topology_for([]), "x")

    assert "sesame" not in str(refusal.value)


def test_the_scheme_chooses_the_adapter() -> None:
    """Only RabbitMQ must be provisioned."""
    broker = connect("memory://", topology_for([]), "x")
    broker.close()

    assert isinstance(broker, EmbeddedBroker)
    assert is_rabbitmq("amqps://mq")
    assert not is_rabbitmq("memory://")


def test_the_place_has_no_credentials() -> None:
    """It stands in texts and logs."""
    assert place(parameters_from("amqp://user:sesame@mq/v", connection_name="x")) == (
        "mq:5672, virtual host 'v'"
    )


@pytest.mark.parametrize(
    ("error", "family", "words"),
    [
        (exceptions.ProbableAuthenticationError("x"), AccessDenied, "password"),
        (exceptions.ProbableAccessDeniedError("x"), AccessDenied, "virtual host"),
        (exceptions.ConnectionClosedByBroker(403, "user 'u'"), AccessDenied, "password"),
        (exceptions.ConnectionClosedByBroker(530, "user 'u'"), AccessDenied, "virtual host"),
        (exceptions.ConnectionClosedByBroker(320, "forced"), BrokerUnavailable, "320"),
        (exceptions.IncompatibleProtocolError("x"), BrokerUnavailable, "AMQP"),
        (exceptions.AMQPConnectionError(ConnectionRefusedError(111, "refused")), None, "refused"),
        (exceptions.AMQPConnectionError(socket.gaierror(-2, "unknown name")), None, "unknown name"),
        (exceptions.AMQPHeartbeatTimeout(), BrokerUnavailable, "Heartbeat"),
    ],
    ids=repr,
)
def test_every_lost_connection_is_explained(
    error: Exception, family: type[Exception] | None, words: str
) -> None:
    """Wrong rights are configuration, the rest may pass; no text of the broker is repeated."""
    fault = connection_fault(error, PLACE)

    assert isinstance(fault, family or BrokerUnavailable)
    assert words in str(fault)
    assert "'u'" not in str(fault)


@pytest.mark.parametrize(
    ("error", "family", "words"),
    [
        (exceptions.ChannelClosedByBroker(403, "user 'u'"), AccessDenied, "right"),
        (exceptions.ChannelClosedByBroker(404, "x"), ConfigurationError, "patron broker provision"),
        (exceptions.ChannelClosedByBroker(406, "x"), BrokerUnavailable, "406"),
        (exceptions.StreamLostError("x"), BrokerUnavailable, "lost"),
    ],
    ids=repr,
)
def test_every_closed_channel_is_explained(
    error: Exception, family: type[Exception], words: str
) -> None:
    """It says what was being done, what is missing and how to mend it."""
    fault = channel_fault(error, "reading the queue q")

    assert isinstance(fault, family)
    assert "reading the queue q" in str(fault)
    assert words in str(fault)
    assert "'u'" not in str(fault)


def all_subclasses(family: type[Exception]) -> list[type[Exception]]:
    """Return a family of errors, the whole tree."""
    return [family, *(each for child in family.__subclasses__() for each in all_subclasses(child))]


@pytest.mark.parametrize("explain", [connection_fault, channel_fault])
@pytest.mark.parametrize("kind", all_subclasses(exceptions.AMQPError))
def test_no_error_of_pika_is_left_unexplained(
    kind: type[Exception], explain: Callable[[BaseException, str], Exception]
) -> None:
    """Whatever it raises leaves in the words of the port."""
    error = kind.__new__(kind)
    error.args = (320, "text")

    assert isinstance(explain(error, PLACE), BrokerUnavailable | ConfigurationError)


def test_waits_grow_to_a_limit_and_start_anew() -> None:
    """No hot loop, and no long silence after a short interruption."""
    backoff = Backoff(first_seconds=0.1, longest_seconds=1.0)

    waits = [backoff.wait_seconds() for _ in range(8)]
    backoff.reset()

    assert waits[0] < 0.2
    assert 0.75 <= waits[-1] <= 1.25
    assert backoff.wait_seconds() < 0.2
