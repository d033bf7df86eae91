"""How the fields of objects are found.

Its promise: whatever is not in this table stands in the record under the field's own name.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from services.sandbox.shopify.errors import Record
from services.sandbox.shopify.listing import Slice, part_of
from services.sandbox.shopify.plan import Resolver, Run
from services.sandbox.shopify.shop import roles_of

Given = Mapping[str, Any]


def _email(customer: Record, _: Given, __: Run) -> Record | None:
    if not customer["email"]:
        return None
    return {"emailAddress": customer["email"], "validFormat": True, **customer["_consent"]}


def _phone(customer: Record, _: Given, __: Run) -> Record | None:
    if not customer["phone"]:
        return None
    return {"phoneNumber": customer["phone"], "marketingState": "NOT_SUBSCRIBED"}


def _display_name(customer: Record, _: Given, __: Run) -> str:
    names = [name for name in (customer["firstName"], customer["lastName"]) if name]
    name: str = " ".join(names) or customer["email"] or customer["phone"] or ""
    return name


def _default_address(customer: Record, _: Given, __: Run) -> Record | None:
    wanted = customer["_default"]
    return next((each for each in customer["_addresses"] if each["id"] == wanted), None)


def _address_name(address: Record, _: Given, __: Run) -> str | None:
    return " ".join(filter(None, (address["firstName"], address["lastName"]))) or None


def _part(nodes: Sequence[Record], given: Given, run: Run) -> Slice:
    return part_of(nodes, given, whole=run.is_bulk)


def _metafield(owner: Record, given: Given, _: Run) -> Record | None:
    found: Record | None = owner["_metafields"].get((given.get("namespace"), given["key"]))
    return found


def _metafields(owner: Record, given: Given, run: Run) -> Slice:
    keys = given.get("keys")
    found = [
        each
        for (namespace, key), each in owner["_metafields"].items()
        if given.get("namespace") in {None, namespace}
        and (keys is None or f"{namespace}.{key}" in keys)
    ]
    return _part(found, given, run)


def _linked(kind: str) -> Resolver:
    return lambda owner, given, run: _part(run.shop.linked(kind, owner), given, run)


def _linked_count(kind: str) -> Resolver:
    return lambda owner, _, run: {
        "count": len(run.shop.linked(kind, owner)),
        "precision": "EXACT",
    }


def _behind(kind: str, key: str) -> Resolver:
    """Follow a reference that always leads to something."""
    return lambda record, _, run: run.shop.tables[kind].rows[record[key]].record


def _main_contact(company: Record, _: Given, run: Run) -> Record | None:
    found: Record | None = run.shop.contacts.get(company["_main"])
    return found


def _is_main(contact: Record, _: Given, run: Run) -> bool:
    company = run.shop.companies.rows[contact["_company"]].record
    return bool(company["_main"] == contact["_number"])


_METAFIELDS: dict[str, Resolver] = {"metafield": _metafield, "metafields": _metafields}
_ASSIGNMENTS: dict[str, Resolver] = {"roleAssignments": _linked("CompanyContactRoleAssignment")}

OBJECTS: dict[str, dict[str, Resolver]] = {
    "Connection": {
        "nodes": lambda page, _, __: page.nodes,
        "edges": lambda page, _, __: page.edges(),
        "pageInfo": lambda page, _, __: page.page_info(),
    },
    "Customer": {
        "displayName": _display_name,
        "canDelete": lambda customer, _, __: customer["numberOfOrders"] == "0",
        "defaultEmailAddress": _email,
        "defaultPhoneNumber": _phone,
        "defaultAddress": _default_address,
        "addresses": lambda customer, given, _: customer["_addresses"][: given.get("first")],
        "addressesV2": lambda customer, given, run: _part(customer["_addresses"], given, run),
        "companyContactProfiles": lambda customer, _, run: run.shop.linked(
            "CompanyContact", customer
        ),
        **_METAFIELDS,
    },
    "MailingAddress": {"name": _address_name},
    "Metafield": {
        "definition": lambda field, _, run: run.shop.definitions.get(
            (field["ownerType"], field["namespace"], field["key"])
        )
    },
    "Company": {
        "contactsCount": _linked_count("CompanyContact"),
        "locationsCount": _linked_count("CompanyLocation"),
        "mainContact": _main_contact,
        "defaultRole": lambda company, _, __: roles_of(company["_number"])[1],
        "contactRoles": lambda company, given, run: _part(roles_of(company["_number"]), given, run),
        "contacts": _linked("CompanyContact"),
        "locations": _linked("CompanyLocation"),
        **_METAFIELDS,
    },
    "CompanyContact": {
        "company": _behind("Company", "_company"),
        "customer": _behind("Customer", "_customer"),
        "isMainContact": _is_main,
        **_ASSIGNMENTS,
    },
    "CompanyLocation": {"company": _behind("Company", "_company"), **_METAFIELDS, **_ASSIGNMENTS},
    "CompanyContactRoleAssignment": {
        "companyContact": _behind("CompanyContact", "_contact"),
        "companyLocation": _behind("CompanyLocation", "_location"),
        "company": lambda each, _, run: (
            run.shop.companies.rows[
                run.shop.locations.rows[each["_location"]].record["_company"]
            ].record
        ),
    },
}
