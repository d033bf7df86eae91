"""Companies, their locations and contacts."""

from datetime import UTC, datetime
from typing import Any

import pytest

from services.sandbox.shopify import SandboxShopify
from services.sandbox.shopify.gids import company_gid, customer_gid, gid, location_gid
from tests.unit.sandbox.shopify.asking import Asking

NOON = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
CREATE = """
mutation Create($input: CompanyCreateInput!) {
  companyCreate(input: $input) {
    company {
      id externalId
      mainContact { id isMainContact customer { id email } }
      locations(first: 5) { nodes {
        id externalId
        shippingAddress { companyName city country } billingAddress { city }
        taxSettings { taxRegistrationId }
      } }
      contactRoles(first: 5) { nodes { id name } }
    }
    userErrors { field message code }
  }
}
"""
UPDATE = """
mutation Update($id: ID!, $input: CompanyInput!) {
  companyUpdate(companyId: $id, input: $input) {
    company { externalId updatedAt } userErrors { field code }
  }
}
"""
UPDATE_LOCATION = """
mutation Update($id: ID!, $input: CompanyLocationUpdateInput!) {
  companyLocationUpdate(companyLocationId: $id, input: $input) {
    companyLocation { externalId name updatedAt } userErrors { field code }
  }
}
"""
ASSIGN = """
mutation Assign($company: ID!, $customer: ID!) {
  companyAssignCustomerAsContact(companyId: $company, customerId: $customer) {
    companyContact { id customer { id } } userErrors { field message code }
  }
}
"""
FIRM: dict[str, Any] = {
    "company": {"name": "Nordwind Beispiel GmbH", "externalId": "D-10"},
    "companyContact": {"email": "anke@nordwind.example", "firstName": "Anke"},
    "companyLocation": {
        "name": "Zentrale",
        "externalId": "D-10-01",
        "taxRegistrationId": "DE123456789",
        "billingSameAsShipping": True,
        "shippingAddress": {"address1": "Hafenstr. 12", "city": "Hamburg", "countryCode": "DE"},
    },
}


def _with(part: str, **more: Any) -> dict[str, Any]:
    return FIRM | {part: FIRM[part] | more}


def test_a_company_brings_its_location_contact_and_customer(
    shop: SandboxShopify, ask: Asking
) -> None:
    """One mutation makes four objects that belong together."""
    company = ask(CREATE, input=FIRM)["company"]

    (location,) = company["locations"]["nodes"]
    assert company["externalId"] == shop.control.company_number(company["id"]) == "D-10"
    assert shop.control.location_number(location["id"]) == "D-10-01"
    assert location["shippingAddress"] == {
        "companyName": "Nordwind Beispiel GmbH", "city": "Hamburg", "country": "Germany",
    }  # fmt: skip
    assert location["billingAddress"] == {"city": "Hamburg"}
    assert location["taxSettings"]["taxRegistrationId"] == "DE123456789"
    assert company["mainContact"]["isMainContact"]
    assert company["mainContact"]["customer"]["id"] == customer_gid(81)
    assert [each["name"] for each in company["contactRoles"]["nodes"]] == [
        "Location admin", "Ordering only",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("given", "field", "code"),
    [
        (_with("company", name=" "), "name", "BLANK"),
        (_with("companyContact", email=""), "email", "BLANK"),
        (_with("companyContact", phone="040"), "phone", "INVALID"),
        (_with("companyLocation", shippingAddress={"city": "Ulm"}), "address1", "BLANK"),
        (_with("companyLocation", phone="040"), "phone", "INVALID"),
    ],
)
def test_a_refused_company_leaves_nothing_behind(
    shop: SandboxShopify, ask: Asking, given: dict[str, Any], field: str, code: str
) -> None:
    """No company, no location, no customer."""
    answer = ask(CREATE, input=given)

    assert answer["company"] is None
    assert (answer["userErrors"][0]["field"][-1], answer["userErrors"][0]["code"]) == (field, code)
    assert shop.control.stats()["companies"] == 5
    assert shop.control.customer_count() == 80


def test_external_ids_and_contacts_are_unique(ask: Asking) -> None:
    """Of companies, of locations in the whole shop, and e-mails of customers."""
    ask(CREATE, input=FIRM)
    other = _with("company", externalId="D-11") | {"companyContact": None}

    same = ask(CREATE, input=FIRM | {"companyContact": None})
    mail = ask(CREATE, input=_with("company", externalId="D-12"))
    place = ask(CREATE, input=other)
    moved = ask(UPDATE_LOCATION, id=location_gid(1), input={"externalId": "D-10-01"})
    named = ask(UPDATE, id=company_gid(1), input={"externalId": "D-10"})

    for answer in (same, mail, place, moved, named):
        assert answer["userErrors"][0]["code"] == "TAKEN"


def test_a_number_moves_the_time_of_its_own_record(shop: SandboxShopify, ask: Asking) -> None:
    """A company's change touches neither its locations nor its customers."""
    shop.control.freeze_clock(NOON)
    customer = shop.control.company(company_gid(1))["customers"][0]
    before = shop.control.customer(customer), shop.control.location(location_gid(1))

    company = ask(UPDATE, id=company_gid(1), input={"externalId": "D-1"})["company"]

    assert company == {"externalId": "D-1", "updatedAt": "2026-11-20T12:00:00Z"}
    assert before == (shop.control.customer(customer), shop.control.location(location_gid(1)))


def test_address_and_tax_have_mutations_of_their_own(shop: SandboxShopify, ask: Asking) -> None:
    """`companyLocationUpdate` knows neither; they replace whole and leave the time alone."""
    before = shop.control.location(location_gid(1))
    address = {"address1": "Am Speicher 5", "city": "Bremen", "countryCode": "DE",
               "zoneCode": "HB"}  # fmt: skip
    ask(
        """mutation Assign($id: ID!, $address: CompanyAddressInput!) {
          companyLocationAssignAddress(
            locationId: $id, address: $address, addressTypes: [SHIPPING, BILLING]
          ) { addresses { id } userErrors { code } }
        }""",
        id=location_gid(1),
        address=address,
    )
    ask(
        """mutation Tax($id: ID!) {
          companyLocationTaxSettingsUpdate(
            companyLocationId: $id, taxRegistrationId: "DE1", taxExempt: true
            exemptionsToAssign: [EU_REVERSE_CHARGE_EXEMPTION_RULE]
          ) { userErrors { code } }
        }""",
        id=location_gid(1),
    )

    after = shop.control.location(location_gid(1))
    assert after["updatedAt"] == before["updatedAt"]
    assert after["shippingAddress"]["city"] == after["billingAddress"]["city"] == "Bremen"
    assert after["shippingAddress"]["zoneCode"] is None
    assert after["taxSettings"]["taxRegistrationId"] == "DE1"
    assert after["taxSettings"]["taxExempt"]


def test_a_customer_buys_for_one_company(shop: SandboxShopify, ask: Asking) -> None:
    """Unless a switch allows more; and only with an e-mail."""
    taken = shop.control.company(company_gid(2))["customers"][0]
    new = shop.control.register(email="buyer@example.com")["id"]
    mute = shop.control.register(firstName="No", lastName="Mail")["id"]

    done = ask(ASSIGN, company=company_gid(1), customer=new)
    refused = ask(ASSIGN, company=company_gid(1), customer=taken)
    without = ask(ASSIGN, company=company_gid(1), customer=mute)
    shop.control.set_quirks(many_companies=True)
    second = ask(ASSIGN, company=company_gid(1), customer=taken)

    assert done["companyContact"]["customer"]["id"] == new
    assert refused["userErrors"][0]["code"] == without["userErrors"][0]["code"] == "INVALID_INPUT"
    assert second["userErrors"] == []
    profiles = ask(
        "query P($id: ID!) { customer(id: $id) { companyContactProfiles { company { id } } } }",
        id=taken,
    )["companyContactProfiles"]
    assert {each["company"]["id"] for each in profiles} == {company_gid(1), company_gid(2)}


def test_a_contact_has_one_role_at_a_location(shop: SandboxShopify, ask: Asking) -> None:
    """A second one, and a role of another company, are refused."""
    firm = shop.control.register_company("Alpha", contacts=(7,), locations_=({"name": "Ort"},))
    given = {"contact": firm["contacts"][0], "location": firm["locations"][0]}
    role = """mutation Role($contact: ID!, $role: ID!, $location: ID!) {
      companyContactAssignRole(
        companyContactId: $contact, companyContactRoleId: $role, companyLocationId: $location
      ) { companyContactRoleAssignment { role { name } company { id } } userErrors { code } }
    }"""

    wrong = ask(role, role=gid("CompanyContactRole", 1), **given)
    right = ask(role, role=gid("CompanyContactRole", 11), **given)
    twice = ask(role, role=gid("CompanyContactRole", 12), **given)

    assert wrong["userErrors"][0]["code"] == "INVALID_INPUT"
    assert right["companyContactRoleAssignment"] == {
        "role": {"name": "Location admin"}, "company": {"id": firm["id"]},
    }  # fmt: skip
    assert twice["userErrors"][0]["code"] == "LIMIT_REACHED"


def test_the_staff_edits_companies_and_locations(shop: SandboxShopify) -> None:
    """What the API does in three mutations is one call for a test."""
    shop.control.freeze_clock(NOON)

    company = shop.control.edit_company(company_gid(1), name="Umbenannt AG")
    location = shop.control.edit_location(
        location_gid(1),
        name="Werk 2",
        taxRegistrationId="ATU12345678",
        shippingAddress={"address1": "Weg 1", "city": "Wien", "countryCode": "AT"},
    )

    assert (company["name"], company["updatedAt"]) == ("Umbenannt AG", "2026-11-20T12:00:00Z")
    assert (location["name"], location["shippingAddress"]["city"]) == ("Werk 2", "Wien")
    assert location["taxSettings"]["taxRegistrationId"] == "ATU12345678"


def test_a_deleted_customer_buys_no_more(shop: SandboxShopify, ask: Asking) -> None:
    """The contact goes with the customer; the company stays, without a main contact."""
    buyer = shop.control.company(company_gid(1))["customers"][0]

    shop.control.delete_customer(buyer)

    company = ask(
        """query C($id: ID!) { company(id: $id) {
          mainContact { id } contacts(first: 5) { nodes { customer { id } } }
          locations(first: 5) { nodes { roleAssignments(first: 9) { nodes { id } } } }
        } }""",
        id=company_gid(1),
    )
    assert company["mainContact"] is None
    assert company["contacts"]["nodes"] == []
    assert all(not each["roleAssignments"]["nodes"] for each in company["locations"]["nodes"])


def test_a_merged_customer_buys_under_the_other_name(shop: SandboxShopify) -> None:
    """The contact moves to the customer that is kept."""
    buyer = shop.control.company(company_gid(1))["customers"][0]
    kept = shop.control.register(email="kept@example.com")["id"]

    shop.control.merge(kept, buyer)

    assert shop.control.company(company_gid(1))["customers"] == [kept]


def test_a_plan_without_companies_denies_them(shop: SandboxShopify, ask: Asking) -> None:
    """Customers are still there."""
    shop.control.set_quirks(sells_to_companies=False)

    answer = ask.answer("{ companies(first: 1) { nodes { id } } }")

    assert answer["errors"][0]["extensions"]["code"] == "ACCESS_DENIED"
    assert len(ask.found()) == 50
