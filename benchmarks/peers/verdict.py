"""Whether the work was really done, the same question for everybody.

Raises `NotDone` and says what is missing.
"""

from typing import Any

import sqlalchemy as sa

from benchmarks.installation import NotDone
from benchmarks.peers import supply
from benchmarks.peers.envelopes import result_of
from benchmarks.peers.job import IN, OUT

_UP_TO_DATE = """
SELECT count(*) FROM tiny_customers
WHERE channel = 'shop' AND last_name = 'Langhammer' || external_id
"""


def check(
    engine: sa.Engine, channel: Any, directory: int, messages: int, *, killed: bool = False
) -> int:
    """Check tables and queues after `messages` messages; return how many results came twice.

    Only after a kill may any.
    """
    with engine.connect() as connection:

        def value(statement: str) -> Any:
            return connection.execute(sa.text(statement)).scalar_one()

        _must_be("idempotency rows", value("SELECT count(*) FROM tiny_handled"), messages)
        _must_be("outbox rows", value("SELECT count(*) FROM tiny_outbox"), messages)
        customers = directory + supply.new_among(0, messages)
        _must_be("customers", value("SELECT count(*) FROM tiny_customers"), customers)
        _must_be("customers up to date", value(_UP_TO_DATE), messages)
        owed = {
            str(row[0]): str(row[1])
            for row in connection.execute(
                sa.text("SELECT message_id, customer_id FROM tiny_outbox JOIN tiny_customers"
                        " ON customer_id = id")
            )
        }  # fmt: skip
    _must_be("messages left in the queue", _depth(channel, IN), 0)
    results = _drain(channel)
    found = {each["message_id"]: each["customer_id"] for each in results}
    _must_be("results in the next queue", len(found), messages)
    if found != owed:
        raise NotDone("the results are not those of the outbox")
    if not killed:
        _must_be("results that came twice", len(results) - messages, 0)
    return len(results) - messages


def _depth(channel: Any, queue: str) -> int:
    return int(channel.queue_declare(queue, passive=True).method.message_count)


def _drain(channel: Any) -> list[dict[str, str]]:
    """Return all that is in the next queue."""
    waiting = _depth(channel, OUT)
    results: list[dict[str, str]] = []
    if waiting:
        for _method, _properties, body in channel.consume(OUT, auto_ack=True):
            results.append(result_of(body))
            if len(results) == waiting:
                break
        channel.cancel()
    return results


def _must_be(what: str, found: object, expected: object) -> None:
    if found != expected:
        raise NotDone(f"{what}: {found}, expected {expected}")
