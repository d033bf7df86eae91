"""Decisions in words."""

from dataclasses import replace
from datetime import date, datetime
from typing import Any, get_args, get_type_hints
from uuid import UUID

import orjson
import pytest

from services.console.cli.decision import conflicts
from services.console.explained import candidates_of, explain, why
from shared.domain.decide import CHOSEN
from shared.domain.decisions import Explanation, FieldConflict, Hold, RuleTrial, Stage
from shared.persistence.staging import StagingLine, StagingRecord
from tests.builders import NOON

ANN, BOB = UUID(int=1), UUID(int=2)


def a_record(explanation: Explanation, **line: Any) -> StagingRecord:
    """Return a staging record with an explanation."""
    given: dict[str, Any] = {
        "id": UUID(int=9), "channel": "shop", "external_id": "17", "store_view": "de",
        "state": "processed", "reason": None, "is_existing": False, "customer_id": None,
        "customer_number": "D10001", "changed_at": NOON, "created_at": NOON, "updated_at": NOON,
    }  # fmt: skip
    moment: datetime = NOON
    return StagingRecord(
        StagingLine(**(given | line)), UUID(int=8), UUID(int=8), moment, "v1", b"{}",
        orjson.dumps(explanation),
    )  # fmt: skip


def test_a_match_names_the_rule_and_the_customer() -> None:
    """Whoever doubts it sees by what, and whom."""
    trials = (
        RuleTrial("customer_number", "no_evidence"),
        RuleTrial("email", "matched", "ann@example.com", (ANN,)),
    )
    record = a_record(Explanation("v1", rules=trials), is_existing=True)

    decision = explain(record, {ANN: "D10001"})

    assert decision.headline == "Matched with customer D10001 by e-mail address and linked."
    assert [trial.outcome for trial in decision.trials] == [
        "nothing to go by",
        "found this customer",
    ]
    assert decision.trials[1].candidates == ("D10001",)


def test_candidates_without_a_number_go_by_their_id() -> None:
    """A customer that is pending has no number yet."""
    trial = RuleTrial("phone", "ambiguous", "+49301234", (ANN, BOB))
    record = a_record(
        Explanation("v1", rules=(trial,)), state="ambiguous", reason="ambiguous"
    )  # fmt: skip

    decision = explain(record, {ANN: "D10001", BOB: None})

    assert candidates_of(record) == (ANN, BOB)
    assert decision.trials[0].candidates == ("D10001", str(BOB))
    assert decision.headline.startswith("Parked: more than one customer may be meant")


@pytest.mark.parametrize(
    ("line", "start"),
    [
        ({}, "Created as customer D10001 with template standard."),
        ({"is_existing": True}, "Updated customer D10001"),
        ({"state": "held", "reason": "no_billing_address"}, "Held: there is no default billing"),
        ({"state": "held", "reason": "no_template"}, "Held: the condition of no template"),
        ({"state": "held", "reason": "unreadable"}, "Held: the record holds something"),
        ({"state": "held", "reason": "unknown_store_view"}, "Held: its store view is not"),
        ({"state": "held", "reason": "incomplete_template"}, "Held: the template lacks values"),
        ({"state": "held", "reason": "no_number"}, "Held: the template takes the customer number"),
        ({"state": "held", "reason": "number_taken"}, "Held: another customer has the number"),
        ({"state": "held", "reason": "guest"}, "Held: a guest, and the store view leaves"),
        ({"state": "held", "reason": "guest_unmatched"}, "Held: a guest whom no rule found"),
        ({"state": "held", "reason": "no_guest_customer"}, "Held: the customer that guests are"),
        (
            {"state": "held", "reason": "chosen_customer_gone"},
            "Held: the customer that an operator",
        ),
        ({"state": "staged", "reason": "link_only"}, "Staged: no rule found a customer"),
        ({"state": "discarded", "reason": "operator"}, "Discarded by an operator."),
        (
            {"state": "discarded", "reason": "removed_in_shop"},
            "Discarded: the customer was deleted",
        ),
        ({"state": "staged", "reason": "method_none"}, "Staged: the store view's processing"),
        ({"state": "staged", "reason": "method_update"}, "Staged: a new customer"),
        ({"state": "staged", "reason": "method_create"}, "Staged: a known customer"),
        ({"state": "superseded", "reason": "unchanged"}, "Superseded: what the shop says now"),
        ({"state": "held", "reason": "of_a_later_version"}, "Held: of_a_later_version."),
    ],
)
def test_every_outcome_has_a_sentence(line: dict[str, Any], start: str) -> None:
    """Also one whose reason this version does not know."""
    record = a_record(Explanation("v1", template="standard"), **line)

    assert explain(record, {}).headline.startswith(start)


@pytest.mark.parametrize(
    ("trial", "headline"),
    [
        (RuleTrial("link", "matched", "shop/17", (ANN,)), "Updated customer D10001, to whom it"),
        (RuleTrial(CHOSEN, "matched", None, (ANN,)), "Linked to customer D10001, whom an operator"),
        (
            RuleTrial("attribute loyalty_id", "matched", "L7", (ANN,)),
            "Matched with customer D10001 by attribute loyalty_id and linked.",
        ),
    ],
)
def test_how_a_customer_was_found_is_told(trial: RuleTrial, headline: str) -> None:
    """By its link, by an operator, or by a rule that names a custom field (XPR-12, NEW-3)."""
    record = a_record(Explanation("v1", rules=(trial,)), is_existing=True)

    assert explain(record, {ANN: "D10001"}).headline.startswith(headline)


def test_a_similar_name_is_a_suggestion() -> None:
    """Nobody was matched by it; a person has to look."""
    trial = RuleTrial("similar", "suggested", "DE 10115|ann lang", (ANN,))
    record = a_record(Explanation("v1", rules=(trial,)), state="ambiguous", reason="ambiguous")

    decision = explain(record, {ANN: "D10001"})

    assert decision.headline == "Parked: somebody of a similar name lives at the same postcode."
    assert decision.trials[0].rule == "similar name, same postcode"


def test_every_reason_of_a_hold_has_words() -> None:
    """None of them is left to its code."""
    reasons = {
        reason
        for decision in (Hold, Stage)
        for reason in get_args(get_type_hints(decision)["reason"])
    }

    assert [each for each in reasons if why("held", each) == f"Held: {each}."] == []


def test_somebody_with_another_account_is_told_apart_from_several() -> None:
    """The one candidate is known; the question is whether it is the same person."""
    trial = RuleTrial("phone", "already_linked", "+49301234", (ANN,))
    record = a_record(Explanation("v1", rules=(trial,)), state="ambiguous", reason="ambiguous")

    decision = explain(record, {ANN: "D10001"})

    assert decision.headline.startswith("Parked: this may be a customer who has another account")


def test_a_conflict_is_told_with_both_values_the_rule_and_the_winner() -> None:
    """Who wonders why the shop's value is not there finds what stands instead (NEW-6)."""
    conflict = FieldConflict("birth_date", date(1990, 5, 1), None, "erp", "erp")
    record = a_record(Explanation("v1", conflicts=(conflict,)), is_existing=True)

    decision = explain(record, {})

    assert decision.headline == "Left customer D10001, to whom it is linked, as it was."
    assert conflicts(decision) == [
        {
            "field": "birth_date", "platform": "1990-05-01", "erp": None, "rule": "erp",
            "winner": "directory",
        }
    ]  # fmt: skip


def test_an_explanation_of_an_earlier_version_has_no_conflicts() -> None:
    """Records from before conflicts were kept can still be explained."""
    record = a_record(Explanation("v1"), is_existing=True)
    tree = orjson.loads(record.explanation)
    del tree["conflicts"]

    decision = explain(replace(record, explanation=orjson.dumps(tree)), {})

    assert decision.conflicts == ()
