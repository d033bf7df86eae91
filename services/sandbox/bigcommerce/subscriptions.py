"""`/v3/hooks`: who wants to hear of what.

Its promise: a destination is https on port 443, one client has at most ten hooks of one scope, an
unknown scope is refused, and only the token that created a hook sees it.
"""

import re
from typing import Any
from urllib.parse import urlsplit

from services.sandbox.bigcommerce import hooks, paging, rules
from services.sandbox.bigcommerce.call import Call
from services.sandbox.bigcommerce.errors import Refusal
from services.sandbox.bigcommerce.gate import CLIENT_ID, STORE_HASH
from services.sandbox.bigcommerce.shop import Shop

Record = dict[str, Any]

MOST_PER_SCOPE = 10
FILTERS = frozenset({"is_active", "scope", "destination"})
_SCOPE = re.compile(
    r"store/(customer|subscriber|company)/"
    r"(\*|created|updated|deleted|statusUpdated|(address|user)/(\*|created|updated|deleted))"
)
_FAILED = "Webhook could not be saved."


class Subscriptions:
    """The routes of `/v3/hooks`."""

    def __init__(self, shop: Shop) -> None:
        self._shop = shop
        self.known: dict[int, Record] = {}
        self._creator: dict[int, str] = {}

    def browse(self, call: Call) -> Any:
        """Answer one page."""
        query = call.query
        query.refuse_unknown(FILTERS)
        found = [
            each
            for each in self.known.values()
            if self._creator[each["id"]] == _token(call)
            and query.text("scope") in {"", each["scope"]}
            and query.text("destination") in {"", each["destination"]}
            and query.text("is_active") in {"", str(each["is_active"]).lower()}
        ]
        data, meta = paging.numbered(found, query)
        return {"data": list(data), "meta": meta}

    def get(self, call: Call) -> Any:
        """Answer one hook."""
        return {"data": self._one(call), "meta": {}}

    def create(self, call: Call) -> Any:
        """Subscribe to a scope."""
        given = self._read(call)
        rules.demand(given, ("scope", "destination"))
        same = [each for each in self.known.values() if each["scope"] == given["scope"]]
        if len(same) >= MOST_PER_SCOPE:
            raise Refusal(422, _FAILED, {"scope": "at most 10 webhooks of one scope"})
        if any(each["destination"] == given["destination"] for each in same):
            raise Refusal(422, _FAILED, {"destination": "webhook already exists"})
        now, number = self._shop.clock.now(), self._shop.next_id("hook")
        self._creator[number] = _token(call)
        self.known[number] = {
            "id": number, "client_id": CLIENT_ID, "store_hash": STORE_HASH, "is_active": True,
            "headers": {}, "created_at": now, "updated_at": now,
        } | given  # fmt: skip
        return {"data": self.known[number], "meta": {}}

    def update(self, call: Call) -> Any:
        """Change a hook, for instance to make it active again."""
        known = self._one(call)
        known |= self._read(call) | {"updated_at": self._shop.clock.now()}
        return {"data": known, "meta": {}}

    def delete(self, call: Call) -> Any:
        """Delete a hook and answer it once more."""
        known = self._one(call)
        del self.known[known["id"]]
        return {"data": known, "meta": {}}

    def wanting(self, event: hooks.Event) -> list[Record]:
        """Return the active hooks that want to hear of `event`."""
        known = list(self.known.values())
        return [each for each in known if each["is_active"] and event.concerns(each["scope"])]

    def _one(self, call: Call) -> Record:
        if call.number() not in self.known or self._creator[call.number()] != _token(call):
            raise Refusal(404)
        return self.known[call.number()]

    def _read(self, call: Call) -> Record:
        body = rules.read_body(call.request)
        rules.check_kind(body, "object", "obj")
        names = ("scope", "destination", "is_active", "headers")
        given = {name: body[name] for name in names if body.get(name) is not None}
        if "scope" in given and not _SCOPE.fullmatch(given["scope"]):
            raise Refusal(422, _FAILED, {"scope": "invalid scope"})
        if "destination" in given and not self._is_allowed(given["destination"]):
            problem = "destination must be an https URL on port 443"
            raise Refusal(422, _FAILED, {"destination": problem})
        return given

    def _is_allowed(self, destination: str) -> bool:
        parts = urlsplit(destination)
        if self._shop.quirks.accepts_plain_destinations:
            return parts.scheme in {"http", "https"}
        return parts.scheme == "https" and parts.port in {None, 443} and bool(parts.hostname)


def _token(call: Call) -> str:
    return call.request.headers.get("x-auth-token", "")
