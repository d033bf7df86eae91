"""What the importer last saw of each remote record.

Unchanged content is recognised here before it becomes a message; so is the echo of our own
writes, and a record that a sweep did not meet where it should have been.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

import sqlalchemy as sa

from shared.persistence.sets import SetStatement
from shared.persistence.tables import Moment, source_records
from shared.persistence.unit_of_work import UnitOfWork


@dataclass(frozen=True, slots=True)
class Seen:
    """A remote record as it was just read."""

    channel: str
    external_id: str
    store_view: str
    scan_key: str
    fingerprint: str


def known(
    work: UnitOfWork, channel: str, external_ids: Iterable[str], *, store_view: str | None = None
) -> dict[str, str]:
    """Return the fingerprints of the records that we know; deleted ones we do not.

    With `store_view`, one that was last seen in another view is unknown as well: that it moved
    is a change.
    """
    columns = source_records.c
    rows = work.bulk.select(
        (columns.external_id, columns.fingerprint, columns.store_view, columns.deleted_at),
        (columns.channel, columns.external_id),
        ((channel, external_id) for external_id in external_ids),
    )
    return {
        row.external_id: row.fingerprint
        for row in rows
        if row.deleted_at is None and store_view in {None, row.store_view}
    }


def record(work: UnitOfWork, seen: Sequence[Seen]) -> None:
    """Remember what was read."""
    rows = [
        {
            "channel": each.channel,
            "external_id": each.external_id,
            "store_view": each.store_view,
            "scan_key": each.scan_key,
            "fingerprint": each.fingerprint,
            "seen_at": work.now,
            "deleted_at": None,
        }
        for each in seen
    ]
    work.bulk.upsert(
        source_records,
        rows,
        key=("channel", "external_id"),
        update=("store_view", "scan_key", "fingerprint", "seen_at", "deleted_at"),
    )


def in_window(
    work: UnitOfWork, channel: str, store_view: str, *, after_key: str, up_to_key: str | None
) -> set[str]:
    """Return the ids of the records that a sweep should meet between two scan keys.

    The first is exclusive, the second inclusive; None means to the end.
    """
    columns = source_records.c
    query = sa.select(columns.external_id).where(
        columns.channel == channel,
        columns.store_view == store_view,
        columns.scan_key > after_key,
        columns.deleted_at.is_(None),
    )
    if up_to_key is not None:
        query = query.where(columns.scan_key <= up_to_key)
    return set(work.connection.execute(query).scalars())


def count(work: UnitOfWork, channel: str, store_view: str, *, up_to_key: str | None = None) -> int:
    """Return how many records of a store view are there, as far as a scan key if one is given."""
    columns = source_records.c
    query = sa.select(sa.func.count()).where(
        columns.channel == channel,
        columns.store_view == store_view,
        columns.deleted_at.is_(None),
    )
    if up_to_key is not None:
        query = query.where(columns.scan_key <= up_to_key)
    return work.connection.execute(query).scalar_one()


def mark_deleted(
    work: UnitOfWork, channel: str, external_ids: Collection[str], *, store_view: str | None = None
) -> set[str]:
    """Note that records are gone; return those of which that is news.

    With `store_view`, a record that was seen in another view meanwhile is left alone.
    """
    rows = _MARK_DELETED.run(
        work.connection,
        {"external_id": sorted(external_ids)},
        channel=channel,
        store_view=store_view,
        now=work.now,
    )
    return {row.external_id for row in rows}


def replace_fingerprints(
    work: UnitOfWork, channel: str, replacements: Sequence[tuple[str, str, str]]
) -> set[str]:
    """Note what our own writes made of records: (external id, before, after).

    Only where `before` is what we last saw; otherwise somebody else changed the record too, and
    the importer must see that. Returns the ids replaced.
    """
    ids, before, after = zip(*replacements, strict=True) if replacements else ((), (), ())
    rows = _REPLACE_FINGERPRINT.run(
        work.connection,
        {"external_id": ids, "before": before, "after": after},
        channel=channel,
        now=work.now,
    )
    return {row.external_id for row in rows}


def replace_fingerprint(
    work: UnitOfWork, channel: str, external_id: str, *, before: str, after: str
) -> bool:
    """Do so for one record; return whether it was done."""
    return bool(replace_fingerprints(work, channel, [(external_id, before, after)]))


_MARK_DELETED = SetStatement(
    "UPDATE source_records SET deleted_at = {now} FROM {given}"
    " WHERE source_records.channel = {channel}"
    " AND source_records.external_id = given.external_id"
    " AND ({store_view} IS NULL OR source_records.store_view = {store_view})"
    " AND source_records.deleted_at IS NULL"
    " RETURNING source_records.external_id",
    given={"external_id": sa.Text()},
    values={"now": Moment(), "channel": sa.Text(), "store_view": sa.Text()},
    returns=(source_records.c.external_id,),
)

_REPLACE_FINGERPRINT = SetStatement(
    "UPDATE source_records SET fingerprint = given.after, seen_at = {now} FROM {given}"
    " WHERE source_records.channel = {channel}"
    " AND source_records.external_id = given.external_id"
    " AND source_records.fingerprint = given.before"
    " RETURNING source_records.external_id",
    given={"external_id": sa.Text(), "before": sa.Text(), "after": sa.Text()},
    values={"now": Moment(), "channel": sa.Text()},
    returns=(source_records.c.external_id,),
)
