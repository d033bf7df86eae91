"""From the JSON of a push to its customers: each one read, or refused with what does not fit.

Pure: no clock, no database. Its promise: one customer that cannot be read costs no other.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from jmespath.exceptions import JMESPathError

from services.importer.intake.contract import MOST_CUSTOMERS
from services.importer.intake.problems import Problem
from shared.connectors.push.customer import Fault, PushedCustomer, Unfit, read_pushed
from shared.connectors.push.mapping import compiled
from shared.connectors.push.settings import PushSettings
from shared.domain.errors import UnreadableRecord
from shared.domain.normalise.email import email_key

_BATCH: Final = "customers"


@dataclass(frozen=True, slots=True)
class Door:
    """A channel that is pushed to; `imported` are the store views whose import is on."""

    channel: str
    settings: PushSettings
    imported: frozenset[str]
    keeps_raw: bool = False

    @property
    def knows_by_email(self) -> bool:
        """Whether the e-mail address says which customer it is."""
        return self.settings.key == "email"


@dataclass(frozen=True, slots=True)
class Given:
    """One customer of a request, where it stands in the body; `faults` are why it is refused."""

    position: int
    pointer: str
    record: Mapping[str, Any]
    customer: PushedCustomer | None = None
    store_view: str = ""
    faults: tuple[Fault, ...] = ()

    def refused(self, *faults: Fault) -> "Given":
        """Return it refused for these faults, which are told from where it stands."""
        told = tuple(Fault(f"{self.pointer}{pointer}", detail) for pointer, detail in faults)
        return replace(self, customer=None, faults=(*self.faults, *told))


def read_customers(body: Any, door: Door) -> list[Given]:
    """Return the customers of a body. Raises `Problem` where it holds none at all."""
    return [_checked(_read(given, door), door) for given in _records(body, door.settings)]


def _records(body: Any, settings: PushSettings) -> list[Given]:
    """Find the customers in a body: the only one, a list of them, or where `records` says."""
    if settings.records is not None:
        try:
            found = compiled(settings.records, "records").search(body)
        except (JMESPathError, TypeError, ValueError, AttributeError):
            found = None
        many = found if isinstance(found, list) else [found] if isinstance(found, dict) else []
    elif isinstance(body, dict) and _BATCH in body:
        if strange := sorted(body.keys() - {_BATCH}):
            raise _invalid([(_pointer(strange[0]), "there is no such field beside customers")])
        many = body[_BATCH] if isinstance(body[_BATCH], list) else []
    else:
        return [Given(0, "", _object(body, ""))]
    if not 1 <= len(many) <= MOST_CUSTOMERS:
        raise _invalid([(f"/{_BATCH}", f"should be a list of 1 to {MOST_CUSTOMERS} customers")])
    return [
        Given(number, pointer, record)
        if isinstance(record, dict)
        else Given(number, pointer, {}).refused(Fault("", "should be an object"))
        for number, record in enumerate(many)
        for pointer in [f"/{_BATCH}/{number}"]
    ]


def _read(given: Given, door: Door) -> Given:
    if given.faults:
        return given
    mapping = door.settings.field_mapping
    try:
        record = mapping.apply(given.record) if mapping else given.record
        return replace(given, customer=read_pushed(record, is_mapped=mapping is not None))
    except UnreadableRecord as error:
        return given.refused(*(Fault("", f"{name}: {text}") for name, text in error.problems))
    except Unfit as error:
        if mapping is None:
            return given.refused(*error.faults)
        # The pusher has other names for these fields: ours are told.
        return given.refused(*(Fault("", f"{p[1:]}: {detail}") for p, detail in error.faults))


def _checked(given: Given, door: Door) -> Given:
    """Say which store view it is of, and refuse it without what it is known by."""
    customer = given.customer
    if customer is None:
        return given
    if not customer.external_id:
        if not door.knows_by_email:
            return given.refused(Fault("/external_id", "is missing: your id of the customer"))
        if email_key(customer.email) is None:
            wanted = "should be an e-mail address: customers of this channel are known by it"
            return given.refused(Fault("/email", wanted))
    codes = door.settings.codes
    view = customer.store_view or (codes[0] if len(codes) == 1 else "")
    if view not in codes:
        return given.refused(Fault("/store_view", f"should be one of {', '.join(codes)}"))
    if view not in door.imported:
        return given.refused(Fault("/store_view", "is not imported at present"))
    return replace(given, store_view=view)


def refused_whole(given: Sequence[Given]) -> Problem:
    """Return the problem of a request of which nothing can be taken."""
    return _invalid([fault for each in given for fault in each.faults])


def _invalid(errors: Sequence[tuple[str, str]]) -> Problem:
    detail = "nothing was taken; mend what `errors` name and send the request again"
    return Problem(422, "invalid", detail, errors)


def _object(body: Any, pointer: str) -> Mapping[str, Any]:
    if isinstance(body, dict):
        return body
    raise _invalid([(pointer, 'should be a customer, or {"customers": [...]}')])


def _pointer(name: str) -> str:
    return "/" + name.replace("~", "~0").replace("/", "~1")[:255]
