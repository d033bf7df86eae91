"""Who an unlinked customer is, by rules in the configured order."""

from typing import Any
from uuid import UUID

import pytest

from shared.domain.customer import Custom, Customer, CustomerKind, Phone, Source
from shared.domain.evidence import evidence_of
from shared.domain.known import Account, Known
from shared.domain.match_rules import DEFAULT_MATCHING, DirectoryKey, MatchBy, MatchRule
from shared.domain.matching import Match, find_match
from shared.domain.normalise import MatchKeys, match_keys
from shared.domain.policy import ChannelPolicy, StoreViewPolicy
from tests.builders import (
    a_customer,
    a_link,
    a_policy,
    a_source,
    an_address,
    in_directory,
    knowing,
)

PHONE = Phone(raw="030 5550142", e164="+49305550142")


def matched(customer: Customer, known: Known, rules: tuple[MatchRule, ...]) -> Match:
    """Match a customer by its own keys, in shops of two store groups."""
    groups = {"de": "europe", "fr": "europe", "us": "america"}
    views = {code: StoreViewPolicy(code, store_group=group) for code, group in groups.items()}
    policy = a_policy(
        matching=rules, channels={name: ChannelPolicy(name, views) for name in ("shop", "outlet")}
    )
    source = customer.source
    tried = policy.rules_for(source.channel, customer.kind)
    evidence = evidence_of(customer, match_keys(customer), tried)
    return find_match(customer, evidence, known, policy)


def an_account(source: Source, customer_id: UUID) -> Account:
    """Return the account that a customer has where `source` says."""
    return Account(source.key, customer_id, source.store_view)


def test_the_first_rule_that_finds_one_customer_wins() -> None:
    """ASK-4: rules are tried in order, and the trail says what each found."""
    by_number = in_directory(a_customer("a"), number="D7")
    by_email = in_directory(a_customer("b", email="ann@example.com"), number="D8")
    customer = a_customer(customer_number="D7", email="ann@example.com")

    match = matched(customer, knowing(by_number, by_email), DEFAULT_MATCHING)

    assert match.customer_id == by_number.id
    assert [(t.rule, t.outcome) for t in match.trail] == [("customer_number", "matched")]


def test_a_rule_that_finds_nobody_passes_on_to_the_next() -> None:
    """A miss is not the end: the e-mail is tried after an unknown number."""
    directory = in_directory(a_customer("b", email="ann@example.com"))
    customer = a_customer(customer_number="D404", email="ann@example.com")

    match = matched(customer, knowing(directory), DEFAULT_MATCHING)

    assert match.customer_id == directory.id
    assert [t.outcome for t in match.trail] == ["no_candidate", "matched"]


def test_ambiguity_is_not_a_miss() -> None:
    """XPR-11: a rule that finds two ends the search, though a later rule would find one."""
    one = in_directory(a_customer("a", email="ann@example.com"), number="1")
    two = in_directory(a_customer("b", email="ann@example.com", phone=PHONE), number="2")
    customer = a_customer(email="ann@example.com", phone=PHONE)

    match = matched(customer, knowing(one, two), DEFAULT_MATCHING)

    assert match.is_ambiguous
    assert set(match.candidates) == {one.id, two.id}
    assert match.trail[-1].outcome == "ambiguous"


def test_a_telephone_that_another_account_of_the_shop_has_is_left_to_a_person() -> None:
    """A family shares a telephone: the second account is parked, not merged (ASK-6)."""
    first = a_customer("1", phone=PHONE)
    directory = in_directory(first)
    known = knowing(directory, accounts=(an_account(first.source, directory.id),))

    match = matched(a_customer("2", phone=PHONE), known, DEFAULT_MATCHING)

    assert match.is_ambiguous
    assert match.candidates == (directory.id,)
    assert match.trail[-1].outcome == "already_linked"


def test_one_e_mail_on_two_accounts_is_one_customer() -> None:
    """The same address registered on two websites is the same person (ASK-16, merged)."""
    first = a_customer("1", email="ann@example.com")
    directory = in_directory(first)
    known = knowing(directory, links=(a_link(first, directory),))

    match = matched(a_customer("2", email="ann@example.com"), known, DEFAULT_MATCHING)

    assert match.customer_id == directory.id


def test_tax_ids_match_with_and_without_their_country() -> None:
    """Keys are normalised on both sides before they are compared."""
    directory = in_directory(a_customer("a", tax_id="DE136695976"))
    rules = (MatchRule(MatchBy.TAX_ID),)

    match = matched(a_customer("b", tax_id="136 695 976"), knowing(directory), rules)

    assert match.customer_id == directory.id


def test_only_configured_rules_are_tried() -> None:
    """XPR-12: where e-mail is not in the list, equal e-mails mean nothing."""
    directory = in_directory(a_customer("a", email="ann@example.com"))
    rules = (MatchRule(MatchBy.PHONE),)

    match = matched(a_customer("b", email="ann@example.com"), knowing(directory), rules)

    assert match.customer_id is None
    assert [t.outcome for t in match.trail] == ["no_evidence"]


def test_a_rule_may_be_for_some_channels_and_kinds() -> None:
    """ASK-4, ASK-9: the order of rules is that of the channel and of the kind of customer."""
    rules = (
        MatchRule(MatchBy.TAX_ID, kinds=frozenset({CustomerKind.BUSINESS})),
        MatchRule(MatchBy.PHONE, channels=frozenset({"outlet"})),
        MatchRule(MatchBy.EMAIL, "link"),
    )
    person = a_customer("1")
    company = a_customer("2", kind="business", source=a_source("2", channel="outlet"))

    tried = {
        who.source.channel: [trial.rule for trial in matched(who, knowing(), rules).trail]
        for who in (person, company)
    }

    assert tried == {"shop": ["email"], "outlet": ["tax_id", "phone", "email"]}


def test_a_spaced_telephone_matches_its_owner_and_no_stranger() -> None:
    """ASK-6: numbers are compared whole and in normal form, never by a part of them."""
    owner = in_directory(a_customer("a", phone=PHONE), number="1")
    stranger_phone = Phone(raw="30 5550142", e164="+39305550142")
    stranger = in_directory(a_customer("b", phone=stranger_phone), number="2")
    rules = (MatchRule(MatchBy.PHONE),)
    spaced = a_customer("c", phone=Phone(raw="0 30 / 555 01 42", e164="+49305550142"))

    match = matched(spaced, knowing(owner, stranger), rules)

    assert match.customer_id == owner.id


def test_an_e_mail_that_contains_another_is_another() -> None:
    """ASK-7: every candidate is compared for equality, whatever found it."""
    directory = in_directory(a_customer("a", email="joann@example.com"))

    match = matched(a_customer("b", email="ann@example.com"), knowing(directory), DEFAULT_MATCHING)

    assert match.customer_id is None
    assert not match.is_ambiguous


@pytest.mark.parametrize(
    ("by", "family", "field", "said", "directory"),
    [
        pytest.param(
            MatchBy.ATTRIBUTE, "attributes", DirectoryKey.CUSTOMER_NUMBER, " D7 ", {}, id="number"
        ),
        pytest.param(
            MatchBy.METAFIELD, "metafields", DirectoryKey.EMAIL, "ANN@Example.com",
            {"email": "ann@example.com"}, id="e-mail",
        ),
        pytest.param(
            MatchBy.FORM_FIELD, "form_fields", DirectoryKey.PHONE, "030 5550142",
            {"phone": PHONE}, id="phone",
        ),
        pytest.param(
            MatchBy.FORM_FIELD, "form_fields", DirectoryKey.TAX_ID, "136 695 976",
            {"tax_id": "DE136695976"}, id="tax-id",
        ),
    ],
)  # fmt: skip
def test_custom_data_may_be_looked_up_as_a_key_of_the_directory(
    by: MatchBy, family: str, field: DirectoryKey, said: str, directory: dict[str, Any]
) -> None:
    """XPR-12: an attribute, metafield or form field, in the normal form of the key it is."""
    existing = in_directory(a_customer("a", **directory), number="D7")
    rules = (MatchRule(by, name="their reference", key=field),)
    custom = Custom(**{family: {"their reference": said}})

    match = matched(a_customer("b", email="b@example.com", custom=custom), knowing(existing), rules)

    assert match.customer_id == existing.id
    assert match.trail[0].rule == f"{by.value} their reference"


@pytest.mark.parametrize(
    ("name", "postcode"),
    [
        pytest.param({"first_name": "ANN", "last_name": "lang"}, "10115", id="case"),
        pytest.param({"first_name": "Lang,", "last_name": "Ann"}, "10115", id="order"),
        pytest.param({"first_name": "Änn", "last_name": "Lang"}, "1 01 15", id="accent and space"),
    ],
)
def test_name_and_postcode_match_however_they_are_written(
    name: dict[str, Any], postcode: str
) -> None:
    """XPR-12: names are compared without case, accents and order, within one postcode."""
    existing = in_directory(a_customer("a"))
    customer = a_customer("b", addresses=(an_address(postcode=postcode),), **name)

    match = matched(customer, knowing(existing), (MatchRule(MatchBy.NAME_POSTCODE),))

    assert match.customer_id == existing.id


def test_a_namesake_elsewhere_is_somebody_else() -> None:
    """The same name at another postcode is no match."""
    existing = in_directory(a_customer("a"))
    customer = a_customer("b", addresses=(an_address(postcode="80331"),))

    match = matched(customer, knowing(existing), (MatchRule(MatchBy.NAME_POSTCODE),))

    assert match.customer_id is None


@pytest.mark.parametrize("known_in", ["us", "nowhere"])
def test_one_e_mail_in_two_store_groups_is_two_customers(known_in: str) -> None:
    """ASK-16: with the scope of a store group, whoever is known in another only is not meant.

    Somebody known in no shop at all is everybody's candidate.
    """
    existing = in_directory(a_customer("a", email="ann@example.com"))
    elsewhere = a_source("a", channel="outlet", store_view="us")
    accounts = (an_account(elsewhere, existing.id),) if known_in == "us" else ()
    rules = (MatchRule(MatchBy.EMAIL, "link", scope="store_group"),)

    match = matched(
        a_customer("b", email="ann@example.com"), knowing(existing, accounts=accounts), rules
    )

    assert match.customer_id == (None if known_in == "us" else existing.id)


def test_one_e_mail_in_one_store_group_is_one_customer() -> None:
    """ASK-16: store views of one group share their customers, whatever channel they are in."""
    existing = in_directory(a_customer("a", email="ann@example.com"))
    sister = a_source("a", channel="outlet", store_view="fr")
    known = knowing(existing, accounts=(an_account(sister, existing.id),))
    rules = (MatchRule(MatchBy.EMAIL, "link", scope="store_group"),)

    match = matched(a_customer("b", email="ann@example.com"), known, rules)

    assert match.customer_id == existing.id


def test_a_similar_name_is_suggested_and_never_linked() -> None:
    """NEW-3: likeness only ever gives an operator candidates, even a single one of 100 %."""
    twin = in_directory(a_customer("a"), number="1")
    alike = in_directory(a_customer("b", first_name="Anne", last_name="Lange"), number="2")
    other = in_directory(a_customer("c", first_name="Berta", last_name="Kurz"), number="3")
    rules = (MatchRule(MatchBy.SIMILAR, similarity=80),)

    match = matched(a_customer("d", email="d@example.com"), knowing(twin, alike, other), rules)

    assert match.customer_id is None
    assert set(match.candidates) == {twin.id, alike.id}
    assert match.trail[-1].outcome == "suggested"


def test_every_key_of_the_directory_is_a_key_of_customers() -> None:
    """In one order, by which the one is told from the other."""
    assert MatchKeys._fields == tuple(DirectoryKey)
