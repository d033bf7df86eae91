"""What must hold of shop and directory together when the pipeline has come to rest."""

from collections import Counter
from collections.abc import Iterator
from typing import Any

from tests.e2e.deployment import Deployment

NUMBER = "erp_customer_number"
PRICE_GROUP = "erp_price_group"


def shop_customers(deployment: Deployment) -> Iterator[dict[str, Any]]:
    """Yield every customer as the shop has it now."""
    control = deployment.shop.control
    for customer_id in range(1, control.customer_count() + 1):
        yield control.customer(customer_id)


def attribute(customer: dict[str, Any], code: str) -> str | None:
    """Return a custom attribute of a shop's customer."""
    found = {a["attribute_code"]: a["value"] for a in customer.get("custom_attributes", [])}
    return found.get(code)


def assert_every_eligible_customer_is_numbered(deployment: Deployment) -> None:
    """Check the product's promise against the shop itself, customer by customer."""
    links = dict(
        deployment.rows(
            "SELECT l.external_id, c.number FROM links l JOIN customers c ON c.id = l.customer_id"
        )
    )
    parked = {row[0] for row in deployment.rows(
        "SELECT external_id FROM staging_customers WHERE state = 'ambiguous'"
    )}  # fmt: skip
    for customer in shop_customers(deployment):
        external_id = str(customer["id"])
        is_eligible = bool(customer.get("default_billing")) and external_id not in parked
        assert (external_id in links) is is_eligible, external_id
        assert attribute(customer, NUMBER) == links.get(external_id), external_id
        assert bool(attribute(customer, PRICE_GROUP)) is is_eligible, external_id


def assert_numbers_have_no_gap_and_no_twin(deployment: Deployment, *, start: int = 10001) -> None:
    """Check that the series was drawn without gaps, and that each number is one customer's."""
    numbers = sorted(row[0] for row in deployment.rows("SELECT number FROM customers"))
    assert numbers == [f"D{counter}" for counter in range(start, start + len(numbers))]


def assert_each_person_is_one_record(deployment: Deployment) -> None:
    """Check that nobody with an e-mail of their own stands twice in the directory."""
    emails = Counter(row[0] for row in deployment.rows("SELECT email_key FROM customers"))
    assert {key: count for key, count in emails.items() if key and count > 1} == {}


def effects(deployment: Deployment) -> dict[str, int]:
    """Count everything that a run leaves behind, to compare two moments."""
    tables = ("customers", "customer_addresses", "links", "staging_customers", "history")
    counts = {table: deployment.value(f"SELECT count(*) FROM {table}") for table in tables}
    return counts | {"puts": deployment.shop.control.requests("PUT")}
