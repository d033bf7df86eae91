"""A customer as somebody pushes it: a friendly subset of the canonical one, in plain JSON.

Its promise: what is left out is never a change, what does not fit is told with a JSON pointer and
without the value, and a pushed customer has one fingerprint however it is written.
"""

from collections.abc import Mapping, Sequence
from datetime import date
from hashlib import blake2b
from typing import Annotated, Any, Final, NamedTuple

import orjson
from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from shared.domain.customer import (
    Address,
    Consent,
    Custom,
    Customer,
    CustomerKind,
    CustomValue,
    Identifier,
    Moment,
    Phone,
    Source,
)
from shared.domain.normalise.country import country_code

Text = Annotated[str, StringConstraints(max_length=255)]
Line = Annotated[str, StringConstraints(max_length=255)]
Notes = Annotated[str, StringConstraints(max_length=4000)]
Currency = Annotated[str, StringConstraints(pattern=r"^[A-Z]{3}$")]
CustomData = Annotated[
    dict[
        Annotated[str, StringConstraints(min_length=1, max_length=255)],
        Annotated[str, StringConstraints(max_length=4000)] | int | float | bool | None,
    ],
    Field(max_length=200),
]
_DIGITS: Final = 16
_ABOUT_THE_PUSH: Final = frozenset({"updated_at", "previous_email"})


class Fault(NamedTuple):
    """Something that does not fit: where, as a JSON pointer, and what is allowed there."""

    pointer: str
    detail: str


class _Pushed(BaseModel):
    """A frozen value that names every key it does not know, and no value."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", str_strip_whitespace=True, hide_input_in_errors=True
    )


class PushedAddress(_Pushed):
    """A postal address; the only one of a customer is its default for bills and goods."""

    external_id: Identifier | None = Field(None, description="Your id of the address.")
    is_default_billing: bool = False
    is_default_shipping: bool = False
    prefix: Text | None = None
    first_name: Text | None = None
    last_name: Text | None = None
    company_name: Text | None = None
    lines: Annotated[list[Line], Field(max_length=10)] = Field(
        default_factory=list, description="Street and number, as on an envelope."
    )
    city: Text | None = None
    postcode: Text | None = None
    region_code: Text | None = Field(None, description="ISO 3166-2, such as US-CA, or CA.")
    region: Text | None = None
    country: Text | None = Field(None, description="A code or a name, such as DE, DEU or Germany.")
    phone: Text | None = None
    tax_id: Text | None = None


class PushedConsent(_Pushed):
    """Whether marketing mail is wanted, and when that was said."""

    granted: bool
    at: Moment | None = None


class PushedCustom(_Pushed):
    """Custom data by family."""

    attributes: CustomData = Field(default_factory=dict)
    metafields: CustomData = Field(default_factory=dict)
    form_fields: CustomData = Field(default_factory=dict)


class PushedCustomer(_Pushed):
    """A customer. What is left out is never a change; null or "" says that there is nothing."""

    external_id: Identifier | None = Field(
        None, description="Your id of the customer. The e-mail address, where that is the key."
    )
    store_view: Identifier | None = Field(
        None, description="Which of the channel's store views; needed where there are several."
    )
    kind: CustomerKind = CustomerKind.INDIVIDUAL
    prefix: Text | None = None
    first_name: Text | None = None
    middle_name: Text | None = None
    last_name: Text | None = None
    suffix: Text | None = None
    company_name: Text | None = None
    email: Text | None = None
    previous_email: Text | None = Field(
        None, description="The address until now, where the e-mail is the key and changes."
    )
    phone: Text | None = Field(None, description="As it is written; E.164 is understood best.")
    language: Text | None = None
    currency: Currency | None = None
    group: Text | None = None
    tax_id: Text | None = None
    birth_date: date | None = None
    gender: Text | None = None
    marketing_consent: bool | PushedConsent | None = None
    notes: Notes | None = None
    customer_number: Text | None = None
    is_guest: bool = False
    registered_at: Moment | None = None
    updated_at: Moment | None = Field(
        None, description="When it last changed with you; an older state never replaces a newer."
    )
    addresses: Annotated[list[PushedAddress], Field(max_length=100)] = Field(default_factory=list)
    custom: PushedCustom = Field(default_factory=PushedCustom)

    def fingerprint(self) -> str:
        """Return what is equal for equal content."""
        said = self.model_dump(mode="json", exclude_unset=True, exclude=set(_ABOUT_THE_PUSH))
        text = orjson.dumps(said, option=orjson.OPT_SORT_KEYS)
        return blake2b(text, digest_size=_DIGITS).hexdigest()

    def to_customer(self, source: Source) -> Customer:
        """Return the canonical customer, with exactly the fields that were said."""
        said = {name: getattr(self, name) for name in self.model_fields_set & _AS_THEY_ARE}
        if "email" in self.model_fields_set:
            said["email"] = self.email or None
        if "phone" in self.model_fields_set:
            said["phone"] = _phone(self.phone)
        if "marketing_consent" in self.model_fields_set:
            said["marketing_consent"] = _consent(self.marketing_consent)
        if "addresses" in self.model_fields_set:
            said["addresses"] = _addresses(self.addresses)
        if "custom" in self.model_fields_set:
            said["custom"] = Custom(**_custom(self.custom))
        return Customer(source=source, **said)


PUSHED_FIELDS: Final = frozenset(PushedCustomer.model_fields)
_CONVERTED: Final = frozenset({"email", "phone", "marketing_consent", "addresses", "custom"})
_AS_THEY_ARE: Final = (PUSHED_FIELDS & Customer.model_fields.keys()) - _CONVERTED


class Unfit(Exception):
    """What was pushed is no customer; `faults` say where and why."""

    def __init__(self, faults: Sequence[Fault]) -> None:
        super().__init__(f"{len(faults)} faults")
        self.faults = tuple(faults)


def read_pushed(record: Any, *, is_mapped: bool = False) -> PushedCustomer:
    """Read one customer. Raises `Unfit`.

    What came through a mapping is read more kindly: "true" for true, "1" for 1.
    """
    try:
        pushed = PushedCustomer.model_validate_json(orjson.dumps(record), strict=not is_mapped)
    except ValidationError as error:
        raise Unfit(_faults(error)) from None
    if faults := list(_unknown_countries(pushed)):
        raise Unfit(faults)
    return pushed


def _unknown_countries(pushed: PushedCustomer) -> list[Fault]:
    return [
        Fault(f"/addresses/{number}/country", "is no country; write its ISO code, such as DE")
        for number, address in enumerate(pushed.addresses)
        if address.country and country_code(address.country) is None
    ]


def _faults(error: ValidationError) -> list[Fault]:
    found: dict[str, Fault] = {}
    for entry in error.errors(include_url=False, include_context=False, include_input=False):
        pointer = pointer_to(entry["loc"])
        found.setdefault(pointer, Fault(pointer, _plain(entry["type"], entry["msg"])))
    return list(found.values())


def pointer_to(location: Sequence[int | str]) -> str:
    """Return an RFC 6901 pointer, without what pydantic calls the branches of a union."""
    parts = [str(part) for part in location if str(part) not in _BRANCHES]
    return "".join(f"/{part.replace('~', '~0').replace('/', '~1')}" for part in parts)


_BRANCHES: Final = frozenset({"bool", "PushedConsent", "constrained-str", "int", "float"})


def _plain(kind: str, text: str) -> str:
    if kind == "extra_forbidden":
        return "there is no such field; custom data goes into custom.attributes"
    if kind == "missing":
        return "is missing"
    if kind == "string_pattern_mismatch":
        return "is not written as it should be; see the documentation"
    text = text.removeprefix("Value error, ")
    return text.replace("Input should", "should", 1) if text.startswith("Input should") else text


def _phone(text: str | None) -> Phone | None:
    return Phone(raw=text) if text else None


def _consent(said: bool | PushedConsent | None) -> Consent | None:  # noqa: FBT001 - the pusher's word
    if said is None:
        return None
    if isinstance(said, bool):
        return Consent(granted=said)
    return Consent(granted=said.granted, at=said.at) if said.at else Consent(granted=said.granted)


def _addresses(pushed: Sequence[PushedAddress]) -> tuple[Address, ...]:
    addresses = tuple(map(_address, pushed))
    flags = {"is_default_billing", "is_default_shipping"}
    if len(pushed) == 1 and not pushed[0].model_fields_set & flags:
        # Nobody has to say that the only address is the one to use.
        alone = addresses[0].model_copy(
            update={"is_default_billing": True, "is_default_shipping": True}
        )
        return (alone,)
    return addresses


def _address(pushed: PushedAddress) -> Address:
    said: dict[str, Any] = {name: getattr(pushed, name) for name in pushed.model_fields_set}
    if "lines" in said:
        said["lines"] = tuple(said["lines"])
    if "phone" in said:
        said["phone"] = _phone(said["phone"])
    if "country" in said:
        said["country"] = country_code(said["country"]) if said["country"] else None
    return Address(**said)


def _custom(pushed: PushedCustom) -> Mapping[str, dict[str, CustomValue]]:
    return {name: dict(getattr(pushed, name)) for name in pushed.model_fields_set}
