"""A person of planted data in every table, and how to look for it afterwards."""

import zlib
from collections.abc import Iterator, Sequence
from contextlib import suppress
from typing import Any, Final
from uuid import UUID, uuid4

import orjson
import sqlalchemy as sa

from services.processor.worker import process_batch
from shared.domain.customer import Consent, Custom, Customer, Phone, Source
from shared.domain.messages import ImportRequested, parcel
from shared.domain.normalise import normalise_customer
from shared.persistence import audit, raw_payloads, source_records
from shared.persistence.cursors import Cursors
from shared.persistence.dead_letters import DeadLetter, of_parcel
from shared.persistence.store import Retry
from shared.persistence.tables import (
    amendments,
    customers,
    dead_letters,
    import_requests,
    metadata,
    replay_jobs,
    staging_customers,
)
from shared.persistence.unit_of_work import UnitOfWork, UnitsOfWork
from tests.builders import NOON, a_source, an_address, imported
from tests.faults.people import FIRST, LAST, PLANTED, found_in
from tests.integration.processor.desk import two_shops

SHOP_ID, OUTLET_ID = "planted-4711", "planted-0815"
EMAIL: Final = f"{PLANTED['e-mail']}@{PLANTED['e-mail host']}"
TABLES: Final = [table for table in metadata.sorted_tables if table.name != "cursors"]


def planted(source: Source, **changes: Any) -> Customer:
    """Return a customer of planted data in every field."""
    names = {"first_name": FIRST, "last_name": LAST, "company_name": PLANTED["company"]}
    address = an_address(
        "planted-address",
        **names,
        lines=(PLANTED["street"],),
        city=PLANTED["city"],
        postcode=PLANTED["postcode"],
        phone=Phone(raw=f"030 {PLANTED['telephone']}"),
        tax_id=PLANTED["tax id"],
    )
    given: dict[str, Any] = {
        **names,
        "source": source,
        "middle_name": PLANTED["middle name"],
        "email": EMAIL,
        "phone": Phone(raw=f"+49 30 {PLANTED['telephone']}"),
        "tax_id": PLANTED["tax id"],
        "birth_date": PLANTED["day of birth"],
        "notes": f"lives in {PLANTED['city']}",
        "marketing_consent": Consent(granted=True),
        "addresses": (address,),
        "custom": Custom(attributes={"nickname": FIRST}),
    }
    return normalise_customer(Customer(**(given | changes)))


def plant(units: UnitsOfWork) -> UUID:
    """Leave traces of one person in every table that can hold any; return the customer's id."""
    in_shop, in_outlet = a_source(SHOP_ID), a_source(OUTLET_ID, channel="outlet")
    for customer in (
        planted(in_shop),
        planted(in_outlet),
        planted(a_source(SHOP_ID, minutes=5), last_name=f"{LAST}-Meier"),
    ):
        with units.begin() as work:
            process_batch([imported(customer)], work, two_shops())
    with units.begin() as work:
        unaddressed = planted(a_source(SHOP_ID, minutes=9), addresses=())
        process_batch([imported(unaddressed)], work, two_shops())
        _leave_what_others_leave(work)
        _leave_dead_letters(work)
        (customer_id,) = work.connection.execute(sa.select(customers.c.id)).scalars()
    return UUID(str(customer_id))


def _leave_what_others_leave(work: UnitOfWork) -> None:
    source_records.record(
        work, [source_records.Seen("shop", SHOP_ID, "de", SHOP_ID, "fingerprint")]
    )
    raw_payloads.keep(work, "shop", {SHOP_ID: {"email": EMAIL, "addresses": [PLANTED]}})
    work.bulk.insert(
        import_requests,
        [
            {
                "id": uuid4(), "correlation_id": uuid4(), "channel": "shop",
                "external_id": SHOP_ID, "requested_at": work.now, "answer_by": work.now,
                "due_at": work.now, "state": "wanted",
            }
        ],
    )  # fmt: skip
    question = ImportRequested(channel="shop", external_id=SHOP_ID)
    work.send([parcel(question, channel="shop", subject="shop", at=NOON)])
    message = parcel(question, channel="shop", subject=SHOP_ID, at=NOON)
    work.send([message])
    work.store.retry([Retry(message.message_id, work.now, "remote_rejected", f"about {SHOP_ID}")])
    (staging_id, *_) = work.connection.execute(sa.select(staging_customers.c.id)).scalars()
    Cursors(work).ensure([("shop", "de")])
    for subject in (f"shop/{SHOP_ID}", f"shop/de/{SHOP_ID}", str(staging_id), "D10001"):
        audit.note(
            work, actor="ann", action="looked.at", subject=subject, reason=f"{FIRST} rang",
            detail=orjson.dumps({"email": EMAIL}).decode(),
        )  # fmt: skip


def _leave_dead_letters(work: UnitOfWork) -> None:
    evidence = {"worker": "processor", "queue": "q", "reason": "bug", "error": f"near {SHOP_ID}"}
    message = imported(planted(a_source(SHOP_ID)))
    known = parcel(message.body, channel="shop", subject=SHOP_ID, at=NOON)
    work.store.add([known])
    unread = DeadLetter(
        worker="processor", queue="q", reason="undecodable", message_id=uuid4(), is_ours=False,
        body=b'{"customer": {"email": "' + EMAIL.upper().encode() + b'", "name": ',
    )  # fmt: skip
    work.store.bury([of_parcel(known, **evidence), unread])
    (letter_id, _) = work.connection.execute(
        sa.select(dead_letters.c.id).order_by(dead_letters.c.subject)
    ).scalars()
    amendment = {
        "id": uuid4(), "dead_letter_id": letter_id, "at": work.now, "author": "ann",
        "reason": f"for {FIRST}", "diff": EMAIL, "original_body": EMAIL.encode(),
    }  # fmt: skip
    work.bulk.insert(amendments, [amendment])
    replay = {
        "id": uuid4(), "created_at": work.now, "author": "ann", "reason": f"{FIRST} rang",
        "selection": f"channel shop, customer {SHOP_ID}", "total": 1, "rate_per_second": 1.0,
        "failure_limit": 0.5,
    }  # fmt: skip
    work.bulk.insert(replay_jobs, [replay])


def told(units: UnitsOfWork) -> dict[str, list[str]]:
    """Say which planted data and ids stand in which column of which table."""
    found: dict[str, list[str]] = {}
    for place, text in _cells(units):
        here = {*found_in(text), *(id_ for id_ in (SHOP_ID, OUTLET_ID) if id_ in text)}
        if here:
            found[place] = sorted({*found.get(place, []), *here})
    return found


def _cells(units: UnitsOfWork) -> Iterator[tuple[str, str]]:
    with units.read() as work:
        for table in TABLES:
            rows: Sequence[sa.Row[Any]] = work.connection.execute(sa.select(table)).all()
            for row in rows:
                for column, value in row._mapping.items():
                    yield f"{table.name}.{column}", _text(value)


def _text(value: Any) -> str:
    if not isinstance(value, bytes):
        return str(value)
    content = value
    with suppress(zlib.error):
        content = zlib.decompress(value)
    return content.decode("utf-8", "replace")
