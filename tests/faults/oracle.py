"""What must be true once the attack is over and the pipeline has come to rest."""

from tests.e2e.deployment import Deployment
from tests.e2e.expectations import (
    NUMBER,
    assert_each_person_is_one_record,
    assert_every_eligible_customer_is_numbered,
    assert_numbers_have_no_gap_and_no_twin,
    attribute,
    shop_customers,
)


def assert_nothing_lost_or_done_twice(deployment: Deployment) -> None:
    """Check shop, directory and message store against each other, customer by customer."""
    assert deployment.rows("SELECT reason, error FROM dead_letters") == []
    assert deployment.value("SELECT count(*) FROM messages") == 0
    assert_every_eligible_customer_is_numbered(deployment)
    assert_numbers_have_no_gap_and_no_twin(deployment)
    assert_each_person_is_one_record(deployment)
    assert_each_number_was_written_once(deployment)


def assert_each_number_was_written_once(deployment: Deployment) -> None:
    """Check by the shop's own books that no customer ever had a second number."""
    for customer in shop_customers(deployment):
        writes = deployment.shop.control.writes(customer["id"])
        numbers = [
            attribute(write.given, NUMBER)
            for write in writes
            if not write.is_identical and attribute(write.given, NUMBER)
        ]
        stands = attribute(customer, NUMBER)
        assert numbers == ([stands] if stands else []), customer["id"]
    exported = deployment.rows(
        "SELECT l.external_id FROM links l JOIN customers c ON c.id = l.customer_id"
        " WHERE l.exported_number IS DISTINCT FROM c.number"
    )
    assert exported == []
