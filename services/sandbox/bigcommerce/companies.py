"""Companies of the B2B Edition: who buys for whom, and under which name.

Every business customer of the store is seeded as the administrator of a company: the company of
customer `n` has the id `1_000_000 + n`. Its promise: what is written here never changes the
customer behind it, only the company.
"""

import re
from collections.abc import Iterable
from typing import Any

from services.sandbox.bigcommerce import rules
from services.sandbox.bigcommerce.b2b_form import (
    B2BRefusal,
    demand,
    enveloped,
    few,
    page,
)
from services.sandbox.bigcommerce.call import Call
from services.sandbox.bigcommerce.company_view import definition, matches, shown
from services.sandbox.bigcommerce.seeding import NUMBER_ATTRIBUTE
from services.sandbox.bigcommerce.shop import Shop

Record = dict[str, Any]

FIRST_COMPANY = 1_000_000
PENDING, APPROVED, REJECTED, INACTIVE = range(4)
EXTRA_FIELDS = (NUMBER_ATTRIBUTE, "Region")
_REQUIRED = (
    "companyName", "companyPhone", "companyEmail", "country", "adminFirstName", "adminLastName",
    "adminEmail",
)  # fmt: skip
_WRITABLE = (
    "companyName", "companyEmail", "companyPhone", "addressLine1", "addressLine2", "city", "state",
    "country", "zipCode", "uuid",
)  # fmt: skip
_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


class Companies:
    """The routes of `/companies`."""

    def __init__(self, shop: Shop) -> None:
        self._shop = shop
        self.extra_fields = list(EXTRA_FIELDS)
        self._written: dict[int, Record] = {}
        self._deleted: set[int] = set()

    def browse(self, call: Call) -> Any:
        """Answer one page, the last changed first unless asked otherwise."""
        found = [each for each in self.everything() if matches(call, each)]
        key = "companyName" if call.query.text("sortBy") == "companyName" else "updatedAt"
        is_falling = call.query.text("orderBy").upper() != "ASC"
        found.sort(key=lambda each: (each[key], each["companyId"]), reverse=is_falling)
        with_extra = call.query.text("isIncludeExtraFields") == "1"
        return page(found, call, lambda each: self._shown(each, with_extra=with_extra))

    def get(self, call: Call) -> Any:
        """Answer one company; the group's id is text here and a number in lists."""
        company = self._shown(self.known(call.number()), with_extra=True)
        return enveloped(company | {"bcGroupId": str(company["bcGroupId"])})

    def create(self, call: Call) -> Any:
        """Create a company and its administrator, who may be a customer already."""
        made = self._created(rules.read_body(call.request))
        self._happened(made["companyId"], "created")
        return enveloped(made)

    def create_bulk(self, call: Call) -> Any:
        """Create at most ten companies; no webhook tells of it."""
        made = [self._created(item) for item in few(rules.read_body(call.request))]
        return enveloped({"id": "bulk"}) | {"meta": [{"companyId": m["companyId"]} for m in made]}

    def update(self, call: Call) -> Any:
        """Change a company; what is not given stays."""
        return enveloped(self.change(call.number(), rules.read_body(call.request), origin="api"))

    def update_bulk(self, call: Call) -> Any:
        """Change at most ten companies."""
        items = few(rules.read_body(call.request))
        for item in items:
            demand(item, "companyId")
            self.known(int(item["companyId"]))
        done = [self.change(int(item["companyId"]), item, origin="api") for item in items]
        return enveloped(done[-1] if done else {})

    def set_status(self, call: Call) -> Any:
        """Approve, reject or deactivate a company."""
        company = self.known(call.number())
        status = int(rules.read_body(call.request).get("companyStatus", -1))
        if status not in range(4):
            raise B2BRefusal(422, {"companyStatus": ["is not a valid choice"]})
        company["companyStatus"] = status
        self._keep(company, "set_status", {"companyStatus": status}, origin="api")
        self._happened(company["companyId"], "statusUpdated")
        return enveloped({})

    def delete(self, call: Call) -> Any:
        """Delete a company; its people stay customers."""
        self.known(call.number())
        self._deleted.add(call.number())
        self._happened(call.number(), "deleted")
        return enveloped({})

    def browse_extra_fields(self, call: Call) -> Any:
        """Answer the definitions of extra fields."""
        numbered = list(enumerate(self.extra_fields, start=1))
        return page(numbered, call, lambda each: definition(*each))

    def known(self, number: int) -> Record:
        """Return a copy of a company, its own keys included."""
        company = self._stored(number)
        return company | {"extraFields": dict(company["extraFields"])}

    def everything(self) -> list[Record]:
        """Return every company, for reading only."""
        with self._shop.lock:
            numbers = {FIRST_COMPANY + each for each in self._shop.businesses} | set(self._written)
            return [self._stored(number) for number in sorted(numbers - self._deleted)]

    def change(self, number: int, given: Record, *, origin: str) -> Record:
        """Change a company and return its id, as answers to a PUT do."""
        with self._shop.lock:
            company = self.known(number)
            fields = {name: given[name] for name in _WRITABLE if given.get(name) is not None}
            self._check(fields)
            if "customerGroupId" in given:
                company["bcGroupId"] = given["customerGroupId"]
            company |= fields
            company["extraFields"] |= self._extra(given.get("extraFields", ()))
            self._keep(company, "update", given, origin=origin)
            self._happened(number, "updated")
            return {"companyId": number}

    def _stored(self, number: int) -> Record:
        with self._shop.lock:
            customer_id = number - FIRST_COMPANY
            if number not in self._written and customer_id in self._shop.businesses:
                self._written[number] = self._born(customer_id)
            if number in self._deleted or number not in self._written:
                raise B2BRefusal(404, "Company matching query does not exist.")
            return self._written[number]

    def _check(self, fields: Record) -> None:
        uuid = fields.get("uuid")
        if uuid and not self._shop.quirks.company_uuid_is_free_text and not _UUID.fullmatch(uuid):
            raise B2BRefusal(422, {"uuid": ["Must be a valid UUID."]})
        for name in ("companyName", "companyEmail"):
            if fields.get(name) == "":
                raise B2BRefusal(422, {name: ["This field may not be blank."]})

    def _extra(self, given: "Iterable[Record]") -> dict[str, str]:
        values = {each["fieldName"]: each["fieldValue"] for each in given}
        if strange := sorted(set(values) - set(self.extra_fields)):
            raise B2BRefusal(422, f"Extra field {strange[0]} does not exist.")
        return values

    def _created(self, given: Record) -> Record:
        demand(given, *_REQUIRED)
        with self._shop.lock:
            fields = {name: given[name] for name in _WRITABLE if given.get(name) is not None}
            self._check(fields)
            extra = self._extra(given.get("extraFields", ()))
            customer_id = self._administrator(given)
            now = self._shop.clock.now()
            number = FIRST_COMPANY + customer_id
            if number in self._written or customer_id in self._shop.businesses:
                raise B2BRefusal(422, {"adminEmail": ["This email already has a company."]})
            self._deleted.discard(number)
            self._written[number] = {
                "companyId": number, "customerId": customer_id, "bcGroupId": 0,
                "companyStatus": APPROVED, "addressLine1": "", "addressLine2": "", "city": "",
                "state": "", "zipCode": "", "uuid": "", "createdAt": now, "updatedAt": now,
            } | fields | {"extraFields": extra}  # fmt: skip
            self._shop.businesses[customer_id] = now, now
            self._shop.note(number, "create", given, origin="api")
        return {"companyId": number, "customerId": customer_id, "customerGroupId": 0}

    def _administrator(self, given: Record) -> int:
        """Return the customer with the administrator's e-mail, made where there is none."""
        if row := self._shop.table.named(given["adminEmail"]):
            return row.id
        made = self._shop.create(
            {
                "email": given["adminEmail"],
                "first_name": given["adminFirstName"],
                "last_name": given["adminLastName"],
                "company": given["companyName"],
                "phone": given.get("adminPhoneNumber", ""),
            },
            origin="api",
        )
        return int(made["id"])

    def _keep(self, company: Record, action: str, given: Record, *, origin: str) -> None:
        company["updatedAt"] = self._shop.clock.now()
        self._written[company["companyId"]] = company
        self._shop.note(company["companyId"], action, given, origin=origin)

    def _born(self, customer_id: int) -> Record:
        """Make the company of a customer as it was seeded."""
        created_at, updated_at = self._shop.businesses[customer_id]
        customer = self._shop.seeded_record(customer_id)
        address = (customer["addresses"] or [{}])[0]
        return {
            "companyId": FIRST_COMPANY + customer_id,
            "customerId": customer_id,
            "companyName": customer["company"],
            "companyEmail": customer["email"],
            "companyPhone": customer["phone"],
            "addressLine1": address.get("address1", "")[:200],
            "addressLine2": address.get("address2", ""),
            "city": address.get("city", ""),
            "state": address.get("state_or_province", ""),
            "country": address.get("country", ""),
            "zipCode": address.get("postal_code", ""),
            "bcGroupId": customer["customer_group_id"],
            "companyStatus": PENDING if customer_id % 20 == 0 else APPROVED,
            "uuid": "",
            "extraFields": {},
            "createdAt": created_at,
            "updatedAt": updated_at,
        }

    def _shown(self, company: Record, *, with_extra: bool) -> Record:
        group = self._shop.groups.get(company["bcGroupId"], {"name": ""})
        names = self.extra_fields if with_extra else None
        return shown(company, group["name"], names)

    def _happened(self, number: int, event: str) -> None:
        self._shop.happened(f"store/company/{event}", {"type": "company", "id": number})
