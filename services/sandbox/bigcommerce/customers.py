"""`/v3/customers`: the list with its filters, and the batches of at most ten.

Its promise: filters, sorting, paging and `include` mean what they mean on the platform.
"""

from collections.abc import Callable, Iterable, Iterator
from typing import Any

from services.sandbox.bigcommerce import paging, rules
from services.sandbox.bigcommerce.call import Call
from services.sandbox.bigcommerce.errors import Refusal, invalid
from services.sandbox.bigcommerce.query import Query
from services.sandbox.bigcommerce.shop import Shop
from services.sandbox.bigcommerce.table import Row
from services.sandbox.wire import Response

Record = dict[str, Any]
Test = Callable[[Row], bool]

EMBEDDED_AT_MOST = 10
DATES = frozenset(
    f"date_{event}{suffix}" for event in ("created", "modified") for suffix in ("", ":min", ":max")
)
FILTERS = DATES | {
    "id:in", "email:in", "company:in", "customer_group_id:in", "phone:in", "name:in", "name:like",
    "registration_ip_address:in", "include", "sort",
}  # fmt: skip
INCLUDES = frozenset(
    {"addresses", "storecredit", "attributes", "formfields", "shopper_profile_id", "segment_ids"}
)
_SORTS: dict[str, Callable[[Shop, Row], Any]] = {
    "date_created": lambda _, row: row.created_at,
    "date_modified": lambda _, row: row.modified_at,
    "last_name": lambda shop, row: shop.table.record(row)["last_name"].casefold(),
}
_FIELD_FILTERS = {
    "company:in": "company",
    "phone:in": "phone",
    "registration_ip_address:in": "registration_ip_address",
}


class Customers:
    """The routes of `/v3/customers`."""

    def __init__(self, shop: Shop) -> None:
        self._shop = shop

    def browse(self, call: Call) -> Any:
        """Answer one page of what the filters leave."""
        query = call.query
        query.refuse_unknown(FILTERS)
        wanted = _included(query)
        with self._shop.lock:
            rows, meta = self._page(query)
            data = [shown(self._shop.table.record(row), wanted) for row in rows]
        return {"data": data, "meta": meta}

    def create(self, call: Call) -> Any:
        """Create 1 to 10 customers; one that will not do fails them all."""
        return self._each(
            rules.read_items(call.request),
            lambda place, item: self._shop.create(item, origin="api", place=place),
        )

    def update(self, call: Call) -> Any:
        """Update 1 to 10 customers."""
        items = rules.read_items(call.request)
        numbers = [rules.item_id(item) for item in items]
        return self._each(
            items,
            lambda place, item: self._shop.update(numbers[place], item, origin="api", place=place),
        )

    def delete(self, call: Call) -> Response:
        """Delete by id; who does not exist is deleted already."""
        numbers = call.query.numbers("id:in")
        if not numbers:
            raise invalid("The filter was not valid.", "id:in", "is required")
        for number in sorted(numbers):
            self._shop.delete(number, origin="api")
        return Response(204, b"")

    def _each(self, items: list[Record], save: Callable[[int, Record], Record]) -> Any:
        with self._shop.transaction():
            data = [shown(save(place, item), frozenset()) for place, item in enumerate(items)]
        return {"data": data, "meta": {}}

    def _page(self, query: Query) -> tuple[Iterable[Row], Record]:
        tests = self._tests(query)
        after, before = paging.position(query, "after"), paging.position(query, "before")
        if after is None and before is None:
            found = [row for row in self._candidates(query) if all(test(row) for test in tests)]
            rows, meta = paging.numbered(self._sorted(found, query), query)
            if query.page == 1:
                has_more = len(found) > len(rows)
                meta |= paging.cursors([row.id for row in rows], query, has_more=has_more)
            return rows, meta
        if after is not None:
            ahead: Iterator[Row] = self._shop.table.after(after)
        else:
            ahead = self._shop.table.before(before or 0)
        some = self._some(query)
        passing = (row for row in ahead if row.id in some and all(test(row) for test in tests))
        upcoming, has_more = paging.upcoming(passing, query)
        rows = self._sorted(upcoming if after is not None else upcoming[::-1], query)
        return rows, paging.cursors([row.id for row in rows], query, has_more=has_more)

    def _candidates(self, query: Query) -> Iterator[Row]:
        rows = self._shop.table.rows
        if (numbers := query.numbers("id:in")) is not None:
            return (rows[number] for number in sorted(numbers) if number in rows)
        if (emails := query.texts("email:in")) is not None:
            named = {row.id for email in emails if (row := self._shop.table.named(email))}
            return (rows[number] for number in sorted(named))
        return self._shop.table.after(0)

    def _some(self, query: Query) -> "_Anything | frozenset[int]":
        """Return the ids that the cheap filters name."""
        if query.numbers("id:in") is None and query.texts("email:in") is None:
            return _Anything()
        return frozenset(row.id for row in self._candidates(query))

    def _sorted(self, found: list[Row], query: Query) -> list[Row]:
        given = query.text("sort")
        if not given:
            return found
        field, _, direction = given.partition(":")
        if field not in _SORTS or direction not in {"asc", "desc"}:
            raise invalid("The sort was not valid.", "sort", "invalid sort")
        key = _SORTS[field]
        return sorted(found, key=lambda row: key(self._shop, row), reverse=direction == "desc")

    def _tests(self, query: Query) -> list[Test]:
        """Return what a row must pass, the cheap tests first."""
        tests: list[Test] = []
        created, modified = query.span("date_created"), query.span("date_modified")
        if not created.is_open:
            tests.append(lambda row: row.created_at in created)
        if not modified.is_open:
            tests.append(lambda row: row.modified_at in modified)
        if (emails := query.texts("email:in")) is not None:
            folded = {email.strip().casefold() for email in emails}
            tests.append(lambda row: row.email.strip().casefold() in folded)
        if (groups := query.numbers("customer_group_id:in")) is not None:
            tests.append(lambda row: row.group_id in groups)
        for name, field in _FIELD_FILTERS.items():
            if (values := query.texts(name)) is not None:
                tests.append(self._field_test(field, values))
        return tests + self._name_tests(query)

    def _field_test(self, field: str, values: tuple[str, ...]) -> Test:
        folded = {value.casefold() for value in values}
        return lambda row: self._shop.table.record(row)[field].casefold() in folded

    def _name_tests(self, query: Query) -> list[Test]:
        tests: list[Test] = []
        if (names := query.texts("name:in")) is not None:
            folded = {name.casefold() for name in names}
            tests.append(lambda row: self._name(row) in folded)
        if (parts := query.texts("name:like")) is not None:
            pieces = [part.casefold() for part in parts]
            tests.append(lambda row: any(piece in self._name(row) for piece in pieces))
        return tests

    def _name(self, row: Row) -> str:
        record = self._shop.table.record(row)
        return f"{record['first_name']} {record['last_name']}".casefold()


class _Anything:
    def __contains__(self, _: object) -> bool:
        return True


def shown(record: Record, wanted: frozenset[str]) -> Record:
    """Return a customer as answers show it: sub-resources on demand, and never more than ten."""
    addresses, attributes = record.pop("addresses"), record.pop("attributes")
    form_fields = record.pop("form_fields")
    record["address_count"], record["attribute_count"] = len(addresses), len(attributes)
    if "addresses" in wanted:
        record["addresses"] = [
            shown_address(each, with_fields="formfields" in wanted)
            for each in addresses[:EMBEDDED_AT_MOST]
        ]
    if "attributes" in wanted:
        record["attributes"] = attributes[:EMBEDDED_AT_MOST]
    if "formfields" in wanted:
        record["form_fields"] = form_fields
    return record


def shown_address(address: Record, *, with_fields: bool) -> Record:
    """Return an address as answers show it."""
    if with_fields:
        return address
    return {name: value for name, value in address.items() if name != "form_fields"}


def _included(query: Query) -> frozenset[str]:
    wanted = frozenset(query.texts("include") or ())
    if strange := sorted(wanted - INCLUDES):
        raise Refusal(422, "The include was not valid.", {"include": ", ".join(strange)})
    return wanted
