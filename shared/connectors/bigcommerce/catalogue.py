"""What a BigCommerce shop has that a channel's configuration may name."""

from collections.abc import Callable, Iterable, Iterator, Sequence

from shared.connectors.bigcommerce.client import BigCommerceClient
from shared.connectors.bigcommerce.companies.client import CompaniesClient
from shared.connectors.ports import Discovered
from shared.domain.errors import AccessDenied, ConfigurationError

_CUSTOMERS = "v3/customers"


def discovered(
    client: BigCommerceClient, companies: CompaniesClient | None
) -> Sequence[Discovered]:
    """Return storefronts, attributes, form fields, metafields and groups, as far as they are seen.

    Form fields, metafields and storefronts are those of some customers: nothing lists them.
    Raises `AccessDenied` where the token may see none of it.
    """
    families: list[Callable[[], Iterable[Discovered]]] = [
        lambda: _storefronts(client),
        lambda: _attributes(client),
        lambda: _form_fields(client),
        lambda: _metafields(client),
        lambda: _groups(client),
    ]
    if companies:
        families.append(lambda: _extra_fields(companies))
    found: list[Discovered] = []
    denied: list[ConfigurationError] = []
    for family in families:
        try:
            found += family()
        except ConfigurationError as error:
            denied.append(error)
    if len(denied) == len(families):
        raise AccessDenied("the token may see neither customers, attributes nor groups")
    return found


def _storefronts(client: BigCommerceClient) -> Iterator[Discovered]:
    seen = {item.get("origin_channel_id") for item in client.sample(_CUSTOMERS)}
    for channel_id in sorted(number for number in seen if isinstance(number, int)):
        yield Discovered("store_view", f"channel_id {channel_id}", "a storefront of customers")


def _attributes(client: BigCommerceClient) -> Iterator[Discovered]:
    for item in client.attributes():
        yield Discovered("attribute", str(item.get("name")), str(item.get("type") or ""))


def _form_fields(client: BigCommerceClient) -> Iterator[Discovered]:
    rows = client.sample(f"{_CUSTOMERS}/form-field-values")
    yield from (Discovered("form_field", name) for name in sorted({str(r["name"]) for r in rows}))


def _metafields(client: BigCommerceClient) -> Iterator[Discovered]:
    rows = client.sample(f"{_CUSTOMERS}/metafields")
    names = {f"{row.get('namespace')}.{row.get('key')}" for row in rows}
    yield from (Discovered("metafield", name) for name in sorted(names))


def _groups(client: BigCommerceClient) -> Iterator[Discovered]:
    for item in client.groups():
        yield Discovered("group", str(item.get("name")), f"id {item.get('id')}")


def _extra_fields(companies: CompaniesClient) -> Iterator[Discovered]:
    for item in companies.extra_fields():
        yield Discovered("form_field", str(item.get("fieldName")), "of companies")
