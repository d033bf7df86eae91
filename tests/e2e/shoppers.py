"""Shoppers who register while a test is running: ordinary people with a billing address."""

from typing import Any, Final
from zlib import crc32

from services.sandbox.magento.sandbox import SandboxMagento

_ADDRESS: Final = {
    "street": ["Lindenweg 4"],
    "postcode": "10115",
    "city": "Berlin",
    "country_id": "DE",
    "default_billing": True,
}


def register(shop: SandboxMagento, many: int, crowd: str) -> list[int]:
    """Let some register whom nobody resembles; return their ids in the shop."""
    ids = []
    for each in range(many):
        name = {"firstname": "Ann", "lastname": f"{crowd} {each}"}
        email = f"ann.{crowd.lower()}.{each}@example.com"
        customer: dict[str, Any] = shop.control.register({"email": email, **name}, store_id=1)
        phone = f"030 {_prefix(crowd)}{each:04d}"
        shop.control.add_address(customer["id"], **{**_ADDRESS, **name, "telephone": phone})
        ids.append(int(customer["id"]))
    return ids


def _prefix(crowd: str) -> int:
    """Return a telephone prefix of the crowd's own, the same in every run."""
    return 100 + crc32(crowd.encode()) % 900
