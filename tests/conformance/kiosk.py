"""The suite's Kiosk shop, with the connector that docs/add-a-connector.md builds."""

import sys
from collections.abc import Mapping
from functools import cache
from types import ModuleType
from typing import Any, ClassVar, Final, cast

import orjson

from shared.connectors.registry import Platform
from tests.conformance import person
from tests.conformance.kiosk_shop import KEY, SandboxKiosk
from tests.conformance.sandboxed import PLAIN, Sandboxed
from tests.conformance.shop import UNCONFIGURED, Ability, Trouble
from tests.docs.pages import DOCS, blocks

PAGE: Final = DOCS / "add-a-connector.md"
PACKAGE: Final = "shared.connectors.kiosk"
_BRANCHES: Final = {"main": 1, "station": 2, UNCONFIGURED: 3}
_METHODS: Final = {"read": "GET", "write": "PATCH"}
_STATUSES: Final = {
    Trouble.DENIED: (401, {"error": "wrong_key"}),
    Trouble.FORBIDDEN: (403, {"error": "not_allowed"}),
    Trouble.REFUSED: (422, {"error": "invalid_value", "detail": person.EMAIL}),
}


@cache
def built() -> Mapping[str, ModuleType]:
    """Return the modules of the page, by their names, executed in the order that they stand in."""
    modules = {"": _module(PACKAGE)}
    for block in blocks(PAGE, "python"):
        name = block.info.removeprefix("python ").removesuffix(".py")
        module = modules[name] = _module(f"{PACKAGE}.{name}")
        exec(compile(block.text, f"{PAGE.name}: {name}.py", "exec"), vars(module))  # noqa: S102
    return modules


def platform() -> Platform:
    """Return what the page's line in the registry makes of it."""
    return Platform(built()["settings"].KioskSettings, built()["connect"].connect)


class KioskShop(Sandboxed):
    """Kiosk: one key, one address for each customer, branches for store views."""

    lacks: ClassVar[Mapping[Ability, str]] = {
        Ability.BATCHES: "a call is about one customer",
        Ability.EXPIRING_TOKEN: "an API key holds until it is revoked",
    }
    view = "main"
    other_view = "station"
    views: ClassVar[Mapping[str, Mapping[str, Any]]] = {
        code: {"branch": _BRANCHES[code]} for code in ("main", "station")
    }
    wrong_credentials: ClassVar[dict[str, Any]] = {"api_key": "wrong"}
    expiring_credentials: ClassVar[dict[str, Any]] = {}
    secrets = (KEY,)
    text_field = "last_name"
    spoken = frozenset({"phone", "first_name", "addresses", "customer_number"})
    unspoken = frozenset({"language", "currency", "tax_id", "birth_date", "notes"})
    unknown_id = "987654"
    additional_field = "tier"
    discoverable = frozenset(
        {("store_view", "main"), ("attribute", "number"), ("attribute", "tier")}
    )

    def __init__(self) -> None:
        self._shop = SandboxKiosk()
        super().__init__(self._shop)

    @property
    def platform(self) -> Platform:
        """Build it of the page."""
        return platform()

    @property
    def table(self) -> dict[str, Any]:
        """Take small pages."""
        timeouts = {"attempts": 1, "total_seconds": 10}
        return {"base_url": self._shop.url, "api_key": KEY, "page_size": 5, "timeouts": timeouts}

    def register(self, count: int = 1, view: str | None = None) -> list[str]:
        """Give each an address."""
        branch = _BRANCHES[self.view if view is None else view]
        address = {"street": person.STREET, "zip": person.POSTCODE, "city": person.CITY}
        address["country"] = person.COUNTRY
        name = {"first": person.FIRST_NAME, "last": person.LAST_NAME}
        known = {"branch": branch, "name": name, "phone": person.PHONE, "address": address}
        return [self._saved({**known, "email": self.next_email()}) for _ in range(count)]

    def register_blank(self) -> str:
        """Leave all but the surname out."""
        name = {"first": None, "last": "B"}
        blank = {"branch": 1, "name": name, "phone": None, "address": None, "email": None}
        return self._saved(blank)

    def plant(self, text: str) -> str:
        """Kiosk has no rules."""
        address = dict.fromkeys(("street", "zip", "city", "country"), text)
        name = {"first": text, "last": text}
        said = dict.fromkeys(("email", "phone", "tier"), text)
        return self._saved({"branch": 1, "name": name, "address": address, **said})

    def edit(self, external_id: str) -> None:
        """Give a new first name."""
        record = self._record(external_id)
        self._shop.save(record | {"name": {**record["name"], "first": self.next_word()}})

    def edit_address(self, external_id: str) -> None:
        """Move to a new street."""
        record = self._record(external_id)
        self._shop.save(record | {"address": {**record["address"], "street": self.next_word()}})

    def touch(self, external_id: str) -> None:
        """Change nothing but the time."""
        self._shop.save(self._record(external_id))

    def delete(self, external_id: str) -> None:
        """Forget one."""
        del self._shop.customers[int(external_id)]

    def ids(self) -> set[str]:
        """Look for the main branch."""
        return {str(n) for n, each in self._shop.customers.items() if each["branch"] == 1}

    def number(self, external_id: str) -> str | None:
        """Look at the field."""
        return cast("str | None", self._record(external_id).get("number"))

    def set_number(self, external_id: str, number: str) -> None:
        """Write into the field."""
        self._shop.save(self._record(external_id) | {"number": number})

    def value(self, external_id: str) -> str | None:
        """Look at another."""
        return cast("str | None", self._record(external_id).get("tier"))

    def refused_values(self) -> dict[str, str]:
        """Name a tier that there is not."""
        return {"tier": "nobility"}

    def rest(self, external_id: str) -> Any:
        """Leave out the time of change and the number."""
        record = self._record(external_id)
        return {name: v for name, v in record.items() if name not in {"changed_at", "number"}}

    def writes(self, external_id: str) -> int:
        """Count what the API wrote."""
        return sum(write.origin == "api" for write in self._shop.ledger.writes(int(external_id)))

    def upset(self, trouble: Trouble, *, on: str = "", skip: int = 0) -> float | None:
        """Order a fault for one request about customers."""
        where: dict[str, Any] = {"skip": skip, "path": "/api/"}
        if on:
            where |= {"method": _METHODS[on], "path": "/customers"}
        if trouble is Trouble.THROTTLED:
            self._shop.control.fail_next("too_many_requests", retry_after="17", **where)
            return 17.0
        if trouble in PLAIN:
            self._shop.control.fail_next(PLAIN[trouble], **where)
            return None
        status, body = _STATUSES[trouble]
        text = orjson.dumps(body).decode()
        self._shop.control.fail_next("status", status=status, body=text, **where)
        return None

    def expire_token(self) -> None:
        """Do nothing: there are no such keys."""

    def logins(self) -> int:
        """Count none."""
        return 0

    def remove_field(self) -> None:
        """Take the field away, with all values."""
        del self._shop.fields["number"]

    def drop_silently(self) -> None:
        """Do the same: Kiosk passes over what it does not know."""
        self.remove_field()

    def _record(self, external_id: str) -> dict[str, Any]:
        return dict(self._shop.customers[int(external_id)])

    def _saved(self, record: dict[str, Any]) -> str:
        return str(self._shop.save(record)["id"])


def _module(name: str) -> ModuleType:
    module = sys.modules[name] = ModuleType(name)
    vars(module)["__path__"] = []
    return module
