"""The GraphQL documents that the connector sends.

Promise: what may not be read is not asked for, and each list that a record holds is asked for with
where it goes on, so that none is cut short unseen.
"""

from collections.abc import Collection, Sequence
from typing import NamedTuple

from shared.connectors.shopify.approval import Protected
from shared.connectors.shopify.settings import MetafieldKey

NESTED = 10
"""Addresses, locations and contacts that come with their record; the rest is fetched."""

MOST_NESTED = 100
_METAFIELD = "{ namespace key type value compareDigest }"
_PAGE_INFO = "pageInfo { hasNextPage endCursor }"
_USER_ERRORS = "userErrors { field message code }"
_PLACE = "id company address1 address2 zip city provinceCode province countryCodeV2"
_COMPANY_PLACE = "id recipient companyName address1 address2 zip city zoneCode province countryCode"


class Document(NamedTuple):
    """A document: its operation's name, its text."""

    name: str
    text: str

    @property
    def is_read(self) -> bool:
        """Whether it only reads."""
        return self.text.startswith("query")


class Selection(NamedTuple):
    """What is read of a customer and of a company: metafields by alias, less what is denied."""

    customer_metafields: Sequence[tuple[str, MetafieldKey]]
    company_metafields: Sequence[tuple[str, MetafieldKey]]
    denied: Collection[Protected] = frozenset()

    def customer(self, *, in_bulk: bool = False) -> str:
        """Return the fields of a customer."""
        parts = ["id createdAt updatedAt locale note tags taxExempt taxExemptions"]
        if Protected.NAMES not in self.denied:
            parts.append("firstName lastName")
        if Protected.EMAILS not in self.denied:
            parts.append("defaultEmailAddress { emailAddress marketingState marketingUpdatedAt }")
        if Protected.PHONES not in self.denied:
            parts.append("defaultPhoneNumber { phoneNumber }")
        if Protected.ADDRESSES not in self.denied:
            parts.append("defaultAddress { id }")
            parts.append(_list_of("addressesV2", self.address(), in_bulk=in_bulk))
        parts.append("companyContactProfiles { company { id } }")
        parts += _metafields(self.customer_metafields)
        return " ".join(parts)

    def address(self) -> str:
        """Return the fields of a customer's address."""
        return self._with_person(_PLACE)

    def _with_person(self, place: str) -> str:
        names = "" if Protected.NAMES in self.denied else " firstName lastName"
        phone = "" if Protected.PHONES in self.denied else " phone"
        return f"{place}{names}{phone}"

    def company(self, *, in_bulk: bool = False) -> str:
        """Return the fields of a company, with its locations and contacts."""
        parts = [
            "id name externalId note createdAt updatedAt",
            _list_of("locations", self.location(), in_bulk=in_bulk),
            _list_of("contacts", self.contact(), in_bulk=in_bulk),
            *_metafields(self.company_metafields),
        ]
        return " ".join(parts)

    def location(self) -> str:
        """Return the fields of a location."""
        parts = ["id name externalId locale currency updatedAt taxSettings { taxRegistrationId }"]
        if Protected.PHONES not in self.denied:
            parts.append("phone")
        if Protected.ADDRESSES not in self.denied:
            address = self._with_person(_COMPANY_PLACE)
            parts.append(f"shippingAddress {{ {address} }} billingAddress {{ {address} }}")
        return " ".join(parts)

    def contact(self) -> str:
        """Return the fields of a contact; the person is a customer."""
        person = ["id updatedAt"]
        if Protected.NAMES not in self.denied:
            person.append("firstName lastName")
        if Protected.EMAILS not in self.denied:
            person.append("defaultEmailAddress { emailAddress }")
        if Protected.PHONES not in self.denied:
            person.append("defaultPhoneNumber { phoneNumber }")
        return f"id title isMainContact updatedAt customer {{ {' '.join(person)} }}"


def search(
    name: str, connection: str, sort_key: str, fields: str, *, reverse: bool = False
) -> Document:
    """Return the search of one of the shop's lists, in the order of `sort_key`."""
    order = f"sortKey: {sort_key}{', reverse: true' if reverse else ''}"
    text = (
        f"query {name}($first: Int!, $after: String, $query: String) {{ found: {connection}("
        f"first: $first, after: $after, query: $query, {order}"
        f") {{ nodes {{ {fields} }} {_PAGE_INFO} }} }}"
    )
    return Document(name, text)


def by_ids(name: str, kind: str, fields: str) -> Document:
    """Return the query for some records of a kind by their ids."""
    text = f"query {name}($ids: [ID!]!) {{ nodes(ids: $ids) {{ ... on {kind} {{ {fields} }} }} }}"
    return Document(name, text)


def rest_of(name: str, kind: str, connection: str, fields: str) -> Document:
    """Return the query for more of a list that a record holds."""
    text = (
        f"query {name}($id: ID!, $first: Int!, $after: String) {{ node(id: $id) {{ ... on {kind} {{"
        f" found: {connection}(first: $first, after: $after) {{ nodes {{ {fields} }} {_PAGE_INFO}"
        " } } } }"
    )
    return Document(name, text)


def bulk_text(connection: str, fields: str) -> str:
    """Return the text that a bulk operation runs."""
    return f"{{ {connection} {{ edges {{ node {{ {fields} }} }} }} }}"


METAFIELDS_SET = Document(
    "MetafieldsSet",
    "mutation MetafieldsSet($metafields: [MetafieldsSetInput!]!) {"
    " metafieldsSet(metafields: $metafields) {"
    " metafields { namespace key type value compareDigest }"
    " userErrors { field message code elementIndex } } }",
)
TAGS_ADD = Document(
    "TagsAdd",
    "mutation TagsAdd($id: ID!, $tags: [String!]!) { tagsAdd(id: $id, tags: $tags) {"
    " node { ... on Customer { id tags } } userErrors { field message } } }",
)
COMPANY_UPDATE = Document(
    "CompanyUpdate",
    "mutation CompanyUpdate($companyId: ID!, $input: CompanyInput!) {"
    " companyUpdate(companyId: $companyId, input: $input) {"
    f" company {{ id externalId updatedAt }} {_USER_ERRORS} }} }}",
)
LOCATION_UPDATE = Document(
    "CompanyLocationUpdate",
    "mutation CompanyLocationUpdate($companyLocationId: ID!, $input: CompanyLocationUpdateInput!) {"
    " companyLocationUpdate(companyLocationId: $companyLocationId, input: $input) {"
    f" companyLocation {{ id externalId updatedAt }} {_USER_ERRORS} }} }}",
)
BULK_EXPORT = Document(
    "BulkExport",
    "mutation BulkExport($query: String!) {"
    " bulkOperationRunQuery(query: $query, groupObjects: true) {"
    f" bulkOperation {{ id status createdAt }} {_USER_ERRORS} }} }}",
)
BULK_STATUS = Document(
    "BulkStatus",
    "query BulkStatus($id: ID!) { bulkOperation(id: $id) {"
    " id status errorCode objectCount fileSize url createdAt } }",
)
COUNT_CUSTOMERS = Document(
    "CustomersCount",
    "query CustomersCount($limit: Int) { customersCount(limit: $limit) { count } }",
)
PING = Document(
    "Ping",
    "query Ping { shop { id name myshopifyDomain }"
    " currentAppInstallation { accessScopes { handle } } }",
)
DEFINITIONS = Document(
    "MetafieldDefinitions",
    "query MetafieldDefinitions($ownerType: MetafieldOwnerType!, $first: Int!, $after: String) {"
    " found: metafieldDefinitions(ownerType: $ownerType, first: $first, after: $after) {"
    f" nodes {{ namespace key name type {{ name }} }} {_PAGE_INFO} }} }}",
)


def _list_of(connection: str, fields: str, *, in_bulk: bool) -> str:
    if in_bulk:
        return f"{connection} {{ edges {{ node {{ {fields} }} }} }}"
    return f"{connection}(first: {NESTED}) {{ nodes {{ {fields} }} {_PAGE_INFO} }}"


def _metafields(metafields: Sequence[tuple[str, MetafieldKey]]) -> list[str]:
    return [
        f'{alias}: metafield(namespace: "{name.namespace}", key: "{name.key}") {_METAFIELD}'
        for alias, name in metafields
    ]
