"""What a Magento shop has that a channel's configuration may name."""

from collections.abc import Iterator, Sequence

from shared.connectors.magento.client import Item, MagentoClient
from shared.connectors.magento.search import Search
from shared.connectors.ports import Discovered
from shared.domain.errors import AccessDenied, ConfigurationError

_MOST_GROUPS = 300


def discovered(client: MagentoClient) -> Sequence[Discovered]:
    """Return store views, customer attributes and groups, as far as the credentials may see them.

    Raises `AccessDenied` where they may see none of it.
    """
    families = (_store_views, _attributes, _groups)
    found: list[Discovered] = []
    denied: list[ConfigurationError] = []
    for family in families:
        try:
            found += family(client)
        except ConfigurationError as error:
            denied.append(error)
    if len(denied) == len(families):
        raise AccessDenied("the credentials may see neither stores, attributes nor groups")
    return found


def _store_views(client: MagentoClient) -> Iterator[Discovered]:
    for view in client.store_views():
        ids = f"store_id {view.get('id')}, website_id {view.get('website_id')}"
        yield Discovered("store_view", str(view.get("code")), ids)


def _attributes(client: MagentoClient) -> Iterator[Discovered]:
    for attribute in client.attributes():
        if attribute.get("user_defined") is True or attribute.get("system") is False:
            yield Discovered("attribute", str(attribute.get("attribute_code")), _kind(attribute))


def _kind(attribute: Item) -> str:
    return str(attribute.get("frontend_input") or attribute.get("backend_type") or "")


def _groups(client: MagentoClient) -> Iterator[Discovered]:
    for group in client.search_groups(Search((), ("id",), _MOST_GROUPS)).items:
        yield Discovered("group", str(group.get("code")), f"id {group.get('id')}")
