"""Customer groups, which only the V2 API has: bare arrays, no envelope.

Its promise: a PUT replaces all discount rules, as it does there, and an empty list is a 204.
"""

from email.utils import formatdate
from typing import TYPE_CHECKING, Any

from services.sandbox.bigcommerce.call import Call
from services.sandbox.bigcommerce.errors import Refusal
from services.sandbox.bigcommerce.paging import numbered
from services.sandbox.bigcommerce.rules import check_kind, demand, read_body
from services.sandbox.bigcommerce.seeding import GUESTS, OPENED_AT, RETAIL, WHOLESALE
from services.sandbox.wire import Response

if TYPE_CHECKING:
    from services.sandbox.bigcommerce.shop import Shop

Record = dict[str, Any]

FILTERS = frozenset(
    {"name", "name:like", "is_default", "is_group_for_guests", "date_created", "date_created:min",
     "date_created:max", "date_modified", "date_modified:min", "date_modified:max"}
)  # fmt: skip
_WRITABLE = frozenset(
    {"name", "is_default", "category_access", "discount_rules", "is_group_for_guests"}
)


def seeded_groups() -> dict[int, Record]:
    """Return the groups of a new store, by id."""
    groups = (
        group(WHOLESALE, "Wholesale") | {"discount_rules": [_TENTH_OFF]},
        group(RETAIL, "Retailer"),
        group(GUESTS, "Guests") | {"is_group_for_guests": True},
    )
    return {each["id"]: each for each in groups}


_TENTH_OFF = {"type": "all", "method": "percent", "amount": "10.0000"}


def group(number: int, name: str, moment: int = OPENED_AT) -> Record:
    """Return a group without discounts."""
    return {
        "id": number,
        "name": name,
        "is_default": False,
        "category_access": {"type": "all"},
        "discount_rules": [],
        "is_group_for_guests": False,
        "date_created": _v2_stamp(moment),
        "date_modified": _v2_stamp(moment),
    }


def _v2_stamp(moment: int) -> str:
    return formatdate(moment)


class Groups:
    """The routes of `/v2/customer_groups`."""

    def __init__(self, shop: "Shop") -> None:
        self._shop = shop

    def browse(self, call: Call) -> Any:
        """Answer a bare array; nothing found is 204 without a body."""
        call.query.refuse_unknown(FILTERS)
        found = [each for each in self._shop.groups.values() if _matches(call, each)]
        items, _ = numbered(found, call.query)
        return list(items) if items else Response(204, b"")

    def get(self, call: Call) -> Any:
        """Answer one group."""
        return self._known(call.number())

    def create(self, call: Call) -> Any:
        """Add a group."""
        given = _read(call)
        demand(given, ("name",))
        number = self._shop.next_id("group")
        self._shop.groups[number] = group(number, given["name"], self._shop.clock.now()) | given
        return self._shop.groups[number]

    def update(self, call: Call) -> Any:
        """Change a group; discount rules are replaced as a whole."""
        known = self._known(call.number())
        known |= _read(call)
        return known

    def delete(self, call: Call) -> Any:
        """Delete a group; its members are in none then."""
        self._known(call.number())
        del self._shop.groups[call.number()]
        return Response(204, b"")

    def _known(self, number: int) -> Record:
        if number not in self._shop.groups:
            raise Refusal(404)
        return self._shop.groups[number]


def _read(call: Call) -> Record:
    body = read_body(call.request)
    check_kind(body, "object", "obj")
    return {name: value for name, value in body.items() if name in _WRITABLE}


def _matches(call: Call, each: Record) -> bool:
    name, part = call.query.text("name"), call.query.text("name:like").strip("%")
    if (name and each["name"] != name) or part.casefold() not in each["name"].casefold():
        return False
    return all(
        not (wanted := call.query.text(flag)) or each[flag] == (wanted == "true")
        for flag in ("is_default", "is_group_for_guests")
    )
