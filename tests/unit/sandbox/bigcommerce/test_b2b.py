"""The B2B Edition: companies, their users and their locations."""

from typing import Any

import httpx2
import pytest

from services.sandbox.bigcommerce import SandboxBigCommerce
from services.sandbox.bigcommerce.seeding import NUMBER_ATTRIBUTE

Record = dict[str, Any]
NEW = {
    "companyName": "Neu GmbH", "companyPhone": "+49 40 1", "companyEmail": "neu@example.com",
    "country": "Germany", "adminFirstName": "Nele", "adminLastName": "Neu",
    "adminEmail": "nele@example.com",
}  # fmt: skip


def number(value: str) -> Record:
    """Return the body that writes a company's number."""
    return {"extraFields": [{"fieldName": NUMBER_ATTRIBUTE, "fieldValue": value}]}


@pytest.fixture
def company_id(shop: SandboxBigCommerce) -> int:
    """Pick a company."""
    return shop.control.company_ids()[0]


def test_every_business_is_a_company(shop: SandboxBigCommerce, b2b: httpx2.Client) -> None:
    """Ten at a time unless asked for more, which must be less than 250."""
    default = b2b.get("/companies").json()
    many = b2b.get("/companies?limit=249").json()
    too_many = b2b.get("/companies?limit=250")

    assert len(default["data"]) == default["meta"]["pagination"]["limit"] == 10
    assert len(many["data"]) == len(shop.control.company_ids()) > 40
    assert (too_many.status_code, too_many.json()["code"]) == (422, 422)


def test_companies_are_polled_by_their_time_of_change(
    shop: SandboxBigCommerce, b2b: httpx2.Client, company_id: int
) -> None:
    """Unix seconds; the oldest change first if asked."""
    since = int(b2b.get("/companies?limit=1").json()["data"][0]["updatedAt"]) + 1
    nobody = b2b.get(f"/companies?minModified={since}").json()["data"]
    shop.control.edit_company(company_id, companyName="Nordwind AG")

    found = b2b.get(f"/companies?minModified={since}&orderBy=ASC").json()["data"]

    assert nobody == []
    assert [(each["companyId"], each["companyName"]) for each in found] == [
        (company_id, "Nordwind AG")
    ]


def test_a_number_goes_into_an_extra_field(
    shop: SandboxBigCommerce, b2b: httpx2.Client, company_id: int
) -> None:
    """Lists show it only if asked; an unknown field is refused."""
    put = b2b.put(f"/companies/{company_id}", json=number("D-7"))
    unknown = {"extraFields": [{"fieldName": "Shoe size", "fieldValue": "44"}]}
    refused = b2b.put(f"/companies/{company_id}", json=unknown)
    bare = b2b.get("/companies?limit=1").json()["data"][0]
    rich = b2b.get("/companies?limit=1&isIncludeExtraFields=1").json()["data"][0]
    found = b2b.get(f"/companies?extraFields={NUMBER_ATTRIBUTE}:D-7").json()["data"]

    assert (put.status_code, refused.status_code) == (200, 422)
    assert "extraFields" not in bare
    assert rich["extraFields"][0]["fieldValue"] == "D-7"
    assert [each["companyId"] for each in found] == [company_id]
    assert shop.control.company_extra_field(company_id) == "D-7"
    assert shop.control.writes(company_id)[-1].action == "update"


def test_types_differ_between_list_and_record(b2b: httpx2.Client, company_id: int) -> None:
    """The group's id is a number in one and text in the other; times are text in both."""
    listed = b2b.get("/companies?limit=1").json()["data"][0]
    single = b2b.get(f"/companies/{company_id}").json()["data"]

    assert isinstance(listed["bcGroupId"], int)
    assert isinstance(single["bcGroupId"], str)
    assert isinstance(listed["updatedAt"], str)
    assert listed["companyStatus"] in {"0", "1"}


def test_a_uuid_must_be_one(shop: SandboxBigCommerce, b2b: httpx2.Client, company_id: int) -> None:
    """Whether any text will do is unknown: refused, unless the switch says otherwise."""
    path = f"/companies/{company_id}"
    refused = b2b.put(path, json={"uuid": "D-7"})
    proper = b2b.put(path, json={"uuid": "0b6c8f1e-7f5c-4f0e-9f34-2f5f3c1f6a10"})
    shop.control.set_quirks(company_uuid_is_free_text=True)

    assert (refused.status_code, proper.status_code) == (422, 200)
    assert b2b.put(path, json={"uuid": "D-7"}).status_code == 200


def test_a_new_company_brings_its_administrator(
    shop: SandboxBigCommerce, b2b: httpx2.Client
) -> None:
    """A new customer, or the one who has the e-mail already."""
    made = b2b.post("/companies", json=NEW).json()["data"]
    private = next(n for n in range(1, 400) if shop.control.company_of(n) is None)
    email = shop.control.customer(private)["email"]
    linked = b2b.post("/companies", json=NEW | {"adminEmail": email}).json()["data"]
    missing = b2b.post("/companies", json={"companyName": "X"}).json()

    assert shop.control.customer(made["customerId"])["email"] == "nele@example.com"
    assert linked["customerId"] == private
    assert missing["data"]["errMsg"]["adminEmail"] == ["This field may not be null."]
    company = shop.control.company_of(private)
    assert company is not None
    assert company["companyName"] == "Neu GmbH"


def test_bulk_routes_take_ten(shop: SandboxBigCommerce, b2b: httpx2.Client) -> None:
    """413 for more."""
    ids = shop.control.company_ids()[:11]
    items = [{"companyId": each} | number(f"D-{each}") for each in ids]

    assert b2b.put("/companies/bulk", json=items).status_code == 413
    assert b2b.put("/companies/bulk", json=items[:10]).status_code == 200
    assert shop.control.company_extra_field(ids[9]) == f"D-{ids[9]}"


def test_the_last_user_of_a_company_stays(b2b: httpx2.Client, company_id: int) -> None:
    """With a second one the first may go."""
    customer_id = company_id - 1_000_000
    first = b2b.get(f"/users/customer/{customer_id}").json()["data"]
    refused = b2b.delete(f"/users/{first['id']}")
    second = {
        "firstName": "B", "lastName": "B", "email": "b@example.com", "companyId": company_id,
        "role": 2, "channelIds": [1],
    }  # fmt: skip
    made = b2b.post("/users", json=second)
    deleted = b2b.delete(f"/users/{first['id']}")
    left = b2b.get(f"/users?companyId={company_id}").json()["data"]

    assert (refused.status_code, made.status_code, deleted.status_code) == (422, 200, 200)
    assert "last user" in refused.json()["data"]["errMsg"]
    assert [each["email"] for each in left] == ["b@example.com"]


def test_users_are_refused_in_the_editions_own_words(b2b: httpx2.Client, company_id: int) -> None:
    """A missing name, a role that is none, somebody unknown."""
    body = {
        "firstName": "B", "email": "b@example.com", "companyId": company_id, "role": 2,
        "channelIds": [1],
    }  # fmt: skip
    missing = b2b.post("/users", json=body).json()
    odd = b2b.post("/users", json=body | {"lastName": "B", "role": 5}).json()
    unknown = b2b.get("/users/1").json()

    assert missing == {
        "code": 422,
        "data": {"errMsg": {"lastName": ["This field may not be null."]}},
        "meta": {"message": "Parameter Error"},
    }
    assert odd["data"]["errMsg"] == {"role": ['"5" is not a valid choice']}
    assert (unknown["code"], unknown["meta"]["message"]) == (404, "Not Found Error")


def test_locations_have_one_default_of_each_kind(b2b: httpx2.Client, company_id: int) -> None:
    """A new default takes the place of the old; an external id finds it."""
    location = {
        "firstName": "A", "lastName": "B", "addressLine1": "Tor 1", "city": "Kiel",
        "stateName": "Schleswig-Holstein", "countryName": "Germany", "companyId": company_id,
        "isDefaultBilling": True, "externalId": "ERP-1",
    }  # fmt: skip
    made = b2b.post("/addresses", json=location).json()["data"]["addressId"]

    all_of_it = b2b.get(f"/addresses?companyId={company_id}").json()["data"]
    found = b2b.get(f"/addresses?companyId={company_id}&externalId[]=ERP-1").json()["data"]
    b2b.put(f"/addresses/{made}", json={"externalId": "ERP-2"})
    changed = b2b.get(f"/addresses/{made}").json()["data"]
    b2b.delete(f"/addresses/{made}")

    assert [each["addressId"] for each in all_of_it if each["isDefaultBilling"]] == [made]
    assert [each["addressId"] for each in found] == [made]
    assert changed["externalId"] == "ERP-2"
    assert b2b.get(f"/addresses/{made}").status_code == 404


def test_both_headers_are_needed(b2b: httpx2.Client) -> None:
    """The store's hash stands in no path here."""
    del b2b.headers["X-Store-Hash"]

    answer = b2b.get("/companies")

    assert (answer.status_code, answer.json()["code"]) == (401, 401)


def test_the_edition_has_a_quota_of_its_own(
    shop: SandboxBigCommerce, client: httpx2.Client, b2b: httpx2.Client
) -> None:
    """150 a minute by default, and no header tells."""
    shop.control.set_quota(0)

    store, edition = client.get("/v3/customers"), b2b.get("/companies")
    with SandboxBigCommerce(customers=20, b2b_quota=1) as other:
        twice = [b2b.get(f"{other.b2b_url}/companies") for _ in range(2)]

    assert (store.status_code, edition.status_code) == (429, 200)
    assert [each.status_code for each in twice] == [200, 429]
    assert "X-Rate-Limit-Requests-Left" not in edition.headers
