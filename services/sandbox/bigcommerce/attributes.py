"""`/v3/customers/attributes` and `/attribute-values`: written as `value`, read as another name.

Its promise: values are strings, one per customer and attribute, and an upsert keeps the id.
"""

from collections.abc import Iterable
from typing import Any

from services.sandbox.bigcommerce import birth, records, rules
from services.sandbox.bigcommerce.call import Call
from services.sandbox.bigcommerce.customers import DATES
from services.sandbox.bigcommerce.errors import Refusal, invalid
from services.sandbox.bigcommerce.paging import numbered
from services.sandbox.bigcommerce.query import Query
from services.sandbox.bigcommerce.shop import Shop
from services.sandbox.bigcommerce.table import moment_of
from services.sandbox.wire import Response

Record = dict[str, Any]

DEFINITION_FILTERS = DATES | {"name", "name:like", "type"}
VALUE_FILTERS = DATES | {"customer_id:in", "attribute_id:in", "name"}
MOST_DEFINITIONS = 50
_TYPES = frozenset({"string", "number", "date"})
UPSERT_FAILED = "Upsert customer attribute values failed."


class Attributes:
    """The routes of definitions and of values."""

    def __init__(self, shop: Shop) -> None:
        self._shop = shop

    def browse(self, call: Call) -> Any:
        """Answer the definitions."""
        query = call.query
        query.refuse_unknown(DEFINITION_FILTERS)
        name, part = query.text("name"), query.text("name:like").casefold()
        found = [
            each
            for each in self._shop.attributes.values()
            if (not name or each["name"] == name)
            and part in each["name"].casefold()
            and query.text("type") in {"", each["type"]}
            and _in_time(each, query)
        ]
        data, meta = numbered(found, query)
        return {"data": list(data), "meta": meta}

    def create(self, call: Call) -> Any:
        """Define attributes."""
        made = []
        with self._shop.transaction():
            for item in rules.read_items(call.request, most=None):
                rules.demand(item, ("name", "type"))
                made.append(self.define(item["name"], item["type"]))
        return {"data": made, "meta": {}}

    def update(self, call: Call) -> Any:
        """Rename attributes; the type is fixed."""
        made = []
        for item in rules.read_items(call.request, most=None):
            known = self._shop.attributes.get(rules.item_id(item))
            if known is None:
                raise Refusal(422, "Update attributes failed.", {"id": "invalid attribute ID"})
            known |= {"name": item.get("name", known["name"]), "date_modified": self._shop.now()}
            made.append(known)
        return {"data": made, "meta": {}}

    def delete(self, call: Call) -> Response:
        """Delete definitions, and with them every value."""
        for number in call.query.numbers("id:in") or ():
            self.remove(number)
        return Response(204, b"")

    def values(self, call: Call) -> Any:
        """Answer values, by customer; the only sub-resource with a date filter."""
        call.query.refuse_unknown(VALUE_FILTERS)
        with self._shop.lock:
            data, meta = numbered(list(self._values(call.query)), call.query)
        return {"data": list(data), "meta": meta}

    def upsert(self, call: Call) -> Any:
        """Write values of at most ten customers."""
        items = rules.read_items(call.request, most=None)
        if len({item.get("customer_id") for item in items}) > rules.MOST_ITEMS:
            raise Refusal(413)
        with self._shop.transaction():
            data = [self._upserted(item, place) for place, item in enumerate(items)]
        return {"data": data, "meta": {}}

    def delete_values(self, call: Call) -> Response:
        """Delete values by their own id."""
        numbers = call.query.numbers("id:in")
        if not numbers:
            raise invalid("The filter was not valid.", "id:in", "is required")
        with self._shop.lock:
            for row in list(self._shop.table.rows.values()):
                record = self._shop.table.record(row)
                kept = [each for each in record["attributes"] if each["id"] not in numbers]
                if len(kept) < len(record["attributes"]):
                    self._keep(record, kept, "delete_attribute", {}, origin="api")
        return Response(204, b"")

    def define(self, name: str, kind: str = "string") -> Record:
        """Add a definition."""
        title = "Create attributes failed."
        if kind not in _TYPES:
            raise Refusal(422, title, {"type": "must be string, number or date"})
        if len(self._shop.attributes) >= MOST_DEFINITIONS:
            raise Refusal(422, title, {"attributes": "at most 50 attributes"})
        if any(each["name"] == name for each in self._shop.attributes.values()):
            raise Refusal(422, title, {"name": f"attribute {name} already exists"})
        now, number = self._shop.now(), self._shop.next_id("attribute")
        definition = {
            "id": number, "name": name, "type": kind, "date_created": now, "date_modified": now,
        }  # fmt: skip
        self._shop.attributes[number] = definition
        return definition

    def remove(self, number: int) -> None:
        """Remove a definition and every value of it, without a trace on the customers."""
        with self._shop.lock:
            if self._shop.attributes.pop(number, None):
                self._shop.table.forget_attribute(number)

    def write(
        self, customer_id: int, attribute_id: int, value: str, *, origin: str, name: str = "value"
    ) -> Record:
        """Write one value and return it as it is kept."""
        birth.check_value(self._shop.attributes, attribute_id, value, name)
        record, number = self._shop.record(customer_id), self._shop.next_id("attribute_value")
        new = records.value_of(number, customer_id, attribute_id, value, self._shop.now())
        kept = records.with_value(record["attributes"], new)
        given = {"attribute_id": attribute_id, "value": value}
        self._keep(record, kept, "set_attribute", given, origin=origin)
        return next(each for each in kept if each["attribute_id"] == attribute_id)

    def _upserted(self, item: Record, place: int) -> Record:
        rules.demand(item, ("customer_id", "attribute_id", "value"))
        if self._shop.row(item["customer_id"]) is None:
            raise Refusal(422, UPSERT_FAILED, {f"{place}.customer_id": "invalid customer ID"})
        return self.write(item["customer_id"], item["attribute_id"], item["value"], origin="api")

    def _keep(
        self, record: Record, kept: list[Record], action: str, given: Record, *, origin: str
    ) -> None:
        record["attributes"] = kept
        touches = self._shop.quirks.touches_on_attribute
        self._shop.amend(record, action, origin=origin, touches=touches, given=given)

    def _values(self, query: Query) -> Iterable[Record]:
        table = self._shop.table
        owners, wanted = query.numbers("customer_id:in"), query.numbers("attribute_id:in")
        name, modified = query.text("name"), query.span("date_modified")
        numbers = table.ids if owners is None else sorted(owners & table.rows.keys())
        for number in numbers:
            row = table.rows[number]
            if row.attributes_at < modified.since:
                continue
            for value in table.record(row)["attributes"]:
                definition = self._shop.attributes[value["attribute_id"]]
                if (
                    (wanted is None or value["attribute_id"] in wanted)
                    and (not name or definition["name"] == name)
                    and _in_time(value, query)
                ):
                    yield value


def _in_time(record: Record, query: Query) -> bool:
    return moment_of(record["date_created"]) in query.span("date_created") and (
        moment_of(record["date_modified"]) in query.span("date_modified")
    )
