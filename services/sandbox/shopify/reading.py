"""How the root fields of queries are found: lists, single objects, counts.

Its promise: nothing is answered that the app's scopes do not allow.
"""

from collections.abc import Mapping
from typing import Any

from services.sandbox.shopify.access import demand
from services.sandbox.shopify.errors import FieldError, Record
from services.sandbox.shopify.gids import FIRST_NUMBER, kind_of
from services.sandbox.shopify.listing import (
    MOST_PER_PAGE,
    Slice,
    Wanted,
    count_of,
    page_of,
    page_size,
    part_of,
)
from services.sandbox.shopify.metafields import holder_of
from services.sandbox.shopify.plan import Resolver, Run
from services.sandbox.shopify.search_syntax import Query, read_query
from services.sandbox.shopify.searchable import BY_KIND
from services.sandbox.shopify.shop import CURRENCY, TIMEZONE, email_key
from services.sandbox.shopify.zones import as_e164

Given = Mapping[str, Any]

DOMAIN = "sandbox.myshopify.com"
SHOP: Record = {
    "__typename": "Shop",
    "id": "gid://shopify/Shop/64000000",
    "name": "Sandbox",
    "email": "shop@example.com",
    "contactEmail": "shop@example.com",
    "myshopifyDomain": DOMAIN,
    "currencyCode": CURRENCY,
    "ianaTimezone": TIMEZONE,
    "url": f"https://{DOMAIN}",
    "taxesIncluded": True,
}
BULK_MOST = 1 << 40


def _list(kind: str, field: str) -> Resolver:
    def resolve(_: Any, given: Given, run: Run) -> Slice:
        demand(run.shop, field)
        size = BULK_MOST if run.is_bulk else page_size(given)
        wanted = Wanted(
            query=_query(run, kind, given),
            has_query=bool((given.get("query") or "").strip()),
            sort=given["sortKey"],
            is_reversed=given["reverse"],
            first=size,
            after=given.get("after"),
        )
        most = BULK_MOST if run.is_bulk else run.shop.quirks.most_listed
        return page_of(run.shop.tables[kind], wanted, most, FIRST_NUMBER[kind])

    return resolve


def _count(kind: str, field: str) -> Resolver:
    def resolve(_: Any, given: Given, run: Run) -> Record:
        demand(run.shop, field)
        text = given.get("query")
        found = count_of(
            run.shop.tables[kind], _query(run, kind, given), has_query=bool(text and text.strip())
        )
        limits = [given.get("limit"), run.shop.quirks.most_listed + 1]
        most = min(each for each in limits if each is not None)
        return {"count": min(found, most), "precision": "AT_LEAST" if found > most else "EXACT"}

    return resolve


def _query(run: Run, kind: str, given: Given) -> Query:
    return read_query(given.get("query"), BY_KIND[kind], run.shop.zone, run.shop.quirks)


def _one(kind: str, field: str) -> Resolver:
    def resolve(_: Any, given: Given, run: Run) -> Record | None:
        demand(run.shop, field)
        _check_id(given["id"])
        found: Record | None = run.shop.find(kind, given["id"])
        return found

    return resolve


def _check_id(text: str) -> None:
    if kind_of(text) is None:
        raise FieldError(f"Invalid global id '{text}'", "argumentLiteralsIncompatible")


def _customer_by_identifier(_: Any, given: Given, run: Run) -> Record | None:
    demand(run.shop, "customerByIdentifier")
    identifier, shop = given["identifier"], run.shop
    found: Record | None
    if text := identifier.get("id"):
        _check_id(text)
        found = shop.find("Customer", text)
    elif text := identifier.get("emailAddress"):
        found = shop.holder(email_key(text.strip()))
    elif text := identifier.get("phoneNumber"):
        found = shop.holder(f"phone:{as_e164(text)}")
    else:
        found = holder_of(shop, identifier["customId"])
    return found


def _node(run: Run, text: str) -> Record | None:
    _check_id(text)
    kind = kind_of(text)
    demand(run.shop, "companies" if kind and kind.startswith("Company") else "customers")
    if kind == "Shop":
        return SHOP if text == SHOP["id"] else None
    if kind == "BulkOperation":
        found: Record | None = run.bulk.record(text)
        return found
    return run.shop.node(text)


def _nodes(_: Any, given: Given, run: Run) -> list[Record | None]:
    if len(given["ids"]) > MOST_PER_PAGE:
        raise FieldError(f"The input array size is greater than {MOST_PER_PAGE}.", "MAX_INPUT_SIZE")
    return [_node(run, each) for each in given["ids"]]


def _installation(_: Any, __: Given, run: Run) -> Record:
    handles = sorted(run.shop.scopes)
    return {
        "__typename": "AppInstallation",
        "id": "gid://shopify/AppInstallation/480000000",
        "accessScopes": [{"handle": each, "description": each} for each in handles],
    }


def version(handle: str) -> Record:
    """Return what the API says of a version of itself."""
    return {"handle": handle, "displayName": handle, "supported": True}


def _definitions(_: Any, given: Given, run: Run) -> Slice:
    found = [
        each
        for (owner, namespace, key), each in run.shop.definitions.items()
        if owner == given["ownerType"]
        and given.get("namespace") in {None, namespace}
        and given.get("key") in {None, key}
    ]
    return part_of(found, given)


def _definition(_: Any, given: Given, run: Run) -> Record | None:
    asked = given.get("identifier")
    if not asked:
        return None
    return run.shop.definitions.get((asked["ownerType"], asked.get("namespace"), asked["key"]))


def _subscriptions(_: Any, given: Given, run: Run) -> Slice:
    rows = run.shop.tables["WebhookSubscription"].rows.values()
    found = [row.record for row in rows]
    if topics := given.get("topics"):
        found = [each for each in found if each["topic"] in topics]
    return part_of(found, given)


QUERIES: dict[str, Resolver] = {
    "shop": lambda _, __, ___: SHOP,
    "currentAppInstallation": _installation,
    "publicApiVersions": lambda _, __, run: [version(each) for each in run.shop.quirks.versions],
    "node": lambda _, given, run: _node(run, given["id"]),
    "nodes": _nodes,
    "customer": _one("Customer", "customer"),
    "customerByIdentifier": _customer_by_identifier,
    "customers": _list("Customer", "customers"),
    "customersCount": _count("Customer", "customersCount"),
    "company": _one("Company", "company"),
    "companies": _list("Company", "companies"),
    "companiesCount": _count("Company", "companiesCount"),
    "companyContact": _one("CompanyContact", "companyContact"),
    "companyContactRole": lambda _, given, run: run.shop.role(given["id"]),
    "companyLocation": _one("CompanyLocation", "companyLocation"),
    "companyLocations": _list("CompanyLocation", "companyLocations"),
    "metafieldDefinition": _definition,
    "metafieldDefinitions": _definitions,
    "webhookSubscription": _one("WebhookSubscription", "webhookSubscription"),
    "webhookSubscriptions": _subscriptions,
    "bulkOperation": lambda _, given, run: run.bulk.poll(given["id"]),
    "currentBulkOperation": lambda _, given, run: run.bulk.current(given["type"]),
}
