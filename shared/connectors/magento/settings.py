"""What an operator configures of a Magento channel.

Promise: secrets print as stars, and an error about a setting names it without its value.
"""

import ssl
from functools import cached_property
from ipaddress import ip_address
from typing import Annotated, Literal
from urllib.parse import urlsplit

import httpx2
from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    SecretStr,
    StringConstraints,
    field_validator,
    model_validator,
)

from shared.connectors.http import Limits

AttributeCode = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,59}$")]
StoreCode = Annotated[str, StringConstraints(min_length=1, max_length=40)]
LARGEST_PAGE = 300


class Settings(BaseModel):
    """A frozen table of settings that refuses what it does not know."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


class OAuth1(Settings):
    """An integration's four credentials (System > Extensions > Integrations)."""

    kind: Literal["oauth1"] = "oauth1"
    consumer_key: SecretStr
    consumer_secret: SecretStr
    access_token: SecretStr
    access_token_secret: SecretStr


class Bearer(Settings):
    """An integration's bare access token; the shop must allow that."""

    kind: Literal["bearer"] = "bearer"
    token: SecretStr


class Admin(Settings):
    """An administrator's login, exchanged for a token; does not work with two-factor login."""

    kind: Literal["admin"] = "admin"
    username: str = Field(min_length=1)
    password: SecretStr


class Timeouts(Settings):
    """How long a call may take, and how often a read is tried within it."""

    total_seconds: float = Field(default=30.0, gt=0, le=600)
    connect_seconds: float = Field(default=5.0, gt=0, le=60)
    attempts: int = Field(default=3, ge=1, le=5)


class MagentoStoreView(Settings):
    """A store view whose customers are read: its code here, its ids in the shop."""

    code: StoreCode
    store_id: int = Field(ge=1)
    website_id: int = Field(ge=1)


class MagentoSettings(Settings):
    """How to reach a Magento shop, and what we read and write there.

    `ca` holds the certificates (PEM) to trust instead of the usual roots.
    """

    base_url: str
    auth: Annotated[OAuth1 | Bearer | Admin, Field(discriminator="kind")]
    store_views: tuple[MagentoStoreView, ...] = Field(min_length=1)
    number_attribute: AttributeCode = "erp_customer_number"
    page_size: int = Field(default=LARGEST_PAGE, ge=1, le=LARGEST_PAGE)
    timeouts: Timeouts = Timeouts()
    connections: int = Field(default=20, ge=1, le=200)
    requests_per_second: float | None = Field(default=None, ge=0.5, le=1000)
    ca: str | None = None
    allow_plain_http: bool = False

    @field_validator("base_url")
    @classmethod
    def _names_a_host(cls, value: str) -> str:
        parts = urlsplit(value)
        if parts.scheme not in {"http", "https"} or not parts.hostname:
            raise ValueError("must start with https:// and name a host")
        if parts.username or parts.password or parts.query or parts.fragment:
            raise ValueError("must hold neither credentials nor a query")
        return value.rstrip("/")

    @field_validator("ca")
    @classmethod
    def _holds_certificates(cls, value: str | None) -> str | None:
        if value is not None:
            try:
                ssl.create_default_context(cadata=value)
            except ssl.SSLError:
                raise ValueError("holds no certificate in PEM form") from None
        return value

    @model_validator(mode="after")
    def _keeps_credentials_secret(self) -> "MagentoSettings":
        parts = urlsplit(self.base_url)
        if parts.scheme == "http" and not (self.allow_plain_http or _is_loopback(parts.hostname)):
            raise ValueError("base_url must be https:// (or set allow_plain_http)")
        codes = [view.code for view in self.store_views]
        if len(set(codes)) < len(codes):
            raise ValueError("store_views name one code twice")
        return self

    @cached_property
    def by_code(self) -> dict[str, MagentoStoreView]:
        """The store views by their code."""
        return {view.code: view for view in self.store_views}

    @property
    def limits(self) -> Limits:
        """The bounds of every call."""
        return Limits(
            total_seconds=self.timeouts.total_seconds,
            connect_seconds=self.timeouts.connect_seconds,
            attempts=self.timeouts.attempts,
            connections=self.connections,
        )

    def tls(self) -> ssl.SSLContext:
        """Return what makes us trust the shop's certificate."""
        if self.ca is None:
            return httpx2.create_ssl_context()
        return ssl.create_default_context(cadata=self.ca)


def _is_loopback(host: str | None) -> bool:
    try:
        return host == "localhost" or ip_address(host or "").is_loopback
    except ValueError:
        return False
