"""Locations of the B2B Edition's companies.

A location that is an address `k` of the store's address book has the id `3_000_000 + k`. Its
promise: of each kind of default a company has at most one.
"""

from typing import Any

from services.sandbox.bigcommerce import rules
from services.sandbox.bigcommerce.b2b_form import (
    B2BRefusal,
    demand,
    enveloped,
    few,
    page,
    whole,
    within,
)
from services.sandbox.bigcommerce.call import Call
from services.sandbox.bigcommerce.companies import FIRST_COMPANY, Companies
from services.sandbox.bigcommerce.shop import Shop

Record = dict[str, Any]

FIRST_LOCATION = 3_000_000
_LOCATION_FIELDS = (
    "firstName", "lastName", "phoneNumber", "zipCode", "addressLine1", "addressLine2", "city",
    "stateName", "countryName", "stateCode", "countryCode", "isBilling", "isShipping",
    "isDefaultBilling", "isDefaultShipping", "label", "externalId",
)  # fmt: skip


class Locations:
    """The routes of `/addresses`."""

    def __init__(self, shop: Shop, companies: Companies) -> None:
        self._shop = shop
        self._companies = companies
        self._books: dict[int, list[Record]] = {}
        self._company_of: dict[int, int] = {}

    def browse(self, call: Call) -> Any:
        """Answer one page."""
        company_id, wanted = whole(call, "companyId", 0), call.query.text("externalId[]")
        companies = (
            [company_id] if company_id else [c["companyId"] for c in self._companies.everything()]
        )
        found = [
            each
            for number in companies
            for each in self.book(number)
            if wanted in {"", each["externalId"]}
            and _is(call, "isBilling", each)
            and _is(call, "isShipping", each)
            and within(call, each["createdAt"], each["updatedAt"])
        ]
        return page(found, call, _shown)

    def get(self, call: Call) -> Any:
        """Answer one location."""
        return enveloped(_shown(self._known(call.number())))

    def create(self, call: Call) -> Any:
        """Add a location."""
        made = self._created(rules.read_body(call.request))
        return enveloped({"addressId": made["addressId"]})

    def create_bulk(self, call: Call) -> Any:
        """Add at most ten locations."""
        made = [self._created(item) for item in few(rules.read_body(call.request))]
        return enveloped([_shown(each) for each in made])

    def update(self, call: Call) -> Any:
        """Change a location; what is not given stays."""
        with self._shop.lock:
            location, given = self._known(call.number()), rules.read_body(call.request)
            self._write(location, given)
            self._shop.note(location["companyId"], "edit_address", given, origin="api")
        self._happened(location, "updated")
        return enveloped({"addressId": location["addressId"]})

    def delete(self, call: Call) -> Any:
        """Delete a location."""
        with self._shop.lock:
            location = self._known(call.number())
            self.book(location["companyId"]).remove(location)
        self._happened(location, "deleted")
        return enveloped({"addressId": location["addressId"]})

    def book(self, company_id: int) -> list[Record]:
        """Return a company's locations, made of its administrator's addresses at first."""
        with self._shop.lock:
            if company_id not in self._books:
                company = self._companies.known(company_id)
                self._books[company_id] = self._born(company)
            return self._books[company_id]

    def _known(self, number: int) -> Record:
        company_id = self._company_of.get(number)
        if company_id is None and (owner := self._shop.owner_of_address(number - FIRST_LOCATION)):
            company_id = FIRST_COMPANY + owner["id"]
        for each in self.book(company_id) if company_id else ():
            if each["addressId"] == number:
                return each
        raise B2BRefusal(404, "Address matching query does not exist.")

    def _born(self, company: Record) -> list[Record]:
        row = self._shop.row(company["customerId"])
        if row is None or company["companyId"] - FIRST_COMPANY > self._shop.seeded:
            return []
        addresses = self._shop.seeded_record(row.id)["addresses"]
        return [
            _location(FIRST_LOCATION + address["id"], company["companyId"], row.created_at)
            | {
                "firstName": address["first_name"], "lastName": address["last_name"],
                "phoneNumber": address["phone"], "zipCode": address["postal_code"],
                "addressLine1": address["address1"], "addressLine2": address["address2"],
                "city": address["city"], "stateName": address["state_or_province"],
                "countryName": address["country"], "countryCode": address["country_code"],
                "isDefaultBilling": place == 0, "isDefaultShipping": place == 0,
            }
            for place, address in enumerate(addresses)
        ]  # fmt: skip

    def _created(self, given: Record) -> Record:
        demand(
            given, "firstName", "lastName", "addressLine1", "city", "stateName", "countryName",
            "companyId",
        )  # fmt: skip
        with self._shop.lock:
            book = self.book(given["companyId"])
            number = FIRST_LOCATION + self._shop.next_id("address")
            location = _location(number, given["companyId"], self._shop.clock.now())
            book.append(location)
            self._company_of[number] = given["companyId"]
            self._write(location, given)
            self._shop.note(given["companyId"], "add_address", given, origin="api")
        self._happened(location, "created")
        return location

    def _write(self, location: Record, given: Record) -> None:
        fields = {name: given[name] for name in _LOCATION_FIELDS if given.get(name) is not None}
        for flag in ("isDefaultBilling", "isDefaultShipping"):
            if fields.get(flag):
                for other in self.book(location["companyId"]):
                    other[flag] = False
        location |= fields | {"updatedAt": self._shop.clock.now()}

    def _happened(self, location: Record, event: str) -> None:
        data = {"type": "company_address", "id": location["addressId"]}
        data["companyId"] = location["companyId"]
        self._shop.happened(f"store/company/address/{event}", data)


def _location(number: int, company_id: int, moment: int) -> Record:
    return {
        "addressId": number, "firstName": "", "lastName": "", "phoneNumber": "", "zipCode": "",
        "addressLine1": "", "addressLine2": "", "city": "", "stateName": "", "countryName": "",
        "stateCode": "", "countryCode": "", "companyId": company_id, "isBilling": True,
        "isShipping": True, "isDefaultBilling": False, "isDefaultShipping": False, "label": "",
        "externalId": "", "extraFields": [], "createdAt": moment, "updatedAt": moment,
    }  # fmt: skip


def _shown(location: Record) -> Record:
    return {name: each for name, each in location.items() if name not in {"createdAt", "updatedAt"}}


def _is(call: Call, flag: str, location: Record) -> bool:
    wanted = call.query.text(flag)
    return not wanted or location[flag] == (wanted.lower() in {"1", "true"})
