"""The suite's Magento shop."""

from collections.abc import Mapping
from typing import Any, ClassVar, Final

import orjson

from services.sandbox.magento import SandboxMagento
from services.sandbox.magento.auth import (
    ACCESS_TOKEN,
    ACCESS_TOKEN_SECRET,
    ADMIN_PASSWORD,
    ADMIN_USER,
    CONSUMER_KEY,
    CONSUMER_SECRET,
)
from shared.connectors.registry import PLATFORMS, Platform
from tests.conformance import person
from tests.conformance.sandboxed import PLAIN, Sandboxed
from tests.conformance.shop import UNCONFIGURED, Ability, Trouble

NUMBER: Final = "erp_customer_number"
LOYALTY: Final = "loyalty_level"
_STORES: Final = {"de": (1, 1), "uk": (4, 2), UNCONFIGURED: (2, 1)}
_UNAUTHORIZED: Final = {"message": "The consumer isn't authorized to access %resources."}
_REFUSED: Final = {"message": 'The "%1" value is invalid.', "parameters": [person.EMAIL]}
_METHODS: Final = {"read": "GET", "write": "PUT"}
_STATUSES: Final = {
    Trouble.DENIED: (401, _UNAUTHORIZED),
    Trouble.FORBIDDEN: (403, _UNAUTHORIZED),
    Trouble.REFUSED: (400, _REFUSED),
}


class MagentoShop(Sandboxed):
    """Magento, signed or by an administrator's login."""

    lacks: ClassVar[Mapping[Ability, str]] = {
        Ability.BATCHES: "no call updates several customers and tells how each went",
    }
    platform: Platform = PLATFORMS["magento"]
    view = "de"
    other_view = "uk"
    views: ClassVar[Mapping[str, Mapping[str, Any]]] = {
        code: {"store_id": _STORES[code][0], "website_id": _STORES[code][1]}
        for code in ("de", "uk")
    }
    expiring_credentials: ClassVar[dict[str, Any]] = {
        "auth": {"kind": "admin", "username": ADMIN_USER, "password": ADMIN_PASSWORD}
    }
    wrong_credentials: ClassVar[dict[str, Any]] = {"auth": {"kind": "bearer", "token": "wrong"}}
    secrets = (CONSUMER_KEY, CONSUMER_SECRET, ACCESS_TOKEN, ACCESS_TOKEN_SECRET)
    text_field = "last_name"
    spoken = frozenset({"phone", "company_name", "tax_id", "birth_date", "addresses"})
    unspoken = frozenset({"language", "currency", "notes", "contacts", "companies"})
    unknown_id = "987654"
    additional_field = LOYALTY
    discoverable = frozenset(
        {
            ("store_view", "de"),
            ("store_view", "uk"),
            ("attribute", NUMBER),
            ("attribute", LOYALTY),
            ("group", "Wholesale"),
        }
    )

    def __init__(self) -> None:
        self._sandbox = SandboxMagento(customers=0)
        self._control = self._sandbox.control
        super().__init__(self._sandbox)

    @property
    def table(self) -> dict[str, Any]:
        """Sign requests and take small pages."""
        return {
            "base_url": self._sandbox.url,
            "auth": {
                "kind": "oauth1",
                "consumer_key": CONSUMER_KEY,
                "consumer_secret": CONSUMER_SECRET,
                "access_token": ACCESS_TOKEN,
                "access_token_secret": ACCESS_TOKEN_SECRET,
            },
            "page_size": 5,
            "timeouts": {"attempts": 1, "total_seconds": 10},
        }

    def register(self, count: int = 1, view: str | None = None) -> list[str]:
        """Give each an address that is both defaults."""
        store_id, website_id = _STORES[self.view if view is None else view]
        place = {"website_id": website_id, "store_id": store_id}
        return [
            str(self._control.register({**_customer(self.next_email()), **place})["id"])
            for _ in range(count)
        ]

    def register_blank(self) -> str:
        """Leave address, birth date and tax id out."""
        blank = {
            "email": self.next_email(),
            "firstname": "A",
            "lastname": "B",
            "store_id": 1,
            "website_id": 1,
        }
        return str(self._control.register(blank)["id"])

    def plant(self, text: str) -> str:
        """Go past the rules for names, that would not let it pass."""
        [external_id] = self.register()
        record = self._control.customer(int(external_id))
        for name in ("prefix", "firstname", "middlename", "lastname", "suffix", "taxvat"):
            record[name] = text
        address = record["addresses"][0]
        address |= dict.fromkeys(("company", "city", "postcode", "telephone", "vat_id"), text)
        address |= {"firstname": text, "lastname": text, "street": [text, text]}
        address["region"] = {"region_code": text, "region": text, "region_id": 0}
        record["custom_attributes"] = [{"attribute_code": LOYALTY, "value": text}]
        self._control._shop.amend(record, "plant", touches=True)
        return external_id

    def edit(self, external_id: str) -> None:
        """Give a new middle name."""
        self._control.edit_profile(int(external_id), middlename=self.next_word())

    def edit_address(self, external_id: str) -> None:
        """Move to a new street; the change time stays."""
        self._control.edit_address(int(external_id), street=[self.next_word()])

    def touch(self, external_id: str) -> None:
        """Fail to log in."""
        self._control.fail_login(int(external_id))

    def delete(self, external_id: str) -> None:
        """Do it in the back office."""
        self._control.delete_customer(int(external_id))

    def ids(self) -> set[str]:
        """Look for the German store."""
        rows = self._control._shop.table.rows.values()
        return {str(row.id) for row in rows if row.store_id == _STORES[self.view][0]}

    def number(self, external_id: str) -> str | None:
        """Look at the custom attribute."""
        return self._attribute(external_id, NUMBER)

    def set_number(self, external_id: str, number: str) -> None:
        """Do it in the back office."""
        attribute = {"attribute_code": NUMBER, "value": number}
        self._control.edit_profile(int(external_id), custom_attributes=[attribute])

    def value(self, external_id: str) -> str | None:
        """Look at another."""
        return self._attribute(external_id, LOYALTY)

    def refused_values(self) -> dict[str, str]:
        """Name a group that there is not."""
        return {"group_id": "Nobility"}

    def rest(self, external_id: str) -> Any:
        """Leave out the time of change and the number."""
        record = self._control.customer(int(external_id))
        entries = record.pop("custom_attributes", [])
        kept = [entry for entry in entries if entry["attribute_code"] != NUMBER]
        record.pop("updated_at")
        return {**record, "attributes": kept}

    def writes(self, external_id: str) -> int:
        """Count PUTs that were carried out."""
        return sum(write.origin == "api" for write in self._control.writes(int(external_id)))

    def upset(self, trouble: Trouble, *, on: str = "", skip: int = 0) -> float | None:
        """Order a fault for one request under `customers`."""
        where: dict[str, Any] = {"skip": skip}
        if on:
            where |= {"method": _METHODS[on], "path": "/customers/"}
        if trouble is Trouble.THROTTLED:
            self._control.fail_next("too_many_requests", retry_after="17", **where)
            return 17.0
        if trouble in _STATUSES:
            status, body = _STATUSES[trouble]
            text = orjson.dumps(body).decode()
            self._control.fail_next("status", status=status, body=text, **where)
        else:
            self._control.fail_next(PLAIN[trouble], **where)
        return None

    def expire_token(self) -> None:
        """Let five hours pass; tokens hold for four."""
        self._control.advance_clock(5 * 3600)

    def logins(self) -> int:
        """Count requests of the administrator's token."""
        return self._control.requests("POST", "integration/admin/token")

    def remove_field(self) -> None:
        """Remove the attribute, with all values."""
        self._control.remove_attribute(NUMBER)

    def drop_silently(self) -> None:
        """Do as the platform does with attributes that it does not know."""
        self._control.remove_attribute(NUMBER)

    def _attribute(self, external_id: str, code: str) -> str | None:
        return self._control.attribute_values(code).get(int(external_id))


def _customer(email: str) -> dict[str, Any]:
    address = {
        "firstname": person.FIRST_NAME,
        "lastname": person.LAST_NAME,
        "company": person.COMPANY,
        "street": [person.STREET],
        "city": person.CITY,
        "postcode": person.POSTCODE,
        "country_id": person.COUNTRY,
        "telephone": person.PHONE,
        "default_billing": True,
        "default_shipping": True,
    }
    return {
        "email": email,
        "firstname": person.FIRST_NAME,
        "lastname": person.LAST_NAME,
        "taxvat": person.TAX_ID,
        "addresses": [address],
    }
