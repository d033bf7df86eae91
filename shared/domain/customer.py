"""The canonical customer: the one shape every platform's customer is translated into.

Its promise: *absent is not empty*. A field that was never set (it is missing from
`model_fields_set`) is one the source did not speak of and is never a change; a field set to
`None` or an empty value was said to be empty. Serialise with `to_json`, which keeps that apart.
"""

from collections.abc import Callable
from datetime import UTC, date, datetime
from enum import StrEnum
from typing import Annotated, Any, Final, Generic, NamedTuple, TypeVar

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
)

M = TypeVar("M")
T = TypeVar("T")


class derived(Generic[M, T]):  # noqa: N801 - used like `property`
    """What follows from a model's fields: worked out when it is asked for, and kept beside them.

    A `cached_property` without its lock, which costs more than what is worked out here.
    """

    def __init__(self, work_out: Callable[[M], T]) -> None:
        self._work_out = work_out
        self.__doc__ = work_out.__doc__

    def __set_name__(self, owner: type[M], name: str) -> None:
        self._name = name

    def __get__(self, model: M, owner: type[M]) -> T:
        found = model.__dict__[self._name] = self._work_out(model)
        return found


class Model(BaseModel):
    """A frozen value of the domain that names every key it does not know."""

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        str_strip_whitespace=True,
        hide_input_in_errors=True,
        ignored_types=(derived,),
    )

    def to_json(self) -> bytes:
        """Serialise what was said, and only that, as UTF-8 JSON."""
        return self.__pydantic_serializer__.to_json(self, exclude_unset=True)

    def said(self, field: str) -> bool:
        """Whether the source spoke of `field` at all."""
        return field in self.__pydantic_fields_set__


ShortText = Annotated[str, StringConstraints(max_length=255)]
LongText = Annotated[str, StringConstraints(max_length=4000)]
Identifier = Annotated[
    str, StringConstraints(min_length=1, max_length=255, pattern=r"^[^\x00-\x1f\x7f]+$")
]


def _in_calendar(moment: datetime) -> datetime:
    """Refuse a moment at the edge of the calendar that has none in UTC."""
    try:
        moment.astimezone(UTC)
    except OverflowError:
        raise ValueError("out of range") from None
    return moment


Moment = Annotated[AwareDatetime, AfterValidator(_in_calendar)]
CountryCode = Annotated[str, StringConstraints(pattern=r"^[A-Z]{2}$")]
CurrencyCode = Annotated[str, StringConstraints(pattern=r"^[A-Z]{3}$")]
CustomValue = str | int | float | bool | None


class CustomerKind(StrEnum):
    """Whom the account belongs to."""

    INDIVIDUAL = "individual"
    BUSINESS = "business"


class Entity(StrEnum):
    """What the platform keeps the record as; never turned into the other (MYOB-5).

    An `account` is one login, of a private person or of somebody who buys for a firm; a `company`
    is a firm with locations and contacts of its own.
    """

    ACCOUNT = "account"
    COMPANY = "company"


class Version(Model):
    """Which state of the remote record was read.

    Ordered by the source's own change time, then by when we read it, because some platforms
    leave the change time alone when an address is edited.
    """

    changed_at: Moment
    read_at: Moment
    fingerprint: Identifier

    def is_older_than(self, other: "Version") -> bool:
        """Whether this state was superseded by `other`."""
        return (self.changed_at, self.read_at) < (other.changed_at, other.read_at)


class SourceKey(NamedTuple):
    """The identity of a remote record: a customer belongs to a channel (ORO-1)."""

    channel: str
    external_id: str

    def __str__(self) -> str:
        return f"{self.channel}/{self.external_id}"


class Source(Model):
    """Where a customer was read: its channel, store view and remote identity."""

    channel: Identifier
    store_view: Identifier
    external_id: Identifier
    version: Version

    @derived
    def key(self) -> SourceKey:
        """Return what links and source records are found by."""
        return SourceKey(self.channel, self.external_id)


class Phone(Model):
    """A telephone number as written, and in E.164 where it could be understood."""

    raw: ShortText
    e164: Annotated[str, StringConstraints(pattern=r"^\+[1-9]\d{3,14}$")] | None = None
    extension: ShortText | None = None


class Consent(Model):
    """Whether marketing mail is wanted, and when that was last said."""

    granted: bool
    at: AwareDatetime | None = None


class Address(Model):
    """A postal address of a customer. Identity is the platform's id; defaults are only flags.

    One of a company that has a `location_name` is a location: a place of the customer with
    defaults and a number of its own (MYOB-2). So is any of an individual, if that is configured.
    """

    external_id: Identifier | None = None
    location_name: ShortText | None = None
    is_default_billing: bool = False
    is_default_shipping: bool = False
    prefix: ShortText | None = None
    first_name: ShortText | None = None
    last_name: ShortText | None = None
    company_name: ShortText | None = None
    lines: tuple[ShortText, ...] = ()
    city: ShortText | None = None
    postcode: ShortText | None = None
    region_code: ShortText | None = None
    region: ShortText | None = None
    country: CountryCode | None = None
    phone: Phone | None = None
    tax_id: ShortText | None = None


class Contact(Model):
    """A person who acts for a company. `account` is the remote id of that person's own account."""

    external_id: Identifier
    account: Identifier | None = None
    is_main: bool = False
    first_name: ShortText | None = None
    last_name: ShortText | None = None
    email: ShortText | None = None
    phone: Phone | None = None
    role: ShortText | None = None


class Custom(Model):
    """Custom data by family, as the platform holds it."""

    attributes: dict[str, CustomValue] = Field(default_factory=dict)
    metafields: dict[str, CustomValue] = Field(default_factory=dict)
    form_fields: dict[str, CustomValue] = Field(default_factory=dict)


class FieldWarning(Model):
    """Something about a field that could not be understood and was kept as written."""

    field: str
    problem: str


class Customer(Model):
    """A customer as one source knows it. A guest ordered without an account.

    `companies` are the remote ids of the companies that an account acts for.
    """

    source: Source
    entity: Entity = Entity.ACCOUNT
    kind: CustomerKind = CustomerKind.INDIVIDUAL
    prefix: ShortText | None = None
    first_name: ShortText | None = None
    middle_name: ShortText | None = None
    last_name: ShortText | None = None
    suffix: ShortText | None = None
    company_name: ShortText | None = None
    email: ShortText | None = None
    phone: Phone | None = None
    language: ShortText | None = None
    currency: CurrencyCode | None = None
    group: ShortText | None = None
    tax_id: ShortText | None = None
    birth_date: date | None = None
    gender: ShortText | None = None
    marketing_consent: Consent | None = None
    notes: LongText | None = None
    customer_number: ShortText | None = None
    is_guest: bool = False
    registered_at: AwareDatetime | None = None
    addresses: tuple[Address, ...] = ()
    contacts: tuple[Contact, ...] = ()
    companies: tuple[Identifier, ...] = ()
    custom: Custom = Field(default_factory=Custom)
    warnings: tuple[FieldWarning, ...] = ()

    def to_json(self) -> bytes:
        """Serialise what was said; as it was read, where that is known."""
        return self.__dict__.get(_WRITTEN) or super().to_json()

    @derived
    def default_billing(self) -> Address | None:
        """Return the address bills go to, if the source marked one."""
        for address in self.addresses:
            if address.is_default_billing:
                return address
        return None

    @derived
    def default_shipping(self) -> Address | None:
        """Return the address goods go to, if the source marked one."""
        for address in self.addresses:
            if address.is_default_shipping:
                return address
        return None


def replaced(model: Model, **changes: Any) -> Any:
    """Return `model` with `changes` applied; changed fields count as said."""
    copy = model.model_copy(update=changes)
    for name in _DERIVED.intersection(copy.__dict__):
        # Worked out from the fields as they were.
        del copy.__dict__[name]
    return copy


def read_from(customer: Customer, written: bytes) -> None:
    """Keep the JSON that `customer` was read from, so that it need not be written anew."""
    customer.__dict__[_WRITTEN] = written


_WRITTEN: Final = "written"
_DERIVED: Final = frozenset({"key", "default_billing", "default_shipping", _WRITTEN})


def utc(moment: datetime) -> datetime:
    """Return an aware `moment` in UTC, as versions are compared and stored."""
    return moment.astimezone(UTC)
