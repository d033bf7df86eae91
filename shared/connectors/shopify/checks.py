"""What a Shopify channel relies on, verified at start and told with advice."""

from collections.abc import Iterator, Sequence

from shared.connectors.ports import Finding
from shared.connectors.shopify.approval import Protected, shows
from shared.connectors.shopify.catalogue import definitions, name_of, type_of
from shared.connectors.shopify.client import Item, ShopifyClient
from shared.connectors.shopify.documents import PING, search
from shared.connectors.shopify.reading import Reading
from shared.connectors.shopify.settings import ShopifySettings, is_metafield
from shared.domain.errors import ConfigurationError

NUMBER_TYPE = "id"
_EITHER_SCOPE = {"read": "read_companies", "write": "write_companies"}
_APPROVAL_ADVICE = (
    "request access to protected customer data, level 2 with its fields, for the app; until then"
    " these fields are left as they are known"
)


def checked(
    reading: Reading, settings: ShopifySettings, fields: Sequence[str]
) -> Sequence[Finding]:
    """Look at the connection, the rights and the metafields; transient failures are raised.

    `fields` are the metafields that additional data is written to.
    """
    reached, scopes = _ping(reading.client)
    if reached.problem:
        return [reached]
    found = [reached, *_rights(scopes, settings), _version(reading.client, settings)]
    if settings.code_of("companies"):
        found.append(_companies(reading))
    found += _metafields(reading, settings, fields)
    return [*found, *_protected(reading)]


def _ping(client: ShopifyClient) -> tuple[Finding, set[str]]:
    subject = "reach the shop"
    try:
        data = client.ask(PING).data
    except ConfigurationError as error:
        return Finding(
            subject, str(error), "check base_url, api_version and the credentials"
        ), set()
    installation = data.get("currentAppInstallation") or {}
    handles = installation.get("accessScopes") or ()
    return Finding(subject), {str(scope.get("handle")) for scope in handles}


def _rights(scopes: set[str], settings: ShopifySettings) -> Iterator[Finding]:
    entities = {view.entity for view in settings.store_views}
    for verb in ("read", "write"):
        granted = f"{verb}_customers" in scopes
        if entities == {"companies"}:
            granted = granted or _EITHER_SCOPE[verb] in scopes
        subject = f"{verb} customers"
        if granted:
            yield Finding(subject)
        else:
            advice = "add it to the app's scopes and have the shop accept them"
            yield Finding(subject, f"the scope {verb}_customers is not granted", advice)


def _companies(reading: Reading) -> Finding:
    subject = "read companies"
    document = search("AnyCompany", "companies", "ID", "id")
    try:
        reading.search(lambda _selection: document, None, None, 1)
    except ConfigurationError as error:
        advice = "take the store view of companies out if the shop's plan has no B2B"
        return Finding(subject, str(error), advice)
    return Finding(subject)


def _version(client: ShopifyClient, settings: ShopifySettings) -> Finding:
    subject = f"API version {settings.api_version}"
    if client.other_version is None:
        return Finding(subject)
    return Finding(
        subject,
        f"the shop answers as {client.other_version[:20]}",
        "the version is not supported any more: set api_version to one that is",
    )


def _metafields(
    reading: Reading, settings: ShopifySettings, fields: Sequence[str]
) -> Iterator[Finding]:
    entities = {view.entity for view in settings.store_views}
    if "customers" in entities:
        known = _known(reading, "CUSTOMER")
        yield _number(known.get(settings.number_metafield), settings.number_metafield)
        yield from (_defined(field, known, "customer") for field in fields)
    if "companies" in entities and fields:
        known = _known(reading, "COMPANY")
        yield from (_defined(field, known, "company") for field in fields)


def _known(reading: Reading, owner: str) -> dict[str, Item]:
    return {name_of(definition): definition for definition in definitions(reading, owner)}


def _number(definition: Item | None, name: str) -> Finding:
    subject = f"metafield {name}"
    if definition is None:
        return Finding(subject, "is not defined for customers", _how_to_define(name, NUMBER_TYPE))
    if (kind := type_of(definition)) != NUMBER_TYPE:
        problem = f"is of type {kind[:40]}, so that one number could be given twice"
        return Finding(subject, problem, f"define another one of type {NUMBER_TYPE} and name it")
    return Finding(subject)


def _defined(name: str, known: dict[str, Item], owner: str) -> Finding:
    subject = f"metafield {name} of a {owner}"
    if not is_metafield(name):
        return Finding(subject, "is no name of a metafield", "write it as namespace.key")
    if name in known:
        return Finding(subject)
    advice = _how_to_define(name, "single_line_text_field")
    return Finding(subject, "is not defined", advice)


def _how_to_define(name: str, kind: str) -> str:
    what = "type ID" if kind == NUMBER_TYPE else "single line text"
    return f"Settings > Custom data > Add definition: namespace and key {name}, {what}"


def _protected(reading: Reading) -> Iterator[Finding]:
    """Ask for everything anew; what nobody shows may as well not be there."""
    customers = reading.latest_customers()
    denied = reading.approval.denied
    for kind in Protected:
        subject = f"personal data: {kind}"
        if kind in denied:
            yield Finding(subject, "the app may not read these", _APPROVAL_ADVICE)
        else:
            yield Finding(subject)
    readable = frozenset(Protected) - denied - {Protected.ADDRESSES}
    if customers and readable and not any(shows(c, kind) for c in customers for kind in readable):
        problem = "no customer shows a name, an e-mail address or a telephone"
        yield Finding("personal data", problem, _APPROVAL_ADVICE)
