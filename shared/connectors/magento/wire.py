"""A customer in Magento's own words, parsed: what the translation reads, and its types.

Lenient where shops differ (unknown keys, missing keys), strict about types; nothing is changed.
"""

from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict

from shared.domain.customer import ShortText


def _list_of_lines(value: Any) -> Any:
    """Read one line as a list of one; older shops send streets so."""
    return [value] if isinstance(value, str) else value


Lines = Annotated[tuple[str, ...], BeforeValidator(_list_of_lines)]


class _Wire(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore", hide_input_in_errors=True)


class WireRegion(_Wire):
    """A state: one of the shop's list, or as typed."""

    region_code: str | None = None
    region: str | None = None


class WireAttribute(_Wire):
    """A custom attribute."""

    attribute_code: str
    value: Any = None


class WireAddress(_Wire):
    """An address of the address book."""

    id: int | None = None
    region: WireRegion | None = None
    country_id: str | None = None
    street: Lines = ()
    company: str | None = None
    telephone: ShortText | None = None
    postcode: str | None = None
    city: str | None = None
    prefix: str | None = None
    firstname: str | None = None
    middlename: str | None = None
    lastname: str | None = None
    vat_id: str | None = None
    default_billing: bool = False
    default_shipping: bool = False


class WireExtension(_Wire):
    """What modules add; the newsletter's says whether the customer reads it."""

    is_subscribed: bool | None = None


class WireCustomer(_Wire):
    """A customer; null properties are left out by the shop."""

    group_id: int | None = None
    default_billing: str | int | None = None
    default_shipping: str | int | None = None
    created_at: str | None = None
    dob: str | None = None
    email: str | None = None
    prefix: str | None = None
    firstname: str | None = None
    middlename: str | None = None
    lastname: str | None = None
    suffix: str | None = None
    gender: int | None = None
    taxvat: str | None = None
    addresses: tuple[WireAddress, ...] = ()
    extension_attributes: WireExtension | None = None
    custom_attributes: tuple[WireAttribute, ...] = ()
