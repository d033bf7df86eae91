"""What a worker needs of a platform: a source to read customers, a sink to write to.

A connector implements `CustomerSource` and `CustomerSink`, and a `NoticeReader` where the platform
sends webhooks. They raise only the families of `shared.domain.errors`, with texts free of personal
data; nothing else passes the port.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

from shared.domain.customer import Customer, Source, Version
from shared.domain.errors import ConfigurationError, PatronError
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

    def source(self, channel: str, store_view: str, read_at: datetime) -> Source:
        """Return where the record comes from, and which state of it was read."""
        return Source(
            channel=channel,
            store_view=store_view,
            external_id=self.external_id,
            version=Version(
                changed_at=self.changed_at, read_at=read_at, fingerprint=self.fingerprint
            ),
        )


@dataclass(frozen=True, slots=True)
class Watermark:
    """How far a store view is imported: the change time and scan key of the last record handled."""

    changed_at: datetime
    scan_key: str = ""


@dataclass(frozen=True, slots=True)
class Page:
    """Some records of a scan; `is_last` when nothing more was there to read.

    `mark` says how far the store view is imported once a page of changes is taken in. A platform
    that cannot be read in the order of change has one on the last page only: until then a scan
    that breaks off begins again. `swept_to` is the scan key that a sweep has come to, where that
    is beyond its records: what was read may be another store view's.
    """

    records: Sequence[RemoteRecord]
    is_last: bool
    mark: Watermark | None = None
    swept_to: str | None = None

    def end(self, after: str) -> str:
        """Return the scan key that a sweep has come to with this page, which began `after` one."""
        if self.swept_to is not None:
            return self.swept_to
        return self.records[-1].scan_key if self.records else after


@dataclass(frozen=True, slots=True)
class Discovered:
    """Something that a shop has and a configuration may name.

    `family` is what it is ("store_view", "attribute", "metafield", "form_field", "group"), `name`
    how a configuration calls it, `detail` what an operator knows it by.
    """

    family: str
    name: str
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing a start-up check looked at; `problem` is None when it is in order."""

    subject: str
    problem: str | None = None
    advice: str | None = None


class CustomerSource(Protocol):
    """Reads the customers of one channel."""

    def changes(self, store_view: str, since: Watermark | None) -> Iterator[Page]:
        """Yield what changed after `since` (None: everything), each page with its mark.

        May yield more than that: what is known already is dropped by whoever reads. Stops by
        itself, at the end or at what changed after the run began. Raises a
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

    def discover(self) -> Sequence[Discovered]:
        """Return what the shop has that can be configured: store views, attributes, groups."""
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
    """Writes to one channel.

    `customers_at_once` is how many customers one call of the platform can take.
    """

    @property
    def customers_at_once(self) -> int:
        """The largest number of remote customers that `write` is given exports about."""
        ...

    def write(self, exports: Sequence[CustomerExport]) -> Sequence[Outcome]:
        """Carry out exports about a few remote customers, and verify each.

        Those about one customer stand together. Doing it again is harmless. One outcome for each
        export, in order: never raises for one, and one customer's failure costs no other's.
        """
        ...

    def check(self) -> Sequence[Finding]:
        """Verify at start what writes rely on: rights, and the fields that are written."""
        ...


@dataclass(frozen=True, slots=True)
class Connector:
    """A platform's two sides for one channel, and how to let go of its connections.

    Without a `source` the channel cannot be read: its customers are pushed to us. `quota_left` says
    what may still be asked for, on platforms that do not say so in headers; NaN while nobody knows.
    """

    source: CustomerSource | None
    sink: CustomerSink
    close: Callable[[], None] = field(default=lambda: None)
    quota_left: Callable[[], float] | None = None

    @property
    def reading(self) -> CustomerSource:
        """The source. Raises `ConfigurationError` for a channel that cannot be read."""
        if self.source is None:
            raise ConfigurationError("its customers are pushed to us; there is nothing to read")
        return self.source


@dataclass(frozen=True, slots=True)
class Notice:
    """What a webhook says: these customers may have changed, so fetch them.

    `event_id` is the same when the platform delivers the event again.
    """

    event_id: str
    topic: str
    external_ids: Sequence[str]


class NoticeReader(Protocol):
    """Reads a platform's webhooks."""

    def __call__(
        self, headers: Mapping[str, str], body: bytes, keys: Sequence[str], at: datetime
    ) -> Notice:
        """Verify a request by one of `keys` and return what it says.

        `headers` are in lower case; `body` is what was received, byte for byte; `at` is the time
        now. Raises `NoticeRefused` where the signature or its time does not hold, and
        `UnreadableRecord` for a body that is none of the platform's.
        """
        ...
