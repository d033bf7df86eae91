"""A decision told as plain values: what a dry run shows of companies (NEW-1)."""

from services.console.preview import preview
from shared.domain.decide import decide
from tests.builders import a_company, a_contact, a_policy, a_template, an_address, knowing

POLICY = a_policy(templates=(a_template(location_values={"route": "PARCEL"}),))


def test_locations_and_contacts_are_previewed() -> None:
    """MYOB-1, MYOB-2: which locations would be told to the shop, numbered how; who is named."""
    known = knowing()
    company = a_company()
    third = an_address("l3", location_name="Hall 3", city="Kiel", is_default_billing=False)
    grown = a_company(
        minutes=5,
        addresses=(*company.addresses, third),
        contacts=(a_contact(last_name="Petersen"),),
    )

    arriving = decide(company, known, POLICY)
    known.learn(arriving)
    created, updated = preview(arriving, known), preview(decide(grown, known, POLICY), known)

    assert created.exports[0] == "customer_number (locations: 2)"
    assert updated.exports == ("customer_number (locations: 1)",)
    assert [str(change.after) for change in updated.changes] == [
        "location 03: Hall 3, Ann, Lang, Lindenweg 4, 10115, Kiel, DE",
        "Anke Petersen",
    ]
