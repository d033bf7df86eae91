"""Search: its syntax with all its traps, and the index that lags behind."""

from datetime import UTC, datetime

import pytest

from services.sandbox.shopify import SandboxShopify
from services.sandbox.shopify.gids import customer_gid
from tests.unit.sandbox.shopify.asking import CREATE, CUSTOMER, Asking

EIGHT = datetime(2026, 11, 20, 8, 0, tzinfo=UTC)


@pytest.fixture(autouse=True)
def _changed(shop: SandboxShopify) -> None:
    """Let customers 1 to 4 change at 07:00, 08:00, 09:00 and 23:30 UTC."""
    shop.control.freeze_clock(EIGHT)
    shop.control.advance_clock(-3600)
    for count, wait in ((1, 3600), (2, 3600), (3, 14 * 3600 + 1800), (4, 0)):
        shop.control.touch(count)
        shop.control.advance_clock(wait)


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("updated_at:>='2026-11-20T08:00:00Z'", [2, 3, 4]),
        ("updated_at:>'2026-11-20T08:00:00Z'", [3, 4]),
        ("updated_at:<='2026-11-20T08:00:00Z' updated_at:>=2026-11-20", [1, 2]),
        ("updated_at:>='2026-11-20T08:00:00Z' AND updated_at:<'2026-11-20T09:00:00Z'", [2]),
        ("updated_at:'2026-11-20T09:00:00+00:00'", [3]),
        ("updated_at:'2026-11-20T10:00:00+01:00'", [3]),
        ("updated_at:'2026-11-20'", [1, 2, 3]),
        ("updated_at:>'2026-11-20'", [4]),
        ('updated_at: >="2026-11-20T09:00:00Z"', [3, 4]),
        ("(updated_at:'2026-11-20T07:00:00Z' OR updated_at:'2026-11-20T09:00:00Z')", [1, 3]),
        ("updated_at:>='2026-11-20T00:00:00Z' NOT id:7420000000002", [1, 3, 4]),
        ("updated_at:>='2026-11-20T00:00:00Z' -id:7420000000002 -id:7420000000001", [3, 4]),
        ("id:>7420000000002 id:<=7420000000004", [3, 4]),
    ],
)
def test_what_is_found(ask: Asking, query: str, found: list[int]) -> None:
    """Moments, days of the shop's zone, ids, and how they combine."""
    assert ask.found(query) == [customer_gid(count) for count in found]


def test_without_quotes_a_timestamp_loses_its_time(ask: Asking) -> None:
    """It means midnight of the shop's own zone, so more is found than was meant."""
    assert ask.found("updated_at:>=2026-11-20T09:00:00Z") == [
        customer_gid(count) for count in (1, 2, 3, 4)
    ]


def test_a_misspelt_field_finds_everything(ask: Asking) -> None:
    """It is passed over without a word; what else was said still holds."""
    assert len(ask.found("updatd_at:>='2026-11-20T08:00:00Z'", first=100)) == 80
    assert ask.found("created_at:>='2030-01-01' id:7420000000007") == [customer_gid(7)]


def test_greater_may_mean_greater_or_equal(shop: SandboxShopify, ask: Asking) -> None:
    """A switch, for it is not known which."""
    shop.control.set_quirks(greater_is_inclusive=True)

    found = ask.found("updated_at:>'2026-11-20T08:00:00Z'")

    assert found == [customer_gid(count) for count in (2, 3, 4)]


def test_search_may_know_days_only(shop: SandboxShopify, ask: Asking) -> None:
    """Then it finds more than was asked for, and the client must look again."""
    shop.control.set_quirks(searches_whole_days=True)

    found = ask.found("updated_at:>='2026-11-20T09:00:00Z'")

    assert found == [customer_gid(count) for count in (1, 2, 3, 4)]


@pytest.mark.parametrize(
    ("query", "is_found"),
    [
        ("email:ann@brandnew.example", True),
        ("email:brandnew", True),
        ("email:'ann@brandnew.example'", True),
        ("email:'brandnew.ann'", False),
        ("email:nobody", False),
        ("tag:vip", True),
        ("first_name:Ann last_name:new", True),
        ("phone:+493055512345", True),
        ("Ann", True),
        ("country:DE AND email:*", True),
        ("state:disabled", True),
        ("metafields.erp.customer_number:D-1", True),
        ("metafields.erp.customer_number:D-2", False),
    ],
)
def test_texts_are_found_by_their_parts(
    shop: SandboxShopify, ask: Asking, query: str, *, is_found: bool
) -> None:
    """E-mails are tokenised: a search for one may find others."""
    new = shop.control.register(
        email="jo.ann@brandnew.example",
        firstName="Ann",
        lastName="New",
        phone="+493055512345",
        tags=["VIP"],
        addresses=[{"countryCode": "DE"}],
        metafields=[{"namespace": "erp", "key": "customer_number", "type": "id", "value": "D-1"}],
    )

    assert (new["id"] in ask.found(query, first=100)) is is_found


def test_search_finds_companies_and_locations(shop: SandboxShopify, ask: Asking) -> None:
    """By external id, by name, and locations by their company's number."""
    firm = shop.control.register_company(
        "Nordwind Beispiel GmbH",
        externalId="D-10",
        locations_=({"name": "Zentrale", "externalId": "D-10-01"}, {"name": "Lager Bremen"}),
    )
    number = firm["id"].rpartition("/")[2]

    by_id = ask("{ companies(first: 5, query: \"external_id:'D-10'\") { nodes { id } } }")
    by_name = ask('{ companies(first: 5, query: "name:nordwind") { nodes { id } } }')
    of_firm = ask(
        f'{{ companyLocations(first: 9, query: "company_id:{number}") {{ nodes {{ name }} }} }}'
    )

    assert by_id == by_name == {"nodes": [{"id": firm["id"]}]}
    assert of_firm == {"nodes": [{"name": "Zentrale"}, {"name": "Lager Bremen"}]}


def test_fresh_writes_are_not_found_until_the_index_caught_up(
    shop: SandboxShopify, ask: Asking
) -> None:
    """New, changed and deleted: search knows of none, while a direct read does."""
    changed = "updated_at:>='2026-11-22T00:00:00Z'"
    shop.control.advance_clock(86_400 * 2)
    shop.control.hold_search()

    new = ask(CREATE, input={"email": "late@example.com"})["customer"]["id"]
    shop.control.edit_customer(2, note="late")
    shop.control.delete_customer(3)

    assert ask.found(changed) == []
    assert customer_gid(3) not in ask.found("id:<=7420000000004")
    assert ask(CUSTOMER, id=new)["email"] == "late@example.com"
    assert len(ask.found(first=100)) == 80
    shop.control.release_search()
    assert ask.found(changed) == [customer_gid(2), new]


def test_the_lag_may_be_a_number_of_seconds(shop: SandboxShopify, ask: Asking) -> None:
    """Of the shop's clock; what search still sees is how the row was."""
    shop.control.set_search_lag(30)

    shop.control.edit_customer(2, note="late")

    assert customer_gid(2) in ask.found("updated_at:'2026-11-20T08:00:00Z'")
    shop.control.advance_clock(30)
    assert customer_gid(2) not in ask.found("updated_at:'2026-11-20T08:00:00Z'")
