"""Answers about customer attributes.

Its promise: an attribute nobody defined is a 404, as the connector's check at start expects.
"""

from typing import Any

from services.sandbox.magento.errors import no_such_entity

SYSTEM_LABELS: dict[str, str] = {
    "website_id": "Associate to Website", "store_id": "Create In", "created_in": "Created From",
    "prefix": "Name Prefix", "firstname": "First Name", "middlename": "Middle Name/Initial",
    "lastname": "Last Name", "suffix": "Name Suffix", "email": "Email", "group_id": "Group",
    "dob": "Date of Birth", "default_billing": "Default Billing Address",
    "default_shipping": "Default Shipping Address", "taxvat": "Tax/VAT Number",
    "confirmation": "Is Confirmed", "created_at": "Created At", "gender": "Gender",
    "disable_auto_group_change": "Disable Automatic Group Change Based on VAT ID",
    "updated_at": "Updated At",
}  # fmt: skip
_GENDERS = [
    {"label": " ", "value": ""},
    {"label": "Male", "value": "1"},
    {"label": "Female", "value": "2"},
    {"label": "Not Specified", "value": "3"},
]


def attribute_metadata(code: str, custom: dict[str, str]) -> dict[str, Any]:
    """Answer `GET attributeMetadata/customer/attribute/{code}`; `custom` maps code to label."""
    if code not in SYSTEM_LABELS and code not in custom:
        raise no_such_entity("attributeCode", code)
    is_custom = code in custom
    label = custom.get(code) or SYSTEM_LABELS[code]
    return {
        "frontend_input": "select" if code == "gender" else "text",
        "input_filter": "",
        "store_label": label,
        "validation_rules": [],
        "multiline_count": 1,
        "visible": True,
        "required": code in {"firstname", "lastname", "email", "website_id", "group_id"},
        "data_model": "",
        "options": _GENDERS if code == "gender" else [],
        "frontend_class": "",
        "user_defined": is_custom,
        "sort_order": 200 if is_custom else 100,
        "frontend_label": label,
        "note": "",
        "system": not is_custom,
        "backend_type": "varchar" if is_custom else "static",
        "is_used_in_grid": is_custom,
        "is_visible_in_grid": is_custom,
        "is_filterable_in_grid": is_custom,
        "is_searchable_in_grid": is_custom,
        "attribute_code": code,
    }
