"""`patron staging list`, `show` and `explain`: what an operator needs to decide."""

from typing import Any

import pytest
import sqlalchemy as sa

from shared.domain.conditions import Condition
from shared.domain.customer import Customer
from shared.domain.policy import ProcessingMethod
from shared.persistence.tables import staging_customers
from shared.persistence.unit_of_work import utc_now
from tests.builders import NOON, a_customer, a_policy, a_template, an_address
from tests.integration.console.conftest import Desk
from tests.integration.console.waiting import ambiguous


def test_an_ambiguous_customer_is_explained_with_its_candidates(desk: Desk) -> None:
    """NEW-2: rules, evidence, who the candidates are, and commands to be pasted."""
    record = ambiguous(desk)

    shown = desk.patron("staging", "explain", record)
    tree = desk.patron("staging", "explain", record, "-o", "json").json

    assert (shown.code, shown.err) == (0, "")
    assert "Parked: more than one customer may be meant" in shown.out
    assert "Anna Lang" in shown.out
    assert "10115 Berlin, DE" in shown.out
    who = "# it is D10002, Anna Lang, Lang GmbH, ann@example.com, 10115 Berlin, DE"
    assert f"{who}\npatron staging link {record} --candidate 2\n" in shown.out
    assert f"patron staging process {record} --as-new" in shown.out
    assert "configuration   test" in shown.out
    assert [(c["candidate"], c["number"], c["accounts"]) for c in tree["candidates"]] == [
        (1, "D10001", ["shop/1"]), (2, "D10002", ["shop/2"]),
    ]  # fmt: skip
    assert tree["decision"]["trials"][-1]["evidence"] == "ann@example.com"


def test_every_command_that_is_advised_is_understood(desk: Desk) -> None:
    """NEW-2: pasted as it stands, whatever the record's state and reason."""
    ambiguous(desk)
    desk.process(a_customer("4", addresses=()), a_customer("5"), policy=a_policy(templates=()))
    desk.process(a_customer("6"), policy=a_policy(ProcessingMethod.NONE))
    records = [row.id for row in desk.rows(staging_customers)]
    told = [desk.patron("staging", "explain", each, "-o", "json").json for each in records]
    commands = [step["command"] for each in told for step in each["steps"]]

    codes = [desk.patron(*pasted(command)).code for command in commands]

    assert {each["reason"] for each in told} == {
        None, "ambiguous", "no_billing_address", "no_template", "method_none",
    }  # fmt: skip
    assert set(codes) == {0}


def pasted(command: str) -> list[str]:
    """Return the words of a command after `patron`, made not to wait for a worker."""
    words = command.replace("NUMBER", "D10001").split()[1:]
    can_wait = words[0] == "import" or words[1] in {"process", "link"}
    return [*words, *(["--no-wait"] if can_wait else [])]


@pytest.mark.parametrize(
    ("customer", "policy", "command"),
    [
        (a_customer(addresses=()), {}, "patron import shop --customer 1"),
        (a_customer(), {"method": ProcessingMethod.NONE}, "patron staging process"),
        (a_customer(), {"templates": ()}, "patron config check"),
    ],
)
def test_the_advice_fits_the_reason(
    sqlite_desk: Desk, customer: Customer, policy: dict[str, Any], command: str
) -> None:
    """NEW-2: what helps against a missing address does not help against a missing template."""
    sqlite_desk.process(customer, policy=a_policy(**policy))
    (row,) = sqlite_desk.rows(staging_customers)

    steps = sqlite_desk.patron("staging", "explain", row.id, "-o", "json").json["steps"]

    assert steps[0]["command"].startswith(command)


def test_templates_that_were_tried_are_named(sqlite_desk: Desk) -> None:
    """NEW-2: the explanation names those whose condition did not hold."""
    template = a_template("business", when=Condition('kind == "business"'))
    sqlite_desk.process(a_customer(), policy=a_policy(templates=(template,)))
    (row,) = sqlite_desk.rows(staging_customers)

    shown = sqlite_desk.patron("staging", "explain", row.id)

    assert "template        none of business" in shown.out


def test_a_card_shows_the_default_addresses_and_all_of_them_if_asked(desk: Desk) -> None:
    """C365-10: details, default billing and shipping; every address with --addresses."""
    addresses = (
        an_address("a1", is_default_shipping=False),
        an_address("a2", is_default_billing=False, lines=("Hafen 1",), city="Hamburg"),
        an_address("a3", is_default_billing=False, is_default_shipping=False, city="Ulm"),
    )
    customer = a_customer("1", company_name="Lang GmbH", addresses=addresses)
    desk.process(customer, policy=a_policy(ProcessingMethod.NONE))
    (row,) = desk.rows(staging_customers)

    card = desk.patron("staging", "show", row.id)
    whole = desk.patron("staging", "show", row.id, "--addresses")
    tree = desk.patron("staging", "show", row.id, "-o", "json").json

    assert "default billing   Ann Lang, Lindenweg 4, 10115 Berlin, DE" in card.out
    assert "default shipping  Ann Lang, Hafen 1, 10115 Hamburg, DE" in card.out
    assert "Lang GmbH" in card.out
    assert "Ulm" not in card.out
    assert "Ulm" in whole.out
    assert [address["city"] for address in tree["customer"]["addresses"]][2] == "Ulm"


def test_the_list_tells_known_customers_age_and_number(desk: Desk) -> None:
    """C365-9: existing or new, the number once there is one; filters by both and by age."""
    desk.process(a_customer("1"))
    by_hand = a_policy(ProcessingMethod.NONE)
    desk.process(a_customer("1", minutes=5, language="fr"), a_customer("2"), policy=by_hand)
    with desk.units.begin() as work:
        old = sa.update(staging_customers).where(staging_customers.c.external_id == "2")
        work.connection.execute(old.values(created_at=NOON.replace(year=2020)))

    def listed(*words: str) -> list[str]:
        rows = desk.patron("staging", "list", *words, "-o", "json").json
        return [row["external_id"] for row in rows]

    assert listed("--existing") == ["1"]
    assert listed("--new") == ["2"]
    assert listed("--older-than", "1w") == ["2"]
    assert listed("--newer-than", "2h") == ["1"]
    (known,) = desk.patron("staging", "list", "--existing", "-o", "json").json
    assert (known["customer_number"], known["is_existing"]) == ("D10001", True)
    assert known["age_seconds"] < (utc_now() - NOON).total_seconds()


def test_importing_again_adds_nobody_twice(desk: Desk) -> None:
    """XPR-8: a new customer is added to the list once, however often it is imported."""
    by_hand = a_policy(ProcessingMethod.NONE)
    desk.process(a_customer("1"), policy=by_hand)
    first = desk.patron("staging", "list", "-o", "json").json

    desk.process(a_customer("1"), a_customer("1", minutes=5, language="fr"), policy=by_hand)
    desk.process(a_customer("2"), policy=by_hand)

    again = desk.patron("staging", "list", "-o", "json").json
    assert [line["external_id"] for line in again] == ["2", "1"]
    assert (again[1]["id"], again[1]["created_at"]) == (first[0]["id"], first[0]["created_at"])


def test_what_waits_is_summed_up(desk: Desk) -> None:
    """NEW-13: how many, by state and reason."""
    desk.process(*(a_customer(str(n), addresses=()) for n in range(3)))
    desk.process(a_customer("9"), policy=a_policy(ProcessingMethod.NONE))

    rows = desk.patron("staging", "list", "--count", "-o", "json").json

    assert [(row["state"], row["reason"], row["count"]) for row in rows] == [
        ("held", "no_billing_address", 3), ("staged", "method_none", 1),
    ]  # fmt: skip
