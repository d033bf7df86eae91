"""What a test or a demo may do to the store behind its API.

The same methods serve Python tests and, through `control_routes`, `/_sandbox`. Its promise: a
shopper's deeds here move `date_modified`, and make webhooks, exactly when the real store would.
"""

from typing import Any

from services.sandbox.bigcommerce import hooks, seeding
from services.sandbox.bigcommerce.b2b_form import B2BRefusal
from services.sandbox.bigcommerce.company_users import FIRST_USER
from services.sandbox.bigcommerce.office import Office

Record = dict[str, Any]


class Control(Office):
    """The hands of shoppers; those of the operator and of fate are its bases'."""

    def customer(self, customer_id: int) -> Record:
        """Return a customer with every sub-resource, without a trace in the books."""
        return self._shop.record(customer_id)

    def find(self, email: str) -> Record | None:
        """Return the customer of an e-mail."""
        with self._shop.lock:
            row = self._shop.table.named(email)
            return self._shop.table.record(row) if row else None

    def register(self, customer: Record) -> Record:
        """Let a shopper register; `customer` as in the API, with an address book or without."""
        return self._shop.create(customer, origin="shopper")

    def edit_profile(self, customer_id: int, /, **changes: Any) -> Record:
        """Let a shopper edit the account; `date_modified` moves."""
        return self._shop.update(customer_id, changes, origin="shopper")

    def touch(self, customer_id: int) -> Record:
        """Move `date_modified` without changing anything."""
        record = self._shop.record(customer_id)
        self._shop.amend(record, "touch", origin="shopper", touches=True)
        self._shop.happened("store/customer/updated", hooks.about_customer(customer_id))
        return self._shop.record(customer_id)

    def delete_customer(self, customer_id: int) -> None:
        """Delete a customer in the control panel; no list ever says so."""
        self._shop.delete(customer_id, origin="shopper")

    def merge_customers(self, kept_id: int, gone_id: int) -> Record:
        """Merge two accounts: addresses and a missing company move, the other one is deleted."""
        with self._shop.lock:
            kept, gone = self._shop.record(kept_id), self._shop.record(gone_id)
            moved = [each | {"customer_id": kept_id} for each in gone["addresses"]]
            kept["addresses"] += moved
            kept["company"] = kept["company"] or gone["company"]
            self._shop.delete(gone_id, origin="shopper")
            self._shop.amend(kept, "merge", origin="shopper", touches=True)
            self._shop.happened("store/customer/updated", hooks.about_customer(kept_id))
            return self._shop.record(kept_id)

    # Addresses

    def add_address(self, customer_id: int, /, **address: Any) -> Record | None:
        """Let a shopper add an address; `date_modified` stays. None where it was there already."""
        given = address | {"customer_id": customer_id}
        return self._api.addresses.add(given, 0, origin="shopper")

    def edit_address(
        self, customer_id: int, address_id: int | None = None, /, **changes: Any
    ) -> Record | None:
        """Let a shopper edit an address, the first without `address_id`; `date_modified` stays."""
        book = self._shop.record(customer_id)["addresses"]
        wanted = address_id or (book[0]["id"] if book else 0)
        if not any(each["id"] == wanted for each in book):
            raise KeyError(f"customer {customer_id} has no address {wanted}")
        return self._api.addresses.change(wanted, changes, 0, origin="shopper")

    def delete_address(self, address_id: int) -> None:
        """Let a shopper delete an address."""
        self._api.addresses.remove(address_id, origin="shopper")

    # Attributes, form fields, metafields

    def add_attribute(self, name: str, kind: str = "string") -> int:
        """Define a customer attribute and return its id."""
        return int(self._api.attributes.define(name, kind)["id"])

    def remove_attribute(self, name: str) -> None:
        """Remove a customer attribute, its values included."""
        if number := self.attribute_id(name):
            self._api.attributes.remove(number)

    def attribute_id(self, name: str) -> int | None:
        """Return the id of an attribute's definition."""
        known = list(self._shop.attributes.values())
        return next((each["id"] for each in known if each["name"] == name), None)

    def set_attribute(self, customer_id: int, name: str, value: str) -> None:
        """Write an attribute value in the control panel: unlike by API, a webhook tells."""
        number = self.attribute_id(name) or self.add_attribute(name)
        self._api.attributes.write(customer_id, number, value, origin="shopper")
        self._shop.happened("store/customer/updated", hooks.about_customer(customer_id))

    def attribute(self, customer_id: int, name: str = seeding.NUMBER_ATTRIBUTE) -> str | None:
        """Return a customer's attribute value."""
        number = self.attribute_id(name)
        values = self._shop.record(customer_id)["attributes"]
        return next((v["attribute_value"] for v in values if v["attribute_id"] == number), None)

    def attribute_values(self, name: str = seeding.NUMBER_ATTRIBUTE) -> dict[int, str]:
        """Return what every customer that has a value has for an attribute."""
        number, table = self.attribute_id(name), self._shop.table
        with self._shop.lock:
            records = [table.record(row) for row in table.rows.values() if row.encoded]
        return {
            record["id"]: value["attribute_value"]
            for record in records
            for value in record["attributes"]
            if value["attribute_id"] == number
        }

    def set_form_field(self, customer_id: int, name: str, value: Any) -> None:
        """Let a shopper fill in a field; `date_modified` stays, and no webhook tells."""
        self._api.fields.set(customer_id, name, value, origin="shopper")

    def form_field(self, customer_id: int, name: str) -> Any:
        """Return a customer's form field."""
        fields = self._shop.record(customer_id)["form_fields"]
        return next((each["value"] for each in fields if each["name"] == name), None)

    def metafield(self, customer_id: int, namespace: str, key: str) -> str | None:
        """Return a customer's metafield."""
        found = self._api.metafields.find(customer_id, namespace, key)
        return found["value"] if found else None

    def metafields(self, namespace: str, key: str) -> dict[int, str]:
        """Return what every customer that has it has for a metafield."""
        return {
            each["resource_id"]: each["value"]
            for each in self._api.metafields.everything()
            if (each["namespace"], each["key"]) == (namespace, key)
        }

    # Companies

    def company_of(self, customer_id: int) -> Record | None:
        """Return the company that a customer buys for."""
        try:
            user = self._b2b.users.known(FIRST_USER + customer_id)
            return self._b2b.companies.known(user["companyId"])
        except B2BRefusal:
            return None

    def company_ids(self) -> list[int]:
        """Return the ids of all companies."""
        return [each["companyId"] for each in self._b2b.companies.everything()]

    def company(self, company_id: int) -> Record:
        """Return a company; `extraFields` by name, times as numbers."""
        return self._b2b.companies.known(company_id)

    def company_extra_field(self, company_id: int, name: str = seeding.NUMBER_ATTRIBUTE) -> str:
        """Return a company's extra field, "" where it is not set."""
        fields: dict[str, str] = self.company(company_id)["extraFields"]
        return fields.get(name, "")

    def edit_company(self, company_id: int, /, **changes: Any) -> Record:
        """Edit a company in the control panel, with the API's names; `updatedAt` moves."""
        self._b2b.companies.change(company_id, changes, origin="shopper")
        return self.company(company_id)
