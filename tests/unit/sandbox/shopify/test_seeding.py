"""The seeded customers: the same people as elsewhere, within this platform's rules."""

import re

from services.sandbox.people import person, sketch
from services.sandbox.shopify import SandboxShopify
from services.sandbox.shopify.gids import address_gid, company_gid, customer_gid, location_gid
from services.sandbox.shopify.seeding import Crowd, oddity_of

E164 = re.compile(r"\+[1-9]\d{7,14}")


def test_customer_n_is_the_same_human_as_in_any_other_sandbox() -> None:
    """The n-th customer is person n - 1 of the seed, with the same e-mail and addresses."""
    crowd = Crowd(7)
    with SandboxShopify(customers=60, seed=7) as shop:
        for count in range(1, 61):
            known = person(7, count - 1)
            if oddity_of(crowd, count) or known.sketch.is_twin:
                continue
            customer = shop.control.customer(count)
            assert customer["firstName"] == known.sketch.firstname.strip()
            assert customer["email"] == known.sketch.email.strip()
            assert [each["city"] for each in customer["addresses"]] == [
                each.city for each in known.addresses
            ]


def test_two_shops_share_as_many_people_as_they_are_told_to() -> None:
    """`first_person` moves the crowd: customer 1 here is customer 31 there."""
    with (
        SandboxShopify(customers=40, seed=7) as one,
        SandboxShopify(customers=40, seed=7, first_person=30) as other,
    ):
        there, here = one.control.customer(31), other.control.customer(1)

    assert here["id"] == customer_gid(1)
    assert (here["lastName"], here["email"]) == (there["lastName"], there["email"])


def test_emails_and_phones_are_unique_and_phones_are_e164() -> None:
    """A twin has neither, for the person before registered first; what cannot be E.164 is null."""
    with SandboxShopify(customers=500, seed=7) as shop:
        everyone = [shop.control.customer(count) for count in range(1, 501)]

    emails = [each["email"].lower() for each in everyone if each["email"]]
    phones = [each["phone"] for each in everyone if each["phone"]]
    assert len(emails) == len(set(emails)) > 400
    assert len(phones) == len(set(phones)) > 200
    assert all(E164.fullmatch(phone) for phone in phones)
    assert sketch(7, 17).is_twin
    assert everyone[17]["email"] is None


def test_some_lack_names_or_an_email_or_an_address() -> None:
    """Null names are no defect of the answer, but of the customer."""
    with SandboxShopify(customers=300, seed=7) as shop:
        everyone = [shop.control.customer(count) for count in range(1, 301)]

    assert any(each["firstName"] is None and each["lastName"] for each in everyone)
    assert any(each["firstName"] is None and each["lastName"] is None for each in everyone)
    assert any(each["email"] is None and each["phone"] for each in everyone)
    assert any(not each["addresses"] and not each["defaultAddressId"] for each in everyone)


def test_tidy_customers_have_nothing_odd() -> None:
    """Without awkwardness everybody has a name and an e-mail."""
    with SandboxShopify(customers=100, seed=7, awkward=False) as shop:
        everyone = [shop.control.customer(count) for count in range(1, 101)]

    assert all(each["firstName"] and each["email"] and each["addresses"] for each in everyone)


def test_the_same_seed_gives_the_same_shop() -> None:
    """Twice the same, down to ids and times."""
    with SandboxShopify(customers=30, seed=9, companies=3) as one:
        first = [one.control.customer(count) for count in range(1, 31)]
        company = one.control.company(company_gid(2))
    with SandboxShopify(customers=30, seed=9, companies=3) as other:
        second = [other.control.customer(count) for count in range(1, 31)]

        assert other.control.company(company_gid(2)) == company
    assert first == second
    assert first[4]["addresses"][0]["id"] == address_gid(5)


def test_companies_have_locations_and_contacts_who_are_customers(shop: SandboxShopify) -> None:
    """One to four locations; the main contact is a customer of the shop with an e-mail."""
    seen = [shop.control.company(company_gid(count)) for count in range(1, 6)]

    assert all(1 <= len(each["locations"]) <= 4 for each in seen)
    assert all(each["locations"][0] == location_gid(n + 1) for n, each in enumerate(seen))
    contacts = [each for company in seen for each in company["customers"]]
    assert len(contacts) == len(set(contacts)) == 6
    assert all(shop.control.customer(each)["email"] for each in contacts)
