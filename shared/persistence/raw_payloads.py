"""The platform's own words about a record, as last imported: kept once, compressed, for diagnosis.

Written in the transaction that hands the record on. Its promise: one row for each remote record,
however often it is imported.
"""

import zlib
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import orjson

from shared.domain.customer import SourceKey
from shared.persistence.tables import raw_payloads
from shared.persistence.unit_of_work import UnitOfWork

# Fast rather than small: JSON of a customer halves at any level. With the default window each
# record would need a quarter of a megabyte, which can cost ten times as much as the compression.
_LEVEL: Final = 1
_WINDOW_BITS: Final = 12
_MEMORY_LEVEL: Final = 5


@dataclass(frozen=True, slots=True)
class RawPayload:
    """What the platform sent, and when it was read."""

    channel: str
    external_id: str
    read_at: datetime
    payload: Any


def keep(work: UnitOfWork, channel: str, payloads: Mapping[str, Mapping[str, Any]]) -> None:
    """Keep what was read of records, by external id, in the place of what was kept before."""
    rows = [
        {
            "channel": channel,
            "external_id": external_id,
            "read_at": work.now,
            "payload": _packed(payload),
        }
        for external_id, payload in payloads.items()
    ]
    work.bulk.upsert(
        raw_payloads, rows, key=("channel", "external_id"), update=("read_at", "payload")
    )


def of_accounts(work: UnitOfWork, accounts: Collection[SourceKey]) -> list[RawPayload]:
    """Return what is kept of remote records, in their order."""
    columns = raw_payloads.c
    rows = work.bulk.select(columns, (columns.channel, columns.external_id), accounts)
    return [
        RawPayload(
            row.channel,
            row.external_id,
            row.read_at,
            orjson.loads(zlib.decompress(row.payload)),
        )
        for row in sorted(rows)
    ]


def _packed(payload: Mapping[str, Any]) -> bytes:
    packer = zlib.compressobj(_LEVEL, zlib.DEFLATED, _WINDOW_BITS, _MEMORY_LEVEL)
    return packer.compress(orjson.dumps(payload, default=str)) + packer.flush()
