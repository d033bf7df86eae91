"""What an operator configures of a Shopify channel."""

import re
from functools import cached_property
from typing import Annotated, Literal, NamedTuple, Self

from pydantic import Field, SecretStr, StringConstraints, model_validator

from shared.connectors.settings import ConnectorSettings, HttpSettings

StoreCode = Annotated[str, StringConstraints(min_length=1, max_length=40)]
_METAFIELD = r"^(\$app(:[A-Za-z0-9_-]{1,60})?|[A-Za-z0-9_-]{2,255})\.[A-Za-z0-9_-]{2,64}$"
MetafieldName = Annotated[str, StringConstraints(pattern=_METAFIELD)]
Entity = Literal["customers", "companies"]
LARGEST_PAGE = 250


def is_metafield(name: str) -> bool:
    """Whether a name is that of a metafield, `namespace.key`."""
    return re.fullmatch(_METAFIELD, name) is not None


class MetafieldKey(NamedTuple):
    """A metafield's namespace, and its key within it."""

    namespace: str
    key: str

    @classmethod
    def of(cls, name: str) -> "MetafieldKey":
        """Read `namespace.key`."""
        namespace, _, key = name.rpartition(".")
        return cls(namespace, key)

    def __str__(self) -> str:
        return f"{self.namespace}.{self.key}"


class ClientCredentials(ConnectorSettings):
    """An app of the shop's own organisation: exchanged for a token that lasts a day."""

    kind: Literal["client_credentials"] = "client_credentials"
    client_id: str = Field(min_length=1)
    client_secret: SecretStr


class PermanentToken(ConnectorSettings):
    """A token of an app that was made in the shop's administration before 2026."""

    kind: Literal["token"] = "token"
    token: SecretStr


class ShopifyStoreView(ConnectorSettings):
    """A store view: its code here, and whether it is the shop's customers or its companies."""

    code: StoreCode
    entity: Entity = "customers"


class ShopifySettings(HttpSettings):
    """How to reach a Shopify shop, and what we read and write there.

    Metafields are named `namespace.key`. More customers than `bulk_above` are read at first by a
    bulk operation.
    """

    auth: Annotated[ClientCredentials | PermanentToken, Field(discriminator="kind")]
    store_views: tuple[ShopifyStoreView, ...] = Field(min_length=1)
    api_version: str = Field(default="2026-07", pattern=r"^20\d\d-(01|04|07|10)$")
    number_metafield: MetafieldName = "erp.customer_number"
    tax_id_metafield: MetafieldName | None = None
    metafields: tuple[MetafieldName, ...] = Field(default=(), max_length=20)
    page_size: int = Field(default=100, ge=1, le=LARGEST_PAGE)
    bulk_above: int = Field(default=5000, ge=0)

    @model_validator(mode="after")
    def _names_every_view_once(self) -> Self:
        codes = [view.code for view in self.store_views]
        if len(set(codes)) < len(codes):
            raise ValueError("store_views name one code twice")
        entities = [view.entity for view in self.store_views]
        if len(set(entities)) < len(entities):
            raise ValueError("store_views name one entity twice; a shop has each of them once")
        return self

    @cached_property
    def by_code(self) -> dict[str, ShopifyStoreView]:
        """The store views by their code."""
        return {view.code: view for view in self.store_views}

    def code_of(self, entity: Entity) -> str | None:
        """Return the code of the store view of an entity; None if it is not configured."""
        return next((view.code for view in self.store_views if view.entity == entity), None)
