"""Persons who act for companies: what is stored of them is shown, and goes with them (MYOB-1)."""

from dataclasses import replace
from datetime import datetime
from typing import Any
from uuid import uuid4

import pytest
import sqlalchemy as sa

from services.importer.pages import StoreViewReader, take_page
from services.processor.worker import process_batch
from shared.connectors.ports import RemoteRecord
from shared.domain.customer import Contact, Customer, Phone, SourceKey
from shared.domain.messages import parcel
from shared.domain.policy import ChannelPolicy, ContactPolicy, StoreViewPolicy
from shared.persistence import directory_reader, erasure, person, raw_payloads, subject_access
from shared.persistence.dead_letters import of_parcel
from shared.persistence.tables import (
    amendments,
    customer_contacts,
    customers,
    dead_letters,
    links,
    staging_customers,
)
from shared.persistence.tombstones import Tombstones
from shared.persistence.unit_of_work import UnitsOfWork
from tests.builders import NOON, a_company, a_contact, a_policy, a_source, imported
from tests.faults.people import FIRST, LAST, PLANTED
from tests.integration.importer.shelf import Shelf, a_record
from tests.integration.privacy.traces import EMAIL, SHOP_ID, planted, told

VIEW = StoreViewPolicy("de", company_contacts=ContactPolicy.COMPANY)
POLICY = a_policy(channels={"shop": ChannelPolicy("shop", {"de": VIEW})})
SOMEBODY = Contact(
    external_id="k7",
    account=SHOP_ID,
    first_name=FIRST,
    last_name=LAST,
    email=EMAIL,
    phone=Phone(raw=PLANTED["telephone"]),
)


def a_firm(minutes: int = 0, **changes: Any) -> Customer:
    """Return a company that somebody of planted data and somebody else act for."""
    return a_company(minutes=minutes, **{"contacts": (SOMEBODY, a_contact("k8", "p8")), **changes})


def take(units: UnitsOfWork, *batch: Customer, tombstones: Tombstones | None = None) -> None:
    """Process some customers together."""
    with units.begin() as work:
        process_batch([imported(x) for x in batch], work, POLICY, tombstones or Tombstones())


def plant(units: UnitsOfWork) -> None:
    """Have a company and its buyer arrive, and leave traces of both."""
    take(units, a_firm(), planted(a_source(SHOP_ID), companies=("c1",)))
    take(units, a_firm(minutes=5, addresses=()))
    message = imported(a_firm())
    with units.begin() as work:
        raw_payloads.keep(work, "shop", {"c1": {"contacts": [EMAIL]}})
        owed, dead = (parcel(message.body, channel="shop", subject="c1", at=NOON) for _ in range(2))
        work.store.add([owed, dead])
        work.store.bury([of_parcel(dead, worker="processor", queue="q", reason="bug")])
        (letter,) = work.connection.execute(sa.select(dead_letters.c.id)).scalars()
        amendment = {
            "id": uuid4(), "dead_letter_id": letter, "at": work.now, "author": "ann",
            "reason": "-", "diff": EMAIL, "original_body": EMAIL.encode(),
        }  # fmt: skip
        work.bulk.insert(amendments, [amendment])


def erase(units: UnitsOfWork, name: str, tombstones: Tombstones) -> None:
    """Erase a person as an operator does."""
    with units.begin() as work:
        erasure.erase(work, name, tombstones, actor="ann", why="request of the person")


def test_a_buyer_is_erased_and_the_company_stays(
    units: UnitsOfWork, tombstones: Tombstones
) -> None:
    """MYOB-1, ASK-20: no record of the company names the person any more; it goes on as it was."""
    plant(units)
    assert {place.partition(".")[0] for place in told(units)} >= {
        "customer_contacts", "links", "staging_customers", "messages", "dead_letters",
        "raw_payloads", "amendments",
    }  # fmt: skip

    erase(units, f"shop/{SHOP_ID}", tombstones)

    assert told(units) == {}
    with units.read() as work:
        [company] = work.connection.execute(sa.select(customers)).all()
        assert (company.state, company.company_name) == ("active", "Nordwind GmbH")
        rows = work.connection.execute(sa.select(customer_contacts)).all()
        assert [row.external_id for row in rows] == ["k8"]
        assert list(work.connection.execute(sa.select(links.c.external_id)).scalars()) == ["c1"]


def test_who_was_erased_is_not_written_down_again(
    units: UnitsOfWork, tombstones: Tombstones
) -> None:
    """MYOB-1, NEW-11: a company that still names somebody who was erased is taken in without."""
    plant(units)
    erase(units, f"shop/{SHOP_ID}", tombstones)

    take(units, a_firm(minutes=9, company_name="Nordwind AG"), tombstones=tombstones)

    assert told(units) == {}
    with units.read() as work:
        assert work.connection.execute(sa.select(customers.c.company_name)).scalar() == (
            "Nordwind AG"
        )


def test_an_erased_company_takes_its_contacts_along(
    units: UnitsOfWork, tombstones: Tombstones
) -> None:
    """MYOB-1: contacts go with the customer; the buyer's own account is another person's."""
    plant(units)

    erase(units, "D10001", tombstones)

    with units.read() as work:
        assert work.connection.execute(sa.select(customer_contacts)).all() == []
        staged = work.connection.execute(sa.select(staging_customers.c.external_id)).scalars()
        assert set(staged) == {SHOP_ID}


def test_a_buyers_account_is_nobodys_but_its_own(units: UnitsOfWork) -> None:
    """MYOB-1: from the account nothing leads to the company as if it were the person."""
    plant(units)

    with units.read() as work:
        buyer, company = person.find(work, f"shop/{SHOP_ID}"), person.find(work, "D10001")

    assert buyer
    assert (buyer.customer_id, buyer.accounts) == (None, (SourceKey("shop", SHOP_ID),))
    assert company
    assert (company.accounts, company.buyers) == ((SourceKey("shop", "c1"),), 1)


@pytest.mark.parametrize("name", [f"shop/{SHOP_ID}", "D10001"])
def test_a_request_for_information_has_the_contacts(units: UnitsOfWork, name: str) -> None:
    """MYOB-1, ASK-20: of a company all that it names; of a person where companies name it."""
    plant(units)

    with units.read() as work:
        someone = person.find(work, name)
        assert someone
        document = subject_access.document(work, someone)

    external_ids = [row["external_id"] for row in document["contacts"]]
    assert external_ids == (["k7", "k8"] if name == "D10001" else ["k7"])


def test_a_card_has_contacts_and_full_numbers_of_locations(units: UnitsOfWork) -> None:
    """MYOB-1, MYOB-2: what the desk shows of a company."""
    take(units, a_firm())

    with units.read() as work:
        customer_id = directory_reader.by_number(work, "D10001")
        assert customer_id
        card = directory_reader.card(work, customer_id)

    assert card
    assert [each.external_id for each in card.contacts] == ["k8", "k7"]
    assert [(x["location"], x["location_name"]) for x in card.addresses] == [
        ("D10001-01", "Head office"), ("D10001-02", "Warehouse"),
    ]  # fmt: skip


class Companies(Shelf):
    """A shelf whose records are companies that name the person."""

    def to_customer(self, record: RemoteRecord, store_view: str, read_at: datetime) -> Customer:
        """Translate a record into a company."""
        version = super().to_customer(record, store_view, read_at).source.version
        source = a_source(record.external_id, version=version)
        return a_firm(source=source)


def test_who_was_erased_is_not_imported_with_a_company(
    units: UnitsOfWork, tombstones: Tombstones
) -> None:
    """MYOB-1, NEW-11: neither its message nor what is kept of the shop's words names the person."""
    plant(units)
    erase(units, f"shop/{SHOP_ID}", tombstones)
    shelf = Companies()
    shelf.put(replace(a_record(1, email=EMAIL), fingerprint="f"))
    reader = StoreViewReader("shop", "de", shelf, tombstones, keeps_raw=True)

    with units.begin() as work:
        taken = take_page(list(shelf.records.values()), reader, work, "sweep")

    assert taken.changed == 1
    assert told(units) == {}
