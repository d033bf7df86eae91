"""What pika and RabbitMQ report, in the words of the port.

Its promise: every failure becomes `BrokerUnavailable` (may pass) or `ConfigurationError` (names
what is missing and how to mend it), and no text holds credentials.
"""

from collections.abc import Iterator

from pika import exceptions

from shared.domain.errors import AccessDenied, ConfigurationError
from shared.messaging.broker import BrokerUnavailable
from shared.messaging.topology import PROVISION_COMMAND

ACCESS_REFUSED = 403
NOT_FOUND = 404
PRECONDITION_FAILED = 406
NOT_ALLOWED = 530

BrokerFault = BrokerUnavailable | ConfigurationError


def connection_fault(error: BaseException, place: str) -> BrokerFault:
    """Say why there is no connection to `place`."""
    for cause in _causes(error):
        match cause:
            case exceptions.ProbableAuthenticationError() | exceptions.AuthenticationError():
                return AccessDenied(f"RabbitMQ at {place} refuses the user or its password")
            case exceptions.ProbableAccessDeniedError():
                return _no_vhost(place)
            case exceptions.ConnectionClosed() if cause.reply_code == ACCESS_REFUSED:
                return AccessDenied(f"RabbitMQ at {place} refuses the user or its password")
            case exceptions.ConnectionClosed() if cause.reply_code == NOT_ALLOWED:
                return _no_vhost(place)
            case exceptions.IncompatibleProtocolError():
                return BrokerUnavailable(f"what answers at {place} does not speak AMQP 0-9-1")
    return BrokerUnavailable(f"no connection to RabbitMQ at {place}: {_fact(error)}")


def channel_fault(error: BaseException, doing: str) -> BrokerFault:
    """Say why the channel closed while `doing` something, such as "reading patron.importer"."""
    for cause in _causes(error):
        if isinstance(cause, exceptions.ChannelClosed):
            if cause.reply_code == ACCESS_REFUSED:
                return AccessDenied(f"{doing}: the broker's user lacks the right to")
            if cause.reply_code == NOT_FOUND:
                return ConfigurationError(f"{doing}: it does not exist; run `{PROVISION_COMMAND}`")
            return BrokerUnavailable(f"{doing}: the broker closed the channel ({cause.reply_code})")
    return BrokerUnavailable(f"{doing}: the connection was lost")


def _no_vhost(place: str) -> AccessDenied:
    return AccessDenied(f"RabbitMQ at {place}: no such virtual host, or no right to use it")


def _causes(error: BaseException) -> Iterator[BaseException]:
    """Yield the error and those inside it: pika wraps them in attributes and arguments."""
    yield error
    inner = [*getattr(error, "exceptions", ()), getattr(error, "exception", None), *error.args]
    for each in inner:
        if isinstance(each, BaseException):
            yield from _causes(each)


def _fact(error: BaseException) -> str:
    """Return the innermost cause in few words; a broker's reply text may name a user."""
    innermost = list(_causes(error))[-1]
    if isinstance(innermost, OSError) and innermost.strerror:
        return innermost.strerror
    if isinstance(innermost, exceptions.ConnectionClosed):
        return f"closed by the broker ({innermost.reply_code})"
    return type(innermost).__name__
