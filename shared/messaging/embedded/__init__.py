"""Every other transport behind the broker port, by kombu: `memory://` first.

For the embedded default (one process, no server) and for small installations that have some
broker already. Its promise is the port's and no more: these transports lose what was in hand when
a process is killed, so the message store is the truth and publishes it again. They have no
dead-letter exchange: a rejected message is dropped, and stands in the store.
"""

from shared.messaging.embedded.broker import EmbeddedBroker

__all__ = ["EmbeddedBroker"]
