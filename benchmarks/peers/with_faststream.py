"""The tiny job as a FastStream subscriber. Run as a module, on uvloop.

FastStream publishes what a handler returns, confirmed and mandatory, and acknowledges after that.
Plain: the message is decoded and validated by the signature, as its documentation shows. Tuned:
bytes validated once, no dependency injection, one statement for each message by asyncpg.
How many messages are in hand at a time is the prefetch: aio-pika makes a task of each.
"""

import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated, Any
from uuid import UUID

import asyncpg
import uvloop
from faststream import AckPolicy, Context, FastStream
from faststream.rabbit import Channel, QueueType, RabbitBroker, RabbitMessage, RabbitQueue
from psycopg_pool import AsyncConnectionPool

from benchmarks.peers import place
from benchmarks.peers.handling import handle_at_once_async, handle_plainly_async
from benchmarks.peers.job import IN, OUT, CustomerImported

PREFETCH = 100
CONNECTIONS = 8


def _queue(name: str) -> RabbitQueue:
    return RabbitQueue(name, queue_type=QueueType.QUORUM, durable=True)


async def _as_it_is(message: RabbitMessage) -> tuple[str, bytes]:
    """Leave the body to be validated from its bytes."""
    return message.message_id, bytes(message.body)


broker = RabbitBroker(
    place.broker_url(),
    default_channel=Channel(on_return_raises=True),
    apply_types=not place.is_tuned(),
    log_level=logging.DEBUG,
)


class Own:
    """What this process has."""

    pool: Any = None


@asynccontextmanager
async def _life() -> AsyncIterator[None]:
    if place.is_tuned():
        opening: Any = asyncpg.create_pool(
            place.database_url(), min_size=CONNECTIONS, max_size=CONNECTIONS
        )
    else:
        opening = AsyncConnectionPool(place.database_url(), max_size=CONNECTIONS, open=False)
    async with opening as Own.pool:
        yield


app = FastStream(broker, lifespan=_life)

if place.is_tuned():
    place.spare_the_collector()

    @broker.subscriber(
        _queue(IN),
        channel=Channel(prefetch_count=PREFETCH),
        ack_policy=AckPolicy.NACK_ON_ERROR,
        decoder=_as_it_is,
    )
    @broker.publisher(_queue(OUT), persist=True, mandatory=True)
    async def customer_imported(message_id: str, body: bytes) -> str:
        """Handle a message and publish what came of it."""
        message = CustomerImported.model_validate_json(body)
        return await handle_at_once_async(Own.pool, UUID(message_id), message)

else:

    @broker.subscriber(
        _queue(IN),
        channel=Channel(prefetch_count=PREFETCH),
        ack_policy=AckPolicy.NACK_ON_ERROR,
    )
    @broker.publisher(_queue(OUT), persist=True, mandatory=True)
    async def customer_imported_plainly(
        message: CustomerImported,
        message_id: Annotated[str, Context("message.message_id")],
    ) -> str:
        """Handle a message and publish what came of it."""
        async with Own.pool.connection() as connection:
            return await handle_plainly_async(connection, UUID(message_id), message)


if __name__ == "__main__":
    uvloop.run(app.run(log_level=logging.WARNING))
