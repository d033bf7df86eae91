"""`/v3/customers/addresses`, which has no date filter and keeps silent about duplicates.

Its promise: an address that another of the same customer already is changes nothing, is answered
200, and is missing from the answer.
"""

from typing import Any

from services.sandbox.bigcommerce import hooks, records, rules
from services.sandbox.bigcommerce.call import Call
from services.sandbox.bigcommerce.customers import shown_address
from services.sandbox.bigcommerce.errors import Refusal, invalid
from services.sandbox.bigcommerce.paging import numbered
from services.sandbox.bigcommerce.shop import Shop
from services.sandbox.wire import Response

Record = dict[str, Any]

FILTERS = frozenset({"id:in", "customer_id:in", "company:in", "name:in", "include"})
CREATE_FAILED = "Create customer addresses failed."
UPDATE_FAILED = "Update customer addresses failed."


class Addresses:
    """The routes of `/v3/customers/addresses`."""

    def __init__(self, shop: Shop) -> None:
        self._shop = shop

    def browse(self, call: Call) -> Any:
        """Answer one page, by customer and then by age."""
        call.query.refuse_unknown(FILTERS)
        with self._shop.lock:
            found, meta = numbered(self._found(call), call.query)
        with_fields = "formfields" in call.query.text("include")
        return {
            "data": [shown_address(each, with_fields=with_fields) for each in found],
            "meta": meta,
        }

    def create(self, call: Call) -> Any:
        """Add addresses to address books."""
        items = rules.read_items(call.request, most=None)
        with self._shop.transaction():
            made = [self.add(item, place, origin="api") for place, item in enumerate(items)]
        return _answer(made)

    def update(self, call: Call) -> Any:
        """Change addresses; what is not given stays."""
        items = rules.read_items(call.request, most=None)
        numbers = [rules.item_id(item) for item in items]
        with self._shop.transaction():
            made = [
                self.change(number, item, place, origin="api")
                for place, (number, item) in enumerate(zip(numbers, items, strict=True))
            ]
        return _answer(made)

    def delete(self, call: Call) -> Response:
        """Delete addresses by id."""
        numbers = call.query.numbers("id:in")
        if not numbers:
            raise invalid("The filter was not valid.", "id:in", "is required")
        for number in sorted(numbers):
            self.remove(number, origin="api")
        return Response(204, b"")

    def add(self, item: Record, place: int, *, origin: str) -> Record | None:
        """Add one address, None where the customer already has it."""
        rules.demand(item, rules.REQUIRED_OF_ADDRESS)
        fields = rules.picked(item, rules.ADDRESS, place, CREATE_FAILED)
        rules.check_address(fields, place, CREATE_FAILED)
        customer_id = item["customer_id"]
        if self._shop.row(customer_id) is None:
            raise Refusal(422, CREATE_FAILED, {f"{place}.customer_id": "invalid customer ID"})
        record = self._shop.record(customer_id)
        blank = records.address_of(fields, 0, customer_id)
        if any(records.core(each) == records.core(blank) for each in record["addresses"]):
            return None
        address = records.address_of(fields, self._shop.next_id("address"), customer_id)
        record["addresses"].append(address)
        self._keep(record, "add_address", address["id"], "created", item, origin=origin)
        return address

    def change(self, number: int, item: Record, place: int, *, origin: str) -> Record | None:
        """Change one address, None where it would become another that is there already."""
        record = self._shop.owner_of_address(number)
        if record is None:
            raise Refusal(422, UPDATE_FAILED, {f"{place}.id": "invalid customer address ID"})
        fields = rules.picked(item, rules.ADDRESS, place, UPDATE_FAILED)
        at = next(at for at, each in enumerate(record["addresses"]) if each["id"] == number)
        stored = record["addresses"][at]
        # A state can only be checked against its country, which need not have been given.
        checked = {"country_code": stored["country_code"]} | fields
        rules.check_address(checked, place, UPDATE_FAILED)
        address = records.changed_address(stored, fields)
        others = (each for each in record["addresses"] if each["id"] != number)
        if any(records.core(each) == records.core(address) for each in others):
            return None
        record["addresses"][at] = address
        self._keep(record, "edit_address", number, "updated", item, origin=origin)
        return address

    def remove(self, number: int, *, origin: str) -> None:
        """Delete one address, if it is there."""
        with self._shop.lock:
            record = self._shop.owner_of_address(number)
            if record is not None:
                kept = [each for each in record["addresses"] if each["id"] != number]
                record["addresses"] = kept
                self._keep(record, "delete_address", number, "deleted", {}, origin=origin)

    def _keep(
        self, record: Record, action: str, number: int, event: str, given: Record, *, origin: str
    ) -> None:
        touches = self._shop.quirks.touches_on_address
        self._shop.amend(record, action, origin=origin, touches=touches, given=given)
        about = hooks.about_address(number, record["id"])
        self._shop.happened(f"store/customer/address/{event}", about)

    def _found(self, call: Call) -> list[Record]:
        query, table = call.query, self._shop.table
        numbers, owners = query.numbers("id:in"), query.numbers("customer_id:in")
        if owners is None and numbers is not None:
            books = (self._shop.owner_of_address(number) for number in sorted(numbers))
            known = {book["id"]: book for book in books if book}
            customers = [known[number] for number in sorted(known)]
        else:
            wanted = table.ids if owners is None else sorted(owners & table.rows.keys())
            customers = [table.record(table.rows[number]) for number in wanted]
        companies, names = _folded(query.texts("company:in")), _folded(query.texts("name:in"))
        return [
            address
            for customer in customers
            for address in customer["addresses"]
            if (numbers is None or address["id"] in numbers)
            and (companies is None or address["company"].casefold() in companies)
            and (names is None or _name(address) in names)
        ]


def _folded(texts: tuple[str, ...] | None) -> frozenset[str] | None:
    return None if texts is None else frozenset(text.casefold() for text in texts)


def _name(address: Record) -> str:
    return f"{address['first_name']} {address['last_name']}".casefold()


def _answer(made: list[Record | None]) -> Record:
    """Return what was kept; nothing at all is an empty object."""
    kept = [shown_address(each, with_fields=False) for each in made if each is not None]
    return {"data": kept, "meta": {}} if kept else {}
