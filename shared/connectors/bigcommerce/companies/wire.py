"""A company in the B2B Edition's own words, parsed: what the translation reads, and its types."""

from typing import Annotated, Any

from pydantic import BeforeValidator, ConfigDict
from pydantic.alias_generators import to_camel

from shared.connectors.bigcommerce.wire import Wire


def _as_flag(value: Any) -> Any:
    return str(value).lower() in {"1", "true"}


def _as_text(value: Any) -> Any:
    return str(value) if isinstance(value, int | float) else value


Flag = Annotated[bool, BeforeValidator(_as_flag)]
Text = Annotated[str | None, BeforeValidator(_as_text)]


class _Camel(Wire):
    model_config = ConfigDict(alias_generator=to_camel)


class WireLocation(_Camel):
    """An address of a company."""

    address_id: int
    label: Text = None
    external_id: Text = None
    first_name: Text = None
    last_name: Text = None
    phone_number: Text = None
    address_line1: Text = None
    address_line2: Text = None
    city: Text = None
    zip_code: Text = None
    state_name: Text = None
    state_code: Text = None
    country_code: Text = None
    is_billing: Flag = False
    is_shipping: Flag = False
    is_default_billing: Flag = False
    is_default_shipping: Flag = False


class WireUser(_Camel):
    """A buyer of a company."""

    id: int
    customer_id: int | None = None
    first_name: Text = None
    last_name: Text = None
    email: Text = None
    phone_number: Text = None
    role: int | None = None


class WireExtraField(_Camel):
    """What a company has besides, as the shop's staff defined it."""

    field_name: str
    field_value: Text = None


class WireCompany(_Camel):
    """A company, as the record keeps it."""

    company_name: Text = None
    company_email: Text = None
    company_phone: Text = None
    bc_group_name: Text = None
    company_status: Text = None
    created_at: Any = None
    extra_fields: tuple[WireExtraField, ...] = ()
    addresses: tuple[WireLocation, ...] = ()
    users: tuple[WireUser, ...] = ()
