"""What a Shopify shop has that a channel's configuration may name."""

from collections.abc import Iterator, Sequence

from shared.connectors.ports import Discovered
from shared.connectors.shopify.client import Item
from shared.connectors.shopify.documents import DEFINITIONS
from shared.connectors.shopify.reading import Reading, connection
from shared.domain.errors import UnreadableAnswer

_PAGE = 100
_ENTITIES = (
    Discovered("store_view", "customers", 'remote = { entity = "customers" }'),
    Discovered("store_view", "companies", 'remote = { entity = "companies" }'),
)


def discovered(reading: Reading) -> Sequence[Discovered]:
    """Return the two entities, and the metafields that customers and companies are defined to have.

    A metafield without a definition is not listed: nothing says what it holds.
    """
    found: dict[str, Discovered] = {}
    for owner in ("CUSTOMER", "COMPANY"):
        for definition in definitions(reading, owner):
            name = name_of(definition)
            detail = f"{definition.get('name')} ({type_of(definition)}, {owner.lower()})"
            found.setdefault(name, Discovered("metafield", name, detail))
    return [*_ENTITIES, *found.values()]


def definitions(reading: Reading, owner: str) -> Iterator[Item]:
    """Yield the definitions of the metafields that an owner ("CUSTOMER", "COMPANY") may have."""
    cursor: str | None = None
    while True:
        variables = {"ownerType": owner, "first": _PAGE, "after": cursor}
        reply = reading.client.ask(DEFINITIONS, **variables)
        found = connection(reply.data.get("found"), reply.at)
        yield from found.items
        if found.cursor is None:
            return
        if found.cursor == cursor:
            raise UnreadableAnswer("a page of definitions repeats")
        cursor = found.cursor


def name_of(definition: Item) -> str:
    """Return how a configuration calls a metafield."""
    return f"{definition.get('namespace')}.{definition.get('key')}"


def type_of(definition: Item) -> str:
    """Return a metafield's type."""
    kind = definition.get("type")
    return str(kind.get("name")) if isinstance(kind, dict) else ""
