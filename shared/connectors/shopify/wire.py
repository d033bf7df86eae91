"""Customers and companies in Shopify's own words, parsed: what the translation reads.

Lenient about what is missing, which was not said; strict about types; nothing is changed.
"""

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, model_validator

from shared.domain.customer import ShortText


class _Wire(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore", hide_input_in_errors=True)

    def said(self, *fields: str) -> bool:
        """Whether the shop spoke of one of `fields`."""
        return not self.model_fields_set.isdisjoint(fields)


class WireMetafield(_Wire):
    """A custom field; values are texts, whatever their type."""

    namespace: str
    key: str
    type: str = "single_line_text_field"
    value: str

    @property
    def name(self) -> str:
        """How a configuration calls it."""
        return f"{self.namespace}.{self.key}"


class WireId(_Wire):
    """Something that only its id is read of."""

    id: str


class WireEmail(_Wire):
    """An e-mail address, and whether marketing mail may go there."""

    address: str = Field(alias="emailAddress")
    state: str | None = Field(default=None, alias="marketingState")
    updated_at: str | None = Field(default=None, alias="marketingUpdatedAt")


class WirePhone(_Wire):
    """A telephone number."""

    number: ShortText = Field(alias="phoneNumber")


class WireAddress(_Wire):
    """An address of a customer's, or of a company's location."""

    id: str
    first_name: str | None = Field(default=None, alias="firstName")
    last_name: str | None = Field(default=None, alias="lastName")
    company: str | None = None
    company_name: str | None = Field(default=None, alias="companyName")
    recipient: str | None = None
    address1: str | None = None
    address2: str | None = None
    zip: str | None = None
    city: str | None = None
    province_code: str | None = Field(default=None, alias="provinceCode")
    zone_code: str | None = Field(default=None, alias="zoneCode")
    province: str | None = None
    country_code_v2: str | None = Field(default=None, alias="countryCodeV2")
    country_code: str | None = Field(default=None, alias="countryCode")
    phone: ShortText | None = None

    @property
    def content(self) -> dict[str, Any]:
        """What is the same for equal addresses."""
        return self.model_dump(exclude={"id"})


class WireProfile(_Wire):
    """That a customer acts for a company."""

    company: WireId


class _WithMetafields(_Wire):
    metafields: tuple[WireMetafield, ...] = ()

    @model_validator(mode="before")
    @classmethod
    def _gathers_metafields(cls, value: Any) -> Any:
        """Bring the metafields together that were asked for by alias."""
        if not isinstance(value, dict):
            return value
        found = [each for key, each in value.items() if _is_alias(key) and each is not None]
        return {**value, "metafields": found}


class WireCustomer(_WithMetafields):
    """A customer."""

    created_at: str | None = Field(default=None, alias="createdAt")
    first_name: str | None = Field(default=None, alias="firstName")
    last_name: str | None = Field(default=None, alias="lastName")
    email: WireEmail | None = Field(default=None, alias="defaultEmailAddress")
    phone: WirePhone | None = Field(default=None, alias="defaultPhoneNumber")
    locale: str | None = None
    note: str | None = None
    tags: tuple[str, ...] = ()
    tax_exempt: bool | None = Field(default=None, alias="taxExempt")
    tax_exemptions: tuple[str, ...] = Field(default=(), alias="taxExemptions")
    default_address: WireId | None = Field(default=None, alias="defaultAddress")
    addresses: tuple[WireAddress, ...] = Field(default=(), alias="addressesV2")
    profiles: tuple[WireProfile, ...] = Field(default=(), alias="companyContactProfiles")
    number: WireMetafield | None = None
    tax_id: WireMetafield | None = Field(default=None, alias="taxId")


class WireTaxSettings(_Wire):
    """What taxes a location pays; only its registration is read."""

    registration: str | None = Field(default=None, alias="taxRegistrationId")


class WireLocation(_Wire):
    """A place of a company."""

    id: str
    name: str | None = None
    locale: str | None = None
    currency: str | None = None
    phone: ShortText | None = None
    shipping: WireAddress | None = Field(default=None, alias="shippingAddress")
    billing: WireAddress | None = Field(default=None, alias="billingAddress")
    tax: WireTaxSettings = Field(default=WireTaxSettings(), alias="taxSettings")


class WirePerson(_Wire):
    """The customer that a contact is."""

    id: str
    first_name: str | None = Field(default=None, alias="firstName")
    last_name: str | None = Field(default=None, alias="lastName")
    email: WireEmail | None = Field(default=None, alias="defaultEmailAddress")
    phone: WirePhone | None = Field(default=None, alias="defaultPhoneNumber")


class WireContact(_Wire):
    """Somebody who acts for a company."""

    id: str
    title: str | None = None
    is_main: Annotated[bool, Field(alias="isMainContact")] = False
    person: WirePerson = Field(alias="customer")


class WireCompany(_WithMetafields):
    """A company."""

    created_at: str | None = Field(default=None, alias="createdAt")
    name: str | None = None
    number: str | None = Field(default=None, alias="externalId")
    note: str | None = None
    locations: tuple[WireLocation, ...] = ()
    contacts: tuple[WireContact, ...] = ()


def alias(number: int) -> str:
    """Return the alias that a further metafield is asked for by."""
    return f"m{number}"


def _is_alias(key: Any) -> bool:
    return isinstance(key, str) and key[:1] == "m" and key[1:].isdigit()
