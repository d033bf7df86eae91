"""The tiny job for the frameworks that hand messages to threads: a connection for each, or a pool.

What Celery and Dramatiq have in common; each only publishes what comes of it in its own way.
"""

import threading
from functools import cache
from typing import Any
from uuid import UUID

import psycopg
from psycopg_pool import ConnectionPool

from benchmarks.peers import place
from benchmarks.peers.handling import handle_at_once, handle_plainly
from benchmarks.peers.job import CustomerImported

_own = threading.local()


def handle(message_id: str, text: str) -> str:
    """Handle a message in this thread, and return the result to be published."""
    message = CustomerImported.model_validate_json(text)
    if place.is_tuned():
        return handle_at_once(_connection(), UUID(message_id), message)
    with _pool().connection() as connection:
        return handle_plainly(connection, UUID(message_id), message)


@cache
def _pool() -> "ConnectionPool[Any]":
    """Return this process's connections, opened when first asked for: after a fork."""
    return ConnectionPool(place.database_url(), min_size=1, max_size=8, open=True)


def _connection() -> "psycopg.Connection[Any]":
    """Return this thread's connection."""
    if not hasattr(_own, "connection"):
        _own.connection = psycopg.connect(place.database_url(), autocommit=True)
    connection: psycopg.Connection[Any] = _own.connection
    return connection
