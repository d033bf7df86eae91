"""The tiny job as a Taskiq task. Run by `taskiq worker benchmarks.peers.with_taskiq:broker`.

Acknowledged when executed, published confirmed and mandatory: a channel that raises for a returned
message takes one method, because taskiq-aio-pika has no setting for it. Its queues are quorum
queues by default, and the worker runs on uvloop where that is installed. Tuned: one statement for
each message by asyncpg, and no parsing of arguments by the signature.
"""

from typing import Any
from uuid import UUID

import asyncpg
from psycopg_pool import AsyncConnectionPool
from taskiq import TaskiqEvents, TaskiqState
from taskiq_aio_pika import AioPikaBroker
from taskiq_aio_pika.exchange import Exchange
from taskiq_aio_pika.queue import Queue

from benchmarks.peers import place
from benchmarks.peers.handling import handle_at_once_async, handle_plainly_async
from benchmarks.peers.job import IN, OUT, RESULT_TASK, TASK, CustomerImported

PREFETCH = 200
CONNECTIONS = 8


class MandatoryBroker(AioPikaBroker):
    """RabbitMQ, failing for a message that no queue takes."""

    async def startup(self) -> None:
        """Connect, and publish over a channel that raises."""
        await super().startup()
        if self.write_conn is not None:
            self.write_channel = await self.write_conn.channel(on_return_raises=True)


def _broker(queue: str) -> MandatoryBroker:
    return MandatoryBroker(
        place.broker_url(), qos=PREFETCH, exchange=Exchange("tiny"), task_queues=[Queue(name=queue)]
    )


broker = _broker(IN)
results = _broker(OUT)


class Own:
    """What this process has."""

    pool: Any = None


@broker.on_event(TaskiqEvents.WORKER_STARTUP)
async def _open(_state: TaskiqState) -> None:
    await results.startup()
    if place.is_tuned():
        place.spare_the_collector()
        Own.pool = await asyncpg.create_pool(
            place.database_url(), min_size=CONNECTIONS, max_size=CONNECTIONS
        )
    else:
        Own.pool = AsyncConnectionPool(place.database_url(), max_size=CONNECTIONS, open=False)
        await Own.pool.open()


@broker.on_event(TaskiqEvents.WORKER_SHUTDOWN)
async def _close(_state: TaskiqState) -> None:
    await results.shutdown()
    await Own.pool.close()


@results.task(task_name=RESULT_TASK)
async def customer_handled(body: str) -> None:
    """Stand for whoever is told next; no worker here takes its queue."""


@broker.task(task_name=TASK)
async def customer_imported(message_id: str, text: str) -> None:
    """Handle a message and publish what came of it."""
    message = CustomerImported.model_validate_json(text)
    if place.is_tuned():
        body = await handle_at_once_async(Own.pool, UUID(message_id), message)
    else:
        async with Own.pool.connection() as connection:
            body = await handle_plainly_async(connection, UUID(message_id), message)
    await customer_handled.kiq(body)
