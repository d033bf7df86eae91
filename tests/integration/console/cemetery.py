"""Dead letters in a desk's database, and a keeper that replays them."""

import threading
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from prometheus_client import CollectorRegistry

from shared.domain.customer import Customer
from shared.domain.messages import CustomerExport, Parcel, parcel
from shared.observability.metrics import create_metrics
from shared.persistence.dead_letters import DeadLetter, of_parcel
from shared.persistence.tables import dead_letters, messages, metadata
from shared.persistence.unit_of_work import UnitsOfWork
from shared.runtime.loops import Periodic
from shared.runtime.replay import Replayer
from tests.builders import NOON, a_customer, a_source, imported
from tests.integration.console.conftest import Desk

BECAUSE = ("--because", "the attribute was created")


def imports_of(*whom: str | Customer) -> list[Parcel]:
    """Return messages about customers who were imported; of an id, about an ordinary one."""
    people = [a_customer(each) if isinstance(each, str) else each for each in whom]
    return [
        parcel(imported(who).body, channel="shop", subject=who.source.external_id, at=NOON)
        for who in people
    ]


def an_export(external_id: str, customer_id: UUID, number: str) -> Parcel:
    """Return a message that writes a number to the shop."""
    version = a_source().version
    body = CustomerExport(
        effect="customer_number", channel="shop", external_id=external_id, store_view="de",
        customer_id=customer_id, customer_number=number, version=version,
    )  # fmt: skip
    return parcel(body, channel="shop", subject=external_id, at=NOON)


def bury(desk: Desk, parcels: Sequence[Parcel], **evidence: Any) -> list[str]:
    """Give these messages up; return the ids of their letters, in that order."""
    known = {"worker": "processor", "queue": "patron.processor", "reason": "access_denied"}
    with desk.units.begin() as work:
        work.store.add(parcels)
        work.store.bury([of_parcel(each, **(known | evidence)) for each in parcels])
        columns = dead_letters.c
        rows = work.bulk.select(
            (columns.id, columns.message_id), columns.message_id, [p.message_id for p in parcels]
        )
    ids = {row.message_id: str(row.id) for row in rows}
    return [ids[each.message_id] for each in parcels]


def bury_bytes(desk: Desk, body: bytes, **evidence: Any) -> None:
    """Give up something that never was a message of ours."""
    letter = DeadLetter(
        worker="processor", queue="patron.processor", body=body, is_ours=False, **evidence
    )
    with desk.units.begin() as work:
        work.store.bury([letter])


@contextmanager
def keeper_running(
    desk: Desk, *, handles: bool = True, fails: Collection[str] = ()
) -> Iterator[None]:
    """Run a keeper that replays; `handles` stands for the workers, who fail on some subjects."""
    metrics = create_metrics(CollectorRegistry(), version="test")
    replayer = Replayer(desk.units, lambda parcels: None, metrics, owner="keeper")

    def work(beat: Callable[[], None]) -> None:
        replayer.advance(beat)
        if handles:
            _handle(desk.units, fails)

    with _running(Periodic("replay", work, 0.05)):
        yield


@contextmanager
def _running(loop: Periodic) -> Iterator[None]:
    deaths: list[BaseException] = []

    def run() -> None:
        try:
            loop.run(lambda: None)
        except BaseException as error:  # noqa: BLE001 - told to the test
            deaths.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    try:
        yield
    finally:
        loop.stop()
        thread.join(30)
    assert deaths == []


def _handle(units: UnitsOfWork, fails: Collection[str]) -> None:
    """Do as the workers do with all that is owed."""
    with units.begin() as work:
        rows = work.connection.execute(sa.select(messages)).all()
        work.store.claim({row.id for row in rows if row.subject not in fails})
        parcels = [row for row in rows if row.subject in fails]
        work.store.bury([_again(row) for row in parcels])


def _again(row: sa.Row[Any]) -> DeadLetter:
    return DeadLetter(
        worker="processor", queue="patron.processor", reason="remote_rejected", body=row.body,
        message_id=row.id, type=row.type, schema_version=row.schema_version,
        correlation_id=row.correlation_id, channel=row.channel, subject=row.subject,
    )  # fmt: skip


def everything(desk: Desk) -> dict[str, Sequence[sa.Row[Any]]]:
    """Return everything that the database holds."""
    return {table.name: desk.rows(table) for table in metadata.sorted_tables}


def states(desk: Desk) -> Counter[str]:
    """Return how many letters are in each state."""
    return Counter(row.state for row in desk.rows(dead_letters))
