"""The mutations: which function carries each out.

Its promise: a refused mutation answers its payload with `userErrors` and nothing else in it.
"""

from collections.abc import Callable, Mapping
from typing import Any

from services.sandbox.shopify import addresses, companies, customers, locations, metafields
from services.sandbox.shopify.access import demand
from services.sandbox.shopify.errors import Problems, Record
from services.sandbox.shopify.plan import Resolver, Run
from services.sandbox.shopify.reading import SHOP
from services.sandbox.shopify.webhooks import subscribe, unsubscribe

Deed = Callable[[Any, Mapping[str, Any]], Record]

DEEDS: dict[str, Deed] = {
    "customerCreate": customers.create,
    "customerUpdate": customers.update,
    "customerSet": customers.upsert,
    "customerDelete": customers.delete,
    "customerAddressCreate": addresses.create,
    "customerAddressUpdate": addresses.update,
    "customerAddressDelete": addresses.delete,
    "customerUpdateDefaultAddress": addresses.set_default,
    "customerEmailMarketingConsentUpdate": customers.update_consent,
    "tagsAdd": lambda shop, given: customers.change_tags(shop, given, adds=True),
    "tagsRemove": lambda shop, given: customers.change_tags(shop, given, adds=False),
    "metafieldDefinitionCreate": metafields.define,
    "metafieldsSet": metafields.set_many,
    "companyCreate": companies.create,
    "companyUpdate": companies.update,
    "companyLocationCreate": locations.create,
    "companyLocationUpdate": locations.update,
    "companyLocationAssignAddress": locations.assign_address,
    "companyLocationTaxSettingsUpdate": locations.update_tax,
    "companyContactCreate": companies.create_contact,
    "companyAssignCustomerAsContact": companies.assign_customer,
    "companyAssignMainContact": companies.assign_main,
    "companyContactAssignRole": companies.assign_role,
    "webhookSubscriptionCreate": subscribe,
    "webhookSubscriptionDelete": unsubscribe,
}
READ_ONLY = frozenset({"webhookSubscriptionCreate", "webhookSubscriptionDelete"})


def _resolver(field: str, deed: Deed) -> Resolver:
    def resolve(_: Any, given: Mapping[str, Any], run: Run) -> Record:
        demand(run.shop, field, writes=field not in READ_ONLY)
        payload = _carried_out(lambda: deed(run.shop, given))
        return payload | {"shop": SHOP} if field == "customerDelete" else payload

    return resolve


def _run_bulk(_: Any, given: Mapping[str, Any], run: Run) -> Record:
    demand(run.shop, "bulkOperationRunQuery")
    return _carried_out(lambda: run.bulk.start(given["query"]))


def _carried_out(deed: Callable[[], Record]) -> Record:
    try:
        return deed()
    except Problems as refusal:
        return {"userErrors": refusal.entries}


MUTATIONS: dict[str, Resolver] = {
    **{field: _resolver(field, deed) for field, deed in DEEDS.items()},
    "bulkOperationRunQuery": _run_bulk,
}
