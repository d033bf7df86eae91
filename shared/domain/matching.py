"""Matching: find the known customer that an unlinked one is, by rules in the configured order.

Keys are normalised on both sides and compared for equality. A rule that finds nobody passes on to
the next; a rule that finds several ends the search: ambiguity is not a miss (XPR-11).
"""

from dataclasses import dataclass, field
from uuid import UUID

from shared.domain.customer import SourceKey
from shared.domain.decisions import RuleTrial
from shared.domain.known import Known
from shared.domain.normalise import MatchKeys
from shared.domain.policy import MatchRule


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
    source: SourceKey, keys: MatchKeys, known: Known, rules: tuple[MatchRule, ...]
) -> Match:
    """Try `rules` in order until one finds somebody for the remote record with these keys."""
    trail: list[RuleTrial] = []
    for rule in rules:
        trial = _try_rule(rule, keys, source, known)
        trail.append(trial)
        if trial.outcome == "matched":
            return Match(customer_id=trial.candidates[0], trail=tuple(trail))
        if trial.candidates:
            return Match(candidates=trial.candidates, trail=tuple(trail))
    return Match(trail=tuple(trail))


def _try_rule(rule: MatchRule, keys: MatchKeys, source: SourceKey, known: Known) -> RuleTrial:
    key: str | None = getattr(keys, rule.by)
    if not key:
        return RuleTrial(rule.by, "no_evidence")
    found = known.candidates(rule.by, key)
    if not found:
        return RuleTrial(rule.by, "no_candidate", key)
    if len(found) > 1:
        return RuleTrial(rule.by, "ambiguous", key, found)
    if rule.already_linked == "park" and known.is_linked_elsewhere(found[0], source):
        return RuleTrial(rule.by, "already_linked", key, found)
    return RuleTrial(rule.by, "matched", key, found)
