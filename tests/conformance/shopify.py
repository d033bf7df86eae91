"""The suite's Shopify shop: its customers."""

from collections.abc import Mapping
from typing import Any, ClassVar, Final

import orjson

from services.sandbox.shopify import SandboxShopify
from services.sandbox.shopify.access import CLIENT_ID, CLIENT_SECRET, TOKEN
from shared.connectors.registry import PLATFORMS, Platform
from shared.connectors.shopify.ids import external_id, gid_of
from tests.conformance import person
from tests.conformance.sandboxed import PLAIN, Sandboxed
from tests.conformance.shop import Ability, Trouble

NUMBER: Final = "erp.customer_number"
PRICES: Final = "erp.price_group"
PEOPLE, FIRMS = "people", "firms"
PLENTY: Final = 1_000_000.0
_ONE_LIST: Final = "a shop has one list of customers and one of companies"
_WHICH: Final = {"read": '"query":"query', "write": '"query":"mutation'}
_DENIED: Final = {
    "errors": "[API] Invalid API key or access token (unrecognized login or wrong password)"
}
_FORBIDDEN: Final = {"errors": "[API] This action requires merchant approval for read_customers."}

_BUCKET: Final = {"maximumAvailable": 2000.0, "currentlyAvailable": 40.0, "restoreRate": 1000.0}
_COST: Final = {"requestedQueryCost": 112, "actualQueryCost": None, "throttleStatus": _BUCKET}
_THROTTLED: Final = {
    "errors": [{"message": "Throttled", "extensions": {"code": "THROTTLED"}}],
    "extensions": {"cost": _COST},
}


class ShopifyShop(Sandboxed):
    """Shopify: its customers, the number in a metafield of type `id`."""

    lacks: ClassVar[Mapping[Ability, str]] = {Ability.UNCONFIGURED_VIEW: _ONE_LIST}
    platform: Platform = PLATFORMS["shopify"]
    view = PEOPLE
    other_view = FIRMS
    views: ClassVar[Mapping[str, Mapping[str, Any]]] = {
        PEOPLE: {"entity": "customers"},
        FIRMS: {"entity": "companies"},
    }
    wrong_credentials: ClassVar[dict[str, Any]] = {"auth": {"kind": "token", "token": "wrong"}}
    expiring_credentials: ClassVar[dict[str, Any]] = {
        "auth": {
            "kind": "client_credentials",
            "client_id": CLIENT_ID,
            "client_secret": CLIENT_SECRET,
        }
    }
    secrets: tuple[str, ...] = (TOKEN,)
    text_field = "last_name"
    spoken = frozenset({"phone", "company_name", "addresses", "notes", "customer_number"})
    unspoken = frozenset({"birth_date", "gender", "group", "currency", "contacts"})
    unknown_id = "7499999999999"
    additional_field = PRICES
    discoverable = frozenset(
        {
            ("store_view", "customers"),
            ("store_view", "companies"),
            ("metafield", NUMBER),
            ("metafield", PRICES),
        }
    )

    def __init__(self) -> None:
        self._sandbox = SandboxShopify(customers=0, restore_rate=PLENTY, bucket=PLENTY)
        self._control = self._sandbox.control
        super().__init__(self._sandbox)
        for owner in ("CUSTOMER", "COMPANY"):
            self._control._shop.definitions |= _definition(owner, PRICES)

    @property
    def table(self) -> dict[str, Any]:
        """Take small pages."""
        return {
            "base_url": self._sandbox.url,
            "auth": {"kind": "token", "token": TOKEN},
            "page_size": 5,
            "timeouts": {"attempts": 1, "total_seconds": 10},
        }

    def register(self, count: int = 1, view: str | None = None) -> list[str]:
        """Give each an address; companies have a location each."""
        if view == FIRMS:
            names = [self.next_word() for _ in range(count)]
            return [_id(self._control.register_company(name)) for name in names]
        return [_id(self._registered_person()) for _ in range(count)]

    def register_blank(self) -> str:
        """Leave all but the e-mail address out."""
        return _id(self._control.register(email=self.next_email()))

    def plant(self, text: str) -> str:
        """Go past the rules for lengths."""
        [found] = self.register()
        record = self._record(found)
        names = ("firstName", "lastName", "company", "address1", "address2", "city", "zip", "phone")
        address = record["_addresses"][0] | dict.fromkeys((*names, "province"), text)
        self._save(
            record
            | dict.fromkeys(("firstName", "lastName", "note"), text)
            | {"tags": [text], "_addresses": [address]}
        )
        return found

    def edit(self, external_id: str) -> None:
        """Give a new first name."""
        self._control.edit_customer(_gid(external_id), firstName=self.next_word())

    def edit_address(self, external_id: str) -> None:
        """Move to a new street; the change time stays."""
        self._control.edit_address(_gid(external_id), address1=self.next_word())

    def touch(self, external_id: str) -> None:
        """Change nothing but the time."""
        self._control.touch(_gid(external_id))

    def delete(self, external_id: str) -> None:
        """Do it in the back office."""
        self._control._shop.delete(self._record(external_id), "shopper")

    def ids(self) -> set[str]:
        """List all customers."""
        rows = self._control._shop.customers.rows.values()
        return {_id(row.record) for row in rows}

    def number(self, external_id: str) -> str | None:
        """Look at the metafield."""
        return self._control.customer_number(_gid(external_id))

    def set_number(self, external_id: str, number: str) -> None:
        """Do it in the back office."""
        self._control.set_customer_number(_gid(external_id), number)

    def value(self, external_id: str) -> str | None:
        """Look at another metafield."""
        namespace, _, key = PRICES.partition(".")
        found = self._record(external_id)["_metafields"].get((namespace, key))
        return found["value"] if found else None

    def refused_values(self) -> dict[str, str]:
        """Leave a metafield blank."""
        return {PRICES: " "}

    def rest(self, external_id: str) -> Any:
        """Leave out the time of change and the number."""
        record = self._record(external_id)
        kept = {name: value for name, value in record.items() if name != "updatedAt"}
        fields = {name: v for name, v in record["_metafields"].items() if ".".join(name) != NUMBER}
        return {**kept, "_metafields": fields}

    def writes(self, external_id: str) -> int:
        """Count what the API wrote."""
        return sum(write.origin == "api" for write in self._control.writes(_gid(external_id)))

    def upset(self, trouble: Trouble, *, on: str = "", skip: int = 0) -> float | None:
        """Order a fault for one query, or for one mutation."""
        where: dict[str, Any] = {"skip": skip, "path": "graphql"}
        if on:
            where["containing"] = _WHICH[on]
        if trouble in PLAIN:
            self._control.fail_next(PLAIN[trouble], **where)
            return None
        status, body = {
            Trouble.DENIED: (401, _DENIED),
            Trouble.FORBIDDEN: (403, _FORBIDDEN),
            Trouble.REFUSED: (200, self.refusal()),
            Trouble.THROTTLED: (200, _THROTTLED),
        }[trouble]
        text = orjson.dumps(body).decode()
        self._control.fail_next("status", status=status, body=text, **where)
        return 1.0 if trouble is Trouble.THROTTLED else None

    def refusal(self) -> dict[str, Any]:
        """Return how the shop refuses a write."""
        problem = {"field": ["metafields", "0", "value"], "message": f"{person.EMAIL} is taken"}
        entry = problem | {"code": "TAKEN", "elementIndex": None}
        return {"data": {"metafieldsSet": {"metafields": [], "userErrors": [entry]}}}

    def drop_silently(self) -> None:
        """Answer as if all were well, once."""
        body = '{"data":{"metafieldsSet":{"metafields":[],"userErrors":[]}}}'
        where: dict[str, Any] = {"status": 200, "body": body, "containing": _WHICH["write"]}
        self._control.fail_next("status", **where)

    def remove_field(self) -> None:
        """Remove the definition, with all values."""
        self._control.remove_metafield_definition()

    def expire_token(self) -> None:
        """Let tokens of client credentials run out."""
        self._control.expire_tokens()

    def logins(self) -> int:
        """Count requests of a token."""
        return self._control.requests("POST", "access_token")

    def _registered_person(self) -> dict[str, Any]:
        return self._control.register(
            email=self.next_email(),
            firstName=person.FIRST_NAME,
            lastName=person.LAST_NAME,
            phone=f"+4930{person.PHONE[-7:]}{self.next_number():03}",
            addresses=[ADDRESS | {"company": person.COMPANY}],
        )

    def _record(self, external_id: str) -> dict[str, Any]:
        return self._control.customer_record(_gid(external_id))

    def _save(self, record: dict[str, Any]) -> None:
        with self._control._shop.lock:
            self._control._shop.save(record, ("shopper", "plant", {}))


class ShopifyInBulk(ShopifyShop):
    """The same, read at first by bulk operations, whatever the size."""

    lacks: ClassVar[Mapping[Ability, str]] = {
        **ShopifyShop.lacks,
        Ability.SINK: "it is set up and written to as `shopify`",
    }

    @property
    def table(self) -> dict[str, Any]:
        """Call every shop a large one."""
        return {**super().table, "bulk_above": 0}


ADDRESS: Final = {
    "firstName": person.FIRST_NAME,
    "lastName": person.LAST_NAME,
    "address1": person.STREET,
    "zip": person.POSTCODE,
    "city": person.CITY,
    "countryCode": person.COUNTRY,
    "phone": person.PHONE,
}


def _gid(text: str) -> str:
    return gid_of(text) or text


def _id(record: Mapping[str, Any]) -> str:
    return external_id(record["id"]) or ""


def _definition(owner: str, name: str) -> dict[tuple[str, str, str], dict[str, Any]]:
    namespace, _, key = name.partition(".")
    definition = {
        "__typename": "MetafieldDefinition",
        "id": f"gid://shopify/MetafieldDefinition/{len(owner)}",
        "name": name,
        "namespace": namespace,
        "key": key,
        "ownerType": owner,
        "type": {"name": "single_line_text_field", "category": "TEXT"},
        "capabilities": {"uniqueValues": {"eligible": True, "enabled": False}},
    }
    return {(owner, namespace, key): definition}
