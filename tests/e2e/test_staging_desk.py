"""An operator decides at the command line, beside the three workers and the shop."""

import json

import pytest

from tests.e2e.deployment import Deployment
from tests.e2e.expectations import NUMBER, assert_numbers_have_no_gap_and_no_twin, attribute

pytestmark = pytest.mark.timeout(300)


def test_the_operators_choice_reaches_the_shop(deployment: Deployment) -> None:
    """NEW-3: two accounts share a telephone; whom the operator links has the number."""
    first = deployment.shop.control.customer(1)
    (address,) = (a for a in first["addresses"] if a.get("default_billing"))
    deployment.start()
    deployment.until_idle()
    twin = _register_with_telephone(deployment, address["telephone"])
    deployment.request_import()
    deployment.until(lambda: _waiting(deployment, "ambiguous") == [str(twin)], "the twin waits")

    listed = deployment.run("staging", "list", "--state", "ambiguous", "--output", "json")
    (record,) = json.loads(listed.stdout)
    explained = deployment.run("staging", "explain", record["id"])
    linked = deployment.run("staging", "link", record["id"], "--candidate", "1")
    deployment.until_idle()

    number = attribute(deployment.shop.control.customer(1), NUMBER)
    assert f"it is {number}" in explained.stdout
    assert (linked.returncode, linked.stderr) == (0, "")
    assert attribute(deployment.shop.control.customer(twin), NUMBER) == number
    assert _waiting(deployment) == []
    assert_numbers_have_no_gap_and_no_twin(deployment)


def test_a_selection_is_processed_by_the_workers(deployment: Deployment) -> None:
    """C365-11: where nothing happens by itself, an operator has all of them processed."""
    for position in range(4):
        key = f"PATRON_CHANNELS__SHOP__STORE_VIEWS__{position}__PROCESSING_METHOD"
        deployment.environment[key] = "none"
    deployment.start()
    deployment.until_idle()
    staged = _waiting(deployment, "staged")

    done = deployment.run("staging", "process", "--all", "--yes", "-o", "json")
    deployment.until_idle()

    assert (done.returncode, len(staged)) == (0, 5)
    told = {each["external_id"]: each["customer_number"] for each in json.loads(done.stdout)}
    assert told.keys() == set(staged)
    for external_id, number in told.items():
        assert attribute(deployment.shop.control.customer(int(external_id)), NUMBER) == number


def test_a_new_template_releases_whom_its_absence_held(deployment: Deployment) -> None:
    """C365-6, NEW-13: the processor starts with the template, and nobody has to do anything."""
    fits_nobody = 'kind == "nobody"'
    for position in range(2):
        deployment.environment[f"PATRON_TEMPLATES__{position}__WHEN"] = fits_nobody
    deployment.start()
    deployment.until_idle()
    held = _waiting(deployment, "held")

    deployment.workers["processor"].stop()
    for position in range(2):
        del deployment.environment[f"PATRON_TEMPLATES__{position}__WHEN"]
    deployment.start("processor")
    deployment.until(lambda: _waiting(deployment) == [], "everybody was released")
    deployment.until_idle()

    assert len(held) == 5
    numbers = [attribute(deployment.shop.control.customer(int(each)), NUMBER) for each in held]
    assert all(numbers)
    assert_numbers_have_no_gap_and_no_twin(deployment)


def _register_with_telephone(deployment: Deployment, telephone: str) -> int:
    registered = deployment.shop.control.register(
        {"email": "zoe.meyer@example.com", "firstname": "Zoe", "lastname": "Meyer"}, store_id=1
    )
    customer_id = int(registered["id"])
    deployment.shop.control.add_address(
        customer_id, firstname="Zoe", lastname="Meyer", street=["Hafen 1"], city="Hamburg",
        postcode="20095", country_id="DE", telephone=telephone, default_billing=True,
    )  # fmt: skip
    return customer_id


def _waiting(deployment: Deployment, *states: str) -> list[str]:
    """Return who waits in these states, or in any."""
    rows = deployment.rows(
        "SELECT external_id, state FROM staging_customers"
        " WHERE state IN ('held', 'staged', 'ambiguous') ORDER BY external_id"
    )
    return [external_id for external_id, state in rows if state in states or not states]
