"""Erasing a person: nothing is left, nothing comes back (ASK-20, NEW-11)."""

from uuid import uuid4

import orjson
import pytest
import sqlalchemy as sa
from pydantic import SecretStr

from services.processor.worker import process_batch
from shared.domain.customer import SourceKey
from shared.persistence import directory_reader, erasure, person
from shared.persistence.erasure import NotErased
from shared.persistence.tables import (
    audit_log,
    customers,
    dead_letters,
    history,
    links,
    messages,
    replay_jobs,
    staging_customers,
)
from shared.persistence.tables import (
    tombstones as tombstones_table,
)
from shared.persistence.tombstones import ERASED_ID, TombstoneKeyMissing, Tombstones
from shared.persistence.unit_of_work import UnitsOfWork
from tests.builders import a_customer, a_source, imported
from tests.integration.privacy.traces import EMAIL, OUTLET_ID, SHOP_ID, plant, planted, told
from tests.integration.processor.desk import two_shops


def erase(units: UnitsOfWork, name: str, tombstones: Tombstones) -> erasure.Erasure:
    """Erase a person as an operator does."""
    with units.begin() as work:
        return erasure.erase(work, name, tombstones, actor="ann", why="request of the person")


@pytest.mark.parametrize("name", ["D10001", f"shop/{SHOP_ID}", f"outlet/{OUTLET_ID}"])
def test_nothing_is_left_of_a_person(units: UnitsOfWork, tombstones: Tombstones, name: str) -> None:
    """No column of any table has any of it, however it was named (ASK-20, NEW-11)."""
    plant(units)
    before = told(units)

    erase(units, name, tombstones)

    places = {place.partition(".")[0] for place in before}
    assert places >= {
        "customers", "customer_addresses", "links", "staging_customers", "messages",
        "dead_letters", "raw_payloads", "source_records", "import_requests", "history",
        "audit_log", "amendments", "replay_jobs",
    }  # fmt: skip
    assert told(units) == {}


def test_the_number_stays_with_nothing_behind_it(
    units: UnitsOfWork, tombstones: Tombstones
) -> None:
    """The books agree: the row is there, empty, in the state erased, found by no key."""
    customer_id = plant(units)

    erased = erase(units, "D10001", tombstones)

    with units.read() as work:
        (row,) = work.connection.execute(sa.select(customers)).all()
        said = {name for name, value in row._mapping.items() if value is not None}
        assert (row.id, row.number, row.state) == (customer_id, "D10001", "erased")
        assert said == {
            "id", "number", "state", "kind", "defaults", "created_at", "updated_at", "locations",
        }  # fmt: skip
        assert directory_reader.numbers(work, [customer_id]) == {customer_id: "D10001"}
        assert work.connection.execute(sa.select(links)).all() == []
    assert erased.rows["links"] == 2
    assert len(erased.digests) == 2


def test_history_keeps_what_happened_and_not_to_whom(
    units: UnitsOfWork, tombstones: Tombstones
) -> None:
    """The events stay for the statistics; ids and details go."""
    plant(units)

    erase(units, "D10001", tombstones)

    with units.read() as work:
        lines = work.connection.execute(sa.select(history).order_by(history.c.id)).all()
    assert [line.event for line in lines] == [
        "customer.created", "customer.matched", "customer.updated", "customer.held",
        "customer.erased",
    ]  # fmt: skip
    assert {(line.external_id, line.detail) for line in lines} == {(ERASED_ID, None)}


def test_the_audit_log_names_digests_and_the_number_only(
    units: UnitsOfWork, tombstones: Tombstones
) -> None:
    """Who erased, when and why; older lines about the person lose their texts."""
    plant(units)

    erased = erase(units, "D10001", tombstones)

    with units.read() as work:
        *old, line = work.connection.execute(sa.select(audit_log).order_by(audit_log.c.id)).all()
    assert (line.actor, line.action, line.subject) == ("ann", "customer.erased", "D10001")
    assert line.reason == "request of the person"
    assert orjson.loads(line.detail)["digests"] == list(erased.digests)
    assert {(each.reason, each.detail) for each in old} == {("(erased)", None)}
    assert tombstones.digest(SourceKey("shop", SHOP_ID)) in {each.subject for each in old}


def test_others_are_left_alone(units: UnitsOfWork, tombstones: Tombstones) -> None:
    """Another customer of the same shop keeps all of its own."""
    plant(units)
    with units.begin() as work:
        process_batch([imported(a_customer("7"))], work, two_shops())
        owed = sa.select(messages).where(messages.c.subject == "7")
        before = len(work.connection.execute(owed).all())

    erase(units, "D10001", tombstones)

    with units.read() as work:
        other = person.find(work, "D10002")
        assert other
        assert other.accounts == (SourceKey("shop", "7"),)
        assert len(work.connection.execute(owed).all()) == before > 0


def test_somebody_who_is_not_linked_is_erased_by_account(
    units: UnitsOfWork, tombstones: Tombstones
) -> None:
    """One who only waits, or was only given up, has no number (ASK-20)."""
    with units.begin() as work:
        process_batch([imported(planted(a_source(SHOP_ID), addresses=()))], work, two_shops())
    assert told(units)

    erased = erase(units, f"shop/{SHOP_ID}", tombstones)

    assert told(units) == {}
    assert (erased.customer_id, len(erased.digests)) == (None, 1)


def test_what_came_back_from_a_broker_is_a_duplicate(
    units: UnitsOfWork, tombstones: Tombstones
) -> None:
    """A message that was published before, and whose row is gone, is handled already."""
    plant(units)
    with units.read() as work:
        ids = list(work.connection.execute(sa.select(messages.c.id)).scalars())

    erase(units, "D10001", tombstones)

    with units.begin() as work:
        assert ids
        assert work.store.claim(ids) == set()


def test_without_a_key_nothing_is_erased(units: UnitsOfWork) -> None:
    """It would not last."""
    plant(units)
    before = told(units)

    with pytest.raises(NotErased, match="key"):
        erase(units, "D10001", Tombstones())

    assert told(units) == before


def test_nobody_is_erased_with_another_key(units: UnitsOfWork, tombstones: Tombstones) -> None:
    """A second key would leave the first persons unprotected wherever it is used alone."""
    plant(units)
    with units.begin() as work:
        tombstones.set_for(work, [SourceKey("shop", "1")])

    with pytest.raises(TombstoneKeyMissing):
        erase(units, "D10001", Tombstones(SecretStr("another-key-entirely")))


@pytest.mark.parametrize(
    ("name", "text"), [("D404", "nothing is known"), ("shop/404", "nothing is known")]
)
def test_nobody_is_refused(
    units: UnitsOfWork, tombstones: Tombstones, name: str, text: str
) -> None:
    """A typing error sets no tombstone."""
    with pytest.raises(NotErased, match=text):
        erase(units, name, tombstones)

    with units.read() as work:
        assert work.connection.execute(sa.select(tombstones_table)).all() == []


def test_twice_is_refused(units: UnitsOfWork, tombstones: Tombstones) -> None:
    """There is nothing left to erase, and the number says so."""
    plant(units)
    erase(units, "D10001", tombstones)

    with pytest.raises(NotErased, match="erased already"):
        erase(units, "D10001", tombstones)


def test_a_tombstone_tells_nothing_without_the_key(
    units: UnitsOfWork, tombstones: Tombstones
) -> None:
    """Whoever guesses an id cannot find out whether it was erased."""
    account = SourceKey("shop", "7")

    with units.begin() as work:
        (digest,) = tombstones.set_for(work, [account])

    assert digest != Tombstones(SecretStr("another-key-entirely")).digest(account)
    with units.begin() as work:
        assert tombstones.erased(work, [account, SourceKey("outlet", "7")]) == {account}


def test_unread_dead_letters_of_others_stay(units: UnitsOfWork, tombstones: Tombstones) -> None:
    """Only those that name the person's e-mail address go."""
    plant(units)
    with units.begin() as work:
        other = sa.select(dead_letters).where(dead_letters.c.subject.is_(None))
        row = dict(work.connection.execute(other).mappings().one())
        row |= {"id": uuid4(), "message_id": uuid4(), "body": b"somebody.else@example.com"}
        work.bulk.insert(dead_letters, [row])

    erase(units, "D10001", tombstones)

    with units.read() as work:
        (kept,) = work.connection.execute(sa.select(dead_letters)).all()
        assert kept.id == row["id"]
        assert EMAIL.encode() not in kept.body


def test_one_without_accounts_is_erased_by_number(
    units: UnitsOfWork, tombstones: Tombstones
) -> None:
    """Such as one that the ERP brought and no shop knows; it needs no tombstone."""
    plant(units)
    with units.begin() as work:
        work.connection.execute(sa.delete(staging_customers))
        work.connection.execute(sa.delete(links))

    erased = erase(units, "D10001", tombstones)

    assert erased.digests == ()
    with units.read() as work:
        (row,) = work.connection.execute(sa.select(customers)).all()
        assert (row.state, row.email) == ("erased", None)
        (job,) = work.connection.execute(sa.select(replay_jobs)).all()
        assert job.selection != "(erased)"


def test_accounts_that_were_this_customer_once_are_named(units: UnitsOfWork) -> None:
    """They are not erased with it: somebody has to say whether they are the same person."""
    plant(units)
    with units.begin() as work:
        work.connection.execute(sa.delete(links).where(links.c.channel == "outlet"))
        someone = person.find(work, "D10001")
        assert someone

        others = person.once_taken_for(work, someone)

    assert someone.accounts == (SourceKey("shop", SHOP_ID),)
    assert others == [SourceKey("outlet", OUTLET_ID)]
