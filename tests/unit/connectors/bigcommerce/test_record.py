"""Equal content, equal fingerprint; and what leaves the shop."""

from typing import Any

import pytest

from shared.connectors.bigcommerce.record import fingerprint, record_of, scan_key
from shared.connectors.content import moment
from shared.domain.errors import UnreadableAnswer
from tests.unit.connectors.bigcommerce.builders import address, attribute, item


def test_a_record_has_what_the_importer_needs() -> None:
    """Id, order, times; without what is nobody's business."""
    record = record_of(item())

    assert (record.external_id, record.scan_key) == ("4711", "000000004711")
    assert record.changed_at == moment("2026-11-20T08:03:17Z")
    assert record.created_at == moment("2026-11-18T09:12:44Z")
    assert "registration_ip_address" not in record.payload
    assert "authentication" not in record.payload


def test_scan_keys_sort_as_ids_do() -> None:
    """Text order is id order."""
    ids = [9, 10, 99, 100, 12_345_678]

    assert sorted(scan_key(number) for number in ids) == [scan_key(number) for number in ids]


@pytest.mark.parametrize(
    "changes",
    [
        {"date_modified": "2026-11-21T00:00:00Z"},
        {"registration_ip_address": "192.0.2.9", "store_credit_amounts": [{"amount": 5}]},
        {"attributes": [attribute(6, "gold"), attribute(5, "D-10021", date_modified="later")]},
        {"attributes": [attribute(5, "D-10021", id=1), attribute(6, "gold", id=2)]},
        {"addresses": [address(9002, city="Bremen"), address(9001, country="Deutschland")]},
        {"addresses": [address(9001, form_fields=[]), address(9002, city="Bremen")]},
        {"address_count": 3, "attribute_count": 0},
        {"metafields": [], "companies": []},
    ],
)
def test_what_moves_by_itself_is_no_content(changes: dict[str, Any]) -> None:
    """Times, order, counts, names of countries, and rows that say nothing."""
    assert fingerprint(item(**changes)) == fingerprint(item())


@pytest.mark.parametrize(
    "changes",
    [
        {"email": "other@example.com"},
        {"customer_group_id": 4},
        {"addresses": [address(9001)]},
        {"addresses": [address(9001, city="Kiel"), address(9002, city="Bremen")]},
        {"attributes": [attribute(5, "D-10022"), attribute(6, "gold")]},
        {"form_fields": []},
        {"metafields": [{"id": 1, "namespace": "erp", "key": "no", "value": "K-1"}]},
        {"companies": ["company:17"]},
        {"subscribers": [{"id": 1, "channel_id": 1, "consents": ["marketing_newsletter"]}]},
    ],
)
def test_content_is_what_a_change_is_known_by(changes: dict[str, Any]) -> None:
    """Each part counts."""
    assert fingerprint(item(**changes)) != fingerprint(item())


@pytest.mark.parametrize(
    "changes", [{"id": None}, {"id": "4711"}, {"id": True}, {"date_modified": "soon"}]
)
def test_without_id_or_time_there_is_no_record(changes: dict[str, Any]) -> None:
    """The answer is not believed."""
    with pytest.raises(UnreadableAnswer):
        record_of(item(**changes))
