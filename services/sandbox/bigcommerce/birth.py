"""What a new customer brings along: addresses and attribute values.

Its promise: they obey the rules of the routes on which they would be written later, except that
an address may lack its state and postcode.
"""

from collections.abc import Callable, Mapping
from typing import Any

from services.sandbox.bigcommerce import records, rules
from services.sandbox.bigcommerce.errors import Refusal

Record = dict[str, Any]
NextId = Callable[[str], int]

CREATE_FAILED = "Create customers failed."
_UPSERT_FAILED = "Upsert customer attribute values failed."
_LONGEST_VALUE = 255


def addresses(number: int, given: list[Record], place: int, next_id: NextId) -> list[Record]:
    """Return the address book of a new customer; the same address twice is one."""
    if len(given) > rules.MOST_ITEMS:
        raise Refusal(422, CREATE_FAILED, {f"{place}.addresses": "at most 10 addresses"})
    kept: list[Record] = []
    for each in given:
        rules.demand(each, rules.REQUIRED_AT_BIRTH)
        fields = rules.picked(each, rules.ADDRESS, place, CREATE_FAILED)
        rules.check_address(fields, place, CREATE_FAILED)
        address = records.address_of(fields, 0, number)
        if records.core(address) not in [records.core(other) for other in kept]:
            kept.append(records.address_of(fields, next_id("address"), number))
    return kept


def attributes(
    number: int, given: list[Record], definitions: Mapping[int, Record], now: str, next_id: NextId
) -> list[Record]:
    """Return the attribute values of a new customer."""
    if len(given) > rules.MOST_ITEMS:
        raise Refusal(422, CREATE_FAILED, {"attributes": "at most 10 attributes"})
    kept: list[Record] = []
    for each in given:
        rules.demand(each, ("attribute_id", "attribute_value"))
        attribute_id, text = each["attribute_id"], each["attribute_value"]
        check_value(definitions, attribute_id, text, "attribute_value")
        new = records.value_of(next_id("attribute_value"), number, attribute_id, text, now)
        kept = records.with_value(kept, new)
    return kept


def check_value(
    definitions: Mapping[int, Record], attribute_id: int, value: Any, name: str
) -> None:
    """Raise the 422 for an attribute that is not defined, or a value that is none of it."""
    if attribute_id not in definitions:
        raise Refusal(422, _UPSERT_FAILED, {"attribute_id": "invalid attribute ID"})
    rules.check_kind(value, "string", name)
    if len(value) > _LONGEST_VALUE:
        problem = f"must be at most {_LONGEST_VALUE} characters"
        raise Refusal(422, _UPSERT_FAILED, {name: problem})
    if not records.fits(definitions[attribute_id]["type"], value):
        raise Refusal(422, _UPSERT_FAILED, {name: "does not fit the type of the attribute"})
