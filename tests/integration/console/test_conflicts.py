"""Conflicts between shop and directory at the command line."""

from dataclasses import replace

from shared.domain.ownership import FieldRule, Owner, Ownership
from tests.builders import a_customer, a_policy
from tests.integration.console.conftest import Desk


def test_a_conflict_is_shown_with_both_values_rule_and_winner(desk: Desk) -> None:
    """By `customer explain` and `staging show`, for people and for programs (NEW-6)."""
    policy = a_policy()
    ownership = Ownership({"names": FieldRule(Owner.ERP)})
    shop = replace(policy.channels["shop"], ownership=ownership)
    policy = replace(policy, channels={"shop": shop})
    desk.process(a_customer("1"), policy=policy)
    desk.process(a_customer("1", minutes=5, last_name="Lang-Meier"), policy=policy)

    shown = desk.patron("customer", "explain", "shop/1").out
    tree = desk.patron("customer", "explain", "shop/1", "-o", "json").json
    record = desk.patron("staging", "show", tree["id"]).out

    for text in (shown, record):
        assert "Left customer D10001, to whom it is linked, as it was." in text
        [line] = [each for each in text.splitlines() if each.startswith("last_name")]
        assert line.split() == ["last_name", "Lang-Meier", "Lang", "erp", "directory"]
    assert tree["decision"]["conflicts"] == [
        {
            "field": "last_name",
            "platform": "Lang-Meier",
            "erp": "Lang",
            "rule": "erp",
            "winner": "erp",
        }
    ]
