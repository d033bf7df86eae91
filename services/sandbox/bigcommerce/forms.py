"""`/v3/customers/form-field-values`: what shoppers wrote into the store's own fields.

Its promise: values of customers and of their addresses in one list, by customer; writing here is
deprecated and still works.
"""

from typing import Any

from services.sandbox.bigcommerce import paging, records, rules
from services.sandbox.bigcommerce.call import Call
from services.sandbox.bigcommerce.errors import MISSING, Refusal, malformed
from services.sandbox.bigcommerce.shop import Shop

Record = dict[str, Any]

FILTERS = frozenset({"customer_id", "address_id", "field_name", "field_type"})
_FAILED = "Update form field values failed."


class FormFields:
    """The routes of `/v3/customers/form-field-values`."""

    def __init__(self, shop: Shop) -> None:
        self._shop = shop

    def browse(self, call: Call) -> Any:
        """Answer one page of values."""
        query = call.query
        query.refuse_unknown(FILTERS)
        kind, name = query.text("field_type"), query.text("field_name")
        address_id = query.text("address_id")
        with self._shop.lock:
            found = [
                (number, each)
                for number, each in self._values(query.text("customer_id"))
                if (not kind or f"{kind}_id" in each)
                and (not address_id or each.get("address_id") == int(address_id))
                and (not name or each["name"] == name)
            ]
        after = paging.position(query, "after")
        if after is not None:
            left = (pair for pair in found if pair[0] > after)
            some, has_more = paging.upcoming(left, query)
            meta = paging.cursors([number for number, _ in some], query, has_more=has_more)
            return {"data": [each for _, each in some], "meta": meta}
        pairs, meta = paging.numbered(found, query)
        return {"data": [each for _, each in pairs], "meta": meta}

    def update(self, call: Call) -> Any:
        """Write values; each names its customer or its address."""
        made = []
        with self._shop.transaction():
            for item in rules.read_items(call.request):
                rules.check_form_fields({"form_fields": [item]}, 0)
                made.append(self._written(item))
        return {"data": made, "meta": {}}

    def set(self, customer_id: int, name: str, value: Any, *, origin: str) -> Record:
        """Write one of a customer's own fields."""
        record, owner = self._shop.record(customer_id), {"customer_id": customer_id}
        given = {"name": name, "value": value}
        record["form_fields"] = records.merged_fields(record["form_fields"], [given], owner)
        self._keep(record, given, origin=origin)
        return owner | given

    def _written(self, item: Record) -> Record:
        if "customer_id" in item:
            if self._shop.row(item["customer_id"]) is None:
                raise Refusal(422, _FAILED, {"customer_id": "invalid customer ID"})
            return self.set(item["customer_id"], item["name"], item["value"], origin="api")
        if "address_id" not in item:
            raise malformed({"customer_id": MISSING})
        record = self._shop.owner_of_address(item["address_id"])
        if record is None:
            raise Refusal(422, _FAILED, {"address_id": "invalid address ID"})
        given = {"name": item["name"], "value": item["value"]}
        for place, address in enumerate(record["addresses"]):
            if address["id"] == item["address_id"]:
                changed = records.changed_address(address, {"form_fields": [given]})
                record["addresses"][place] = changed
        self._keep(record, given, origin="api")
        return {"address_id": item["address_id"]} | given

    def _keep(self, record: Record, given: Record, *, origin: str) -> None:
        touches = self._shop.quirks.touches_on_form_field
        self._shop.amend(record, "set_form_field", origin=origin, touches=touches, given=given)

    def _values(self, customer_id: str) -> list[tuple[int, Record]]:
        table = self._shop.table
        numbers = [int(customer_id)] if customer_id else table.ids
        return [
            (number, value)
            for number in numbers
            if (row := table.rows.get(number))
            for record in [table.record(row)]
            for value in (
                *record["form_fields"],
                *(field for address in record["addresses"] for field in address["form_fields"]),
            )
        ]
