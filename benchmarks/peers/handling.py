"""The tiny job's database part for one message, for the peers: plainly, and as fast as can be.

Each returns the result to be published, also for a message that was handled before: its
acknowledgement may be all that a crash prevented, or its result may be. For threads and processes
by psycopg, for asyncio by psycopg (plain) or asyncpg (tuned), whichever was found to be faster.
"""

from typing import Any, Final
from uuid import UUID, uuid4

import asyncpg
import psycopg

from benchmarks.peers import sql
from benchmarks.peers.job import CustomerImported, result, row

_CLAIM: Final = sql.for_psycopg(sql.CLAIM)
_MATCH: Final = sql.for_psycopg(sql.MATCH)
_INSERT: Final = sql.for_psycopg(sql.INSERT)
_OWE: Final = sql.for_psycopg(sql.OWE)
_OWED: Final = sql.for_psycopg(sql.OWED)
_ALL: Final = sql.for_psycopg(sql.ALL)
_ALL_NUMBERED: Final = sql.for_asyncpg(sql.ALL)
_OWED_NUMBERED: Final = sql.for_asyncpg(sql.OWED)

Connection = psycopg.Connection[Any]
AsyncConnection = psycopg.AsyncConnection[Any]


def handle_plainly(connection: Connection, message_id: UUID, message: CustomerImported) -> str:
    """Handle a message statement by statement, in the transaction of `connection`."""
    given: dict[str, Any] = {"message_id": message_id, **row(message)}
    if connection.execute(_CLAIM, given).fetchone() is None:
        return _body(connection.execute(_OWED, given).fetchone())
    found = connection.execute(_MATCH, given).fetchone()
    given["id"] = found[0] if found else uuid4()
    connection.execute(_INSERT, given)
    given["body"] = result(message_id, given["id"], message)
    connection.execute(_OWE, given)
    return str(given["body"])


async def handle_plainly_async(
    connection: AsyncConnection, message_id: UUID, message: CustomerImported
) -> str:
    """Handle a message statement by statement, in the transaction of `connection`."""
    given: dict[str, Any] = {"message_id": message_id, **row(message)}
    if await (await connection.execute(_CLAIM, given)).fetchone() is None:
        return _body(await (await connection.execute(_OWED, given)).fetchone())
    found = await (await connection.execute(_MATCH, given)).fetchone()
    given["id"] = found[0] if found else uuid4()
    await connection.execute(_INSERT, given)
    given["body"] = result(message_id, given["id"], message)
    await connection.execute(_OWE, given)
    return str(given["body"])


def handle_at_once(connection: Connection, message_id: UUID, message: CustomerImported) -> str:
    """Handle a message in one prepared statement; `connection` commits by itself."""
    given = _given(message_id, message)
    body = connection.execute(_ALL, given, prepare=True).fetchone()
    if body is None:
        body = connection.execute(_OWED, given).fetchone()
    return _body(body)


async def handle_at_once_async(
    connection: "asyncpg.Pool", message_id: UUID, message: CustomerImported
) -> str:
    """Handle a message in one prepared statement, which commits by itself."""
    given = _given(message_id, message)
    body = await connection.fetchval(_ALL_NUMBERED.text, *map(given.get, _ALL_NUMBERED.names))
    if body is None:
        body = await connection.fetchval(_OWED_NUMBERED.text, message_id)
    return str(body)


def _given(message_id: UUID, message: CustomerImported) -> dict[str, Any]:
    new = uuid4()
    body = result(message_id, new, message)
    return {"message_id": message_id, "id": new, "body": body, **row(message)}


def _body(found: Any) -> str:
    if found is None:
        raise LookupError("a handled message owes nothing")
    return str(found[0])
