"""The suite's BigCommerce shop: its customers."""

from collections.abc import Mapping
from typing import Any, ClassVar, Final

import orjson

from services.sandbox.bigcommerce import SandboxBigCommerce
from services.sandbox.bigcommerce.gate import STORE_HASH, TOKEN
from shared.connectors.registry import PLATFORMS, Platform
from tests.conformance import person
from tests.conformance.sandboxed import PLAIN, Sandboxed
from tests.conformance.shop import UNCONFIGURED, Ability, Trouble

NUMBER: Final = "ERP Customer Number"
LOYALTY: Final = "Loyalty Level"
PLENTY: Final = 100_000
WAIT_SECONDS: Final = 17
_STOREFRONTS: Final = {"first": 1, "second": 2, UNCONFIGURED: 3}


def bigcommerce_table(sandbox: SandboxBigCommerce) -> dict[str, Any]:
    """Return the `connector` table of a sandbox."""
    return {
        "base_url": sandbox.url,
        "b2b_base_url": sandbox.url,
        "store_hash": STORE_HASH,
        "access_token": TOKEN,
        "number": {"kind": "attribute", "name": NUMBER},
        "company_number_field": NUMBER,
        "tax_id_field": "VAT ID",
        "page_size": 5,
        "b2b_requests_per_second": 1000,
        "timeouts": {"attempts": 1, "total_seconds": 10},
    }


class BigCommerceShop(Sandboxed):
    """BigCommerce: customers by storefront, the number in an attribute."""

    lacks: ClassVar[Mapping[Ability, str]] = {
        Ability.EXPIRING_TOKEN: "an access token holds until it is revoked",
    }
    platform: Platform = PLATFORMS["bigcommerce"]
    view = "first"
    other_view = "second"
    views: ClassVar[Mapping[str, Mapping[str, Any]]] = {
        code: {"channel_id": _STOREFRONTS[code]} for code in ("first", "second")
    }
    wrong_credentials: ClassVar[dict[str, Any]] = {"access_token": "wrong"}
    expiring_credentials: ClassVar[dict[str, Any]] = {}
    secrets = (TOKEN,)
    text_field = "last_name"
    spoken = frozenset({"phone", "company_name", "tax_id", "addresses", "group", "notes"})
    unspoken = frozenset({"language", "currency", "birth_date", "gender", "contacts"})
    unknown_id = "987654"
    additional_field = LOYALTY
    discoverable = frozenset(
        {
            ("store_view", "channel_id 1"),
            ("attribute", NUMBER),
            ("attribute", LOYALTY),
            ("form_field", "VAT ID"),
            ("group", "Wholesale"),
        }
    )
    paths: ClassVar[Mapping[str, Mapping[str, str]]] = {
        "read": {"method": "GET", "path": "/v3/customers"},
        "write": {"method": "PUT", "path": "/v3/customers"},
    }

    def __init__(self) -> None:
        self._sandbox = SandboxBigCommerce(customers=0, quota=PLENTY, b2b_quota=PLENTY)
        self._control = self._sandbox.control
        super().__init__(self._sandbox)

    @property
    def table(self) -> dict[str, Any]:
        """Take small pages."""
        return bigcommerce_table(self._sandbox)

    @property
    def elsewhere(self) -> dict[str, Any]:
        """Go one path too far, to both of the platform's hosts."""
        wrong = f"{self._sandbox.url}/elsewhere"
        return {"base_url": wrong, "b2b_base_url": wrong}

    def register(self, count: int = 1, view: str | None = None) -> list[str]:
        """Give each an address and a VAT id."""
        storefront = _STOREFRONTS[self.view if view is None else view]
        return [
            str(self._control.register(_customer(self.next_email(), storefront))["id"])
            for _ in range(count)
        ]

    def register_blank(self) -> str:
        """Leave company, telephone and addresses out."""
        blank = {"email": self.next_email(), "first_name": "A", "last_name": "B"}
        return str(self._control.register({**blank, "origin_channel_id": 1})["id"])

    def plant(self, text: str) -> str:
        """Go past the rules for lengths."""
        [external_id] = self.register()
        self._control.set_attribute(int(external_id), LOYALTY, "plain")
        record = self._control.customer(int(external_id))
        for name in ("first_name", "last_name", "company", "phone", "notes", "tax_exempt_category"):
            record[name] = text
        names = ("first_name", "last_name", "company", "address1", "address2", "city", "phone")
        record["addresses"][0] |= dict.fromkeys((*names, "state_or_province", "postal_code"), text)
        record["form_fields"] = [{"customer_id": record["id"], "name": "VAT ID", "value": text}]
        record["attributes"][0]["attribute_value"] = text
        self._control._shop.amend(record, "plant", origin="shopper", touches=True)
        return external_id

    def edit(self, external_id: str) -> None:
        """Give a new first name."""
        self._control.edit_profile(int(external_id), first_name=self.next_word())

    def edit_address(self, external_id: str) -> None:
        """Move to a new street; the change time stays."""
        self._control.edit_address(int(external_id), address1=self.next_word())

    def touch(self, external_id: str) -> None:
        """Change nothing but the time."""
        self._control.touch(int(external_id))

    def delete(self, external_id: str) -> None:
        """Do it in the control panel."""
        self._control.delete_customer(int(external_id))

    def ids(self) -> set[str]:
        """Look for the first storefront."""
        numbers = list(self._control._shop.table.rows)
        return {str(n) for n in numbers if self._control.customer(n)["origin_channel_id"] == 1}

    def number(self, external_id: str) -> str | None:
        """Look at the attribute."""
        return self._control.attribute(int(external_id), NUMBER)

    def set_number(self, external_id: str, number: str) -> None:
        """Do it in the control panel."""
        self._control.set_attribute(int(external_id), NUMBER, number)

    def value(self, external_id: str) -> str | None:
        """Look at another."""
        return self._control.attribute(int(external_id), LOYALTY)

    def refused_values(self) -> dict[str, str]:
        """Name a group that there is not."""
        return {"customer_group_id": "Nobility"}

    def rest(self, external_id: str) -> Any:
        """Leave out the time of change and the number."""
        record = self._control.customer(int(external_id))
        number = self._control.attribute_id(NUMBER)
        values = [each for each in record["attributes"] if each["attribute_id"] != number]
        kept = {name: value for name, value in record.items() if name != "date_modified"}
        return {**kept, "attributes": values}

    def writes(self, external_id: str) -> int:
        """Count what the API wrote and what made a difference."""
        return sum(write.origin == "api" for write in self._control.writes(int(external_id)))

    def upset(self, trouble: Trouble, *, on: str = "", skip: int = 0) -> float | None:
        """Order a fault for one request about customers."""
        where: dict[str, Any] = {**self.paths.get(on, {}), "skip": skip}
        if trouble is Trouble.THROTTLED:
            self._control.fail_next("too_many_requests", retry_after=str(WAIT_SECONDS), **where)
            return float(WAIT_SECONDS)
        if trouble in PLAIN:
            self._control.fail_next(PLAIN[trouble], **where)
            return None
        status, body = self.refusal(trouble)
        text = orjson.dumps(body).decode()
        self._control.fail_next("status", status=status, body=text, **where)
        return None

    def refusal(self, trouble: Trouble) -> tuple[int, dict[str, Any]]:
        """Return status and body of the platform's refusal."""
        if trouble is Trouble.REFUSED:
            problem = f"Error updating customers: email {person.EMAIL} already in use"
            return 422, {"status": 422, "title": "Refused.", "errors": {".customer": problem}}
        status = 401 if trouble is Trouble.DENIED else 403
        return status, {"status": status, "title": "You are not allowed to do this.", "errors": {}}

    def remove_field(self) -> None:
        """Remove the attribute, with all values."""
        self._control.remove_attribute(NUMBER)

    def drop_silently(self) -> None:
        """Answer as if all were well, once."""
        where: dict[str, Any] = {**self.paths["write"]}
        self._control.fail_next("status", status=200, body='{"data":[],"meta":{}}', **where)

    def expire_token(self) -> None:
        """Do nothing: there are no such tokens."""

    def logins(self) -> int:
        """Count none."""
        return 0


def _customer(email: str, storefront: int) -> dict[str, Any]:
    address = {
        "first_name": person.FIRST_NAME,
        "last_name": person.LAST_NAME,
        "company": person.COMPANY,
        "address1": person.STREET,
        "city": person.CITY,
        "state_or_province": "Berlin",
        "postal_code": person.POSTCODE,
        "country_code": person.COUNTRY,
        "phone": person.PHONE,
    }
    return {
        "email": email,
        "first_name": person.FIRST_NAME,
        "last_name": person.LAST_NAME,
        "origin_channel_id": storefront,
        "form_fields": [{"name": "VAT ID", "value": person.TAX_ID}],
        "addresses": [address],
    }
