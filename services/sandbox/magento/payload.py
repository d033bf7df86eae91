"""Reads request bodies as the platform's web API does: snake or camel case, casting, no nulls.

Its promise: what comes out has only known keys in snake case, values of the right type, and no
null, because the platform drops nulls before it saves.
"""

import re
from collections.abc import Mapping
from typing import Any

import orjson

from services.sandbox.magento.errors import NOT_SUPPORTED, Refusal, fields_required, wrong_type
from services.sandbox.wire import Request

Record = dict[str, Any]

CUSTOMER: dict[str, str] = {
    "id": "int", "group_id": "int", "default_billing": "string", "default_shipping": "string",
    "confirmation": "string", "created_at": "string", "updated_at": "string",
    "created_in": "string", "dob": "string", "email": "string", "firstname": "string",
    "lastname": "string", "middlename": "string", "prefix": "string", "suffix": "string",
    "gender": "int", "store_id": "int", "taxvat": "string", "website_id": "int",
    "disable_auto_group_change": "int", "addresses": "addresses",
    "extension_attributes": "extension", "custom_attributes": "attributes",
}  # fmt: skip
ADDRESS: dict[str, str] = {
    "id": "int", "customer_id": "int", "region": "region", "region_id": "int",
    "country_id": "string", "street": "lines", "company": "string", "telephone": "string",
    "fax": "string", "postcode": "string", "city": "string", "firstname": "string",
    "lastname": "string", "middlename": "string", "prefix": "string", "suffix": "string",
    "vat_id": "string", "default_shipping": "boolean", "default_billing": "boolean",
    "extension_attributes": "anything", "custom_attributes": "attributes",
}  # fmt: skip
REGION: dict[str, str] = {
    "region_code": "string", "region": "string", "region_id": "int",
    "extension_attributes": "anything",
}  # fmt: skip
EXTENSION: dict[str, str] = {
    "is_subscribed": "boolean", "assistance_allowed": "int", "company_attributes": "anything",
    "all_company_attributes": "anything",
}  # fmt: skip
ATTRIBUTE: dict[str, str] = {"attribute_code": "string", "value": "anything"}


def read_body(request: Request) -> Record:
    """Parse a JSON object. The platform wants to be told that it is JSON."""
    content_type = request.headers.get("content-type", "")
    if not content_type:
        raise Refusal(400, "Content-Type header is empty.")
    if content_type.partition(";")[0].strip().lower() != "application/json":
        raise Refusal(400, "Server cannot understand Content-Type HTTP header media type.")
    try:
        body = orjson.loads(request.body or b"{}")
    except orjson.JSONDecodeError:
        raise Refusal(400, "Decoding error.") from None
    if not isinstance(body, dict):
        raise Refusal(400, "Decoding error.")
    return body


def read_customer(body: Mapping[str, Any]) -> Record:
    """Read `customer` out of a create or update body."""
    if not isinstance(body.get("customer"), dict):
        raise fields_required(["customer"])
    return _read(body["customer"], CUSTOMER)


def _read(given: Mapping[str, Any], known: Mapping[str, str]) -> Record:
    record: Record = {}
    for name, value in given.items():
        key = re.sub(r"(?<=[a-z])([A-Z])", r"_\1", name).lower()
        if key not in known:
            pascal = "".join(part.capitalize() for part in key.split("_"))
            raise Refusal(400, NOT_SUPPORTED, {"fieldName": pascal})
        if value is not None:
            record[key] = _cast(value, known[key])
    return record


def _cast(value: Any, kind: str) -> Any:
    match kind:
        case "int":
            return _whole_number(value)
        case "boolean":
            return value in (True, 1, "1", "true")
        case "string":
            if isinstance(value, (dict, list)):
                raise wrong_type("array", "string")
            return _text(value)
        case "lines":
            if not isinstance(value, list):
                raise wrong_type(value, "string[]")
            return [_text(line) for line in value if line is not None]
        case "anything":
            return value
        case _:
            return _nested(value, kind)


def _nested(value: Any, kind: str) -> Any:
    if kind in {"region", "extension"}:
        if not isinstance(value, dict):
            raise wrong_type(value, "object")
        return _read(value, REGION if kind == "region" else EXTENSION)
    if not isinstance(value, list) or not all(isinstance(each, dict) for each in value):
        raise wrong_type(value, "object[]")
    return [_read(each, ADDRESS if kind == "addresses" else ATTRIBUTE) for each in value]


def _whole_number(value: Any) -> int:
    if not isinstance(value, (int, str)) or isinstance(value, bool):
        raise wrong_type(value, "int")
    try:
        return int(value)
    except ValueError:
        raise wrong_type(value, "int") from None


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "1" if value else ""
    return str(value)
