"""Customers whose data is recognised wherever it turns up."""

from typing import Any, Final

from services.sandbox.magento.sandbox import SandboxMagento

FIRST: Final = "Quendolina"
LAST: Final = "Featherstonehaugh"
PLANTED: Final[dict[str, str]] = {
    "first name": FIRST,
    "last name": LAST,
    "middle name": "Xanthippe",
    "e-mail": "planted.mailbox",
    "e-mail host": "geheim.example",
    "telephone": "90182077",
    "street": "Verborgener Winkel",
    "city": "Plantstadt",
    "postcode": "10178",
    "company": "Geheimrat & Erben",
    "tax id": "GEHEIM-81190",
    "day of birth": "1971-02-23",
}


def register(shop: SandboxMagento, number: int, **changes: Any) -> int:
    """Let a person of planted data register, and return the customer's id."""
    mailbox, host = PLANTED["e-mail"], PLANTED["e-mail host"]
    names = {"firstname": FIRST, "lastname": changes.get("lastname", LAST)}
    address = names | {
        "company": PLANTED["company"],
        "street": [f"{PLANTED['street']} {number}"],
        "city": changes.pop("city", PLANTED["city"]),
        "postcode": PLANTED["postcode"],
        "country_id": "DE",
        "telephone": f"030 {PLANTED['telephone']}{number}",
        "vat_id": f"{PLANTED['tax id']}{number}",
        "default_billing": True,
        "default_shipping": True,
    }
    account = names | {
        "email": f"{mailbox}{number}@{host}",
        "middlename": PLANTED["middle name"],
        "taxvat": f"{PLANTED['tax id']}{number}",
        "dob": PLANTED["day of birth"],
        "addresses": [address],
    }
    return int(shop.control.register(account | changes, store_id=1)["id"])


def found_in(text: str) -> list[str]:
    """Name what of the planted data stands in `text`, however it is written."""
    plain = text.lower()
    digits = "".join(character for character in text if character.isalnum())
    return [
        name
        for name, value in PLANTED.items()
        if value.lower() in plain or (name == "telephone" and value in digits)
    ]
