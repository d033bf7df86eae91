"""What an operator configures of any channel that is reached over HTTP.

Promise: secrets print as stars, an error about a setting names it without its value, and no
credential goes over a line that anybody could read unless that was allowed.
"""

import ssl
from ipaddress import ip_address
from typing import Self
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from shared.connectors.calls import Limits


class ConnectorSettings(BaseModel):
    """A frozen table of settings that refuses what it does not know."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


class Timeouts(ConnectorSettings):
    """How long a call may take, and how often a read is tried within it."""

    total_seconds: float = Field(default=30.0, gt=0, le=600)
    connect_seconds: float = Field(default=5.0, gt=0, le=60)
    attempts: int = Field(default=3, ge=1, le=5)


class HttpSettings(ConnectorSettings):
    """How a platform is reached.

    `ca` holds the certificates (PEM) to trust instead of the usual roots. A host name that leads
    to a private address is refused unless `allow_private_addresses`; an address that is written
    down, and `localhost`, need no such leave.
    """

    base_url: str
    timeouts: Timeouts = Timeouts()
    connections: int = Field(default=20, ge=1, le=200)
    requests_per_second: float | None = Field(default=None, ge=0.5, le=1000)
    ca: str | None = None
    allow_plain_http: bool = False
    allow_private_addresses: bool = False

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
    def _keeps_credentials_secret(self) -> Self:
        parts = urlsplit(self.base_url)
        if parts.scheme == "http" and not (self.allow_plain_http or _is_loopback(parts.hostname)):
            raise ValueError("base_url must be https:// (or set allow_plain_http)")
        return self

    @property
    def limits(self) -> Limits:
        """The bounds of every call."""
        return Limits(
            total_seconds=self.timeouts.total_seconds,
            connect_seconds=self.timeouts.connect_seconds,
            attempts=self.timeouts.attempts,
            connections=self.connections,
            may_reach_private=self.allow_private_addresses,
        )

    def tls(self) -> ssl.SSLContext:
        """Return what makes us trust the platform's certificate."""
        if self.ca is None:
            import httpx2  # late: whoever only reads the configuration makes no calls

            return httpx2.create_ssl_context()
        return ssl.create_default_context(cadata=self.ca)


def _is_loopback(host: str | None) -> bool:
    try:
        return host == "localhost" or ip_address(host or "").is_loopback
    except ValueError:
        return False
