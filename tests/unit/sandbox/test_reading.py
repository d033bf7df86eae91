"""Reading: searches, single records, store views, metadata, and how they fail."""

import httpx2
import pytest

from services.sandbox.magento import SandboxMagento
from services.sandbox.magento.fields import parse_fields, trim

SEARCH = "/rest/V1/customers/search"


def test_a_search_answers_items_criteria_and_count(client: httpx2.Client) -> None:
    """The criteria come back as they were understood."""
    answer = client.get(
        SEARCH,
        params={
            "searchCriteria[filter_groups][0][filters][0][field]": "website_id",
            "searchCriteria[filter_groups][0][filters][0][value]": "2",
            "searchCriteria[sortOrders][0][field]": "entity_id",
            "searchCriteria[pageSize]": "5",
        },
    ).json()

    assert len(answer["items"]) == 5
    assert {each["website_id"] for each in answer["items"]} == {2}
    ids = [each["id"] for each in answer["items"]]
    assert ids == sorted(ids, reverse=True)
    assert answer["search_criteria"] == {
        "filter_groups": [
            {"filters": [{"field": "website_id", "value": "2", "condition_type": "eq"}]}
        ],
        "sort_orders": [{"field": "entity_id"}],
        "page_size": 5,
    }


@pytest.mark.parametrize("field", ["id", "nonsense", "password_hash", "extension_attributes"])
def test_an_unknown_filter_field_is_refused(client: httpx2.Client, field: str) -> None:
    """The id is called `entity_id` here; whatever is no attribute is refused by template."""
    answer = client.get(
        SEARCH,
        params={
            "searchCriteria[filter_groups][0][filters][0][field]": field,
            "searchCriteria[filter_groups][0][filters][0][value]": "1",
        },
    )

    assert answer.status_code == 400
    assert answer.json() == {
        "message": 'The "%1" attribute name is invalid. Reset the name and try again.',
        "parameters": [field],
    }


def test_past_the_last_page(shop: SandboxMagento, client: httpx2.Client) -> None:
    """Empty since 2.4; 2.3 repeats the last page and never ends."""
    params = {"searchCriteria[pageSize]": "150", "searchCriteria[currentPage]": "9"}

    modern = client.get(SEARCH, params=params).json()
    shop.control.set_quirks(repeats_last_page=True)
    old = client.get(SEARCH, params=params).json()

    assert (modern["items"], modern["total_count"]) == ([], 400)
    assert [each["id"] for each in old["items"]] == list(range(301, 401))


def test_input_limiting(shop: SandboxMagento, client: httpx2.Client) -> None:
    """Where it is on, 20 rows come unasked and more than 300 are refused."""
    shop.control.set_quirks(limits_input=True)

    unasked = client.get(SEARCH, params={"searchCriteria": ""}).json()
    too_many = client.get(SEARCH, params={"searchCriteria[pageSize]": "301"})

    assert len(unasked["items"]) == 20
    assert too_many.status_code == 400


def test_fields_trim_an_answer(client: httpx2.Client) -> None:
    """Nested lists keep what was named, and nothing else."""
    params = {
        "searchCriteria[pageSize]": "2",
        "fields": "items[id,addresses[city]],total_count",
    }

    answer = client.get(SEARCH, params=params).json()

    assert list(answer) == ["items", "total_count"]
    assert all(set(each) == {"id", "addresses"} for each in answer["items"])


def test_fields_that_do_not_parse_only_leave_things_out() -> None:
    """A bracket too many or too few is no error."""
    record = {"a": 1, "b": {"c": 2, "d": 3}}

    assert trim(record, parse_fields("b[c")) == {"b": {"c": 2}}
    assert trim(record, parse_fields("a]],b")) == {"a": 1, "b": {"c": 2, "d": 3}}
    assert trim(record, parse_fields("")) == record


def test_null_properties_are_left_out(client: httpx2.Client) -> None:
    """Absent, not null, wherever a value is missing."""
    body = client.get(SEARCH, params={"searchCriteria": ""}).json()

    assert all(value is not None for each in body["items"] for value in each.values())


def test_subscription_in_lists_goes_by_email_alone(
    shop: SandboxMagento, client: httpx2.Client
) -> None:
    """A twin subscribed on one website looks subscribed on both, in lists only."""
    shop.control.edit_profile(17, extension_attributes={"is_subscribed": True})
    shop.control.edit_profile(18, extension_attributes={"is_subscribed": False})
    params = {
        "searchCriteria[filter_groups][0][filters][0][field]": "entity_id",
        "searchCriteria[filter_groups][0][filters][0][value]": "18",
    }

    listed = client.get(SEARCH, params=params).json()["items"][0]
    single = client.get("/rest/V1/customers/18").json()

    assert listed["extension_attributes"] == {"is_subscribed": True}
    assert single["extension_attributes"] == {"is_subscribed": False}


@pytest.mark.parametrize(
    ("path", "status", "message"),
    [
        ("/rest/V1/customers/99999", 404, "No such entity with %fieldName = %fieldValue"),
        ("/rest/V1/customers/addresses/3", 404, "No such entity with %fieldName = %fieldValue"),
        ("/rest/V1/nothing/here", 404, "Request does not match any route."),
        ("/rest/default/V1/customers/1", 400, "Specified request cannot be processed."),
        (
            "/rest/V1/attributeMetadata/customer/attribute/costumer_number",
            404,
            "No such entity with %fieldName = %fieldValue",
        ),
    ],
)
def test_what_is_not_there(client: httpx2.Client, path: str, status: int, message: str) -> None:
    """Raw templates, filled in by nobody."""
    answer = client.get(path)

    assert (answer.status_code, answer.json()["message"]) == (status, message)


def test_an_attribute_can_come_and_go(shop: SandboxMagento, client: httpx2.Client) -> None:
    """Removing the attribute removes its values; adding it again does not bring them back."""
    path = "/rest/V1/attributeMetadata/customer/attribute/loyalty_level"
    loyal = next(
        number for number in range(1, 400) if "custom_attributes" in shop.control.customer(number)
    )

    shop.control.remove_attribute("loyalty_level")
    gone = client.get(path)
    shop.control.add_attribute("loyalty_level")
    back = client.get(path)

    assert (gone.status_code, back.status_code) == (404, 200)
    assert back.json()["user_defined"] is True
    assert "custom_attributes" not in client.get(f"/rest/V1/customers/{loyal}").json()


def test_all_attributes_are_listed(client: httpx2.Client) -> None:
    """The platform's own and those of the shop, told apart."""
    listed = client.get("/rest/V1/attributeMetadata/customer").json()

    own = {each["attribute_code"]: each["user_defined"] for each in listed}
    assert (own["lastname"], own["loyalty_level"]) == (False, True)


def test_any_store_code_reaches_the_same_customers(client: httpx2.Client) -> None:
    """Customer data is not scoped by store view."""
    answers = [client.get(f"/rest/{code}V1/customers/1").json() for code in ("", "all/", "uk/")]

    assert answers[0] == answers[1] == answers[2]


def test_outside_the_web_api_there_are_pages(client: httpx2.Client) -> None:
    """A wrong base URL meets HTML, not JSON."""
    answer = client.get("/")

    assert answer.status_code == 404
    assert answer.headers["Content-Type"].startswith("text/html")
