"""What a test or a demo may do to the shop behind its API.

The same methods serve Python tests and, through `control_routes`, `/_sandbox`. Its promise: a
shopper's deeds here move `updated_at` exactly when the real shop would.
"""

from dataclasses import replace
from typing import Any

from services.sandbox.fate import Fate
from services.sandbox.faults import FaultPlan
from services.sandbox.magento import saving
from services.sandbox.magento.auth import ADMIN_PASSWORD, ADMIN_USER, ALL_RIGHTS, Gate
from services.sandbox.magento.payload import read_customer
from services.sandbox.magento.shop import Shop

Record = dict[str, Any]


class Control(Fate):
    """The hands of shoppers, of the shop's operator, and of fate."""

    def __init__(self, shop: Shop, gate: Gate, faults: FaultPlan) -> None:
        super().__init__(shop.clock, shop.ledger, faults)
        self._shop = shop
        self._gate = gate

    def customer(self, customer_id: int) -> Record:
        """Return a customer as stored, without a trace in the books."""
        return self._shop.record(customer_id)

    def customer_count(self) -> int:
        """Return how many customers there are."""
        return len(self._shop.table.rows)

    def register(self, customer: Record, *, store_id: int | None = None) -> Record:
        """Let a shopper register; `customer` as in the API, with an address book or without."""
        return self._shop.create(
            read_customer({"customer": customer}), origin="shopper", store_id=store_id
        )

    def edit_profile(self, customer_id: int, /, **changes: Any) -> Record:
        """Let a shopper edit the account; `updated_at` moves."""
        given = read_customer({"customer": changes})
        return self._shop.update(customer_id, given, origin="shopper", is_admin=True)

    def edit_address(
        self, customer_id: int, address_id: int | None = None, /, **changes: Any
    ) -> Record:
        """Let a shopper edit an address; `updated_at` stays, unless a default moves.

        Without `address_id` it is the first of the address book.
        """
        with self._shop.lock:
            record = self._shop.record(customer_id)
            book = record["addresses"]
            wanted = address_id or (book[0]["id"] if book else 0)
            place = next((at for at, each in enumerate(book) if each["id"] == wanted), None)
            if place is None:
                raise KeyError(f"customer {customer_id} has no address {wanted}")
            book[place] = saving.overlay_address(book[place], _address(changes))
            return self._keep_book(record, wanted, changes, "edit_address")

    def add_address(self, customer_id: int, /, **address: Any) -> Record:
        """Let a shopper add an address; `updated_at` stays, unless it becomes a default."""
        with self._shop.lock:
            record = self._shop.record(customer_id)
            added = saving.overlay_address({}, _address(address))
            added |= {"id": self._shop.next_address_id(), "customer_id": customer_id}
            record["addresses"].append(added)
            return self._keep_book(record, added["id"], address, "add_address")

    def delete_address(self, address_id: int) -> None:
        """Let a shopper delete an address."""
        self._shop.delete_address(address_id, origin="shopper")

    def touch(self, customer_id: int) -> Record:
        """Move `updated_at` without changing anything."""
        return self._bump(customer_id, "touch")

    def fail_login(self, customer_id: int) -> Record:
        """Let a login fail: the row changes, so `updated_at` moves, and nothing else does."""
        return self._bump(customer_id, "fail_login")

    def reset_password(self, customer_id: int) -> Record:
        """Let a shopper reset the password: `updated_at` moves, nothing readable changes."""
        return self._bump(customer_id, "reset_password")

    def delete_customer(self, customer_id: int) -> None:
        """Delete a customer in the shop's back office."""
        self._shop.delete(customer_id, origin="shopper")

    def add_attribute(self, code: str, label: str = "") -> None:
        """Define a custom customer attribute."""
        with self._shop.lock:
            self._shop.attributes[code] = label or code

    def remove_attribute(self, code: str) -> None:
        """Remove a custom attribute, its values included."""
        self._shop.remove_attribute(code)

    def attribute_values(self, code: str) -> dict[int, str]:
        """Return what every customer that has a value has for a custom attribute."""
        return self._shop.attribute_values(code)

    def set_rights(self, kind: str, *rights: str) -> None:
        """Limit what `integration` or `admin` may do; without rights given, allow everything."""
        self._gate.rights[kind] = frozenset(rights) or ALL_RIGHTS

    def revoke_rights(self, kind: str, *rights: str) -> None:
        """Take single rights away from `integration` or `admin`."""
        self._gate.rights[kind] -= frozenset(rights)

    def reauthorize(self, access_token_secret: str) -> None:
        """Give the integration another token secret; the one before holds no more."""
        self._gate.access_token_secret = access_token_secret

    def admin_token(self) -> str:
        """Return a valid admin token."""
        return self._gate.issue_admin_token(ADMIN_USER, ADMIN_PASSWORD)

    def set_quirks(self, **switches: Any) -> None:
        """Turn single switches of `versions.Quirks`."""
        self._shop.quirks = replace(self._shop.quirks, **switches)

    def now(self) -> str:
        """Return the shop's time as it writes it."""
        return self._shop.clock.stamp()

    def stats(self) -> Record:
        """Return counts of requests, writes and welcome mails."""
        return super().stats() | {"customers": self.customer_count()}

    def _bump(self, customer_id: int, action: str) -> Record:
        with self._shop.lock:
            self._shop.amend(self._shop.record(customer_id), action, touches=True)
            return self._shop.record(customer_id)

    def _keep_book(self, record: Record, address_id: int, given: Record, action: str) -> Record:
        touches = False
        for flag in ("default_billing", "default_shipping"):
            if flag in given and given[flag] != (record.get(flag) == str(address_id)):
                record[flag] = str(address_id) if given[flag] else None
                touches = True
        self._shop.amend(record, action, touches=touches)
        return self._shop.record(record["id"])


def _address(changes: Record) -> Record:
    read: Record = read_customer({"customer": {"addresses": [changes]}})["addresses"][0]
    return read
