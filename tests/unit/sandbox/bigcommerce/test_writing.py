"""Creating, updating and deleting customers, addresses and what hangs on them."""

from typing import Any

import httpx2
import pytest

from services.sandbox.bigcommerce import SandboxBigCommerce
from services.sandbox.bigcommerce.seeding import NUMBER_ID

CUSTOMERS, ADDRESSES = "/v3/customers", "/v3/customers/addresses"
VALUES = "/v3/customers/attribute-values"
Record = dict[str, Any]


def ann(**more: Any) -> Record:
    """Return somebody new."""
    return {"email": "ann@example.com", "first_name": "Ann", "last_name": "New"} | more


def address(**more: Any) -> Record:
    """Return a new address of customer 5."""
    return {
        "customer_id": 5, "first_name": "Ann", "last_name": "New", "address1": "Hafenstr. 12",
        "city": "Hamburg", "state_or_province": "Hamburg", "postal_code": "20457",
        "country_code": "DE",
    } | more  # fmt: skip


def one(client: httpx2.Client, number: int) -> Record:
    """Return a customer as the API shows it."""
    found: Record = client.get(f"{CUSTOMERS}?id:in={number}&include=addresses,attributes").json()
    record: Record = found["data"][0]
    return record


def test_a_customer_is_created_with_addresses_and_attributes(
    shop: SandboxBigCommerce, client: httpx2.Client
) -> None:
    """One call; the welcome mail goes out only if asked for."""
    value = {"attribute_id": NUMBER_ID, "attribute_value": "D-10021"}
    plain = address()
    del plain["customer_id"]

    made = client.post(CUSTOMERS, json=[ann(addresses=[plain], attributes=[value])])
    client.post(
        CUSTOMERS,
        json=[ann(email="bob@example.com", trigger_account_created_notification=True)],
    )

    number = made.json()["data"][0]["id"]
    assert (made.status_code, number) == (200, 401)
    assert one(client, number)["addresses"][0]["city"] == "Hamburg"
    assert shop.control.attribute(number) == "D-10021"
    assert shop.control.stats()["welcome_mails"] == 1


def test_an_email_exists_once(client: httpx2.Client) -> None:
    """422, not 409, in the platform's words; letters of either case are the same."""
    client.post(CUSTOMERS, json=[ann()])

    answer = client.post(CUSTOMERS, json=[ann(email="ANN@example.com")])

    assert answer.status_code == 422
    assert answer.json() == {
        "status": 422,
        "title": "Create customers failed.",
        "type": "https://developer.bigcommerce.com/api-docs/getting-started/api-status-codes",
        "errors": {
            ".customer_create": "Error creating customers: email ANN@example.com already in use"
        },
    }


def test_one_bad_item_fails_the_request(shop: SandboxBigCommerce, client: httpx2.Client) -> None:
    """Nothing is kept, nothing is in the books; with the quirk the good ones before it are."""
    batch = [ann(), ann(email="bob@example.com"), ann()]

    strict = client.post(CUSTOMERS, json=batch)
    after_strict = (shop.control.customer_count(), shop.control.events())
    shop.control.set_quirks(keeps_good_items=True)
    lax = client.post(CUSTOMERS, json=batch)

    assert (strict.status_code, lax.status_code) == (422, 422)
    assert after_strict == (400, [])
    assert shop.control.find("ann@example.com") is not None
    assert shop.control.find("bob@example.com") is not None
    assert shop.control.stats()["creates"] == 2


def test_more_than_ten_items_are_too_many(client: httpx2.Client) -> None:
    """413 for customers, and for attribute values of more than ten customers."""
    eleven = [{"id": n, "notes": "x"} for n in range(1, 12)]
    values = [{"customer_id": n, "attribute_id": 5, "value": "x"} for n in range(1, 12)]

    assert client.put(CUSTOMERS, json=eleven).status_code == 413
    assert client.put(VALUES, json=values).status_code == 413
    assert client.put(CUSTOMERS, json=eleven[:10]).status_code == 200


@pytest.mark.parametrize(
    ("body", "errors"),
    [
        ([{"id": 9999, "company": "X"}], {"0.id": "invalid customer ID"}),
        ([{"company": "X"}], {"id": "error.path.missing"}),
        ({"id": 5}, {"obj": "error.expected.jsarray"}),
        ([], {"obj": "error.expected.jsobject"}),
        ([{"id": 5, "company": 7}], {"0.company": "error.expected.jsstring"}),
        ([{"id": 5, "channel_ids": []}], {"0.channel_ids": "channel_ids must not be empty"}),
        (
            [{"id": 5, "customer_group_id": 99}],
            {"0.customer_group_id": "invalid customer group ID"},
        ),
        ([{"id": 5, "phone": "1" * 51}], {"0.phone": "phone must be at most 50 characters"}),
    ],
)
def test_what_a_put_refuses(client: httpx2.Client, body: Any, errors: Record) -> None:
    """422 with the path of what is wrong."""
    answer = client.put(CUSTOMERS, json=body)

    assert answer.status_code == 422
    assert answer.json()["errors"] == errors


def test_a_put_changes_what_it_names(shop: SandboxBigCommerce, client: httpx2.Client) -> None:
    """Absent fields stay; addresses, attributes and read-only fields are ignored in silence."""
    before = shop.control.customer(5)

    client.put(
        CUSTOMERS,
        json=[
            {"id": 5, "company": "Nordwind AG", "addresses": [], "date_created": "2020-01-01",
             "attributes": [{"attribute_id": 5, "attribute_value": "x"}]},
        ],
    )  # fmt: skip
    after = shop.control.customer(5)

    assert after["company"] == "Nordwind AG"
    assert after["date_modified"] > before["date_modified"]
    kept = {"company", "date_modified"}
    assert {k: v for k, v in after.items() if k not in kept} == {
        k: v for k, v in before.items() if k not in kept
    }


def test_the_time_stays_when_sub_resources_change(
    shop: SandboxBigCommerce, client: httpx2.Client
) -> None:
    """Addresses, attributes and form fields leave `date_modified` alone, unless told otherwise."""
    before = one(client, 5)["date_modified"]

    def change(mark: str) -> str:
        client.post(ADDRESSES, json=[address(address2=mark)])
        client.put(VALUES, json=[{"customer_id": 5, "attribute_id": 5, "value": mark}])
        client.put(CUSTOMERS, json=[{"id": 5, "form_fields": [{"name": "VAT ID", "value": mark}]}])
        return str(one(client, 5)["date_modified"])

    silent = change("1")
    shop.control.set_quirks(touches_on_attribute=True)
    told = change("2")

    assert silent == before
    assert told > before
    assert shop.control.form_field(5, "VAT ID") == "2"


def test_a_known_address_is_skipped_in_silence(
    shop: SandboxBigCommerce, client: httpx2.Client
) -> None:
    """200 without the item; alone the body is an empty object. A PUT into a twin is the same."""
    first = client.post(ADDRESSES, json=[address()]).json()["data"][0]
    other = client.post(ADDRESSES, json=[address(city="Kiel")]).json()["data"][0]

    again = client.post(ADDRESSES, json=[address()])
    mixed = client.post(ADDRESSES, json=[address(), address(city="Bremen")])
    twin = client.put(ADDRESSES, json=[{"id": other["id"], "city": "Hamburg"}])

    assert (again.status_code, again.json()) == (200, {})
    assert [each["city"] for each in mixed.json()["data"]] == ["Bremen"]
    assert (twin.status_code, twin.json()) == (200, {})
    cities = [each["city"] for each in shop.control.customer(5)["addresses"]]
    assert cities[-3:] == ["Hamburg", "Kiel", "Bremen"]
    assert first["country"] == "Germany"


@pytest.mark.parametrize(
    ("bad", "where"),
    [
        ({"country_code": "US", "state_or_province": "CA"}, "0.state_or_province"),
        ({"country_code": "USA"}, "0.country_code"),
        ({"country_code": "us"}, "0.country_code"),
        ({"customer_id": 9999}, "0.customer_id"),
        ({"postal_code": None}, "postal_code"),
        ({"address_type": "office"}, "0.address_type"),
    ],
)
def test_what_an_address_refuses(client: httpx2.Client, bad: Record, where: str) -> None:
    """A state's code for its name, a country of three letters, and more."""
    answer = client.post(ADDRESSES, json=[address(**bad)])

    assert answer.status_code == 422
    assert list(answer.json()["errors"]) == [where]


def test_addresses_are_changed_and_deleted_by_id(
    shop: SandboxBigCommerce, client: httpx2.Client
) -> None:
    """Partial, and without a trace on the customer."""
    number = shop.control.customer(5)["addresses"][0]["id"]

    changed = client.put(ADDRESSES, json=[{"id": number, "city": "Neustadt"}])
    unknown = client.put(ADDRESSES, json=[{"id": 999_999, "city": "Neustadt"}])
    deleted = client.delete(f"{ADDRESSES}?id:in={number}")

    assert changed.json()["data"][0]["city"] == "Neustadt"
    assert unknown.status_code == 422
    assert deleted.status_code == 204
    assert number not in [each["id"] for each in shop.control.customer(5)["addresses"]]


def test_an_attribute_value_is_written_under_one_name_and_read_under_another(
    client: httpx2.Client,
) -> None:
    """`value` in, `attribute_value` out; a second write keeps the id."""
    item = {"customer_id": 5, "attribute_id": NUMBER_ID, "value": "D-1"}

    first = client.put(VALUES, json=[item]).json()["data"][0]
    second = client.put(VALUES, json=[item | {"value": "D-2"}]).json()["data"][0]
    wrong = client.put(VALUES, json=[{"customer_id": 5, "attribute_id": 5, "attribute_value": "x"}])
    found = client.get(f"{VALUES}?customer_id:in=5&attribute_id:in={NUMBER_ID}").json()["data"]

    assert first["id"] == second["id"]
    assert [each["attribute_value"] for each in found] == ["D-2"]
    assert wrong.json()["errors"] == {"value": "error.path.missing"}


def test_attribute_values_are_polled_by_their_own_time(
    shop: SandboxBigCommerce, client: httpx2.Client
) -> None:
    """The only sub-resource with a date filter."""
    client.put(VALUES, json=[{"customer_id": 9, "attribute_id": NUMBER_ID, "value": "D-9"}])

    found = client.get(f"{VALUES}?date_modified:min=2026-11-01T00:00:00").json()["data"]

    assert [(each["customer_id"], each["attribute_value"]) for each in found] == [(9, "D-9")]


def test_a_removed_attribute_takes_its_values_along(
    shop: SandboxBigCommerce, client: httpx2.Client
) -> None:
    """From those who were read and from those who were not; then writing it is refused."""
    client.put(VALUES, json=[{"customer_id": 5, "attribute_id": NUMBER_ID, "value": "D-1"}])
    shop.control.remove_attribute("ERP Customer Number")
    shop.control.remove_attribute("Loyalty Level")

    written = client.put(VALUES, json=[{"customer_id": 5, "attribute_id": NUMBER_ID, "value": "x"}])
    left = client.get(f"{VALUES}?limit=250").json()["data"]

    assert written.json()["errors"] == {"attribute_id": "invalid attribute ID"}
    assert {each["attribute_id"] for each in left} == {7}


def test_values_must_fit_the_attributes_type(client: httpx2.Client) -> None:
    """Always strings, yet a date attribute wants a date and none more than 255 letters."""
    date = {"customer_id": 5, "attribute_id": 7}

    for value in ("soon", 19_700_101, "x" * 256):
        assert client.put(VALUES, json=[date | {"value": value}]).status_code == 422
    assert client.put(VALUES, json=[date | {"value": "1970-01-31"}]).status_code == 200


def test_deleting_answers_204_whoever_is_there(
    shop: SandboxBigCommerce, client: httpx2.Client
) -> None:
    """No list tells of it; without ids it is refused."""
    gone = client.delete(f"{CUSTOMERS}?id:in=5,9999")
    unnamed = client.delete(CUSTOMERS)

    assert (gone.status_code, gone.content) == (204, b"")
    assert unnamed.status_code == 422
    assert client.get(f"{CUSTOMERS}?id:in=5").json()["data"] == []
    assert shop.control.writes(5)[-1].action == "delete"


def test_a_company_may_own_its_users_group(shop: SandboxBigCommerce, client: httpx2.Client) -> None:
    """With independent companies the group of a company's user is dropped in silence."""
    user = shop.control.company_ids()[0] - 1_000_000
    group = shop.control.customer(user)["customer_group_id"]
    shop.control.set_quirks(independent_companies=True)

    answer = client.put(CUSTOMERS, json=[{"id": user, "customer_group_id": 5}])
    client.put(CUSTOMERS, json=[{"id": 5, "customer_group_id": 5}])

    assert answer.status_code == 200
    assert shop.control.customer(user)["customer_group_id"] == group
    assert shop.control.customer(5)["customer_group_id"] == 5


def test_a_body_must_be_json_and_say_so(client: httpx2.Client) -> None:
    """415 without the content type, 400 for what cannot be parsed."""
    unnamed = client.put(CUSTOMERS, content=b"[]")
    broken = client.put(CUSTOMERS, content=b"[", headers={"Content-Type": "application/json"})

    assert (unnamed.status_code, broken.status_code) == (415, 400)
