"""Users of the B2B Edition's companies.

The user of customer `n` has the id `2_000_000 + n`. Its promise: the last user of a company stays.
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

FIRST_USER = 2_000_000
ADMIN, SENIOR_BUYER, JUNIOR_BUYER = range(3)
_USER_FIELDS = ("firstName", "lastName", "email", "phoneNumber", "role", "uuid", "companyRoleId")


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
            for each in self._people(company_id)
            if email in {"", each["email"].casefold()}
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
        if len(self._people(user["companyId"])) < 2:
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

    def _people(self, company_id: int) -> list[Record]:
        """Return the users of a company, or of all where it is 0."""
        first = company_id - FIRST_COMPANY
        with self._shop.lock:
            businesses = self._shop.businesses
            seeded = businesses if not company_id else businesses.keys() & {first}
            numbers = {FIRST_USER + each for each in seeded} | set(self._written)
            living = (each for each in numbers if self._shop.row(each - FIRST_USER))
            known = [self.known(number) for number in sorted(set(living) - self._deleted)]
        return [each for each in known if company_id in {0, each["companyId"]}]

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


def _user(customer_id: int, company_id: int, fields: Record, created: int, updated: int) -> Record:
    return {
        "id": FIRST_USER + customer_id, "firstName": "", "lastName": "", "email": "",
        "phoneNumber": "", "role": JUNIOR_BUYER, "companyRoleId": 1, "companyRoleName": "",
        "uuid": "", "extraFields": [], "companyId": company_id, "customerId": customer_id,
        "createdAt": created, "updatedAt": updated,
        "channelList": [{"channelId": 1, "channelName": "Storefront", "iconUrl": ""}],
    } | fields  # fmt: skip


def _check_role(given: Record) -> None:
    if given["role"] not in {ADMIN, SENIOR_BUYER, JUNIOR_BUYER}:
        raise B2BRefusal(422, {"role": [f'"{given["role"]}" is not a valid choice']})
