"""What a Magento channel relies on, verified at start and told with advice.

Whether the shop lets us write can only be seen by writing, so that is left to the first export.
"""

from collections.abc import Callable, Iterator, Sequence

from shared.connectors.magento.client import MagentoClient
from shared.connectors.magento.search import Search, Where
from shared.connectors.magento.settings import MagentoStoreView
from shared.connectors.ports import Finding
from shared.domain.errors import AccessDenied, ConfigurationError

ATTRIBUTE_ADVICE = (
    "create a customer attribute of type text with this code, in the default attribute set"
)
SYSTEM_ADVICE = "choose an attribute of your own: the shop's own fields are not written so"


def checked(
    client: MagentoClient, store_views: Sequence[MagentoStoreView], attribute_codes: Sequence[str]
) -> Sequence[Finding]:
    """Look at every right, store view and field; transient failures are raised."""
    attributes = (_attribute(client, code) for code in attribute_codes)
    return [*_rights(client), *_store_views(client, store_views), *attributes]


def _rights(client: MagentoClient) -> Iterator[Finding]:
    any_customer = Search((Where("entity_id", "gt", 0),), ("entity_id",), 1)
    any_group = Search((), ("id",), 1)
    yield _asked("read customers", "Customers", lambda: client.search_customers(any_customer))
    yield _asked("read groups", "Customer Groups", lambda: client.search_groups(any_group))


def _asked(subject: str, resource: str, ask: Callable[[], object]) -> Finding:
    try:
        ask()
    except AccessDenied as error:
        advice = f"grant the integration the resource {resource}, or renew its credentials"
        return Finding(subject, str(error), advice)
    except ConfigurationError as error:
        return Finding(subject, str(error), "check base_url")
    return Finding(subject)


def _store_views(client: MagentoClient, views: Sequence[MagentoStoreView]) -> Iterator[Finding]:
    try:
        known = {(item.get("id"), item.get("website_id")) for item in client.store_views()}
    except ConfigurationError:
        yield Finding("store views", advice="grant the resource Stores to have these verified")
        return
    for view in views:
        subject = f"store view {view.code}"
        if (view.store_id, view.website_id) in known:
            yield Finding(subject)
        else:
            problem = f"the shop has no store {view.store_id} of website {view.website_id}"
            yield Finding(subject, problem, "see Stores > All Stores for the ids")


def _attribute(client: MagentoClient, code: str) -> Finding:
    subject = f"attribute {code}"
    try:
        attribute = client.attribute(code)
    except ConfigurationError as error:
        return Finding(subject, str(error), "check the rights and base_url")
    if attribute is None:
        return Finding(subject, "does not exist in the shop", ATTRIBUTE_ADVICE)
    if attribute.get("system") is True:
        return Finding(subject, "is a system attribute", SYSTEM_ADVICE)
    return Finding(subject)
