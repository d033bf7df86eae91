"""The sandbox BigCommerce keeps the platform's contracts: its answers fit the OpenAPI files.

The files are reference material that lies beside the project, not in it; where they are absent
these tests skip.
"""

from collections.abc import Iterator
from typing import Any

import httpx2
import pytest

from services.sandbox.bigcommerce import SandboxBigCommerce
from tests.contract.bigcommerce_answers import SPECS, Contracts
from tests.services.plain import PLAIN

pytestmark = pytest.mark.skipif(
    not SPECS.is_dir(), reason="the platform's contracts are not beside this checkout"
)

CUSTOMERS = 600
EVERYTHING = "include=addresses,attributes,formfields,storecredit"
ANN = {"email": "ann@example.com", "first_name": "Ann", "last_name": "Contract"}
ADDRESS = {
    "first_name": "Ann", "last_name": "Contract", "address1": "Hafenstr. 12", "city": "Hamburg",
    "state_or_province": "Hamburg", "postal_code": "20457", "country_code": "DE",
}  # fmt: skip
FIELD = {"namespace": "erp", "key": "number", "value": "D-1", "permission_set": "read"}
HOOK = {"scope": "store/customer/*", "destination": "https://patron.example.com/hooks"}
COMPANY = {
    "companyName": "Neu GmbH", "companyPhone": "1", "companyEmail": "neu@example.com",
    "country": "Germany", "adminFirstName": "N", "adminLastName": "E",
    "adminEmail": "nele@example.com",
}  # fmt: skip
LOCATION = {
    "firstName": "A", "lastName": "B", "addressLine1": "Tor 1", "city": "Kiel",
    "stateName": "Schleswig-Holstein", "countryName": "Germany",
}  # fmt: skip


@pytest.fixture(scope="module")
def contracts() -> Contracts:
    """Read the contracts once."""
    return Contracts()


@pytest.fixture(scope="module")
def shop() -> Iterator[SandboxBigCommerce]:
    """Run one store with every kind of awkward customer, and no limit to speak of."""
    with SandboxBigCommerce(customers=CUSTOMERS, seed=7, quota=10_000, b2b_quota=10_000) as running:
        yield running
        assert running.control.bugs() == []


@pytest.fixture(scope="module")
def client(shop: SandboxBigCommerce) -> Iterator[httpx2.Client]:
    """Talk to the store's API."""
    base = f"{shop.url}/stores/{shop.store_hash}"
    with httpx2.Client(base_url=base, headers=shop.headers(), timeout=10, verify=PLAIN) as talking:
        yield talking


@pytest.fixture(scope="module")
def b2b(shop: SandboxBigCommerce) -> Iterator[httpx2.Client]:
    """Talk to the B2B Edition's API."""
    with httpx2.Client(
        base_url=shop.b2b_url, headers=shop.headers(), timeout=10, verify=PLAIN
    ) as talking:
        yield talking


@pytest.fixture(scope="module")
def company_id(shop: SandboxBigCommerce) -> int:
    """Pick a company."""
    return shop.control.company_ids()[0]


def test_every_seeded_customer_fits(client: httpx2.Client, contracts: Contracts) -> None:
    """All of them, the awkward ones included, and with no property that nobody documents."""
    after, seen = "", []
    while True:
        answer = client.get(f"/v3/customers?limit=250&{EVERYTHING}{after}")
        assert contracts.check(answer) == 200
        seen += answer.json()["data"]
        cursors = answer.json()["meta"]["cursor_pagination"]
        if "next" not in cursors["links"]:
            break
        after = f"&after={cursors['end_cursor']}"

    assert len(seen) == CUSTOMERS
    names = {name for each in seen for name in each}
    assert names <= contracts.properties("customers.v3.yml", "customer_Full")
    of_addresses = {name for each in seen for address in each["addresses"] for name in address}
    assert of_addresses <= contracts.properties("customers.v3.yml", "address_Full")


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/v3/customers?page=2&limit=5&sort=date_modified:desc", 200),
        ("/v3/customers?id:in=99999", 200),
        ("/v3/customers?foo=1", 422),
        ("/v3/customers?date_modified:min=soon", 422),
        ("/v3/customers/addresses?limit=250&include=formfields", 200),
        ("/v3/customers/attributes", 200),
        ("/v3/customers/attribute-values?limit=250", 200),
        ("/v3/customers/form-field-values?limit=250", 200),
        ("/v3/customers/metafields", 200),
        ("/v3/customers/5/metafields", 200),
        ("/v3/customers/5/metafields/1", 404),
        ("/v3/customers/subscribers?limit=250", 200),
        ("/v3/customers/subscribers/99999", 404),
        ("/v2/customer_groups", 200),
        ("/v2/customer_groups/3", 200),
        ("/v2/customer_groups?name=Nobody", 204),
        ("/v3/hooks/99", 404),
    ],
)
def test_answers_to_reads_fit(
    client: httpx2.Client, contracts: Contracts, path: str, status: int
) -> None:
    """Records, lists and errors."""
    assert contracts.check(client.get(path)) == status


def test_answers_about_customers_fit(client: httpx2.Client, contracts: Contracts) -> None:
    """Created, updated, refused, too many, deleted."""
    create = [ANN | {"addresses": [ADDRESS], "attributes": []}]
    made = client.post("/v3/customers", json=create)
    number = made.json()["data"][0]["id"]
    many = [{"id": number}] * 11
    statuses = [
        contracts.check(answer)
        for answer in (
            made,
            client.post("/v3/customers", json=create),
            client.put("/v3/customers", json=[{"id": number, "company": "Nordwind AG"}]),
            client.put("/v3/customers", json=[{"id": 99_999}]),
            client.put("/v3/customers", json=[{}]),
            client.put("/v3/customers", json=many),
            client.delete(f"/v3/customers?id:in={number}"),
            client.delete("/v3/customers"),
        )
    ]

    assert statuses == [200, 422, 200, 422, 422, 413, 204, 422]


def test_answers_about_addresses_fit(client: httpx2.Client, contracts: Contracts) -> None:
    """Created, skipped, changed, refused, deleted."""
    path, address = "/v3/customers/addresses", ADDRESS | {"customer_id": 7}
    made = client.post(path, json=[address])
    number = made.json()["data"][0]["id"]
    statuses = [
        contracts.check(answer)
        for answer in (
            made,
            client.post(path, json=[address]),
            client.put(path, json=[{"id": number, "city": "Kiel"}]),
            client.put(path, json=[{"id": 999_999}]),
            client.delete(f"{path}?id:in={number}"),
        )
    ]

    assert statuses == [200, 200, 200, 422, 204]


def test_answers_about_attributes_and_form_fields_fit(
    client: httpx2.Client, contracts: Contracts
) -> None:
    """Definitions and values."""
    attributes, values = "/v3/customers/attributes", "/v3/customers/attribute-values"
    made = client.post(attributes, json=[{"name": "Colour", "type": "string"}])
    number = made.json()["data"][0]["id"]
    value = {"customer_id": 7, "attribute_id": number, "value": "green"}
    written = client.put(values, json=[value])
    field = {"customer_id": 7, "name": "Shoe size", "value": 44}
    statuses = [
        contracts.check(answer)
        for answer in (
            made,
            client.post(attributes, json=[{"name": "Colour", "type": "string"}]),
            client.put(attributes, json=[{"id": number, "name": "Color"}]),
            written,
            client.put(values, json=[value | {"customer_id": 99_999}]),
            client.put("/v3/customers/form-field-values", json=[field]),
            client.get("/v3/customers/form-field-values?customer_id=7"),
            client.delete(f"{values}?id:in={written.json()['data'][0]['id']}"),
            client.delete(f"{attributes}?id:in={number}"),
        )
    ]

    assert statuses == [200, 422, 200, 200, 422, 200, 200, 204, 204]


def test_answers_about_metafields_fit(client: httpx2.Client, contracts: Contracts) -> None:
    """Batches, in whole and in part, and the duplicate of a single one."""
    everybody, one = "/v3/customers/metafields", "/v3/customers/9/metafields"
    batch = client.post(everybody, json=[FIELD | {"resource_id": 9}])
    number = batch.json()["data"][0]["id"]
    statuses = [
        contracts.check(answer)
        for answer in (
            batch,
            client.post(everybody, json=[FIELD | {"resource_id": n} for n in (8, 9)]),
            client.put(everybody, json=[{"id": number, "value": "D-2"}]),
            client.post(one, json=FIELD),
            client.get(one),
            client.get(f"{one}/{number}"),
            client.request("DELETE", everybody, json=[number, 999]),
            client.post(one, json={}),
        )
    ]

    assert statuses == [200, 422, 200, 409, 200, 200, 422, 422]


def test_answers_about_hooks_groups_and_subscribers_fit(
    client: httpx2.Client, contracts: Contracts
) -> None:
    """What is written one by one."""
    hook = client.post("/v3/hooks", json=HOOK)
    path = f"/v3/hooks/{hook.json()['data']['id']}"
    group = client.post("/v2/customer_groups", json={"name": "VIP"})
    subscriber = client.post("/v3/customers/subscribers", json={"email": "new@example.com"})
    who = f"/v3/customers/subscribers/{subscriber.json()['data']['id']}"
    statuses = [
        contracts.check(answer)
        for answer in (
            hook,
            client.get("/v3/hooks"),
            client.put(path, json={"is_active": False}),
            client.post("/v3/hooks", json=HOOK | {"destination": "http://example.com"}),
            client.delete(path),
            group,
            client.put(f"/v2/customer_groups/{group.json()['id']}", json={"name": "VIPs"}),
            client.delete(f"/v2/customer_groups/{group.json()['id']}"),
            subscriber,
            client.post("/v3/customers/subscribers", json={"email": "new@example.com"}),
            client.put(who, json={"consents": ["abandoned_cart"]}),
            client.delete(who),
        )
    ]

    assert statuses == [200, 200, 200, 422, 200, 200, 200, 204, 200, 409, 200, 204]


def test_answers_about_companies_fit(
    b2b: httpx2.Client, contracts: Contracts, company_id: int
) -> None:
    """Lists, records, writes and refusals in the B2B Edition's form."""
    path = f"/companies/{company_id}"
    number = {"extraFields": [{"fieldName": "ERP Customer Number", "fieldValue": "D-7"}]}
    statuses = [
        contracts.check(answer)
        for answer in (
            b2b.get("/companies?limit=249&isIncludeExtraFields=1"),
            b2b.get(path),
            b2b.get("/companies/1"),
            b2b.put(path, json=number),
            b2b.put("/companies/bulk", json=[number | {"companyId": company_id}]),
            b2b.put("/companies/bulk", json=[number | {"companyId": company_id}] * 11),
            b2b.post("/companies", json=COMPANY),
            b2b.get("/companies/extra-fields"),
            b2b.put(f"{path}/status", json={"companyStatus": 3}),
        )
    ]

    assert statuses == [200, 200, 404, 200, 200, 413, 200, 200, 200]


def test_answers_about_users_fit(b2b: httpx2.Client, contracts: Contracts, company_id: int) -> None:
    """Lists, records, writes and refusals."""
    user = {
        "firstName": "B", "lastName": "B", "email": "b@example.com", "companyId": company_id,
        "role": 2, "channelIds": [1],
    }  # fmt: skip
    made = b2b.post("/users", json=user)
    path = f"/users/{made.json()['data']['userId']}"
    first = b2b.get(f"/users/customer/{company_id - 1_000_000}")
    statuses = [
        contracts.check(answer)
        for answer in (
            b2b.get("/users?limit=249"),
            made,
            b2b.post("/users", json=user | {"lastName": None}),
            first,
            b2b.put(path, json={"uuid": "D-7"}),
            b2b.get("/users/1"),
            b2b.delete(path),
            b2b.delete(f"/users/{first.json()['data']['id']}"),
        )
    ]

    assert statuses == [200, 200, 422, 200, 200, 404, 200, 422]


def test_answers_about_locations_fit(
    b2b: httpx2.Client, contracts: Contracts, company_id: int
) -> None:
    """Single ones; the contract takes a list for one object, so lists are not judged."""
    made = b2b.post("/addresses", json=LOCATION | {"companyId": company_id})
    path = f"/addresses/{made.json()['data']['addressId']}"
    statuses = [
        contracts.check(answer)
        for answer in (
            made,
            b2b.get(path),
            b2b.put(path, json={"externalId": "ERP-1"}),
            b2b.post("/addresses", json={}),
            b2b.delete(path),
            b2b.get(path),
        )
    ]

    assert statuses == [200, 200, 200, 422, 200, 404]


@pytest.mark.parametrize(("kind", "status"), [("too_many_requests", 429), ("server_error", 500)])
def test_injected_errors_have_the_platforms_form(
    shop: SandboxBigCommerce, client: httpx2.Client, contracts: Contracts, kind: str, status: int
) -> None:
    """Status, title and type."""
    shop.control.fail_next(kind)

    answer = client.get("/v3/customers")

    body: dict[str, Any] = answer.json()
    assert contracts.check(answer) == status
    assert body["status"] == status
    assert set(body) == contracts.properties("webhooks.v3.yml", "error_Full")


def test_a_notice_fits_its_callback(shop: SandboxBigCommerce, contracts: Contracts) -> None:
    """The body of a webhook has the names that the contract gives it, and `data`."""
    shop.control.edit_address(9, city="Neustadt")
    event = shop.control.events()[-1]

    names = contracts.properties("webhooks.v3.yml", "webhook_callback_base")

    assert set(httpx2.Response(200, content=event.body()).json()) == names | {"data"}
