"""The mutations about companies and the people who buy for them.

Its promise: a customer is a contact of one company, unless a switch allows more; an external id
belongs to one company.
"""

from collections.abc import Mapping
from typing import Any

from services.sandbox.shopify import locations
from services.sandbox.shopify.customers import created
from services.sandbox.shopify.errors import Problems, Record, problem, refused
from services.sandbox.shopify.gids import count_of, gid
from services.sandbox.shopify.shop import Shop, email_key, roles_of

NOT_FOUND = "RESOURCE_NOT_FOUND"
MOST_BUYERS = 50


def create(shop: Shop, given: Mapping[str, Any], origin: str = "api") -> Record:
    """Carry out `companyCreate`: the company, a first location, and its contact's customer."""
    wanted = given["input"]
    contact = wanted.get("companyContact")
    company = _overlaid(shop, _blank(shop), wanted["company"], ["input", "company"])
    if contact:
        _check_contact(shop, contact, "input.companyContact")
    first = locations.overlaid_new(
        shop,
        company,
        {"name": company["name"]} | (wanted.get("companyLocation") or {}),
        ["input", "companyLocation"],
    )
    customer = _customer_for(shop, contact, origin) if contact else None
    company = shop.save(company, (origin, "create", dict(wanted["company"])))
    first = shop.save(first, (origin, "create", dict(wanted.get("companyLocation") or {})))
    shop.link("CompanyLocation", first["_number"], "Company", company["_number"])
    if contact and customer:
        company = add_contact(shop, company, customer, contact, origin)
    return {"company": company, "userErrors": []}


def update(shop: Shop, given: Mapping[str, Any], origin: str = "api") -> Record:
    """Carry out `companyUpdate`."""
    company = company_of(shop, given["companyId"])
    after = _overlaid(shop, company, given["input"], ["input"])
    return {
        "company": shop.save(after, (origin, "update", dict(given["input"]))),
        "userErrors": [],
    }


def create_contact(shop: Shop, given: Mapping[str, Any], origin: str = "api") -> Record:
    """Carry out `companyContactCreate`, which creates a customer, too."""
    company = company_of(shop, given["companyId"])
    _check_contact(shop, given["input"], "input")
    customer = _customer_for(shop, given["input"], origin)
    add_contact(shop, company, customer, given["input"], origin)
    return {"companyContact": shop.linked("CompanyContact", customer)[-1], "userErrors": []}


def assign_customer(shop: Shop, given: Mapping[str, Any], origin: str = "api") -> Record:
    """Carry out `companyAssignCustomerAsContact`."""
    company = company_of(shop, given["companyId"])
    customer = shop.find("Customer", given["customerId"])
    if customer is None:
        raise refused("customerId", "Customer does not exist.", NOT_FOUND)
    if not customer["email"]:
        raise refused("customerId", "Customer must have an email address.", "INVALID_INPUT")
    known = shop.linked("CompanyContact", customer)
    if any(not shop.quirks.many_companies or _is_of(each, company) for each in known):
        message = "Customer is already associated with a company contact."
        raise refused("customerId", message, "INVALID_INPUT")
    add_contact(shop, company, customer, {}, origin, is_main=False)
    return {"companyContact": shop.linked("CompanyContact", customer)[-1], "userErrors": []}


def assign_main(shop: Shop, given: Mapping[str, Any], origin: str = "api") -> Record:
    """Carry out `companyAssignMainContact`."""
    company = company_of(shop, given["companyId"])
    contact = shop.find("CompanyContact", given["companyContactId"])
    if contact is None or not _is_of(contact, company):
        raise refused("companyContactId", "The company contact doesn't exist.", NOT_FOUND)
    after = shop.save(company | {"_main": contact["_number"]}, (origin, "update", dict(given)))
    return {"company": after, "userErrors": []}


def assign_role(shop: Shop, given: Mapping[str, Any], origin: str = "api") -> Record:
    """Carry out `companyContactAssignRole`: one role for each contact and location."""
    contact = shop.find("CompanyContact", given["companyContactId"])
    location = shop.find("CompanyLocation", given["companyLocationId"])
    role = shop.role(given["companyContactRoleId"])
    if contact is None or location is None or role is None:
        raise refused(None, "Resource requested does not exist.", NOT_FOUND)
    if contact["_company"] != location["_company"] or role not in roles_of(contact["_company"]):
        raise refused(None, "Contact, role and location must be of one company.", "INVALID_INPUT")
    if len(shop.linked("CompanyContactRoleAssignment", location)) >= MOST_BUYERS:
        raise refused(None, "The company location has too many contacts.", "LIMIT_REACHED")
    table = shop.tables["CompanyContactRoleAssignment"]
    known = shop.linked("CompanyContactRoleAssignment", contact)
    if any(each["_location"] == location["_number"] for each in known):
        message = "Company contact has already been assigned a role in that company location."
        raise refused(None, message, "LIMIT_REACHED")
    count, now = table.next_number(), shop.now()
    assignment = {
        "__typename": "CompanyContactRoleAssignment",
        "_number": count,
        "id": gid("CompanyContactRoleAssignment", count),
        "createdAt": now,
        "updatedAt": now,
        "_contact": contact["_number"],
        "_location": location["_number"],
        "role": role,
    }
    shop.save(assignment, (origin, "create", dict(given)))
    shop.link("CompanyContactRoleAssignment", count, "CompanyContact", contact["_number"])
    shop.link("CompanyContactRoleAssignment", count, "CompanyLocation", location["_number"])
    return {"companyContactRoleAssignment": assignment, "userErrors": []}


def add_contact(
    shop: Shop,
    company: Record,
    customer: Record,
    given: Mapping[str, Any],
    origin: str,
    *,
    is_main: bool | None = None,
) -> Record:
    """Make a customer a contact, the main one if there is none yet; return the company."""
    count, now = shop.contacts.next_number(), shop.now()
    contact = {
        "__typename": "CompanyContact",
        "_number": count,
        "id": gid("CompanyContact", count),
        "title": given.get("title"),
        "locale": given.get("locale") or customer["locale"],
        "createdAt": now,
        "updatedAt": now,
        "_customer": customer["_number"],
        "_company": company["_number"],
    }
    shop.save(contact, (origin, "create", dict(given)))
    shop.link("CompanyContact", count, "Customer", customer["_number"])
    shop.link("CompanyContact", count, "Company", company["_number"])
    if is_main if is_main is not None else company["_main"] is None:
        return shop.save(company | {"_main": count}, (origin, "update", {}), touches=False)
    return company


def company_of(shop: Shop, text: str) -> Record:
    """Return a company by its id. Raises `Problems`."""
    company = shop.find("Company", text)
    if company is None:
        raise refused("companyId", "Resource requested does not exist.", NOT_FOUND)
    return company


def _overlaid(shop: Shop, before: Record, given: Mapping[str, Any], path: list[str]) -> Record:
    after = dict(before)
    if not given:
        raise Problems(
            problem(path, "At least one attribute to change must be present", "NO_INPUT")
        )
    for name in ("name", "externalId", "note"):
        if name in given and (given[name] is not None or shop.quirks.null_clears):
            after[name] = (given[name] or "").strip() or None
    after["customerSince"] = given.get("customerSince") or after["customerSince"]
    if not after["name"]:
        raise Problems(problem([*path, "name"], "Name can't be blank", "BLANK"))
    external = after["externalId"]
    if external and not shop.companies.is_free(f"external:{external}", after["_number"]):
        raise Problems(
            problem([*path, "externalId"], "External ID has already been taken", "TAKEN")
        )
    return after


def _blank(shop: Shop) -> Record:
    count, now = shop.companies.last_number + 1, shop.now()
    shop.companies.last_number = count
    return {
        "__typename": "Company",
        "_number": count,
        "id": gid("Company", count),
        "name": None,
        "externalId": None,
        "note": None,
        "customerSince": now,
        "createdAt": now,
        "updatedAt": now,
        "_main": None,
        "_metafields": {},
    }


def _check_contact(shop: Shop, given: Mapping[str, Any], field: str) -> None:
    email = (given.get("email") or "").strip()
    if not email:
        raise refused(f"{field}.email", "Email can't be blank", "BLANK")
    if shop.holder(email_key(email)):
        raise refused(f"{field}.email", "Customer email address has already been taken.", "TAKEN")


def _customer_for(shop: Shop, given: Mapping[str, Any], origin: str) -> Record:
    names = ("email", "firstName", "lastName", "locale", "phone")
    wanted = {name: given[name] for name in names if given.get(name) is not None}
    return created(shop, wanted, origin, "input")


def _is_of(contact: Record, company: Record) -> bool:
    return bool(contact["_company"] == count_of("Company", company["id"]))
