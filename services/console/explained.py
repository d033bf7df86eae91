"""A decision in words: what became of an imported customer, and what an operator can do.

For command line and web alike; they only lay it out. Pure.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final
from uuid import UUID

import orjson
from pydantic import TypeAdapter

from shared.domain.customer import Customer
from shared.domain.decide import CHOSEN
from shared.domain.decisions import Explanation, FieldConflict
from shared.domain.messages import CustomerImported
from shared.persistence.staging import StagingLine, StagingRecord

RULES: Final[Mapping[str, str]] = {
    "customer_number": "customer number",
    "email": "e-mail address",
    "phone": "telephone number",
    "tax_id": "tax id",
    "name_postcode": "name and postcode",
    "attribute": "attribute",
    "metafield": "metafield",
    "form_field": "form field",
    "similar": "similar name, same postcode",
    "link": "link",
}
OUTCOMES: Final[Mapping[str, str]] = {
    "matched": "found this customer",
    "no_evidence": "nothing to go by",
    "no_candidate": "found nobody",
    "ambiguous": "found several",
    "already_linked": "found one who has another account in this channel",
    "suggested": "suggests these, to be confirmed by a person",
    "other_entity": "found only what is kept as the other: a company, or a person's account",
}
_HELD: Final[Mapping[str, tuple[str, str]]] = {
    "no_billing_address": (
        "Held: there is no default billing address.",
        "It goes on by itself as soon as the shop has one.",
    ),
    "no_template": (
        "Held: the condition of no template holds.",
        "Widen a condition, or add a template without one as the last.",
    ),
    "incomplete_template": (
        "Held: the template lacks values that the ERP requires.",
        (
            "Add the values named below to the template in patron.toml, or take them out of"
            " erp.required_values."
        ),
    ),
    "no_number": (
        "Held: the template takes the customer number from the shop, which has none.",
        "Enter it in the shop, or let the template draw from a number series.",
    ),
    "number_taken": (
        "Held: another customer has the number that the shop says.",
        "If it is the same customer, link it to that number; else correct the number in the shop.",
    ),
    "has_number": (
        "Held: the shop shows a customer number of ours that nobody here has.",
        (
            "After a restored backup: patron directory recover CHANNEL. Otherwise process it as new"
            " or link it."
        ),
    ),
    "guest": (
        "Held: a guest, and the store view leaves guests to an operator.",
        "See guests of the store view.",
    ),
    "guest_unmatched": (
        "Held: a guest whom no rule found, and the store view only links guests.",
        "Link it, create it, or see guests of the store view.",
    ),
    "no_guest_customer": (
        "Held: the customer that guests are collected in does not exist.",
        "See guest_customer of the store view; it is the number of a customer.",
    ),
    "chosen_customer_gone": (
        "Held: the customer that an operator chose does not exist any more.",
        "Choose another one.",
    ),
    "business_not_enabled": (
        "Held: companies are not taken in.",
        "Switch both business_accounts and locations on in [features].",
    ),
    "company_unknown": (
        "Held: somebody who acts for a company that is not known here.",
        "It goes on by itself when the company arrives. Or see company_contacts of the store view.",
    ),
    "entity_changed": (
        "Held: the shop kept it as a person's account and keeps it as a company now, or back.",
        (
            "Process it to have the customer it is linked to turn as well, or process it as new to"
            " leave that one alone."
        ),
    ),
    "unknown_store_view": (
        "Held: its store view is not configured.",
        "Add the store view to the channel in patron.toml.",
    ),
    "unreadable": (
        "Held: the record holds something that a customer cannot have.",
        "Mend the fields named below in the shop; it is then read again.",
    ),
    "method_none": (
        "Staged: the store view's processing method leaves everything to an operator.",
        "See processing_method of the store view.",
    ),
    "method_update": (
        "Staged: a new customer, and the store view's processing method only updates.",
        "See processing_method of the store view.",
    ),
    "method_create": (
        "Staged: a known customer, and the store view's processing method only creates.",
        "See processing_method of the store view.",
    ),
    "link_only": (
        "Staged: no rule found a customer, and the import was to link only.",
        "Process it to create a customer, or link it to one.",
    ),
    "ambiguous": (
        "Parked: more than one customer may be meant, so none was touched.",
        "Compare the candidates; an operator decides.",
    ),
    "unchanged": ("Superseded: what the shop says now is what is known already.", ""),
    "operator": ("Discarded by an operator.", "A later change in the shop stages it again."),
    "before_start_date": (
        "Discarded: registered before the start date of the store view.",
        "See start_date of the store view.",
    ),
    "removed_in_shop": ("Discarded: the customer was deleted in the shop.", ""),
}
_SUGGESTED: Final = (
    "Parked: somebody of a similar name lives at the same postcode.",
    "Compare them; an operator decides.",
)
_OTHER_ACCOUNT: Final = (
    "Parked: this may be a customer who has another account in the same shop.",
    "Compare the two; an operator decides. A family may share a telephone.",
)
_NOT_TAKEN: Final = "The fields below belong to the directory: see fields in patron.toml."
_EXPLANATION: Final = TypeAdapter(Explanation)


@dataclass(frozen=True, slots=True)
class Trial:
    """One matching rule in words, with whom it found by number."""

    rule: str
    evidence: str | None
    outcome: str
    candidates: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Explained:
    """A decision in words. `advice` is empty when there is nothing to be done.

    `conflicts` are the fields in which shop and directory differed, won or lost.
    """

    headline: str
    advice: str
    trials: tuple[Trial, ...]
    template: str | None
    templates_tried: tuple[str, ...]
    fields_changed: tuple[str, ...]
    conflicts: tuple[FieldConflict, ...]
    notes: tuple[str, ...]
    config_version: str


def explanation_of(record: StagingRecord) -> Explanation:
    """Return the explanation that was recorded with the decision."""
    return _EXPLANATION.validate_python(orjson.loads(record.explanation))


def customer_of(record: StagingRecord) -> Customer | None:
    """Return the customer as imported, or None for a record that could not be read."""
    if record.line.reason == "unreadable":
        return None
    return CustomerImported.model_validate_json(record.body).customer


def candidates_of(record: StagingRecord) -> tuple[UUID, ...]:
    """Return every customer that the explanation speaks of, in the order they were found."""
    trials = explanation_of(record).rules
    return tuple(dict.fromkeys(one for trial in trials for one in trial.candidates))


def rule_name(label: str) -> str:
    """Return a matching rule in words, with the custom field that it names."""
    by, _, name = label.partition(" ")
    return f"{RULES[by]} {name}".strip() if by in RULES else label


def why(state: str, reason: str | None) -> str:
    """Return in a sentence why a record that has not arrived is where it is."""
    return _HELD.get(reason or "", (f"{state.capitalize()}: {reason or 'no reason recorded'}.",))[0]


def explain(record: StagingRecord, numbers: Mapping[UUID, str | None]) -> Explained:
    """Put the decision into words; `numbers` has those of `candidates_of`."""
    explanation = explanation_of(record)
    headline, advice = _headline(record.line, explanation)
    return Explained(
        headline=headline,
        advice=advice,
        trials=tuple(
            Trial(
                rule_name(trial.rule),
                trial.evidence,
                OUTCOMES.get(trial.outcome, trial.outcome),
                tuple(_called(one, numbers) for one in trial.candidates),
            )
            for trial in explanation.rules
        ),
        template=explanation.template,
        templates_tried=explanation.templates_tried,
        fields_changed=explanation.fields_changed,
        conflicts=explanation.conflicts,
        notes=explanation.notes,
        config_version=explanation.config_version,
    )


def _headline(line: StagingLine, explanation: Explanation) -> tuple[str, str]:
    outcomes = {trial.outcome for trial in explanation.rules}
    if line.state == "ambiguous" and "already_linked" in outcomes:
        return _OTHER_ACCOUNT
    if line.state == "ambiguous" and "suggested" in outcomes:
        return _SUGGESTED
    if line.state != "processed":
        unknown = (f"{line.state.capitalize()}: {line.reason or 'no reason recorded'}.", "")
        return _HELD.get(line.reason or "", unknown)
    return _arrived(line, explanation)


def _arrived(line: StagingLine, explanation: Explanation) -> tuple[str, str]:
    who = f"customer {line.customer_number}" if line.customer_number else "a customer"
    if not line.is_existing:
        return f"Created as {who} with template {explanation.template}.", ""
    if any(trial.rule == CHOSEN for trial in explanation.rules):
        return f"Linked to {who}, whom an operator chose.", ""
    if rule := _matched_by(explanation):
        return f"Matched with {who} by {rule} and linked.", ""
    if explanation.conflicts and not explanation.fields_changed:
        return f"Left {who}, to whom it is linked, as it was.", _NOT_TAKEN
    return f"Updated {who}, to whom it is linked.", ""


def _matched_by(explanation: Explanation) -> str | None:
    matched = (trial.rule for trial in explanation.rules if trial.outcome == "matched")
    return next((rule_name(rule) for rule in matched if rule != "link"), None)


def _called(customer_id: UUID, numbers: Mapping[UUID, str | None]) -> str:
    return numbers.get(customer_id) or str(customer_id)


def listed(names: Sequence[str]) -> str:
    """Return names as people list them."""
    return ", ".join(names) if names else "-"
