"""`/v3/customers/subscribers`: consent to newsletters, by e-mail and channel.

Its promise: no consents means opted out, a second subscriber of one e-mail and channel is a 409,
and a DELETE without a filter deletes everybody, as it does there.
"""

from functools import cached_property
from typing import Any

from services.sandbox.bigcommerce import paging, rules
from services.sandbox.bigcommerce.call import Call
from services.sandbox.bigcommerce.customers import DATES
from services.sandbox.bigcommerce.errors import Refusal
from services.sandbox.bigcommerce.shop import Shop
from services.sandbox.bigcommerce.table import email_key, moment_of
from services.sandbox.wire import Response

Record = dict[str, Any]

_PLAIN = ("email", "first_name", "last_name", "source")
FILTERS = DATES | {*_PLAIN, "order_id", "id", "id:in"}
CONSENTS = frozenset({"marketing_newsletter", "abandoned_cart"})
_FIELDS = {
    "email": ("string", 255), "first_name": ("string", 255), "last_name": ("string", 255),
    "source": ("string", 255), "order_id": ("number", 0), "channel_id": ("number", 0),
    "consents": ("array", 0),
}  # fmt: skip
_FAILED = "Subscriber could not be saved."


class Subscribers:
    """The routes of `/v3/customers/subscribers`."""

    def __init__(self, shop: Shop) -> None:
        self._shop = shop

    @cached_property
    def known(self) -> dict[int, Record]:
        """The subscribers by id; made of the customers when somebody first asks."""
        with self._shop.lock:
            table = self._shop.table
            records = [table.record(row) for row in table.rows.values()]
            return {each["id"]: _of_customer(each) for each in records if _has_agreed(each)}

    def browse(self, call: Call) -> Any:
        """Answer one page."""
        call.query.refuse_unknown(FILTERS)
        data, meta = paging.numbered(self._found(call), call.query)
        return {"data": list(data), "meta": meta}

    def get(self, call: Call) -> Any:
        """Answer one subscriber."""
        return {"data": self._one(call), "meta": {}}

    def create(self, call: Call) -> Any:
        """Subscribe an e-mail."""
        fields = self._read(call)
        rules.demand(fields, ("email",))
        with self._shop.lock:
            now = self._shop.now()
            record: Record = {
                "first_name": "", "last_name": "", "source": "", "order_id": None, "channel_id": 1,
                "consents": [],
            } | fields | {"date_created": now, "date_modified": now}  # fmt: skip
            self._refuse_twin(record, 0)
            number = max(self._shop.next_id("subscriber"), max(self.known, default=0) + 1)
            self.known[number] = {"id": number} | record
        self._happened(number, "created")
        return {"data": self.known[number], "meta": {}}

    def update(self, call: Call) -> Any:
        """Change a subscriber; consents are replaced as a whole."""
        known, fields = self._one(call), self._read(call)
        with self._shop.lock:
            self._refuse_twin(known | fields, known["id"])
            known |= fields | {"date_modified": self._shop.now()}
        self._happened(known["id"], "updated")
        return {"data": known, "meta": {}}

    def delete(self, call: Call) -> Response:
        """Delete one subscriber."""
        del self.known[self._one(call)["id"]]
        self._happened(call.number(), "deleted")
        return Response(204, b"")

    def delete_all(self, call: Call) -> Response:
        """Delete whoever the filters leave: without a filter, everybody."""
        call.query.refuse_unknown(FILTERS)
        for each in self._found(call):
            del self.known[each["id"]]
            self._happened(each["id"], "deleted")
        return Response(204, b"")

    def _one(self, call: Call) -> Record:
        if call.number() not in self.known:
            raise Refusal(404)
        return self.known[call.number()]

    def _read(self, call: Call) -> Record:
        body = rules.read_body(call.request)
        rules.check_kind(body, "object", "obj")
        fields = rules.picked({k: v for k, v in body.items() if v is not None}, _FIELDS, 0, _FAILED)
        if not CONSENTS.issuperset(fields.get("consents", ())):
            raise Refusal(422, _FAILED, {"consents": "invalid consent"})
        return fields

    def _refuse_twin(self, record: Record, number: int) -> None:
        key = (email_key(record["email"]), record["channel_id"])
        for other in self.known.values():
            if other["id"] != number and (email_key(other["email"]), other["channel_id"]) == key:
                raise Refusal(409, "Subscriber already exists.", {"email": "already in use"})

    def _found(self, call: Call) -> list[Record]:
        query, numbers = call.query, call.query.numbers("id:in")
        wanted = {name: query.text(name) for name in _PLAIN if query.text(name)}
        return [
            each
            for each in self.known.values()
            if all(each[name].casefold() == value.casefold() for name, value in wanted.items())
            and (numbers is None or each["id"] in numbers)
            and query.text("order_id") in {"", str(each["order_id"])}
            and moment_of(each["date_created"]) in query.span("date_created")
            and moment_of(each["date_modified"]) in query.span("date_modified")
        ]

    def _happened(self, number: int, event: str) -> None:
        data = {"type": "subscriber", "id": number}
        self._shop.happened(f"store/subscriber/{event}", data)


def _has_agreed(customer: Record) -> bool:
    return bool(customer["accepts_product_review_abandoned_cart_emails"])


def _of_customer(customer: Record) -> Record:
    return {
        "id": customer["id"],
        "email": customer["email"],
        "first_name": customer["first_name"],
        "last_name": customer["last_name"],
        "source": "storefront",
        "order_id": None,
        "channel_id": 1,
        "consents": ["marketing_newsletter"],
        "date_created": customer["date_created"],
        "date_modified": customer["date_created"],
    }
