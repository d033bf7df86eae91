"""What a worker needs of a platform: a source to read customers, a sink to write to.

A connector implements `CustomerSource` and `CustomerSink`. Its methods raise only the families of
`shared.domain.errors`, with texts free of personal data; nothing else passes the port.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

from shared.domain.customer import Customer
from shared.domain.errors import PatronError
from shared.domain.messages import CustomerExport


@dataclass(frozen=True, slots=True)
class RemoteRecord:
    """One customer as the platform sent it.

    `scan_key` orders the records of a store view in a sweep (compared as text);
    `fingerprint` is equal for equal content: it leaves out what changes by itself, such as the
    platform's change time. `payload` is the platform's own JSON and goes no further than the
    connector and the importer.
    """

    external_id: str
    scan_key: str
    changed_at: datetime
    created_at: datetime | None
    fingerprint: str
    payload: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Watermark:
    """How far a store view is imported: the change time and scan key of the last record handled."""

    changed_at: datetime
    scan_key: str = ""


@dataclass(frozen=True, slots=True)
class Page:
    """Some records in the order of the cursor; `is_last` when nothing more was there to read."""

    records: Sequence[RemoteRecord]
    is_last: bool


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing a start-up check looked at; `problem` is None when it is in order."""

    subject: str
    problem: str | None = None
    advice: str | None = None


class CustomerSource(Protocol):
    """Reads the customers of one channel."""

    def changes(self, store_view: str, since: Watermark | None) -> Iterator[Page]:
        """Yield what changed after `since` (None: everything), oldest change first.

        Stops by itself, at the end or at what changed after the run began. Raises a
        `TransientError` rather than yield a page it cannot trust.
        """
        ...

    def sweep(self, store_view: str, after: str) -> Iterator[Page]:
        """Yield every record whose scan key is greater than `after`, in the order of scan keys."""
        ...

    def fetch(self, external_id: str) -> RemoteRecord | None:
        """Return one record as it is now, or None when the platform says it does not exist."""
        ...

    def store_view_of(self, record: RemoteRecord) -> str | None:
        """Return the configured store view that a fetched record belongs to; None if to none."""
        ...

    def to_customer(self, record: RemoteRecord, store_view: str, read_at: datetime) -> Customer:
        """Translate a record. Raises `UnreadableRecord` naming the fields that do not fit."""
        ...


@dataclass(frozen=True, slots=True)
class Written:
    """What a write did.

    `before` and `after` are the record's fingerprints around our write, for suppressing its echo:
    whoever had recorded `before` may record `after`. `changed` is False when all was there already.
    `unforeseen` is True when the answer holds changes that are not ours; then there is no echo to
    suppress.
    """

    changed: bool
    before: str
    after: str
    unforeseen: bool = False


@dataclass(frozen=True, slots=True)
class Outcome:
    """The result of one export: what was written, or why it was not."""

    export: CustomerExport
    written: Written | None = None
    error: PatronError | None = None


class CustomerSink(Protocol):
    """Writes to one channel."""

    def write(self, exports: Sequence[CustomerExport]) -> Sequence[Outcome]:
        """Carry out the exports, all about one remote customer, and verify each.

        Doing it again is harmless. One outcome for each export, in order; never raises for one.
        """
        ...

    def check(self) -> Sequence[Finding]:
        """Verify at start what writes rely on: rights, and the fields that are written."""
        ...


@dataclass(frozen=True, slots=True)
class Connector:
    """A platform's two sides for one channel, and how to let go of its connections."""

    source: CustomerSource
    sink: CustomerSink
    close: Any = field(default=lambda: None)
