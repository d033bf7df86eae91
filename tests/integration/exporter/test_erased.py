"""Exports about somebody who is erased meanwhile leave nothing behind (NEW-11)."""

import pytest
import sqlalchemy as sa
from pydantic import SecretStr

from shared.persistence import erasure
from shared.persistence.tables import history, links, messages
from shared.persistence.tombstones import ERASED_ID, Tombstones
from tests.integration.exporter.outpost import PUT, Outpost
from tests.integration.importer.shops import first_of

TOMBSTONES = Tombstones(SecretStr("0123456789abcdef"))


def erase(outpost: Outpost, number: int) -> None:
    """Erase a customer of the shop."""
    with outpost.station.units.begin() as work:
        erasure.erase(work, f"shop/{number}", TOMBSTONES, actor="ann")


def traces(outpost: Outpost, number: int) -> list[str]:
    """Return where the shop's id of a customer stands."""
    columns = (messages.c.subject, links.c.external_id, history.c.external_id)
    with outpost.station.units.read() as work:
        return [
            str(column)
            for column in columns
            if work.connection.execute(sa.select(column).where(column == str(number))).first()
        ]


def test_an_export_that_waits_is_not_carried_out(outpost: Outpost) -> None:
    """It comes from the broker after the erasure, and is taken for handled (NEW-11)."""
    number = first_of(outpost.shop, 1)
    outpost.arrive(number)
    waiting = outpost.due()
    erase(outpost, number)

    outcomes = outpost.export(*waiting)

    assert set(outcomes) == {"duplicate"}
    assert outpost.puts() == 0
    assert traces(outpost, number) == []


@pytest.mark.parametrize("is_refused", [False, True])
def test_an_export_under_way_leaves_no_trace(outpost: Outpost, *, is_refused: bool) -> None:
    """The shop gets its number, or refuses it; here nobody knows of it any more."""
    number = first_of(outpost.shop, 1)
    outpost.arrive(number)
    if is_refused:
        outpost.shop.control.fail_next("status", 10, method=PUT[0], status=400, body="{}")
    remaining = [number]

    def erase_once() -> None:
        if remaining:
            erase(outpost, remaining.pop())

    outpost.transport.before_write = erase_once

    outcomes = outpost.export()

    assert remaining == []
    assert set(outcomes) == {"duplicate"}
    assert traces(outpost, number) == []
    with outpost.station.units.read() as work:
        workers = sa.select(history.c.worker).where(history.c.external_id != ERASED_ID)
        assert "exporter" not in work.connection.execute(workers).scalars().all()
