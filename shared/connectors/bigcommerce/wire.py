"""A customer in BigCommerce's own words, parsed: what the translation reads, and its types.

Lenient where shops differ (unknown keys, missing keys), strict about types; nothing is changed.
"""

from typing import Any

from pydantic import BaseModel, ConfigDict

FieldValue = str | int | float | list[Any] | None


class Wire(BaseModel):
    """A value of the platform's, as it was sent."""

    model_config = ConfigDict(frozen=True, extra="ignore", hide_input_in_errors=True)


class WireFormField(Wire):
    """An answer that the shopper gave in a form of the shop's."""

    name: str
    value: FieldValue = None


class WireAttribute(Wire):
    """A value of a customer attribute."""

    attribute_id: int
    attribute_value: str | int | float | None = None


class WireMetafield(Wire):
    """A value that a program keeps with a customer."""

    id: int
    namespace: str
    key: str
    value: str | None = None


class WireSubscriber(Wire):
    """What an e-mail address agreed to, in one storefront."""

    consents: tuple[str, ...] | None = None
    date_modified: str | None = None


class WireAddress(Wire):
    """An address of the address book."""

    id: int
    first_name: str | None = None
    last_name: str | None = None
    company: str | None = None
    address1: str | None = None
    address2: str | None = None
    city: str | None = None
    state_or_province: str | None = None
    postal_code: str | None = None
    country_code: str | None = None
    phone: str | None = None
    form_fields: tuple[WireFormField, ...] | None = None


class WireCustomer(Wire):
    """A customer, with what is read beside it: metafields, consents, companies."""

    email: str | None = None
    first_name: str | None = None
    last_name: str | None = None
    company: str | None = None
    phone: str | None = None
    notes: str | None = None
    tax_exempt_category: str | None = None
    customer_group_id: int | None = None
    date_created: str | None = None
    addresses: tuple[WireAddress, ...] | None = None
    attributes: tuple[WireAttribute, ...] | None = None
    form_fields: tuple[WireFormField, ...] | None = None
    metafields: tuple[WireMetafield, ...] | None = None
    companies: tuple[str, ...] | None = None
    subscribers: tuple[WireSubscriber, ...] | None = None
