"""The sandbox of a system that pushes: its people, its shape, and what it believes."""

import hashlib
import hmac
import time
from collections.abc import Iterator

import httpx2
import orjson
import pytest

from services.sandbox.magento import SandboxMagento
from services.sandbox.push import SandboxPush
from services.sandbox.push.payload import MAPPING, foreign
from services.sandbox.push.sandbox import CALLBACK_PATH, CALLBACK_SECRET
from shared.connectors.push.customer import PUSHED_FIELDS, read_pushed
from shared.connectors.push.mapping import FieldMapping


@pytest.fixture
def crm() -> Iterator[SandboxPush]:
    """Give a system that nobody listens to."""
    with SandboxPush("http://127.0.0.1:9", customers=60) as crm:
        crm.control.clear_faults()
        yield crm


def callback(crm: SandboxPush, *, secret: str = CALLBACK_SECRET, late: int = 0) -> int:
    """Call back as the documentation says; return the status."""
    said = {"event": "customer_number", "external_id": "c-7", "customer_number": "C1"}
    body, moment = orjson.dumps(said), str(int(time.time()) - late)
    signed = f"{moment}.POST.{CALLBACK_PATH}.".encode() + body
    signature = hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest()
    headers = {
        "Patron-Timestamp": moment, "Patron-Signature": f"v1={signature}", "Patron-Delivery": "1",
    }  # fmt: skip
    return httpx2.post(crm.callback_url, content=body, headers=headers).status_code


def test_its_people_are_those_of_the_other_sandboxes(crm: SandboxPush) -> None:
    """By number, of the same seed."""
    with SandboxMagento(customers=60, seed=7) as shop:
        there = [shop.control.customer(number)["email"] for number in range(1, 61)]

    assert [crm.control.customer(number)["email"] for number in range(1, 61)] == there


def test_both_shapes_say_the_same(crm: SandboxPush) -> None:
    """As far as its own shape goes, and its mapping turns one into the other."""
    mapping = FieldMapping(MAPPING, PUSHED_FIELDS)

    for number in range(1, 61):
        record = crm.control.customer(number)
        mapped = read_pushed(mapping.apply(foreign(record)), is_mapped=True)
        canonical = read_pushed(record)
        assert mapped.email == canonical.email
        assert [a.country for a in mapped.addresses] == [a.country for a in canonical.addresses]


def test_only_genuine_callbacks_are_believed_and_each_once(crm: SandboxPush) -> None:
    """A forged or an old one is refused; one told again is known."""
    forged = callback(crm, secret="x" * 32)
    old = callback(crm, late=400)
    genuine = [callback(crm), callback(crm)]

    assert (forged, old, genuine) == (401, 401, [204, 204])
    assert crm.control.number_of(7) == "C1"
    stats = crm.control.stats()
    assert (stats["callbacks"], stats["forged_callbacks"]) == (1, 2)


def test_what_is_edited_stays_edited(crm: SandboxPush) -> None:
    """Over HTTP, too."""
    httpx2.patch(f"{crm.url}/_sandbox/customers/7", json={"first_name": "Zoë"})

    assert crm.control.customer(7)["first_name"] == "Zoë"
    assert httpx2.get(f"{crm.url}/_sandbox/customers/61").status_code == 400
