"""Matching: find the known customer that an unlinked one is, by rules in the configured order.

Keys are normalised on both sides and compared for equality. A rule that finds nobody passes on to
the next; a rule that finds several ends the search: ambiguity is not a miss (XPR-11). Likeness of
names is never more than a suggestion to an operator.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from uuid import UUID

from rapidfuzz import fuzz

from shared.domain.customer import Source, SourceKey
from shared.domain.decisions import RuleTrial, TrialOutcome
from shared.domain.evidence import Evidence
from shared.domain.known import Known
from shared.domain.normalise import name_of, place_of
from shared.domain.policy import DirectoryKey, MatchBy, MatchRule, Policy


@dataclass(frozen=True, slots=True)
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
    source: Source, evidence: tuple[Evidence, ...], known: Known, policy: Policy
) -> Match:
    """Try rule after rule until one finds somebody for the remote record with this evidence."""
    trail: list[RuleTrial] = []
    for each in evidence:
        trial = _try_rule(each, source, known, policy)
        trail.append(trial)
        if trial.outcome == "matched":
            return Match(customer_id=trial.candidates[0], trail=tuple(trail))
        if trial.candidates:
            return Match(candidates=trial.candidates, trail=tuple(trail))
    return Match(trail=tuple(trail))


def linked(source: SourceKey, customer_id: UUID) -> Match:
    """Return the match of a record that is linked: the link goes before every rule."""
    return Match(customer_id, trail=(RuleTrial("link", "matched", str(source), (customer_id,)),))


def _try_rule(each: Evidence, source: Source, known: Known, policy: Policy) -> RuleTrial:
    rule, value = each.rule, each.value
    if not value:
        return RuleTrial(rule.label, "no_evidence")
    found = _found(each.key, value, rule, known)
    if rule.scope == "store_group":
        found = tuple(filter(_in_group_of(source, known, policy), found))
    if not found:
        return RuleTrial(rule.label, "no_candidate", value)
    return RuleTrial(rule.label, _outcome(found, rule, source, known), value, found)


def _found(key: DirectoryKey, value: str, rule: MatchRule, known: Known) -> tuple[UUID, ...]:
    if rule.by is not MatchBy.SIMILAR:
        return known.candidates(key, value)
    wanted = name_of(value)
    return tuple(
        customer_id
        for customer_id, name in known.names_at(place_of(value))
        if fuzz.ratio(wanted, name_of(name)) >= rule.similarity
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
