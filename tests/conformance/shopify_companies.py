"""The suite's Shopify shop: its companies."""

from collections.abc import Mapping
from typing import Any, ClassVar

from shared.connectors.shopify.ids import external_id, gid_of
from tests.conformance import person
from tests.conformance.shop import Ability
from tests.conformance.shopify import ADDRESS, FIRMS, PEOPLE, PRICES, ShopifyShop


class ShopifyCompanies(ShopifyShop):
    """Companies with a location and a contact each, the number in the external id."""

    lacks: ClassVar[Mapping[Ability, str]] = {
        **ShopifyShop.lacks,
        Ability.OTHER_VIEW: "its contacts are customers; the two lists are told apart as `shopify`",
        Ability.REMOVABLE_FIELD: "the external id is the platform's own",
        Ability.SILENT_DROP: "the answer to a write holds the company as it is stored",
    }
    view = FIRMS
    other_view = PEOPLE
    text_field = "company_name"
    spoken = frozenset({"notes", "customer_number", "contacts"})
    unspoken = frozenset({"first_name", "last_name", "email", "birth_date", "companies"})
    unknown_id = "company:98999999"
    discoverable = frozenset({("store_view", "companies"), ("metafield", PRICES)})

    def register(self, count: int = 1, view: str | None = None) -> list[str]:
        """Give each a location and a contact."""
        return [self._founded() for _ in range(count)]

    def register_blank(self) -> str:
        """Leave all but the name out."""
        founded = self._control.register_company(self.next_word())
        return external_id(founded["id"]) or ""

    def plant(self, text: str) -> str:
        """Go past the rules for lengths."""
        found = self._founded()
        self._save(self._record(found) | {"name": text, "note": text})
        location = self._location(found)
        names = ("firstName", "lastName", "address1", "address2", "city", "zip", "recipient")
        address = location["shippingAddress"] | dict.fromkeys((*names, "phone"), text)
        self._save(location | {"name": text, "phone": text, "shippingAddress": address})
        return found

    def edit(self, external_id: str) -> None:
        """Give a new name."""
        self._control.edit_company(self._gid(external_id), name=self.next_word())

    def edit_address(self, external_id: str) -> None:
        """Move a location; the company's time stays."""
        address = {**ADDRESS, "address1": self.next_word()}
        location = self._location(external_id)["id"]
        self._control.edit_location(location, shippingAddress=address)

    def touch(self, external_id: str) -> None:
        """Change nothing but the time."""
        record = self._record(external_id)
        self._control.edit_company(record["id"], name=record["name"])

    def delete(self, external_id: str) -> None:
        """Do it in the back office; whom it had stay customers."""
        shop, company = self._control._shop, self._record(external_id)
        with shop.lock:
            for contact in shop.linked("CompanyContact", company):
                shop._dismiss(contact)
            for location in shop.linked("CompanyLocation", company):
                shop.delete(location, "shopper")
            shop.delete(company, "shopper")

    def ids(self) -> set[str]:
        """List all companies."""
        rows = self._control._shop.companies.rows.values()
        return {external_id(row.record["id"]) or "" for row in rows}

    def number(self, external_id: str) -> str | None:
        """Look at the external id."""
        return self._control.company_number(self._gid(external_id))

    def set_number(self, external_id: str, number: str) -> None:
        """Do it in the back office."""
        self._control.edit_company(self._gid(external_id), externalId=number)

    def rest(self, external_id: str) -> Any:
        """Leave out the time of change and the number; look at locations as well."""
        record = self._control.company(self._gid(external_id))
        kept = {name: v for name, v in record.items() if name not in {"updatedAt", "externalId"}}
        return kept, [self._control.location(each) for each in record["locations"]]

    def refusal(self) -> dict[str, Any]:
        """Return how the shop refuses a write."""
        entry = {"field": ["input", "externalId"], "message": f"{person.EMAIL} is taken"}
        return {"data": {"companyUpdate": {"company": None, "userErrors": [entry]}}}

    def _gid(self, text: str) -> str:
        return gid_of(text) or text

    def _record(self, external_id: str) -> dict[str, Any]:
        return self._control.found("Company", self._gid(external_id))

    def _location(self, external_id: str) -> dict[str, Any]:
        company = self._control.company(self._gid(external_id))
        return self._control.found("CompanyLocation", company["locations"][0])

    def _founded(self) -> str:
        contact = self._registered_person()
        names = {"firstName", "lastName", "address1", "zip", "city", "countryCode", "phone"}
        address = {name: ADDRESS[name] for name in names}
        place = {"name": "Zentrale", "shippingAddress": address, "billingSameAsShipping": True}
        founded = self._control.register_company(
            f"{person.COMPANY} {self.next_word()}", contacts=(contact["id"],), locations_=(place,)
        )
        return external_id(founded["id"]) or ""
