"""The tiny job on our own machinery: the broker port, set-based SQL, units of work.

A batch is what has arrived, one transaction, and a statement for each table. It is published while
the next batch is in the database, and acknowledged once all of it is confirmed, so what a crash
interrupts comes again: a claimed message is then published again from its outbox row.
"""

import signal
import threading
from collections import deque
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any, Final
from uuid import UUID

import sqlalchemy as sa
from pydantic import ValidationError
from uuid_utils.compat import uuid7

from benchmarks.peers import place
from benchmarks.peers.job import IN, OUT, CustomerImported, result, row
from shared.messaging.broker import Consumption, Delivery, WireMessage
from shared.messaging.rabbitmq import RabbitMQBroker
from shared.observability import logs
from shared.persistence.engine import create_engine
from shared.persistence.sets import SetStatement
from shared.persistence.unit_of_work import UnitOfWork, UnitsOfWork

BATCH: Final = 200
PREFETCH: Final = 3 * BATCH
_MOST_IN_FLIGHT: Final = 2

_metadata = sa.MetaData()
_customers = sa.Table(
    "tiny_customers",
    _metadata,
    sa.Column("id", sa.Uuid(), primary_key=True),
    *(
        sa.Column(name, sa.Text())
        for name in ("email", "phone", "first_name", "last_name", "company_name", "postcode")
    ),
    *(sa.Column(name, sa.Text()) for name in ("city", "country", "channel", "external_id")),
    sa.Column("changed_at", sa.DateTime(timezone=True)),
)
_outbox = sa.Table(
    "tiny_outbox",
    _metadata,
    sa.Column("message_id", sa.Uuid(), primary_key=True),
    sa.Column("customer_id", sa.Uuid()),
    sa.Column("body", sa.Text()),
)
_CLAIM: Final = SetStatement(
    "INSERT INTO tiny_handled (message_id) SELECT given.message_id FROM {given} WHERE TRUE"
    " ON CONFLICT DO NOTHING RETURNING message_id",
    given={"message_id": sa.Uuid()},
    returns=(_outbox.c.message_id,),
)
_UPDATED: Final = [column.name for column in _customers.c if column.name != "id"]

Batch = Sequence[tuple[UUID, CustomerImported]]


def handle(batch: Batch, work: UnitOfWork) -> dict[UUID, str]:
    """Handle a batch, and return what is to be published about each message."""
    work.lock_identities(key for _, message in batch for key in (message.email, message.phone))
    ids = dict.fromkeys(id_ for id_, _ in batch)
    new = {found.message_id for found in _CLAIM.run(work.connection, {"message_id": list(ids)})}
    owed = {id_: message for id_, message in batch if id_ in new}
    known = _known(list(owed.values()), work)
    rows: list[dict[str, object]] = []
    bodies: dict[UUID, str] = {}
    results = []
    for message_id, message in owed.items():
        email, phone = message.email, message.phone
        customer_id = known[email] = known[phone] = known.get(email) or known.get(phone) or uuid7()
        rows.append({"id": customer_id, **row(message)})
        body = bodies[message_id] = result(message_id, customer_id, message)
        results.append({"message_id": message_id, "customer_id": customer_id, "body": body})
    work.bulk.upsert(_customers, rows, key=("id",), update=_UPDATED)
    work.bulk.insert(_outbox, results)
    bodies.update(_owed_before([id_ for id_ in ids if id_ not in new], work))
    return bodies


def _known(messages: Sequence[CustomerImported], work: UnitOfWork) -> dict[str, Any]:
    """Return the ids of the customers that messages may be about, by e-mail and telephone."""
    columns = _customers.c
    known: dict[str, Any] = {}
    for key, values in (
        (columns.email, [message.email for message in messages]),
        (columns.phone, [message.phone for message in messages]),
    ):
        known |= {found[1]: found[0] for found in work.bulk.select((columns.id, key), key, values)}
    return known


def _owed_before(ids: Sequence[UUID], work: UnitOfWork) -> dict[Any, Any]:
    columns = _outbox.c
    found = work.bulk.select((columns.message_id, columns.body), columns.message_id, ids)
    return {each.message_id: each.body for each in found}


def _read(deliveries: Sequence[Delivery]) -> tuple[list[Delivery], Batch, list[Delivery]]:
    """Return the deliveries that are messages, the messages, and the deliveries that are none."""
    good, batch, bad = [], [], []
    for delivery in deliveries:
        message_id = delivery.message.message_id
        try:
            message = CustomerImported.model_validate_json(delivery.message.body)
        except ValidationError:
            bad.append(delivery)
            continue
        if message_id is None:
            bad.append(delivery)
        else:
            good.append(delivery)
            batch.append((message_id, message))
    return good, batch, bad


def _on_wire(bodies: dict[UUID, str]) -> list[WireMessage]:
    now = datetime.now(UTC)
    return [
        WireMessage(OUT, body.encode(), id_, "tiny.handled", None, now, "application/json", "utf-8")
        for id_, body in bodies.items()
    ]


def run(consumption: Consumption, broker: RabbitMQBroker, units: UnitsOfWork) -> None:
    """Handle messages until the process is asked to end."""
    stopped = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stopped.set())
    in_flight: deque[tuple[Future[None], list[Delivery]]] = deque()
    with ThreadPoolExecutor(1, "publish") as publishing:
        while in_flight or not stopped.is_set():
            wait = 0.0 if in_flight else 0.5
            deliveries = [] if stopped.is_set() else consumption.take(BATCH, wait)
            good, batch, bad = _read(deliveries)
            if batch:
                with units.begin() as work:
                    bodies = handle(batch, work)
                in_flight.append((publishing.submit(broker.publish, _on_wire(bodies)), good))
            consumption.settle(acks=[], rejects=bad)
            while in_flight and (
                not deliveries or len(in_flight) > _MOST_IN_FLIGHT or in_flight[0][0].done()
            ):
                publication, published = in_flight.popleft()
                publication.result()
                consumption.settle(acks=published)


def main() -> None:
    """Run one process."""
    logs.configure("json", "warning", service="tiny")
    engine = create_engine(place.database_url(), application_name="tiny")
    broker = RabbitMQBroker(place.broker_url(), name="tiny")
    consumption = broker.consume(IN, PREFETCH)
    place.spare_the_collector()
    try:
        run(consumption, broker, UnitsOfWork(engine))
    finally:
        broker.close()
        engine.dispose()


if __name__ == "__main__":
    main()
