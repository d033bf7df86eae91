"""What a test or a demo may do to the shop behind its API.

Customers, companies and locations are named by their global ids, seeded customers by their count
as well. Its promise: a shopper's deeds here move `updatedAt` exactly when the real shop would.
"""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from typing import Any

from services.sandbox.faults import Fault, FaultKind, FaultPlan
from services.sandbox.ledger import Write
from services.sandbox.shopify import addresses, companies, customers, locations, metafields
from services.sandbox.shopify.access import Gate
from services.sandbox.shopify.api import Api
from services.sandbox.shopify.bulk import Bulk
from services.sandbox.shopify.errors import Record
from services.sandbox.shopify.gids import customer_gid
from services.sandbox.shopify.postman import Postman
from services.sandbox.shopify.shop import ALL_SCOPES, KEY, NAMESPACE, Shop
from services.sandbox.shopify.webhooks import Delivery

SHOPPER = "shopper"
THROTTLED = (
    '{"errors":[{"message":"Throttled","extensions":{"code":"THROTTLED","documentation":'
    '"https://shopify.dev/api/usage/rate-limits"}}],"extensions":{"cost":{"requestedQueryCost":112,'
    '"actualQueryCost":null,"throttleStatus":{"maximumAvailable":2000.0,"currentlyAvailable":40.0,'
    '"restoreRate":100.0}}}}'
)
INTERNAL = (
    '{"errors":[{"message":"Internal error. Looks like something went wrong on our end.",'
    '"extensions":{"code":"INTERNAL_SERVER_ERROR","requestId":"00000000-0000-4000-8000-000000000000"'
    "}}]}"
)


class Control:
    """The hands of shoppers, of the shop's operator, and of fate."""

    def __init__(
        self,
        shop: Shop,
        gate: Gate,
        faults: FaultPlan,
        api: Api,
        bulk: Bulk,
    ) -> None:
        self._shop = shop
        self._gate = gate
        self._faults = faults
        self._api = api
        self.bulk = bulk
        self._postman = Postman(shop, gate)

    # ---- customers -----------------------------------------------------------

    def customer(self, customer: str | int) -> Record:
        """Return a customer as stored, without a trace in the books."""
        with self._shop.lock:
            return customer_view(self._customer(customer))

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
            known = self._customer(customer)
            after = customers.overlaid(self._shop, known, changes)
            return customer_view(self._shop.save(after, (SHOPPER, "update", changes)))

    def touch(self, customer: str | int) -> Record:
        """Move `updatedAt` without changing anything."""
        with self._shop.lock:
            return customer_view(self._shop.save(self._customer(customer), (SHOPPER, "touch", {})))

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
            self._shop.delete(self._customer(customer), SHOPPER)

    def merge(self, kept: str | int, gone: str | int) -> Record:
        """Make two customers one: the kept one gains what it lacked, the other's id is gone."""
        with self._shop.lock:
            one, other = self._customer(kept), self._customer(gone)
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
            known = self._customer(customer)
            orders = str(int(known["numberOfOrders"]) + 1)
            self._shop.save(
                known | {"numberOfOrders": orders}, (SHOPPER, "order", {}), touches=False
            )

    def customer_number(self, customer: str | int) -> str | None:
        """Return the ERP's number of a customer, from its metafield."""
        with self._shop.lock:
            found = self._customer(customer)["_metafields"].get((NAMESPACE, KEY))
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
            sent = {"metafields": [given | {"ownerId": self._customer(customer)["id"]}]}
            metafields.set_many(self._shop, sent, SHOPPER)

    # ---- companies -----------------------------------------------------------

    def register_company(
        self,
        name: str,
        *,
        contacts: tuple[str | int, ...] = (),
        locations_: tuple[Record, ...] = (),
        **company: Any,
    ) -> Record:
        """Found a company; fields as in `CompanyInput`, `CompanyLocationInput`; contacts exist."""
        with self._shop.lock:
            first = locations_[0] if locations_ else None
            wanted: Record = {"company": {"name": name} | company}
            if first:
                wanted["companyLocation"] = first
            founded = companies.create(self._shop, {"input": wanted}, SHOPPER)["company"]
            for each in locations_[1:]:
                given = {"companyId": founded["id"], "input": each}
                locations.create(self._shop, given, SHOPPER)
            for contact in contacts:
                founded = companies.add_contact(
                    self._shop, founded, self._customer(contact), {}, SHOPPER
                )
            return self.company(founded["id"])

    def company(self, company: str) -> Record:
        """Return a company as stored, with the ids of its locations and contacts."""
        with self._shop.lock:
            known = self._found("Company", company)
            contacts = self._shop.linked("CompanyContact", known)
            return _plain(known) | {
                "locations": [each["id"] for each in self._shop.linked("CompanyLocation", known)],
                "contacts": [each["id"] for each in contacts],
                "customers": [customer_gid(each["_customer"]) for each in contacts],
            }

    def edit_company(self, company: str, /, **changes: Any) -> Record:
        """Edit a company in the back office; `updatedAt` moves."""
        with self._shop.lock:
            companies.update(self._shop, {"companyId": company, "input": changes}, SHOPPER)
            return self.company(company)

    def company_number(self, company: str) -> str | None:
        """Return the ERP's number of a company, its external id."""
        found: str | None = self.company(company)["externalId"]
        return found

    def location(self, location: str) -> Record:
        """Return a location as stored."""
        with self._shop.lock:
            return _plain(self._found("CompanyLocation", location))

    def edit_location(self, location: str, /, **changes: Any) -> Record:
        """Edit a location; `shippingAddress`, `billingAddress`, `taxRegistrationId` as well."""
        with self._shop.lock:
            for name, kind in (("shippingAddress", "SHIPPING"), ("billingAddress", "BILLING")):
                if name in changes:
                    given = {"address": changes.pop(name), "addressTypes": [kind]}
                    locations.assign_address(self._shop, given | {"locationId": location}, SHOPPER)
            tax = {name: changes.pop(name) for name in ("taxRegistrationId", "taxExempt")
                   if name in changes}  # fmt: skip
            if tax:
                locations.update_tax(self._shop, tax | {"companyLocationId": location}, SHOPPER)
            if changes:
                given = {"companyLocationId": location, "input": changes}
                locations.update(self._shop, given, SHOPPER)
            return self.location(location)

    def location_number(self, location: str) -> str | None:
        """Return the ERP's number of a location, its external id."""
        found: str | None = self.location(location)["externalId"]
        return found

    # ---- the shop ------------------------------------------------------------

    def define_metafield(self) -> None:
        """Define `erp.customer_number` of type id, as the set-up of the connector does."""
        wanted = {"name": "ERP customer number", "namespace": NAMESPACE, "key": KEY,
                  "ownerType": "CUSTOMER", "type": "id"}  # fmt: skip
        with self._shop.lock:
            metafields.define(self._shop, {"definition": wanted})

    def remove_metafield_definition(self, *, with_values: bool = True) -> None:
        """Remove the definition of `erp.customer_number`, and the values or not."""
        with self._shop.lock:
            metafields.remove_definition(
                self._shop, "CUSTOMER", NAMESPACE, KEY, with_values=with_values
            )

    def set_quirks(self, **switches: Any) -> None:
        """Turn single switches of `Quirks`."""
        self._shop.quirks = replace(self._shop.quirks, **switches)

    def set_search_lag(self, seconds: int = 0) -> None:
        """Let search know of writes only `seconds` of the shop's clock later."""
        self._shop.indexing.seconds = seconds
        self._shop.indexing.is_held = False

    def hold_search(self) -> None:
        """Let search know of no further write until `release_search`."""
        self._shop.indexing.is_held = True

    def release_search(self) -> None:
        """Let search catch up, and keep up."""
        self.set_search_lag(0)

    def revoke_token(self) -> None:
        """Make every token invalid: 401."""
        self._gate.revoke()

    def restore_token(self) -> None:
        """Make the permanent token valid again."""
        self._gate.restore()

    def expire_tokens(self) -> None:
        """Let every token of client credentials expire now."""
        self._gate.expire()

    def set_client_secret(self, secret: str) -> None:
        """Rotate the app's client secret, which signs webhooks, too."""
        self._gate.client_secret = secret

    def remove_scopes(self, *scopes: str) -> None:
        """Take access scopes away; what needed them is ACCESS_DENIED."""
        self._shop.scopes = self._shop.scopes.difference(scopes)

    def restore_scopes(self) -> None:
        """Grant every scope again."""
        self._shop.scopes = ALL_SCOPES

    def make_unavailable(self, status: int | None) -> None:
        """Answer every request with 402, 403, 404 or 423; None opens the shop again."""
        self._api.unavailable = status

    def freeze_clock(self, at: datetime | None = None) -> None:
        """Stop the shop's clock, at `at` or where it stands."""
        self._shop.clock.freeze(at)

    def advance_clock(self, seconds: int) -> None:
        """Move the shop's clock."""
        self._shop.clock.advance(seconds)

    def run_clock(self) -> None:
        """Let a frozen clock go on."""
        self._shop.clock.run()

    def now(self) -> str:
        """Return the shop's time as it writes it."""
        return self._shop.now()

    # ---- fate ----------------------------------------------------------------

    def fail_next(self, kind: FaultKind | str, times: int = 1, **where: Any) -> None:
        """Make the next `times` requests go wrong; `where` as the fields of `Fault`."""
        self._faults.order(Fault(kind=FaultKind(kind), times=times, **where))

    def throttle_next(self, times: int = 1, **where: Any) -> None:
        """Answer the next `times` requests THROTTLED, with HTTP 200."""
        self.fail_next(FaultKind.STATUS, times, status=200, body=THROTTLED, **where)

    def break_next(self, times: int = 1, **where: Any) -> None:
        """Answer the next `times` requests INTERNAL_SERVER_ERROR, with HTTP 200."""
        self.fail_next(FaultKind.STATUS, times, status=200, body=INTERNAL, **where)

    def set_points(self, available: float) -> None:
        """Fill or drain the bucket."""
        self._api.bucket.set(available)

    def clear_faults(self) -> None:
        """Forget planned faults and let go of held connections."""
        self._faults.clear()

    def release(self) -> None:
        """Let go of held and slow connections."""
        self._faults.release()

    def faults_waiting(self) -> int:
        """Return how many faults have not struck yet."""
        return sum(fault.times for fault in self._faults.waiting())

    def wait_for_fault(self, times: int = 1, timeout_seconds: float = 10) -> bool:
        """Wait until faults have struck `times` since the start; say whether they did."""
        return self._faults.wait_until_struck(times, timeout_seconds)

    # ---- webhooks ------------------------------------------------------------

    def send_webhook(self, url: str, topic: str, subject: str | int, **said: Any) -> Delivery:
        """Post a signed event about `subject`; see `Postman.send`."""
        text = customer_gid(subject) if isinstance(subject, int) else subject
        return self._postman.send(url, topic, text, **said)

    def redeliver(self, url: str, delivery: Delivery) -> Delivery:
        """Post an event again: the same event id and payload, a new webhook id."""
        return self._postman.redeliver(url, delivery)

    def subscriptions(self) -> list[Record]:
        """Return the webhook subscriptions of the app."""
        rows = self._shop.tables["WebhookSubscription"].rows.values()
        return [_plain(row.record) for row in rows]

    # ---- the books -----------------------------------------------------------

    def stats(self) -> Record:
        """Return counts of requests, writes and THROTTLED answers."""
        return self._shop.ledger.stats() | {
            "customers": self.customer_count(),
            "companies": len(self._shop.companies),
            "throttled": self._api.throttled,
            "faults_struck": self._faults.struck,
        }

    def requests(self, route: str = "", status: int | None = None) -> int:
        """Count the requests that match; `route` is the operation's name."""
        return self._shop.ledger.requests("", route, status)

    def throttled(self) -> int:
        """Return how many queries found the bucket too empty."""
        return self._api.throttled

    def writes(self, subject: str | int) -> list[Write]:
        """Return every write to a customer, company or location, oldest first."""
        text = customer_gid(subject) if isinstance(subject, int) else subject
        return self._shop.ledger.writes(int(text.rpartition("/")[2]))

    def bugs(self) -> list[str]:
        """Return the tracebacks of the sandbox's own failures."""
        return list(self._shop.ledger.bugs)

    def reset_stats(self) -> None:
        """Forget the books."""
        self._shop.ledger.reset()
        self._api.throttled = 0

    def wait_until(self, holds: Callable[[], bool], timeout_seconds: float = 10) -> bool:
        """Wait until `holds`, looked at after each request and write; say whether it came true."""
        return self._shop.ledger.wait_until(holds, timeout_seconds)

    def _customer(self, customer: str | int) -> Record:
        text = customer_gid(customer) if isinstance(customer, int) else customer
        return self._found("Customer", text)

    def _found(self, kind: str, text: str) -> Record:
        found = self._shop.find(kind, text)
        if found is None:
            raise KeyError(f"there is no {kind} {text}")
        return found

    def _first_address(self, customer: str | int) -> str:
        book = self._customer(customer)["_addresses"]
        if not book:
            raise KeyError(f"customer {customer} has no address")
        text: str = book[0]["id"]
        return text

    def _in_book(self, deed: Callable[..., Record], customer: str | int, given: Record) -> Record:
        with self._shop.lock:
            text = self._customer(customer)["id"]
            deed(self._shop, given | {"customerId": text}, SHOPPER)
            return self.customer(text)


def customer_view(record: Record) -> Record:
    """Return a customer as tests read it: the record with its parts under plain names."""
    fields = record["_metafields"].items()
    return _plain(record) | {
        "addresses": [dict(each) for each in record["_addresses"]],
        "defaultAddressId": record["_default"],
        "metafields": {f"{namespace}.{key}": each["value"] for (namespace, key), each in fields},
        "marketingState": record["_consent"]["marketingState"],
    }


def _plain(record: Record) -> Record:
    return {name: value for name, value in record.items() if not name.startswith("_")}
