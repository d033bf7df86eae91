"""A bulk operation: the shop writes everything to a file, which is read in slices.

Promise: what comes out is whole. A record is given once all of its parts were read, and a file that
is cut short or out of order is an error; whoever asked reads page by page then.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final
from urllib.parse import urlsplit

import orjson

from shared.connectors.shopify.client import Item, ShopifyClient
from shared.connectors.shopify.documents import BULK_EXPORT, BULK_STATUS
from shared.connectors.shopify.ids import number_of
from shared.domain.errors import AccessDenied, RemoteRejected, UnreadableAnswer

SLICE_BYTES: Final = 8 * 1024 * 1024
LONGEST_RUN_SECONDS: Final = 3600.0
_LONGEST_WAIT_SECONDS: Final = 5.0
_WHOLE: Final = 200
_PART: Final = 206
_BEYOND_THE_END: Final = 416
_UNDER_WAY: Final = frozenset({"CREATED", "RUNNING", "CANCELING"})
CHILDREN: Final = {
    "MailingAddress": "addressesV2",
    "CompanyLocation": "locations",
    "CompanyContact": "contacts",
}


class BulkFailed(RemoteRejected):
    """The shop did not, or could not, write the file."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What an export is of: the text that runs, the records' kind, the lists that they hold."""

    text: str
    kind: str
    lists: Sequence[str]


@dataclass(frozen=True, slots=True)
class Begun:
    """An export in the shop, and since when by the shop's clock."""

    wanted: Wanted
    operation_id: str
    at: datetime


class BulkExport:
    """Exports one of the shop's lists; one that was begun is taken up again."""

    def __init__(
        self,
        client: ShopifyClient,
        *,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], object] = time.sleep,
        slice_bytes: int = SLICE_BYTES,
    ) -> None:
        self._client = client
        self._clock = clock
        self._sleep = sleep
        self._slice_bytes = slice_bytes
        self._begun: Begun | None = None

    @property
    def begun(self) -> Begun | None:
        """The export that was begun and has not been read to its end."""
        return self._begun

    def records(self, wanted: Wanted, at_once: int) -> Iterator[Sequence[Item]]:
        """Yield what is wanted, some records at once; none while the shop is writing.

        Raises `BulkFailed` where the shop cannot.
        """
        operation_id = self._begin(wanted)
        yield ()
        status: Item | None = None
        for status in self._until_done(operation_id):
            if status is None:
                yield ()
        if status and status.get("url") is not None:
            lines = self._lines(str(status["url"]), _whole_number(status.get("fileSize")))
            yield from _in_batches(assembled(lines, wanted), at_once)
        self._begun = None

    def give_up(self) -> None:
        """Do not take up again what was begun."""
        self._begun = None

    def _begin(self, wanted: Wanted) -> str:
        if self._begun and self._begun.wanted == wanted:
            return self._begun.operation_id
        reply = self._client.ask(BULK_EXPORT, query=wanted.text)
        payload = reply.data.get("bulkOperationRunQuery")
        if not isinstance(payload, dict):
            raise UnreadableAnswer("a bulk operation without an answer")
        if refusals := self._client.explain.refusals(payload):
            raise BulkFailed(refusals[0].text)
        operation = payload.get("bulkOperation")
        operation_id = operation.get("id") if isinstance(operation, dict) else None
        if not isinstance(operation_id, str):
            raise UnreadableAnswer("a bulk operation without an id")
        self._begun = Begun(wanted, operation_id, reply.at or datetime.now(UTC))
        return operation_id

    def _until_done(self, operation_id: str) -> Iterator[Item | None]:
        """Yield None while the shop is writing, and what it says in the end."""
        give_up_at = self._clock() + LONGEST_RUN_SECONDS
        wait = 0.5
        while True:
            data = self._client.ask(BULK_STATUS, id=operation_id).data
            status = data.get("bulkOperation")
            state = status.get("status") if isinstance(status, dict) else "EXPIRED"
            if isinstance(status, dict) and state == "COMPLETED":
                yield status
                return
            if state not in _UNDER_WAY or self._clock() > give_up_at:
                self._begun = None
                raise BulkFailed(f"the bulk operation ended as {str(state)[:20].lower()}")
            yield None
            self._sleep(wait)
            wait = min(wait * 2, _LONGEST_WAIT_SECONDS)

    def _lines(self, address: str, size: int | None) -> Iterator[Item]:
        if urlsplit(address).scheme not in {"https", "http"}:
            raise UnreadableAnswer("the file has no address")
        rest, read = b"", 0
        for piece in self._slices(address):
            read += len(piece)
            *lines, rest = (rest + piece).split(b"\n")
            yield from map(_parsed, filter(None, lines))
        if size is not None and read != size:
            raise UnreadableAnswer("the file is cut short")
        if rest.strip():
            yield _parsed(rest)

    def _slices(self, address: str) -> Iterator[bytes]:
        start = 0
        while True:
            try:
                answer = self._client.download(address, start, start + self._slice_bytes - 1)
            except AccessDenied as error:
                raise BulkFailed("the file's address is no longer good") from error
            if answer.status == _BEYOND_THE_END and start:
                return
            if answer.status not in {_WHOLE, _PART}:
                raise BulkFailed(f"the file cannot be read: status {answer.status}")
            yield answer.body
            start += len(answer.body)
            total = answer.headers.get("Content-Range", "").rpartition("/")[2]
            if answer.status == _WHOLE or (total.isdigit() and start >= int(total)):
                return
            if not answer.body:
                raise UnreadableAnswer("the file is cut short")


def assembled(lines: Iterator[Item], wanted: Wanted) -> Iterator[Item]:
    """Put records together from their lines: each, then its parts, which name it."""
    kind = wanted.kind
    record: Item | None = None
    for line in lines:
        parent = line.pop("__parentId", None)
        if parent is None:
            if record is not None:
                yield record
            if number_of(line.get("id"), kind) is None:
                raise UnreadableAnswer("a line of the file is no record")
            record = {**line, **{field: [] for field in wanted.lists}}
            continue
        if record is None or record["id"] != parent:
            raise UnreadableAnswer("the lines of the file are out of order")
        field = _field_of(line)
        if field not in wanted.lists:
            raise UnreadableAnswer("a line of the file was not asked for")
        record[field].append(line)
    if record is not None:
        yield record


def _field_of(line: Item) -> str:
    for kind, field in CHILDREN.items():
        if number_of(line.get("id"), kind) is not None:
            return field
    raise UnreadableAnswer("a line of the file is part of nothing")


def _parsed(line: bytes) -> Item:
    try:
        value: Any = orjson.loads(line)
    except orjson.JSONDecodeError:
        raise UnreadableAnswer("a line of the file is no JSON") from None
    if not isinstance(value, dict):
        raise UnreadableAnswer("a line of the file is no record")
    return value


def _whole_number(value: Any) -> int | None:
    text = str(value)
    return int(text) if text.isascii() and text.isdigit() else None


def _in_batches(records: Iterator[Item], at_once: int) -> Iterator[Sequence[Item]]:
    batch: list[Item] = []
    for record in records:
        batch.append(record)
        if len(batch) >= at_once:
            yield batch
            batch = []
    if batch:
        yield batch
