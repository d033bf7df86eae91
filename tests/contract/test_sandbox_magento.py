"""The sandbox shop keeps the platform's contract: its answers fit the JSON Schemas.

The schemas are reference material that lies beside the project, not in it; where it is absent
these tests skip.
"""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest
from jsonschema import Draft202012Validator

from services.sandbox.magento import SandboxMagento
from tests.services.plain import PLAIN

SPECS = Path(__file__).parents[3] / "shared" / "specs" / "magento"
CUSTOMERS = 600

pytestmark = pytest.mark.skipif(
    not SPECS.is_dir(), reason="the platform's schemas are not beside this checkout"
)

Check = Callable[[str, Any], None]
ANN = {"email": "ann@example.com", "firstname": "Ann", "lastname": "Contract"}


@pytest.fixture(scope="module")
def check() -> Check:
    """Return a function that fails with every way in which a value breaks a schema."""
    schemas = json.loads((SPECS / "rest-schemas.json").read_text(encoding="utf-8"))

    def validate(name: str, value: Any) -> None:
        # Not `$ref` into the file's own `$id`: it is a name, and nothing resolves it.
        validator = Draft202012Validator({"$ref": f"#/$defs/{name}", "$defs": schemas["$defs"]})
        assert [f"{e.json_path}: {e.message}" for e in validator.iter_errors(value)] == []

    return validate


@pytest.fixture(scope="module")
def shop() -> Iterator[SandboxMagento]:
    """Run one shop with every kind of awkward customer."""
    with SandboxMagento(customers=CUSTOMERS, seed=7) as running:
        yield running


@pytest.fixture(scope="module")
def client(shop: SandboxMagento) -> Iterator[httpx2.Client]:
    """Talk to it as an admin."""
    with httpx2.Client(
        base_url=shop.url, headers=shop.bearer(), timeout=10, verify=PLAIN
    ) as talking:
        yield talking


def test_every_seeded_customer_fits(client: httpx2.Client, check: Check) -> None:
    """All of them at once, the awkward ones included."""
    answer = client.get(
        "/rest/V1/customers/search",
        params={
            "searchCriteria[filter_groups][0][filters][0][field]": "updated_at",
            "searchCriteria[filter_groups][0][filters][0][value]": "2000-01-01 00:00:00",
            "searchCriteria[filter_groups][0][filters][0][condition_type]": "gteq",
            "searchCriteria[sortOrders][0][field]": "updated_at",
            "searchCriteria[sortOrders][0][direction]": "ASC",
            "searchCriteria[pageSize]": str(CUSTOMERS),
            "searchCriteria[currentPage]": "1",
        },
    ).json()

    assert len(answer["items"]) == CUSTOMERS
    check("CustomerSearchResponse", answer)


@pytest.mark.parametrize(
    ("path", "schema"),
    [
        ("customers/7", "CustomerResponse"),
        ("customers/addresses/5", "AddressResponse"),
        ("store/storeViews", "StoreViews"),
        ("store/websites", "Websites"),
        ("store/storeGroups", "StoreGroups"),
        ("customerGroups/search?searchCriteria[pageSize]=100", "GroupSearchResponse"),
        ("customerGroups/1", "Group"),
        ("customers/99999", "Error"),
        ("customers/search", "Error"),
        ("nothing", "Error"),
        ("attributeMetadata/customer/attribute/nothing", "Error"),
    ],
)
def test_answers_to_reads_fit(client: httpx2.Client, check: Check, path: str, schema: str) -> None:
    """Records, lists and errors."""
    check(schema, client.get(f"/rest/V1/{path}").json())


def test_answers_to_writes_fit(client: httpx2.Client, check: Check) -> None:
    """What is created and updated comes back as the contract says, and what is refused too."""
    body = {"customer": ANN}
    check("CreateCustomerRequest", body)

    created = client.post("/rest/V1/customers", json=body).json()
    change = {"customer": ANN | {"id": created["id"], "website_id": created["website_id"]}}
    check("UpdateCustomerRequest", change)
    updated = client.put(f"/rest/V1/customers/{created['id']}", json=change).json()
    duplicate = client.post("/rest/V1/customers", json=body).json()
    many = client.post("/rest/V1/customers", json={"customer": {"email": "x@example.com"}}).json()

    check("CustomerResponse", created)
    check("CustomerResponse", updated)
    check("Error", duplicate)
    check("Error", many)


def test_the_admin_token_and_faults_fit(
    shop: SandboxMagento, client: httpx2.Client, check: Check
) -> None:
    """A token is a JSON string; injected errors have the platform's shape."""
    shop.control.fail_next("too_many_requests")
    throttled = client.get("/rest/V1/customers/1")
    shop.control.fail_next("server_error")
    broken = client.get("/rest/V1/customers/1")

    check("Error", throttled.json())
    check("Error", broken.json())
    check("AdminTokenResponse", shop.bearer()["Authorization"].removeprefix("Bearer "))


@pytest.mark.parametrize(
    ("path", "definition"),
    [
        ("directory/countries/DE", "directory-data-country-information-interface"),
        ("directory/countries/NL", "directory-data-country-information-interface"),
        (
            "attributeMetadata/customer/attribute/erp_customer_number",
            "customer-data-attribute-metadata-interface",
        ),
        (
            "attributeMetadata/customer/attribute/gender",
            "customer-data-attribute-metadata-interface",
        ),
    ],
)
def test_what_only_the_published_specification_describes(
    client: httpx2.Client, path: str, definition: str
) -> None:
    """Countries and metadata fit the vendor's own OpenAPI file."""
    openapi = json.loads((SPECS / "admin-openapi-2.4.9-customers.json").read_text(encoding="utf-8"))
    validator = Draft202012Validator(
        {"$ref": f"#/definitions/{definition}", "definitions": openapi["definitions"]}
    )

    answer = client.get(f"/rest/V1/{path}").json()

    assert [error.message for error in validator.iter_errors(answer)] == []


def test_store_configs_fit_the_published_specification(client: httpx2.Client) -> None:
    """Locale, currency and time zone of each view."""
    openapi = json.loads((SPECS / "admin-openapi-2.4.9-customers.json").read_text(encoding="utf-8"))
    schema = {
        "type": "array",
        "items": {"$ref": "#/definitions/store-data-store-config-interface"},
        "definitions": openapi["definitions"],
    }

    answer = client.get("/rest/V1/store/storeConfigs").json()

    assert [error.message for error in Draft202012Validator(schema).iter_errors(answer)] == []


def test_each_route_demands_the_published_right(shop: SandboxMagento) -> None:
    """The resource named in a guest's 401 is the one in the platform's own table."""
    table = json.loads((SPECS / "endpoints.json").read_text(encoding="utf-8"))["routes"]
    published = {(each["method"], each["path"]): each["acl"][0] for each in table}
    demanded = {}
    with httpx2.Client(base_url=shop.url, timeout=10, verify=PLAIN) as guest:
        for route in table:
            path = route["path"].replace("{store}/", "")
            for name in ("customerId", "addressId", "id", "attributeCode", "countryId"):
                path = path.replace(f"{{{name}}}", "1")
            answer = guest.request(route["method"], path, json={})
            if answer.status_code == 401 and "parameters" in answer.json():
                demanded[route["method"], route["path"]] = answer.json()["parameters"]["resources"]

    assert len(demanded) == 14
    assert demanded == {key: published[key] for key in demanded}
