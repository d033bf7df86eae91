"""Creating, updating and deleting customers, with every trap of the platform."""

from typing import Any

import httpx2
import pytest

from services.sandbox.magento import SandboxMagento

Record = dict[str, Any]

LINDENWEG: Record = {
    "country_id": "DE",
    "street": ["Lindenweg 4"],
    "postcode": "10115",
    "city": "Berlin",
    "telephone": "+49 30 5550142",
    "firstname": "Petra",
    "lastname": "Lang",
    "region": {"region_code": "BER"},
    "default_billing": True,
    "default_shipping": True,
}
PETRA: Record = {
    "email": "petra.lang@example.com",
    "firstname": "Petra",
    "lastname": "Lang",
    "website_id": 1,
    "store_id": 1,
    "group_id": 1,
    "taxvat": "DE123456789",
    "addresses": [LINDENWEG],
}


@pytest.fixture
def petra(client: httpx2.Client) -> Record:
    """Create Petra."""
    return created(client, PETRA)


def created(client: httpx2.Client, customer: Record) -> Record:
    """Create a customer and expect it to be accepted."""
    answer = client.post("/rest/V1/customers", json={"customer": customer})
    assert answer.status_code == 200, answer.text
    record: Record = answer.json()
    return record


def put(client: httpx2.Client, number: int, customer: Record) -> httpx2.Response:
    """Update a customer."""
    return client.put(f"/rest/V1/customers/{number}", json={"customer": customer})


def test_a_new_customer_comes_back_whole(shop: SandboxMagento, petra: Record) -> None:
    """200, not 201; ids drawn, the region resolved, a mail sent whether wanted or not."""
    address = petra["addresses"][0]

    assert petra["id"] == 401
    assert petra["created_in"] == "German Store View"
    assert petra["default_billing"] == petra["default_shipping"] == str(address["id"])
    assert address["region"] == {"region_code": "BER", "region": "Berlin", "region_id": 82}
    assert address["region_id"] == 82
    assert shop.control.stats()["welcome_mails"] == 1


def test_an_email_may_exist_once_per_website(client: httpx2.Client, petra: Record) -> None:
    """The same shopper may register on the other website, but not twice on one."""
    twice = client.post(
        "/rest/V1/customers", json={"customer": PETRA | {"email": "PETRA.lang@example.com"}}
    )
    elsewhere = created(client, PETRA | {"website_id": 2, "store_id": 4})

    assert twice.status_code == 400
    assert twice.json() == {
        "message": "A customer with the same email address already exists in an associated website."
    }
    assert elsewhere["id"] == petra["id"] + 1


def test_addresses_where_the_shop_does_not_sell_are_skipped(client: httpx2.Client) -> None:
    """Without a word: only the answer tells."""
    moscow = LINDENWEG | {"country_id": "RU", "default_billing": False, "default_shipping": False}

    stored = created(client, PETRA | {"addresses": [moscow, LINDENWEG]})

    assert [each["country_id"] for each in stored["addresses"]] == ["DE"]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"store_id": 4}, "The store view is not in the associated website."),
        ({"group_id": 99}, "The specified customer group id does not exist."),
        ({"email": "no address"}, '"Email" is not a valid email address.'),
        ({"firstname": "Petra 🌻"}, "First Name is not valid!"),
        (
            {"firstname": "P/etra", "lastname": "L+ang"},
            "First Name is not valid!\nLast Name is not valid!",
        ),
        ({"colour": "red"}, '"%fieldName" is not supported. Correct the field name and try again.'),
        ({"firstname": ""}, '"%fieldName" is required. Enter and try again.'),
    ],
)
def test_refused_customers(client: httpx2.Client, change: Record, message: str) -> None:
    """Each broken rule has the platform's words, as raw templates."""
    answer = client.post("/rest/V1/customers", json={"customer": PETRA | change})

    assert answer.status_code == 400
    assert answer.json()["message"] == message


def test_several_missing_fields_are_listed(client: httpx2.Client) -> None:
    """One message about all, and one error for each."""
    poor = {key: LINDENWEG[key] for key in ("country_id", "street", "firstname", "lastname")}

    answer = client.post("/rest/V1/customers", json={"customer": PETRA | {"addresses": [poor]}})

    assert answer.status_code == 400
    assert answer.json()["message"] == "One or more input exceptions have occurred."
    assert [each["parameters"]["fieldName"] for each in answer.json()["errors"]] == [
        "city",
        "telephone",
        "postcode",
    ]


def test_bodies_that_are_none(client: httpx2.Client) -> None:
    """No content type, broken JSON, no customer in it."""
    path = "/rest/V1/customers"

    untyped = client.post(path, content=b"{}")
    broken = client.post(path, content=b"{", headers={"Content-Type": "application/json"})
    empty = client.post(path, json={})

    assert [each.status_code for each in (untyped, broken, empty)] == [400, 400, 400]
    assert empty.json()["parameters"] == {"fieldName": "customer"}


def test_what_is_absent_or_null_stays_and_empty_clears(
    client: httpx2.Client, petra: Record
) -> None:
    """Null is dropped before saving; only an empty string empties."""
    kept = put(client, petra["id"], {"taxvat": None, "prefix": "Frau"}).json()
    cleared = put(client, petra["id"], {"taxvat": ""}).json()

    assert kept["taxvat"] == "DE123456789"
    assert kept["prefix"] == "Frau"
    assert cleared["taxvat"] == ""
    assert cleared["prefix"] == "Frau"
    assert cleared["addresses"] == petra["addresses"]


def test_unknown_custom_attributes_vanish_without_a_word(
    client: httpx2.Client, petra: Record
) -> None:
    """200, and only the answer tells that nothing was stored."""
    attributes = [
        {"attribute_code": "erp_customer_number", "value": "D10023"},
        {"attribute_code": "erp_costumer_number", "value": "D10023"},
    ]

    answer = put(client, petra["id"], {"custom_attributes": attributes})

    assert answer.status_code == 200
    assert answer.json()["custom_attributes"] == attributes[:1]


def test_custom_attributes_not_sent_stay(client: httpx2.Client, petra: Record) -> None:
    """A later write of something else does not lose the number."""
    number = [{"attribute_code": "erp_customer_number", "value": "D10023"}]
    put(client, petra["id"], {"custom_attributes": number})

    later = put(client, petra["id"], {"middlename": "Maria", "custom_attributes": []}).json()

    assert later["custom_attributes"] == number


def test_a_list_of_addresses_is_the_final_list(client: httpx2.Client, petra: Record) -> None:
    """With id: updated, omitted fields kept. Without: created. Missing: deleted."""
    number, first = petra["id"], petra["addresses"][0]["id"]
    second = LINDENWEG | {"city": "Hamburg", "default_billing": False, "default_shipping": False}

    two = put(client, number, {"addresses": [{"id": first, "city": "Potsdam"}, second]}).json()
    one = put(client, number, {"addresses": [{"id": two["addresses"][1]["id"]}]}).json()
    none = put(client, number, {"addresses": []}).json()

    assert [each["city"] for each in two["addresses"]] == ["Potsdam", "Hamburg"]
    assert two["addresses"][0]["street"] == ["Lindenweg 4"]
    assert two["default_billing"] == str(first)
    assert [each["city"] for each in one["addresses"]] == ["Hamburg"]
    assert "default_billing" not in one
    assert none["addresses"] == []


def test_default_flags_move_and_clear(client: httpx2.Client, petra: Record) -> None:
    """True takes the default over, false on the default clears it, absent keeps it."""
    number, first = petra["id"], petra["addresses"][0]["id"]
    second = LINDENWEG | {"default_shipping": False}

    moved = put(client, number, {"addresses": [{"id": first}, second]}).json()
    cleared = put(client, number, {"addresses": [{"id": first, "default_shipping": False}]}).json()

    assert moved["default_billing"] == str(moved["addresses"][1]["id"])
    assert moved["default_shipping"] == str(first)
    assert "default_shipping" not in cleared
    assert "default_shipping" not in cleared["addresses"][0]


def test_somebody_elses_address_cannot_be_taken(client: httpx2.Client, petra: Record) -> None:
    """An address id of another customer is no such entity."""
    answer = put(client, petra["id"], {"addresses": [LINDENWEG | {"id": 5}]})

    assert answer.status_code == 404
    assert answer.json()["parameters"] == {"fieldName": "addressId", "fieldValue": 5}


def test_every_put_stamps_the_customer(
    shop: SandboxMagento, client: httpx2.Client, petra: Record
) -> None:
    """Even one that changes nothing, which the ledger can tell."""
    shop.control.advance_clock(60)

    again = put(client, petra["id"], {"firstname": "Petra"}).json()

    assert again["updated_at"] > petra["updated_at"]
    assert [each.is_identical for each in shop.control.writes(petra["id"])] == [False, True]
    assert shop.control.stats()["identical_updates"] == 1


def test_another_id_in_the_body_wins_over_the_path(
    shop: SandboxMagento, client: httpx2.Client, petra: Record
) -> None:
    """The customer of the path is overlaid and saved under the id of the body."""
    other = created(client, PETRA | {"email": "other@example.com"})

    put(client, petra["id"], {"id": other["id"], "email": "moved@example.com"})

    assert shop.control.customer(other["id"])["email"] == "moved@example.com"
    assert shop.control.customer(petra["id"])["email"] == petra["email"]


def test_old_releases_want_the_whole_customer(
    shop: SandboxMagento, client: httpx2.Client, petra: Record
) -> None:
    """Up to 2.4.0 a partial PUT is a 400; some patch releases merge for admins only."""
    shop.control.set_quirks(merging="never")
    partial = put(client, petra["id"], {"taxvat": "X"})
    whole = put(client, petra["id"], PETRA | {"id": petra["id"], "addresses": None})
    shop.control.set_quirks(merging="admin_only")
    as_admin = put(client, petra["id"], {"taxvat": "X"})

    assert partial.status_code == 400
    assert '"Associate to Website" is a required value.' in partial.json()["message"]
    assert whole.status_code == as_admin.status_code == 200


def test_early_2_4_7_refuses_a_replaced_default(
    shop: SandboxMagento, client: httpx2.Client, petra: Record
) -> None:
    """A new default address in place of the old one needs the old one's id."""
    shop.control.set_quirks(refuses_replaced_default=True)

    answer = put(client, petra["id"], {"addresses": [LINDENWEG]})

    assert answer.status_code == 400
    assert answer.json()["parameters"] == {"fieldName": "default_billing"}


def test_2_4_8_refuses_places_that_exist(shop: SandboxMagento, client: httpx2.Client) -> None:
    """St. Pölten has a dot and Frankfurt (Oder) brackets; a phone may have no slash."""
    shop.control.set_quirks(validates_places=True)
    wrong = [
        LINDENWEG | {"city": "St. Pölten"},
        LINDENWEG | {"city": "Frankfurt (Oder)"},
        LINDENWEG | {"telephone": "030/5550142"},
    ]

    answers = [
        client.post("/rest/V1/customers", json={"customer": PETRA | {"addresses": [each]}})
        for each in wrong
    ]

    assert [each.status_code for each in answers] == [400, 400, 400]


def test_deleting(shop: SandboxMagento, client: httpx2.Client, petra: Record) -> None:
    """`true`, then 404 for ever, with nothing left in searches."""
    path = f"/rest/V1/customers/{petra['id']}"

    deleted = client.delete(path)
    again = client.delete(path)

    assert deleted.json() is True
    assert again.status_code == 404
    assert again.json()["parameters"] == {"fieldName": "customerId", "fieldValue": petra["id"]}
    assert shop.control.customer_count() == 400


def test_deleting_an_address_moves_the_customer_only_for_a_default(
    shop: SandboxMagento, client: httpx2.Client, petra: Record
) -> None:
    """An address that was no default leaves `updated_at` alone."""
    extra = LINDENWEG | {"default_billing": False, "default_shipping": False}
    book = [{"id": petra["addresses"][0]["id"]}, extra]
    before = put(client, petra["id"], {"addresses": book}).json()
    shop.control.advance_clock(60)

    client.delete(f"/rest/V1/addresses/{before['addresses'][1]['id']}")
    without_extra = shop.control.customer(petra["id"])
    client.delete(f"/rest/V1/addresses/{before['addresses'][0]['id']}")
    without_any = shop.control.customer(petra["id"])

    assert without_extra["updated_at"] == before["updated_at"]
    assert len(without_extra["addresses"]) == 1
    assert without_any["updated_at"] > before["updated_at"]
    assert "default_billing" not in without_any


def test_the_books_name_what_a_write_changed_and_nothing_else(shop: SandboxMagento) -> None:
    """An address that is no default is no change of a write that says nothing of addresses."""
    shop.control.add_address(
        5, **shop.control.customer(5)["addresses"][0] | {"id": None, "default_billing": False}
    )

    shop.control.edit_profile(5, lastname="Novak")

    assert shop.control.writes(5)[-1].changed == ("lastname",)
