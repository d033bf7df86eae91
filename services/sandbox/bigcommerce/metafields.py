"""`/v3/customers/{id}/metafields`, and the batch that may succeed in part.

Its promise: namespace and key are unique for a customer; singly a duplicate is a 409, in a batch
it is a 422 that has saved all the others.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import orjson

from services.sandbox.bigcommerce import paging, rules
from services.sandbox.bigcommerce.call import Call
from services.sandbox.bigcommerce.customers import DATES
from services.sandbox.bigcommerce.errors import TYPE, Refusal
from services.sandbox.bigcommerce.gate import CLIENT_ID
from services.sandbox.bigcommerce.shop import Shop
from services.sandbox.bigcommerce.table import moment_of
from services.sandbox.wire import Response

Record = dict[str, Any]

FILTERS = DATES | {
    "key", "key:in", "namespace", "namespace:in", "direction", "include_fields", "resource_id:in",
}  # fmt: skip
PERMISSIONS = frozenset({"app_only", "read", "write", "read_and_sf_access", "write_and_sf_access"})
_FIELDS = {
    "namespace": ("string", 64), "key": ("string", 64), "value": ("string", 65_535),
    "permission_set": ("string", 64), "description": ("string", 255),
}  # fmt: skip
_REQUIRED = ("namespace", "key", "value", "permission_set")
_FAILED = "Bulk operation has failed"


class Metafields:
    """The routes of metafields of customers, single and in batches."""

    def __init__(self, shop: Shop) -> None:
        self._shop = shop
        self._fields: dict[int, Record] = {}
        self._ids: defaultdict[int, list[int]] = defaultdict(list)
        """The ids of each customer's metafields."""

    def browse(self, call: Call) -> Any:
        """Answer the metafields of one customer."""
        return self._listed(call, call.number())

    def browse_all(self, call: Call) -> Any:
        """Answer the metafields of everybody; there is no filter by value."""
        return self._listed(call, None)

    def get(self, call: Call) -> Any:
        """Answer one metafield."""
        return {"data": self._known(call), "meta": {}}

    def create(self, call: Call) -> Any:
        """Add one metafield."""
        body = rules.read_body(call.request)
        rules.check_kind(body, "object", "obj")
        return {"data": self.add(call.number(), body, origin="api"), "meta": {}}

    def update(self, call: Call) -> Any:
        """Change one metafield."""
        body = rules.read_body(call.request)
        rules.check_kind(body, "object", "obj")
        return {"data": self._changed(self._known(call), body), "meta": {}}

    def delete(self, call: Call) -> Response:
        """Delete one metafield."""
        self._remove(self._known(call)["id"])
        return Response(204, b"")

    def create_batch(self, call: Call) -> Any:
        """Add metafields, as many of them as will do."""

        def add(item: Record) -> Record:
            rules.demand(item, ("resource_id",))
            return self.add(item["resource_id"], item, origin="api")

        return self._batch(rules.read_items(call.request, most=None), add)

    def update_batch(self, call: Call) -> Any:
        """Change metafields, as many of them as will do."""

        def change(item: Record) -> Record:
            known = self._fields.get(rules.item_id(item))
            if known is None:
                raise Refusal(404, "Metafield does not exist")
            return self._changed(known, item)

        return self._batch(rules.read_items(call.request, most=None), change)

    def delete_batch(self, call: Call) -> Any:
        """Delete metafields by id."""

        def remove(number: Any) -> Any:
            if number not in self._fields:
                raise Refusal(404, "Metafield does not exist")
            self._remove(number)
            return number

        return self._batch(rules.read_body(call.request), remove)

    def add(self, customer_id: int, given: Record, *, origin: str) -> Record:
        """Add one metafield to a customer."""
        with self._shop.lock:
            if self._shop.row(customer_id) is None:
                raise Refusal(404)
            rules.demand(given, _REQUIRED)
            fields = self._read(given)
            if self.find(customer_id, fields["namespace"], fields["key"]):
                raise Refusal(409, "A metafield with this namespace and key already exists.", {})
            now, number = self._shop.now(), self._shop.next_id("metafield")
            field = {"description": ""} | fields | {
                "id": number, "resource_type": "customer", "resource_id": customer_id,
                "date_created": now, "date_modified": now, "owner_client_id": CLIENT_ID,
            }  # fmt: skip
            self._fields[number] = field
            self._ids[customer_id].append(number)
            self._shop.note(customer_id, "set_metafield", fields, origin=origin)
            return field

    def find(self, customer_id: int, namespace: str, key: str) -> Record | None:
        """Return a customer's metafield."""
        for field in self.everything(customer_id):
            if (field["namespace"], field["key"]) == (namespace, key):
                return field
        return None

    def everything(self, customer_id: int | None = None) -> Iterable[Record]:
        """Return the metafields, of one customer or of everybody who still exists."""
        with self._shop.lock:
            numbers = self._fields if customer_id is None else self._ids.get(customer_id, ())
            known = [self._fields[number] for number in numbers]
            return [each for each in known if self._shop.row(each["resource_id"])]

    def _listed(self, call: Call, customer_id: int | None) -> Any:
        query = call.query
        query.refuse_unknown(FILTERS)
        namespaces, keys = _either(call, "namespace"), _either(call, "key")
        owners = query.numbers("resource_id:in")
        found = [
            each
            for each in self.everything(customer_id)
            if (namespaces is None or each["namespace"] in namespaces)
            and (keys is None or each["key"] in keys)
            and (owners is None or each["resource_id"] in owners)
            and moment_of(each["date_modified"]) in query.span("date_modified")
        ]
        data, meta = paging.numbered(found, query)
        return {"data": list(data), "meta": meta}

    def _known(self, call: Call) -> Record:
        field = self._fields.get(call.number(1))
        if field is None or field["resource_id"] != call.number(0):
            raise Refusal(404, "Metafield does not exist")
        return field

    def _changed(self, field: Record, given: Record) -> Record:
        fields = self._read(given)
        changed = field | fields
        twin = self.find(field["resource_id"], changed["namespace"], changed["key"])
        if twin is not None and twin["id"] != field["id"]:
            raise Refusal(409, "A metafield with this namespace and key already exists.", {})
        field |= fields | {"date_modified": self._shop.now()}
        self._shop.note(field["resource_id"], "set_metafield", fields, origin="api")
        return field

    def _remove(self, number: int) -> None:
        field = self._fields.pop(number)
        self._ids[field["resource_id"]].remove(number)
        self._shop.note(field["resource_id"], "delete_metafield", {}, origin="api")

    def _read(self, given: Record) -> Record:
        fields = rules.picked(given, _FIELDS, 0, _FAILED)
        for name in ("namespace", "key", "value"):
            if fields.get(name) == "":
                raise Refusal(422, _FAILED, {name: "must not be empty"})
        if fields.get("permission_set", "read") not in PERMISSIONS:
            raise Refusal(422, _FAILED, {"permission_set": "invalid permission set"})
        return fields

    def _batch(self, items: list[Any], do: Callable[[Any], Any]) -> Response:
        data, errors = [], []
        with self._shop.lock:
            for place, item in enumerate(items):
                try:
                    data.append(do(item))
                except Refusal as refusal:
                    detail = refusal.errors or {str(place): refusal.title}
                    errors.append(_failed(refusal, detail))
        counts = {"total": len(items), "success": len(data), "failed": len(errors)}
        body = {"data": data, "errors": errors, "meta": counts}
        return Response(422 if errors else 200, orjson.dumps(body))


def _either(call: Call, name: str) -> tuple[str, ...] | None:
    if exact := call.query.text(name):
        return (exact,)
    return call.query.texts(f"{name}:in")


def _failed(refusal: Refusal, detail: Mapping[str, Any]) -> Record:
    return {
        "status": refusal.status,
        "title": refusal.title,
        "type": TYPE,
        "errors": dict(detail),
    }
