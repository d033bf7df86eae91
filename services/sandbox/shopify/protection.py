"""Personal data that the app is not approved for: null, with an error for each.

Its promise: only fields that may be null are withheld, so that the rest of the answer stands.
"""

from collections.abc import Iterator
from typing import Any

from services.sandbox.shopify.errors import Record, protected
from services.sandbox.shopify.plan import Selection

PROTECTED = {
    "Customer": {
        "firstName": "name",
        "lastName": "name",
        "email": "email",
        "defaultEmailAddress": "email",
        "phone": "phone",
        "defaultPhoneNumber": "phone",
        "defaultAddress": "address",
    },
    "MailingAddress": {
        "firstName": "name",
        "lastName": "name",
        "name": "name",
        "address1": "address",
        "address2": "address",
        "zip": "address",
        "city": "address",
        "phone": "phone",
    },
}
Path = tuple[str | int, ...]


def withhold(selection: Selection, data: Record) -> list[Record]:
    """Empty what is protected in an answer, and return the errors that say so."""
    return [protected(what).entry(path) for path, what in _withheld(selection, data, ())]


def _withheld(selection: Selection, data: Record, path: Path) -> Iterator[tuple[Path, str]]:
    for field in selection.fields:
        value = data.get(field.key)
        here = (*path, field.key)
        what = PROTECTED.get(field.parent, {}).get(field.name)
        if what and not field.is_required:
            data[field.key] = None
            yield here, what
        elif field.selection and value is not None:
            yield from _below(field.selection, value, here)


def _below(selection: Selection, value: Any, path: Path) -> Iterator[tuple[Path, str]]:
    if isinstance(value, list):
        for place, each in enumerate(value):
            yield from _withheld(selection, each, (*path, place))
    else:
        yield from _withheld(selection, value, path)
