"""The tiny job, as far as it is the same for everybody: what is read, and what is published.

Needs nothing but pydantic. Its promise: it takes the very bytes of the product's
`customer.imported`, and the result of a message is the same whoever handled it.
"""

import json
from datetime import datetime
from typing import Annotated, Final
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, ConfigDict, StringConstraints

IN: Final = "tiny.in"
OUT: Final = "tiny.out"
TASK: Final = "tiny.customer_imported"
RESULT_TASK: Final = "tiny.customer_handled"

ShortText = Annotated[str, StringConstraints(min_length=1, max_length=255)]
Country = Annotated[str, StringConstraints(pattern=r"^[A-Z]{2}$")]
E164 = Annotated[str, StringConstraints(pattern=r"^\+[1-9]\d{3,14}$")]


class Model(BaseModel):
    """A frozen value that names every key it does not know."""

    model_config = ConfigDict(frozen=True, extra="forbid", str_strip_whitespace=True)


class Version(Model):
    """Which state of the remote record was read."""

    changed_at: AwareDatetime
    read_at: AwareDatetime
    fingerprint: ShortText


class Source(Model):
    """Where a customer was read."""

    channel: ShortText
    store_view: ShortText
    external_id: ShortText
    version: Version


class Phone(Model):
    """A telephone number."""

    raw: ShortText
    e164: E164


class Address(Model):
    """A postal address."""

    external_id: ShortText
    is_default_billing: bool = False
    is_default_shipping: bool = False
    first_name: ShortText
    last_name: ShortText
    company_name: ShortText | None = None
    lines: tuple[ShortText, ...]
    city: ShortText
    postcode: ShortText
    country: Country
    phone: Phone | None = None


class Custom(Model):
    """Custom data by family."""

    attributes: dict[str, str | int | float | bool | None] = {}


class Customer(Model):
    """A customer, as far as the messages of the benchmark speak of one."""

    source: Source
    kind: ShortText
    first_name: ShortText
    last_name: ShortText
    company_name: ShortText | None = None
    email: ShortText
    phone: Phone
    language: ShortText
    currency: ShortText
    group: ShortText
    notes: str | None = None
    registered_at: AwareDatetime
    addresses: tuple[Address, ...]
    custom: Custom


class CustomerImported(Model):
    """The message."""

    customer: Customer
    origin: ShortText
    mode: ShortText

    @property
    def email(self) -> str:
        """What is matched first."""
        return self.customer.email.lower()

    @property
    def phone(self) -> str:
        """What is matched next."""
        return self.customer.phone.e164

    @property
    def changed_at(self) -> datetime:
        """When the customer was changed in the shop."""
        return self.customer.source.version.changed_at


def row(message: CustomerImported) -> dict[str, object]:
    """Return what the directory holds of a customer, without its id."""
    customer = message.customer
    address = customer.addresses[0]
    return {
        "email": message.email,
        "phone": message.phone,
        "first_name": customer.first_name,
        "last_name": customer.last_name,
        "company_name": customer.company_name,
        "postcode": address.postcode,
        "city": address.city,
        "country": address.country,
        "channel": customer.source.channel,
        "external_id": customer.source.external_id,
        "changed_at": message.changed_at,
    }


def result(message_id: UUID, customer_id: UUID, message: CustomerImported) -> str:
    """Return what is published about a handled message."""
    source = message.customer.source
    return json.dumps(
        {
            "message_id": str(message_id),
            "customer_id": str(customer_id),
            "channel": source.channel,
            "external_id": source.external_id,
            "version": source.version.fingerprint,
        }
    )
