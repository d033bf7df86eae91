"""Matching: find the known customer that an unlinked one is, by rules in the configured order.

Keys are normalised on both sides and compared for equality. A rule that finds nobody passes on to
the next; a rule that finds several ends the search: ambiguity is not a miss (XPR-11). Likeness of
names is never more than a suggestion to an operator. What one platform keeps as a person's account
and another as a company is not the same by an e-mail address, a telephone or a name (MYOB-5).
"""

from collections.abc import Callable
from dataclasses import field
from uuid import UUID

from rapidfuzz import fuzz

from shared.domain.customer import Customer, CustomerKind, Source, SourceKey
from shared.domain.decisions import RuleTrial, TrialOutcome
from shared.domain.evidence import Evidence
from shared.domain.known import Known
from shared.domain.match_rules import DirectoryKey, MatchBy, MatchRule
from shared.domain.normalise import name_of, place_of
from shared.domain.policy import Policy
from shared.domain.values import value


@value
class Match:
    """The result of all rules: one customer, several candidates, or nobody."""

    customer_id: UUID | None = None
    candidates: tuple[UUID, ...] = ()
    trail: tuple[RuleTrial, ...] = field(default=())

    @property
    def is_ambiguous(self) -> bool:
        """Whether a person must choose."""
        return bool(self.candidates)


def find_match(
    customer: Customer, evidence: tuple[Evidence, ...], known: Known, policy: Policy
) -> Match:
    """Try rule after rule until one finds somebody who `customer`, with this evidence, is."""
    trail: list[RuleTrial] = []
    for rule, given in evidence:
        trial = _try_rule(rule, given, customer, known, policy)
        trail.append(trial)
        if trial.outcome == "matched":
            return Match(customer_id=trial.candidates[0], trail=tuple(trail))
        if trial.candidates and trial.outcome != "other_entity":
            return Match(candidates=trial.candidates, trail=tuple(trail))
    return Match(trail=tuple(trail))


def linked(source: SourceKey, customer_id: UUID) -> Match:
    """Return the match of a record that is linked: the link goes before every rule."""
    return Match(customer_id, trail=(RuleTrial("link", "matched", str(source), (customer_id,)),))


def _try_rule(
    rule: MatchRule, given: str | None, customer: Customer, known: Known, policy: Policy
) -> RuleTrial:
    if not given:
        return RuleTrial(rule.label, "no_evidence")
    source = customer.source
    if rule.by is MatchBy.SIMILAR:
        found = _similar(given, rule, known)
    else:
        found = known.candidates(rule.looked_up_as, given)
    if rule.scope == "store_group":
        found = tuple(filter(_in_group_of(source, known, policy), found))
    if not found:
        return RuleTrial(rule.label, "no_candidate", given)
    may_be = tuple(one for one in found if _may_be(one, rule, customer, known))
    if not may_be:
        return RuleTrial(rule.label, "other_entity", given, found)
    return RuleTrial(rule.label, _outcome(may_be, rule, source, known), given, may_be)


def _similar(given: str, rule: MatchRule, known: Known) -> tuple[UUID, ...]:
    wanted = name_of(given)
    return tuple(
        customer_id
        for customer_id, name in known.names_at(place_of(given))
        if fuzz.ratio(wanted, name_of(name)) >= rule.similarity
    )


def _may_be(customer_id: UUID, rule: MatchRule, customer: Customer, known: Known) -> bool:
    """Whether a customer that was found may be this one, by what platforms keep the two as.

    A customer number says who somebody is, and a tax id which firm; so does an operator, to whom
    likeness is only suggested.
    """
    found = known.customer(customer_id)
    if found is None or found.entity in (None, customer.entity):
        return True
    are_firms = customer.kind == found.fields.get("kind") == CustomerKind.BUSINESS
    return (
        rule.looked_up_as is DirectoryKey.CUSTOMER_NUMBER
        or rule.by is MatchBy.SIMILAR
        or (rule.looked_up_as is DirectoryKey.TAX_ID and are_firms)
    )


def _outcome(
    found: tuple[UUID, ...], rule: MatchRule, source: Source, known: Known
) -> TrialOutcome:
    if rule.by is MatchBy.SIMILAR:
        return "suggested"
    if len(found) > 1:
        return "ambiguous"
    if rule.already_linked == "park" and known.is_linked_elsewhere(found[0], source.key):
        return "already_linked"
    return "matched"


def _in_group_of(source: Source, known: Known, policy: Policy) -> Callable[[UUID], bool]:
    """Return whether a customer may be the one: known in the same store group, or in no shop."""
    group = policy.store_group(source.channel, source.store_view)

    def is_in(customer_id: UUID) -> bool:
        accounts = known.accounts(customer_id)
        return not accounts or any(
            policy.store_group(account.channel, view) == group for account, view in accounts.items()
        )

    return is_in
