"""What a customer costs the processor, counted: statements, rows, messages, calls of our functions.

Seconds differ from one machine and hour to the next; these counts do not, so that a step backwards
is seen where it is made. `python -m benchmarks.pipeline` has the seconds.
"""

import threading
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from types import CodeType
from typing import Any, Final

import pytest
import sqlalchemy as sa

from services.processor.worker import process_batch
from shared.domain.customer import Customer
from shared.domain.messages import CustomerImported, Envelope, Parcel, parcel
from shared.messaging.broker import Delivery
from shared.messaging.codec import decode, to_wire
from shared.messaging.topology import PROCESSOR_QUEUE
from shared.persistence.tables import metadata
from shared.persistence.unit_of_work import UnitOfWork
from shared.runtime.failures import FailureRecorder
from shared.runtime.patience import Patience
from shared.runtime.received import DONE, Received
from shared.runtime.recoverability import Recoverability
from shared.runtime.transactional import TransactionalHandler
from tests.builders import NOON, a_customer, an_address
from tests.calls import counted_calls, most_called
from tests.integration.processor.desk import Desk
from tests.integration.processor.test_statements import counted

MANY: Final = 100
TABLES: Final = metadata.sorted_tables
MOST_CALLS: Final = {"new": 275, "edited": 415}
"""Calls of functions below services/ and shared/ for one customer: about a tenth above the count.

When a test says that there are more: look at what was added to the way of each customer, in the
list that it prints. Most often something is worked out for each customer, or several times for
one, that is the same for the batch, or that nobody asked for. Raise the ceiling only for what is
worth its price to every customer of every installation, and say so in the commit. When the count
falls, lower the ceiling.
"""
STATEMENTS: Final = {"new": 13, "edited": 12}
"""Beside the locks, which only PostgreSQL needs."""
WRITTEN: Final = {
    "new": Counter(customers=1, customer_addresses=1, links=1, staging_customers=1, history=1,
                   messages=2),
    "edited": Counter(staging_customers=1, history=1),
}  # fmt: skip
"""Rows that there are more for one customer; the messages are number and additional data."""


def newcomers(first: int) -> list[Customer]:
    """Return customers whom nobody has seen, each with all that is looked up for most."""
    return [_person(first + n, f"Ann{first + n}") for n in range(MANY)]


def edited(first: int) -> list[Customer]:
    """Return the same, each with another first name and another street."""
    return [_person(first + n, f"Eva{first + n}", minutes=5) for n in range(MANY)]


def _person(number: int, first_name: str, *, minutes: int = 0) -> Customer:
    street = (f"Lindenweg {number + minutes}",)
    address = an_address(f"a{number}", first_name=first_name, lines=street)
    return a_customer(
        str(number),
        minutes=minutes,
        first_name=first_name,
        phone={"raw": f"+49 30 {901000 + number}", "e164": f"+4930{901000 + number}"},
        addresses=(address,),
    )


@dataclass(frozen=True)
class Cost:
    """What a batch took, and what it left."""

    calls: Counter[CodeType]
    statements: int
    written: Counter[str]


class Bench:
    """A processor that takes batches as they come from a broker, and keeps count."""

    def __init__(self, desk: Desk) -> None:
        """Build what handles the batches; everything is as in a worker but the broker."""
        self._desk = desk
        self.dialect = desk.engine.dialect.name
        recorder = FailureRecorder("processor", Recoverability(), config_version="test")
        self._handler = TransactionalHandler(self._process, desk.units, recorder, self._offer)

    def take(self, customers: Sequence[Customer]) -> Cost:
        """Decode and handle a batch; return what it cost."""
        before = self._rows()
        deliveries = self._delivered(customers)
        patience = Patience(threading.Event())
        with counted(self._desk.engine) as statements, counted_calls() as calls:
            batch = [Received(decode(each.message), each) for each in deliveries]
            results = self._handler.handle(batch, patience)
        assert results == [DONE] * len(customers)
        return Cost(calls, len(statements), self._rows() - before)

    def _process(self, messages: Sequence[Envelope[Any]], work: UnitOfWork) -> None:
        process_batch(messages, work, self._desk.policy)

    def _offer(self, _parcels: Sequence[Parcel]) -> None:
        """Leave them in the store."""

    def _delivered(self, customers: Sequence[Customer]) -> list[Delivery]:
        """Return the customers' messages as a broker brings them."""
        parcels = [
            parcel(CustomerImported(customer=customer), channel=customer.source.channel,
                   subject=customer.source.external_id, at=NOON)
            for customer in customers
        ]  # fmt: skip
        with self._desk.units.begin() as work:
            work.send(parcels)
        return [
            Delivery(to_wire(each), PROCESSOR_QUEUE, redelivered=False, tag=tag)
            for tag, each in enumerate(parcels)
        ]

    def _rows(self) -> Counter[str]:
        count = sa.select(sa.func.count())
        tables = [count.select_from(name).scalar_subquery().label(name.name) for name in TABLES]
        with self._desk.units.read() as work:
            return Counter(work.connection.execute(sa.select(*tables)).one()._asdict())


@pytest.fixture
def bench(desk: Desk) -> Bench:
    """Give a processor whose caches are filled: it has done a batch of everything."""
    bench = Bench(desk)
    bench.take(newcomers(0))
    bench.take(edited(0))
    return bench


@pytest.mark.parametrize("kind", ["new", "edited"])
def test_a_customer_costs_no_more_than_it_did(bench: Bench, kind: str) -> None:
    """Statements of a batch, rows and messages of a customer, calls of our own functions."""
    batches = [_prepared(kind, 1000, bench), _prepared(kind, 2000, bench)]

    cost, again = [bench.take(batch) for batch in batches]

    assert cost == again, "the counts differ from one batch to the next"
    assert cost.statements == STATEMENTS[kind] + (bench.dialect == "postgresql")
    assert cost.written == Counter({name: each * MANY for name, each in WRITTEN[kind].items()})
    calls = cost.calls.total() / MANY
    assert calls <= MOST_CALLS[kind], f"{calls:.1f} calls\n{most_called(cost.calls, MANY)}"


def _prepared(kind: str, first: int, bench: Bench) -> list[Customer]:
    """Return a batch of a kind, with what must have been there before done."""
    if kind == "new":
        return newcomers(first)
    bench.take(newcomers(first))
    return edited(first)
