"""What an operator configures of a Magento channel."""

from functools import cached_property
from typing import Annotated, Literal, Self

from pydantic import Field, SecretStr, StringConstraints, model_validator

from shared.connectors.settings import ConnectorSettings, HttpSettings

AttributeCode = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,59}$")]
StoreCode = Annotated[str, StringConstraints(min_length=1, max_length=40)]
LARGEST_PAGE = 300


class OAuth1(ConnectorSettings):
    """An integration's four credentials (System > Extensions > Integrations)."""

    kind: Literal["oauth1"] = "oauth1"
    consumer_key: SecretStr
    consumer_secret: SecretStr
    access_token: SecretStr
    access_token_secret: SecretStr


class Bearer(ConnectorSettings):
    """An integration's bare access token; the shop must allow that."""

    kind: Literal["bearer"] = "bearer"
    token: SecretStr


class Admin(ConnectorSettings):
    """An administrator's login, exchanged for a token; does not work with two-factor login."""

    kind: Literal["admin"] = "admin"
    username: str = Field(min_length=1)
    password: SecretStr


class MagentoStoreView(ConnectorSettings):
    """A store view whose customers are read: its code here, its ids in the shop."""

    code: StoreCode
    store_id: int = Field(ge=1)
    website_id: int = Field(ge=1)


class MagentoSettings(HttpSettings):
    """How to reach a Magento shop, and what we read and write there."""

    auth: Annotated[OAuth1 | Bearer | Admin, Field(discriminator="kind")]
    store_views: tuple[MagentoStoreView, ...] = Field(min_length=1)
    number_attribute: AttributeCode = "erp_customer_number"
    page_size: int = Field(default=LARGEST_PAGE, ge=1, le=LARGEST_PAGE)

    @model_validator(mode="after")
    def _names_every_view_once(self) -> Self:
        codes = [view.code for view in self.store_views]
        if len(set(codes)) < len(codes):
            raise ValueError("store_views name one code twice")
        return self

    @cached_property
    def by_code(self) -> dict[str, MagentoStoreView]:
        """The store views by their code."""
        return {view.code: view for view in self.store_views}
