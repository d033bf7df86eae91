"""Evidence: what a customer gives to be recognised by, rule by rule, in normal form.

The processor looks up what it says here before it decides; the matching then goes by the same.
"""

from collections.abc import Mapping
from typing import NamedTuple

from shared.domain.customer import Custom, Customer, CustomValue
from shared.domain.match_rules import DirectoryKey, MatchRule
from shared.domain.normalise import (
    MatchKeys,
    clean_line,
    email_key,
    home_country,
    match_keys,
    parse_phone,
    phone_key,
    tax_id_key,
)
from shared.domain.policy import Policy

Evidence = tuple[MatchRule, str | None]
"""What a rule goes by: the value that is looked up as the rule's key, if there is one."""


class Clues(NamedTuple):
    """What a customer is recognised by: its keys, and the evidence for each of the rules."""

    keys: MatchKeys
    evidence: tuple[Evidence, ...]


def clues_of(customer: Customer, policy: Policy) -> Clues:
    """Return what `customer` is recognised by, by the rules for such customers in their order."""
    keys = match_keys(customer)
    rules = policy.rules_for(customer.source.channel, customer.kind)
    return Clues(keys, evidence_of(customer, keys, rules))


def evidence_of(
    customer: Customer, keys: MatchKeys, rules: tuple[MatchRule, ...]
) -> tuple[Evidence, ...]:
    """Return the evidence for each of `rules`, in their order; `keys` are the customer's own."""
    return tuple(
        [
            (rule, _custom_evidence(customer, rule, rule.family) if rule.family
             else getattr(keys, rule.looked_up_as))
            for rule in rules
        ]
    )  # fmt: skip


def custom_text(custom: Custom, family: str, name: str) -> str | None:
    """Return a custom value as text, or None where there is none."""
    values: Mapping[str, CustomValue] = getattr(custom, family)
    value = values.get(name)
    if value is None or isinstance(value, bool):
        return None
    return clean_line(str(value)) or None


def _custom_evidence(customer: Customer, rule: MatchRule, family: str) -> str | None:
    text = custom_text(customer.custom, family, rule.name or "")
    return _normalised(text, rule.looked_up_as, customer) if text else None


def _normalised(text: str, key: DirectoryKey, customer: Customer) -> str | None:
    """Return `text` as the directory keeps the key that it is compared with."""
    match key:
        case DirectoryKey.EMAIL:
            return email_key(text)
        case DirectoryKey.PHONE:
            return phone_key(parse_phone(text, home_country(customer))[0])
        case DirectoryKey.TAX_ID:
            return tax_id_key(text, home_country(customer))
        case _:
            return text
