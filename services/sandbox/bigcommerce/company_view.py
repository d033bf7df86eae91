"""Companies as the B2B Edition shows and finds them.

Its promise: times and the status are text, as they are there, and extra fields come only if asked
for.
"""

from collections.abc import Sequence
from typing import Any
from uuid import UUID, uuid5

from services.sandbox.bigcommerce.b2b_form import within
from services.sandbox.bigcommerce.call import Call

Record = dict[str, Any]

_NAMESPACE = UUID("6ba7b811-9dad-11d1-80b4-00c04fd430c8")
_HIDDEN = frozenset({"customerId", "extraFields"})


def shown(company: Record, group_name: str, extra_fields: Sequence[str] | None) -> Record:
    """Return a company as answers show it, with these extra fields if any."""
    found = {name: value for name, value in company.items() if name not in _HIDDEN} | {
        "companyStatus": str(company["companyStatus"]),
        "bcGroupName": group_name,
        "catalogId": "",
        "catalogName": "",
        "priceListAssign": [],
        "createdAt": str(company["createdAt"]),
        "updatedAt": str(company["updatedAt"]),
    }
    if not found["uuid"]:
        del found["uuid"]
    if extra_fields is not None:
        found["extraFields"] = [
            {"fieldName": name, "fieldValue": company["extraFields"].get(name, "")}
            | {"labelName": name, "isRequired": "0", "dataType": "0", "fieldType": 0}
            for name in extra_fields
        ]
    return found


def matches(call: Call, company: Record) -> bool:
    """Whether the filters of a request leave this company."""
    query = call.query
    part, group = query.text("q").casefold(), query.text("bcGroupId")
    customer, status = query.text("customerId"), query.text("companyStatus")
    return (
        within(call, company["createdAt"], company["updatedAt"])
        and part in company["companyName"].casefold()
        and group in {"", str(company["bcGroupId"])}
        and customer in {"", str(company["customerId"])}
        and status in {"", str(company["companyStatus"])}
        and _has_extra(call, company["extraFields"])
    )


def _has_extra(call: Call, values: dict[str, str]) -> bool:
    is_exact = call.query.text("extraFieldFilterType") == "exact-match"
    for pair in call.query.texts("extraFields") or ():
        name, _, wanted = pair.partition(":")
        value = values.get(name, "")
        if value != wanted if is_exact else wanted not in value:
            return False
    return True


def definition(number: int, name: str) -> Record:
    """Return the definition of an extra field."""
    return {
        "id": number, "uuid": str(uuid5(_NAMESPACE, name)), "fieldName": name, "fieldType": 0,
        "isRequired": False, "isUnique": False, "visibleToEnduser": True, "configType": 2,
        "defaultValue": "", "maximumLength": "255", "numberOfRows": "", "maximumValue": "",
        "listOfValue": [],
    }  # fmt: skip
