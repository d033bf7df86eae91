"""Bulk operations: a whole list in one file, written in the background.

Its promise: the file holds each object on a line of its own, children after their parent with
its id in `__parentId`; no thread outlives `close`.
"""

import threading
import traceback
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import orjson

from services.sandbox.shopify.documents import Invalid, Operation, Planner
from services.sandbox.shopify.errors import FieldError, Record, refused
from services.sandbox.shopify.gids import count_of, gid
from services.sandbox.shopify.plan import Run, Selection
from services.sandbox.shopify.protection import withhold
from services.sandbox.shopify.shop import Shop

PATH = "/_bulk/"
MOST_AT_ONCE = 5
MOST_CONNECTIONS, DEEPEST = 5, 2
CHUNK = 250


@dataclass(eq=False)
class _Job:
    """One export."""

    number: int
    record: Record
    polls: int = 0
    lines: list[bytes] = field(default_factory=list)
    roots: int = 0
    finished: threading.Event = field(default_factory=threading.Event)
    thread: threading.Thread | None = None


class Bulk:
    """The bulk operations of the shop."""

    def __init__(self, shop: Shop, planner: Planner, url: str) -> None:
        self._shop = shop
        self._planner = planner
        self._url = url
        self._jobs: dict[int, _Job] = {}
        self._held = threading.Event()
        self._held.set()
        self._closed = False

    def start(self, query: str) -> Record:
        """Carry out `bulkOperationRunQuery`."""
        running = [job for job in self._jobs.values() if job.record["completedAt"] is None]
        if len(running) >= MOST_AT_ONCE:
            message = "A bulk query operation for this app and shop is already in progress"
            raise refused(None, message, "OPERATION_IN_PROGRESS")
        try:
            operation, variables = self._planner.prepare(query, None, {})
        except Invalid as error:
            raise refused("query", f"Invalid bulk query: {error}", "INVALID") from None
        run = Run(variables, self._shop, is_bulk=True)
        _check(operation)
        number = len(self._jobs) + 1
        job = _Job(number, self._record(number, query))
        self._jobs[number] = job
        job.thread = threading.Thread(target=self._export, args=(job, operation, run), daemon=True)
        job.thread.start()
        return {"bulkOperation": dict(job.record), "userErrors": []}

    def poll(self, text: str) -> Record | None:
        """Answer `bulkOperation(id)`: CREATED once, then RUNNING until the file is there."""
        job = self._jobs.get(count_of("BulkOperation", text) or 0)
        if job is None:
            return None
        job.polls += 1
        if job.polls > self._shop.quirks.bulk_polls and job.finished.is_set():
            self._complete(job)
        elif job.record["completedAt"] is None:
            job.record |= {"status": "RUNNING", "objectCount": str(len(job.lines))}
        return dict(job.record)

    def record(self, text: str) -> Record | None:
        """Return an operation as it was last seen."""
        job = self._jobs.get(count_of("BulkOperation", text) or 0)
        return dict(job.record) if job else None

    def current(self, kind: str) -> Record | None:
        """Answer `currentBulkOperation`: the newest."""
        if kind != "QUERY" or not self._jobs:
            return None
        return self.poll(gid("BulkOperation", max(self._jobs)))

    def file(self, path: str) -> bytes | None:
        """Return the file at a path of `url`; no token is asked for."""
        name = path.removeprefix(PATH).removesuffix(".jsonl")
        job = self._jobs.get(int(name)) if name.isdigit() else None
        return b"".join(job.lines) if job and job.record["url"] else None

    def hold(self) -> None:
        """Let no operation finish until `release`."""
        self._held.clear()

    def release(self) -> None:
        """Let held operations finish."""
        self._held.set()

    def wait(self, timeout_seconds: float = 10) -> bool:
        """Wait until every operation has written its file; say whether they have."""
        return all(job.finished.wait(timeout_seconds) for job in list(self._jobs.values()))

    def fail(self, text: str, code: str = "INTERNAL_SERVER_ERROR") -> None:
        """Let an operation fail, whatever it has written."""
        self._fail(self._jobs[count_of("BulkOperation", text) or 0], code)

    def close(self) -> None:
        """Stop every export and wait for its thread."""
        self._closed = True
        self._held.set()
        for job in self._jobs.values():
            if job.thread:
                job.thread.join()

    def _fail(self, job: _Job, code: str) -> None:
        now = self._shop.now()
        job.record |= {"status": "FAILED", "errorCode": code, "completedAt": now}

    def _export(self, job: _Job, operation: Operation, run: Run) -> None:
        try:
            for root in operation.root.fields:
                assert root.resolve is not None  # noqa: S101 - root fields have one
                with self._shop.lock:
                    page = root.resolve(None, run.arguments(root), run)
                selection = _nodes_of(root.selection)
                for place in range(0, len(page.nodes), CHUNK):
                    if self._closed:
                        return
                    with self._shop.lock:
                        for node in page.nodes[place : place + CHUNK]:
                            job.lines += _lines(self._read(selection, node, run), None)
                            job.roots += 1
            self._held.wait()
        except FieldError:
            self._fail(job, "ACCESS_DENIED")
        except Exception:  # noqa: BLE001 - a bug of the sandbox: seen in its books
            self._shop.ledger.bugs.append(traceback.format_exc())
            self._fail(job, "INTERNAL_SERVER_ERROR")
        finally:
            job.finished.set()

    def _read(self, selection: Selection, node: Record, run: Run) -> Record:
        found = selection.select(node, run)
        if self._shop.quirks.protects_data:
            withhold(selection, found)
        return found

    def _complete(self, job: _Job) -> None:
        if job.record["completedAt"] is not None:
            return
        size = sum(map(len, job.lines))
        job.record |= {
            "status": "COMPLETED",
            "completedAt": self._shop.now(),
            "objectCount": str(len(job.lines)),
            "rootObjectCount": str(job.roots),
            "fileSize": str(size) if size else None,
            "url": f"{self._url}{PATH}{job.number}.jsonl" if size else None,
        }

    def _record(self, number: int, query: str) -> Record:
        return {
            "__typename": "BulkOperation",
            "id": gid("BulkOperation", number),
            "type": "QUERY",
            "status": "CREATED",
            "errorCode": None,
            "query": query,
            "createdAt": self._shop.now(),
            "completedAt": None,
            "objectCount": "0",
            "rootObjectCount": "0",
            "fileSize": None,
            "url": None,
            "partialDataUrl": None,
        }


def _check(operation: Operation) -> None:
    """Refuse what a bulk query may not be."""
    found = list(_connections(operation.root, 0))
    roots = operation.root.fields
    if operation.is_mutation or not found or not all(each.is_connection for each in roots):
        message = "The query must contain at least one connection, and start with it."
        raise refused("query", f"Invalid bulk query: {message}", "INVALID")
    for root in roots:
        _nodes_of(root.selection)
    if len(found) > MOST_CONNECTIONS or max(found) > DEEPEST:
        message = "Bulk queries cannot contain more than 5 connections, or nest them deeper than 2."
        raise refused("query", message, "INVALID")


def _connections(selection: Selection, depth: int) -> Iterator[int]:
    for each in selection.objects:
        inside = depth + each.is_connection
        if each.is_connection:
            yield depth
        for below in each.selections.values():
            yield from _connections(below, inside)


def _nodes_of(connection: Selection | None) -> Selection:
    """Return what is wanted of the nodes of a connection."""
    for each in connection.objects if connection else ():
        if each.name == "edges" and each.selection:
            return _nodes_of(each.selection)
        if each.name in {"nodes", "node"} and each.selection:
            return each.selection
    raise refused("query", "Invalid bulk query: a connection without nodes.", "INVALID")


def _lines(node: Mapping[str, Any], parent: str | None) -> Iterator[bytes]:
    """Yield an object and what its connections hold, each on a line."""
    own = {name: value for name, value in node.items() if _children(value) is None}
    if parent is not None:
        own["__parentId"] = parent
    yield orjson.dumps(own) + b"\n"
    for value in node.values():
        for child in _children(value) or ():
            yield from _lines(child, str(node.get("id")))


def _children(value: Any) -> list[Mapping[str, Any]] | None:
    """Return the nodes of a connection; None for what is no connection."""
    if not isinstance(value, dict) or not ("edges" in value or "nodes" in value):
        return None
    return value.get("nodes") or [each["node"] for each in value.get("edges", ())]
