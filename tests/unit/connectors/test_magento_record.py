"""Records: fingerprints, times, keys, and the secrets that are dropped."""

import random
from datetime import UTC, datetime
from typing import Any

import orjson
import pytest

from shared.connectors.content import moment
from shared.connectors.magento.record import fingerprint, record_of, scan_key, stamp
from shared.domain.errors import UnreadableAnswer
from tests.unit.connectors.builders import item


def test_a_record_says_what_the_importer_needs() -> None:
    """Id, key, times, fingerprint and payload."""
    record = record_of(item())

    assert (record.external_id, record.scan_key) == ("4711", "000000004711")
    assert record.changed_at == datetime(2026, 1, 5, 10, 2, 44, tzinfo=UTC)
    assert record.created_at == datetime(2025, 11, 3, 8, 15, 12, tzinfo=UTC)
    assert record.payload == item()


def test_touching_a_customer_changes_no_fingerprint() -> None:
    """A failed login moves updated_at; the content is the same."""
    assert fingerprint(item()) == fingerprint(item(updated_at="2027-01-01 00:00:00"))


@pytest.mark.parametrize(
    "changes",
    [
        {"firstname": "Anna"},
        {"addresses": []},
        {"extension_attributes": {"is_subscribed": False}},
        {"custom_attributes": None},
        {"group_id": 2},
    ],
)
def test_every_other_change_changes_the_fingerprint(changes: dict[str, Any]) -> None:
    """Address edits above all: Magento's own change time does not tell them."""
    assert fingerprint(item()) != fingerprint(item(**changes))


def test_order_changes_no_fingerprint() -> None:
    """Keys, addresses and attributes come in any order, and no list is an empty one."""
    whole = item(custom_attributes=[{"attribute_code": c, "value": c} for c in "abc"])
    shuffled = dict(random.Random(7).sample(list(whole.items()), len(whole)))
    shuffled["addresses"] = whole["addresses"][::-1]
    shuffled["custom_attributes"] = whole["custom_attributes"][::-1]

    assert fingerprint(shuffled) == fingerprint(whole)
    assert fingerprint(item(custom_attributes=[])) == fingerprint(item(custom_attributes=None))


def test_secrets_never_pass() -> None:
    """Hashes and tokens are gone from the payload and do not count as content."""
    secret: dict[str, Any] = {
        "password_hash": "s3cret",
        "rp_token": "s3cret",
        "confirmation": "s3cret",
    }
    hidden = {"attribute_code": "rp_token", "value": "s3cret"}
    shown = item()["custom_attributes"]

    record = record_of(item(**secret, custom_attributes=[*shown, hidden]))

    assert b"s3cret" not in orjson.dumps(record.payload)
    assert record.fingerprint == record_of(item()).fingerprint


@pytest.mark.parametrize(
    "broken",
    [{"id": None}, {"id": "4711"}, {"id": 0}, {"updated_at": None}, {"updated_at": "yesterday"}],
)
def test_an_item_without_id_or_time_cannot_be_trusted(broken: dict[str, Any]) -> None:
    """Without them no cursor can move over it."""
    with pytest.raises(UnreadableAnswer):
        record_of(item(**broken))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-01-05 10:02:44", datetime(2026, 1, 5, 10, 2, 44, tzinfo=UTC)),
        ("2026-01-05T10:02:44Z", datetime(2026, 1, 5, 10, 2, 44, tzinfo=UTC)),
        ("2026-01-05T11:02:44+01:00", datetime(2026, 1, 5, 10, 2, 44, tzinfo=UTC)),
        ("0000-00-00 00:00:00", None),
        ("", None),
        (None, None),
        (5, None),
    ],
)
def test_times_are_utc(text: Any, expected: datetime | None) -> None:
    """Magento writes UTC without saying so; ISO is read as well."""
    assert moment(text) == expected


def test_times_go_out_as_magento_writes_them() -> None:
    """Also from another zone."""
    assert stamp(datetime.fromisoformat("2026-01-05T11:02:44+01:00")) == "2026-01-05 10:02:44"


def test_the_order_of_keys_is_the_order_of_ids() -> None:
    """A sweep compares keys as text."""
    ids = [1, 2, 9, 10, 99, 100, 4711, 999_999_999]

    assert sorted(map(scan_key, ids)) == [scan_key(number) for number in ids]
