"""What shoppers and the shop's staff do to customers, for `Control`.

Customers are named by their global ids, seeded ones by their count as well. Its promise:
`updatedAt` moves exactly when the real shop would move it.
"""

from collections.abc import Callable
from typing import Any

from services.sandbox.shopify import addresses, customers, metafields
from services.sandbox.shopify.errors import Record
from services.sandbox.shopify.gids import customer_gid
from services.sandbox.shopify.shop import KEY, NAMESPACE, Shop

SHOPPER = "shopper"


class Shopper:
    """The hands of those who have accounts."""

    def __init__(self, shop: Shop) -> None:
        self._shop = shop

    def customer(self, customer: str | int) -> Record:
        """Return a customer as stored, without a trace in the books."""
        with self._shop.lock:
            return customer_view(self.customer_record(customer))

    def customer_count(self) -> int:
        """Return how many customers there are."""
        return len(self._shop.customers)

    def register(self, **customer: Any) -> Record:
        """Let a shopper register; fields as in `CustomerInput`, `addresses` among them."""
        with self._shop.lock:
            return customer_view(customers.created(self._shop, customer, SHOPPER))

    def edit_customer(self, customer: str | int, /, **changes: Any) -> Record:
        """Let a shopper or the shop's staff edit the account; `updatedAt` moves."""
        with self._shop.lock:
            known = self.customer_record(customer)
            after = customers.overlaid(self._shop, known, changes)
            return customer_view(self._shop.save(after, (SHOPPER, "update", changes)))

    def touch(self, customer: str | int) -> Record:
        """Move `updatedAt` without changing anything."""
        with self._shop.lock:
            touched = self._shop.save(self.customer_record(customer), (SHOPPER, "touch", {}))
            return customer_view(touched)

    def add_address(self, customer: str | int, /, **address: Any) -> Record:
        """Let a shopper add an address; `updatedAt` stays where it was."""
        is_default = address.pop("setAsDefault", False)
        return self._in_book(
            addresses.create, customer, {"address": address, "setAsDefault": is_default}
        )

    def edit_address(
        self, customer: str | int, address_id: str | None = None, /, **changes: Any
    ) -> Record:
        """Let a shopper edit an address, the first unless told; `updatedAt` stays."""
        wanted = address_id or self._first_address(customer)
        return self._in_book(addresses.update, customer, {"addressId": wanted, "address": changes})

    def set_default_address(self, customer: str | int, address_id: str) -> Record:
        """Let a shopper choose another default address."""
        return self._in_book(addresses.set_default, customer, {"addressId": address_id})

    def delete_address(self, customer: str | int, address_id: str | None = None) -> Record:
        """Let a shopper delete an address, the first unless told."""
        wanted = address_id or self._first_address(customer)
        return self._in_book(addresses.delete, customer, {"addressId": wanted})

    def delete_customer(self, customer: str | int) -> None:
        """Delete a customer in the shop's back office."""
        with self._shop.lock:
            self._shop.delete(self.customer_record(customer), SHOPPER)

    def merge(self, kept: str | int, gone: str | int) -> Record:
        """Make two customers one: the kept one gains what it lacked, the other's id is gone."""
        with self._shop.lock:
            one, other = self.customer_record(kept), self.customer_record(gone)
            for contact in self._shop.linked("CompanyContact", other):
                moved = contact | {"_customer": one["_number"]}
                self._shop.contacts.put(contact["_number"], moved)
                self._shop.unlink("CompanyContact", contact["_number"], other)
                self._shop.link("CompanyContact", contact["_number"], "Customer", one["_number"])
            self._shop.delete(other, SHOPPER, "merge")
            fields = ("firstName", "lastName", "email", "phone", "note", "_default")
            after = one | {name: one[name] or other[name] for name in fields}
            after["_addresses"] = [*one["_addresses"], *other["_addresses"]]
            after["tags"] = customers.tidy_tags([*one["tags"], *other["tags"]])
            after["_metafields"] = other["_metafields"] | one["_metafields"]
            return customer_view(self._shop.save(after, (SHOPPER, "merge", {})))

    def place_order(self, customer: str | int) -> None:
        """Let a customer order: it cannot be deleted by the API any more."""
        with self._shop.lock:
            known = self.customer_record(customer)
            orders = str(int(known["numberOfOrders"]) + 1)
            self._shop.save(
                known | {"numberOfOrders": orders}, (SHOPPER, "order", {}), touches=False
            )

    def customer_number(self, customer: str | int) -> str | None:
        """Return the ERP's number of a customer, from its metafield."""
        with self._shop.lock:
            found = self.customer_record(customer)["_metafields"].get((NAMESPACE, KEY))
            return found["value"] if found else None

    def customer_numbers(self) -> dict[str, str]:
        """Return the ERP's number of every customer that has one, by global id."""
        with self._shop.lock:
            held = [(row.record["id"], row.record["_metafields"]) for row in
                    self._shop.customers.written()]  # fmt: skip
        name = (NAMESPACE, KEY)
        return {text: fields[name]["value"] for text, fields in held if name in fields}

    def set_customer_number(self, customer: str | int, number: str) -> None:
        """Write the metafield with the ERP's number, as the shop's staff would."""
        with self._shop.lock:
            given = {"namespace": NAMESPACE, "key": KEY, "type": "id", "value": number}
            sent = {"metafields": [given | {"ownerId": self.customer_record(customer)["id"]}]}
            metafields.set_many(self._shop, sent, SHOPPER)

    def customer_record(self, customer: str | int) -> Record:
        """Return a customer by its id or its count."""
        text = customer_gid(customer) if isinstance(customer, int) else customer
        return self.found("Customer", text)

    def found(self, kind: str, text: str) -> Record:
        """Return a record by its id. Raises KeyError where there is none."""
        found = self._shop.find(kind, text)
        if found is None:
            raise KeyError(f"there is no {kind} {text}")
        return found

    def _first_address(self, customer: str | int) -> str:
        book = self.customer_record(customer)["_addresses"]
        if not book:
            raise KeyError(f"customer {customer} has no address")
        text: str = book[0]["id"]
        return text

    def _in_book(self, deed: Callable[..., Record], customer: str | int, given: Record) -> Record:
        with self._shop.lock:
            text = self.customer_record(customer)["id"]
            deed(self._shop, given | {"customerId": text}, SHOPPER)
            return self.customer(text)


def customer_view(record: Record) -> Record:
    """Return a customer as tests read it: the record with its parts under plain names."""
    fields = record["_metafields"].items()
    return plain(record) | {
        "addresses": [dict(each) for each in record["_addresses"]],
        "defaultAddressId": record["_default"],
        "metafields": {f"{namespace}.{key}": each["value"] for (namespace, key), each in fields},
        "marketingState": record["_consent"]["marketingState"],
    }


def plain(record: Record) -> Record:
    """Return a record without what the API does not show."""
    return {name: value for name, value in record.items() if not name.startswith("_")}
