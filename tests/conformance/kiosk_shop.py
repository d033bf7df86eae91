"""Kiosk: a made-up shop with a small REST API, for the walkthrough of docs/add-a-connector.md.

GET   /api/about                                        its branches and fields
GET   /api/customers?branch=1&after=0&limit=100         by id; changed_since, if given, inclusive
GET   /api/customers/7
PATCH /api/customers/7  {"number": "D1"}                what it does not know is passed over
"""

import re
import threading
from typing import Any, Final

import orjson

from services.sandbox.clock import Clock, moment_of, stamp
from services.sandbox.fate import Fate
from services.sandbox.faults import FaultPlan
from services.sandbox.ledger import Ledger, Write
from services.sandbox.wire import HTML_TYPE, Request, Response, Server

KEY: Final = "kiosk-key-0000000000"
TIERS: Final = frozenset({"basic", "gold", "platinum"})
_ONE: Final = re.compile(r"/api/customers/(\d+)")
Record = dict[str, Any]


class SandboxKiosk:
    """A running Kiosk; `customers` and `fields` are its books."""

    def __init__(self) -> None:
        self.clock, self.ledger = Clock(), Ledger()
        self.customers: dict[int, Record] = {}
        self.fields = {"number": "text", "tier": "choice"}
        self.lock = threading.RLock()
        page = Response(503, b"<h1>Closed</h1>", HTML_TYPE)
        faults = FaultPlan(lambda: page, lambda: _answer(500, {"error": "internal"}))
        self.control = Fate(self.clock, self.ledger, faults)
        self._server = Server(lambda request: faults.answer(request, self._handle))
        self.url, self.start, self.close = self._server.url, self._server.start, self._server.close

    def save(self, record: Record, origin: str = "shopper") -> Record:
        """Store a customer and the time."""
        now = stamp(self.clock.now())
        with self.lock:
            number = record.setdefault("id", max(self.customers, default=0) + 1)
            created = self.customers.get(number, {}).get("created_at", now)
            self.customers[number] = record | {"created_at": created, "changed_at": now}
        self.ledger.record(number, Write(now, origin, "save", ()))
        return self.customers[number]

    def _handle(self, request: Request) -> Response:
        if request.headers.get("x-api-key") != KEY:
            return _answer(401, {"error": "wrong_key"})
        if request.path == "/api/about":
            branches = [{"id": 1, "name": "main"}, {"id": 2, "name": "station"}]
            fields = [{"name": name, "kind": kind} for name, kind in self.fields.items()]
            return _answer(200, {"branches": branches, "fields": fields})
        if request.path == "/api/customers":
            return self._listed(dict(request.query))
        found = _ONE.fullmatch(request.path)
        if found is None:
            return _answer(404, {"error": "no_such_route"})
        with self.lock:
            known = self.customers.get(int(found[1]))
            if known is None:
                return _answer(404, {"error": "no_such_customer"})
            return (
                self._patched(known, request) if request.method == "PATCH" else _answer(200, known)
            )

    def _patched(self, known: Record, request: Request) -> Response:
        given = orjson.loads(request.body)
        if given.get("tier", "basic") not in TIERS:
            return _answer(422, {"error": "invalid_value", "detail": str(given)})
        taken = {name: value for name, value in given.items() if name in self.fields}
        return _answer(200, self.save(known | taken, origin="api"))

    def _listed(self, query: dict[str, str]) -> Response:
        limit = int(query["limit"])
        since = moment_of(query.get("changed_since", "1970-01-01"))
        with self.lock:
            found = [
                each
                for number, each in sorted(self.customers.items())
                if number > int(query["after"])
                and each["branch"] == int(query["branch"])
                and moment_of(each["changed_at"]) >= since
            ]
        now = stamp(self.clock.now())
        body = {"customers": found[:limit], "more": len(found) > limit, "now": now}
        return _answer(200, body)


def _answer(status: int, body: Any) -> Response:
    return Response(status, orjson.dumps(body))
