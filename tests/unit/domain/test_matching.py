"""Who an unlinked customer is, by rules in the configured order."""

from shared.domain.customer import Customer, Phone
from shared.domain.known import Known
from shared.domain.matching import Match, find_match
from shared.domain.normalise import match_keys
from shared.domain.policy import DEFAULT_MATCHING, MatchBy, MatchRule
from tests.builders import a_customer, a_link, in_directory, knowing

PHONE = Phone(raw="030 5550142", e164="+49305550142")


def matched(customer: Customer, known: Known, rules: tuple[MatchRule, ...]) -> Match:
    """Match a customer by its own keys."""
    return find_match(customer.source.key, match_keys(customer), known, rules)


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
    known = knowing(directory, linked=((first.source.key, directory.id),))

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
