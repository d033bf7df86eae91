"""Connection parameters from a URL, for everything here that connects to RabbitMQ.

`amqp://user:password@host:5672/vhost` or `amqps://…?cacertfile=/ca.pem&verify=verify_peer`, with
the parameter names of RabbitMQ's own URI specification. Its promise: what it cannot honour it
refuses by name, and no text of its making holds the user or the password.
"""

import ssl
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit

import pika

from shared.domain.errors import ConfigurationError

CONNECT_TIMEOUT_SECONDS = 10
_TLS_OPTIONS = {"cacertfile", "certfile", "keyfile", "verify", "server_name_indication"}


def parameters_from(
    url: str, *, connection_name: str, heartbeat_seconds: int = 30
) -> pika.ConnectionParameters:
    """Return pika's parameters for `url`. Raises ConfigurationError naming what is wrong."""
    parts = _split(url)
    options = dict(parse_qsl(parts.query, keep_blank_values=True))
    unknown = sorted(set(options) - (_TLS_OPTIONS if parts.scheme == "amqps" else set()))
    if unknown:
        raise ConfigurationError(f"broker URL: unknown option {', '.join(unknown)}")
    return pika.ConnectionParameters(
        host=parts.hostname or "localhost",
        port=_port(parts),
        virtual_host=vhost_of(parts),
        credentials=pika.PlainCredentials(
            unquote(parts.username or "guest"), unquote(parts.password or "guest")
        ),
        heartbeat=heartbeat_seconds,
        ssl_options=_tls(parts, options) if parts.scheme == "amqps" else None,
        connection_attempts=1,
        socket_timeout=CONNECT_TIMEOUT_SECONDS,
        stack_timeout=CONNECT_TIMEOUT_SECONDS,
        client_properties={"connection_name": connection_name, "product": "Patron"},
    )


def vhost_of(parts: SplitResult) -> str:
    """Return the virtual host a URL names: no path is `/`, `/%2F` too, `/a` is `a`."""
    return unquote(parts.path[1:]) or "/"


def place(parameters: pika.ConnectionParameters) -> str:
    """Return where the broker is, for texts: host, port and virtual host."""
    return f"{parameters.host}:{parameters.port}, virtual host {parameters.virtual_host!r}"


def _split(url: str) -> SplitResult:
    try:
        parts = urlsplit(url)
    except ValueError:
        raise ConfigurationError("broker URL: not a URL") from None
    if parts.scheme not in {"amqp", "amqps"}:
        raise ConfigurationError("broker URL: the scheme is neither amqp nor amqps")
    return parts


def _port(parts: SplitResult) -> int:
    try:
        return parts.port or (5671 if parts.scheme == "amqps" else 5672)
    except ValueError:
        raise ConfigurationError("broker URL: the port is not a number") from None


def _tls(parts: SplitResult, options: dict[str, str]) -> pika.SSLOptions:
    """Return TLS settings; the server is verified unless the URL says `verify_none`."""
    verify = options.get("verify", "verify_peer")
    if verify not in {"verify_peer", "verify_none"}:
        raise ConfigurationError("broker URL: verify is neither verify_peer nor verify_none")
    try:
        context = ssl.create_default_context(cafile=options.get("cacertfile"))
        if "certfile" in options:
            context.load_cert_chain(options["certfile"], options.get("keyfile"))
    except (OSError, ssl.SSLError) as error:
        raise ConfigurationError(f"broker URL: a TLS file is unusable: {error}") from error
    if verify == "verify_none":
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return pika.SSLOptions(context, options.get("server_name_indication", parts.hostname))
