"""Users and locations of the B2B Edition's companies.

The user of customer `n` has the id `2_000_000 + n`; a location that is an address `k` of the
store's address book, `3_000_000 + k`. Its promise: the last user of a company stays, and of each
kind of default a company has at most one.
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

FIRST_USER, FIRST_LOCATION = 2_000_000, 3_000_000
ADMIN, SENIOR_BUYER, JUNIOR_BUYER = range(3)
_USER_FIELDS = ("firstName", "lastName", "email", "phoneNumber", "role", "uuid", "companyRoleId")
_LOCATION_FIELDS = (
    "firstName", "lastName", "phoneNumber", "zipCode", "addressLine1", "addressLine2", "city",
    "stateName", "countryName", "stateCode", "countryCode", "isBilling", "isShipping",
    "isDefaultBilling", "isDefaultShipping", "label", "externalId",
)  # fmt: skip


class Users:
    """The routes of `/users`."""

    def __init__(self, shop: Shop, companies: Companies) -> None:
        self._shop = shop
        self._companies = companies
        self._written: dict[int, Record] = {}
        self._deleted: set[int] = set()

    def browse(self, call: Call) -> Any:
        """Answer one page, the youngest change first."""
        company_id, email = whole(call, "companyId", 0), call.query.text("email").casefold()
        found = [
            each
            for each in self._everybody()
            if company_id in {0, each["companyId"]}
            and email in {"", each["email"].casefold()}
            and within(call, each["createdAt"], each["updatedAt"])
        ]
        found.sort(key=lambda each: (each["updatedAt"], each["id"]), reverse=True)
        return page(found, call, dict)

    def get(self, call: Call) -> Any:
        """Answer one user."""
        return enveloped(self.known(call.number()))

    def of_customer(self, call: Call) -> Any:
        """Answer the user that a customer is."""
        return enveloped(self.known(FIRST_USER + call.number()))

    def create(self, call: Call) -> Any:
        """Add a user to a company, who may be a customer already."""
        return enveloped(self._created(rules.read_body(call.request)))

    def create_bulk(self, call: Call) -> Any:
        """Add at most ten users."""
        return enveloped([self._created(item) for item in few(rules.read_body(call.request))])

    def update(self, call: Call) -> Any:
        """Change a user; what is not given stays."""
        user, given = self.known(call.number()), rules.read_body(call.request)
        user |= {name: given[name] for name in _USER_FIELDS if given.get(name) is not None}
        _check_role(user)
        user["updatedAt"] = self._shop.clock.now()
        self._written[user["id"]] = user
        self._shop.note(user["id"], "update", given, origin="api")
        self._happened(user, "updated")
        return enveloped(user)

    def delete(self, call: Call) -> Any:
        """Delete a user, unless the company has no other."""
        user = self.known(call.number())
        others = [each for each in self._everybody() if each["companyId"] == user["companyId"]]
        if len(others) < 2:
            problem = "The last user in company can not be deleted."
            raise B2BRefusal(422, problem, "Processing data contains logical errors")
        self._deleted.add(user["id"])
        self._happened(user, "deleted")
        return enveloped({"userId": user["id"]})

    def known(self, number: int) -> Record:
        """Return a copy of a user."""
        with self._shop.lock:
            customer_id = number - FIRST_USER
            is_there = number in self._written or customer_id in self._shop.businesses
            if number in self._deleted or not is_there or self._shop.row(customer_id) is None:
                raise B2BRefusal(404, "User matching query does not exist.")
            return dict(self._written.get(number) or self._born(customer_id))

    def _everybody(self) -> list[Record]:
        with self._shop.lock:
            numbers = {FIRST_USER + each for each in self._shop.businesses} | set(self._written)
            living = (each for each in numbers if self._shop.row(each - FIRST_USER))
            return [self.known(number) for number in sorted(set(living) - self._deleted)]

    def _born(self, customer_id: int) -> Record:
        customer = self._shop.record(customer_id)
        created_at, updated_at = self._shop.businesses[customer_id]
        user = {
            "firstName": customer["first_name"], "lastName": customer["last_name"],
            "email": customer["email"], "phoneNumber": customer["phone"], "role": ADMIN,
        }  # fmt: skip
        return _user(customer_id, FIRST_COMPANY + customer_id, user, created_at, updated_at)

    def _created(self, given: Record) -> Record:
        demand(given, "firstName", "lastName", "email", "companyId", "role", "channelIds")
        _check_role(given)
        with self._shop.lock:
            company_id = self._companies.known(given["companyId"])["companyId"]
            row = self._shop.table.named(given["email"])
            customer_id = row.id if row else self._new_customer(given)
            number = FIRST_USER + customer_id
            if number in self._written or customer_id in self._shop.businesses:
                raise B2BRefusal(422, {"email": ["This email belongs to a user already."]})
            now = self._shop.clock.now()
            fields = {name: given[name] for name in _USER_FIELDS if given.get(name) is not None}
            self._written[number] = _user(customer_id, company_id, fields, now, now)
            self._shop.note(number, "create", given, origin="api")
            self._happened(self._written[number], "created")
        return {"userId": number, "bcId": customer_id}

    def _new_customer(self, given: Record) -> int:
        names = {"email": "email", "first_name": "firstName", "last_name": "lastName"}
        made = self._shop.create({ours: given[b2b] for ours, b2b in names.items()}, origin="api")
        return int(made["id"])

    def _happened(self, user: Record, event: str) -> None:
        data = {"type": "company_user", "id": user["id"], "companyId": user["companyId"]}
        self._shop.happened(f"store/company/user/{event}", data)


class Locations:
    """The routes of `/addresses`."""

    def __init__(self, shop: Shop, companies: Companies) -> None:
        self._shop = shop
        self._companies = companies
        self._books: dict[int, list[Record]] = {}

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
        owner = self._shop.owner_of_address(number - FIRST_LOCATION)
        companies = set(self._books) | ({FIRST_COMPANY + owner["id"]} if owner else set())
        for company_id in companies:
            for each in self.book(company_id):
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


def _user(customer_id: int, company_id: int, fields: Record, created: int, updated: int) -> Record:
    return {
        "id": FIRST_USER + customer_id, "firstName": "", "lastName": "", "email": "",
        "phoneNumber": "", "role": JUNIOR_BUYER, "companyRoleId": 1, "companyRoleName": "",
        "uuid": "", "extraFields": [], "companyId": company_id, "customerId": customer_id,
        "createdAt": created, "updatedAt": updated,
        "channelList": [{"channelId": 1, "channelName": "Storefront", "iconUrl": ""}],
    } | fields  # fmt: skip


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


def _check_role(given: Record) -> None:
    if given["role"] not in {ADMIN, SENIOR_BUYER, JUNIOR_BUYER}:
        raise B2BRefusal(422, {"role": [f'"{given["role"]}" is not a valid choice']})
