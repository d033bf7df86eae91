"""Duplicates: customers of the directory who may be one, and one who is several accounts (NEW-9).

They are only reported: which of them is right nobody can decide but a person. Its promise: what
the matching rules mean to be so is none.
"""

from collections.abc import Iterator, Sequence
from typing import Any, Final
from uuid import UUID

import sqlalchemy as sa

from shared.domain.drift import Drift
from shared.domain.match_rules import MatchBy
from shared.domain.policy import Policy
from shared.persistence import reconciliation_reader
from shared.persistence.unit_of_work import UnitOfWork

_COLUMNS: Final = {MatchBy.EMAIL: "email_key", MatchBy.TAX_ID: "tax_id_key"}


def duplicates(work: UnitOfWork, channel: str, policy: Policy) -> Iterator[Drift]:
    """Yield who has somebody's e-mail address or tax id, and who is linked to a channel twice."""
    for by, column in _COLUMNS.items():
        for alike in reconciliation_reader.sharing(work, column):
            for crowd in _crowds(alike, by, policy, work):
                first, *others = crowd
                names = tuple(str(each.number or each.id) for each in others)
                yield Drift(
                    "duplicates", None, None, first.id, first.number, (by.value,), others=names
                )
    if _several_accounts_are_meant(policy, channel):
        return
    for customer_id, number, accounts in reconciliation_reader.linked_twice(work, channel):
        others_ = tuple(f"{channel}/{each}" for each in accounts[1:])
        yield Drift(
            "duplicates", None, accounts[0], customer_id, number, ("accounts",), others=others_
        )


def _crowds(
    alike: Sequence[sa.Row[Any]], by: MatchBy, policy: Policy, work: UnitOfWork
) -> Iterator[list[sa.Row[Any]]]:
    """Yield those who stand in one scope: where a rule keeps to a store group, one of its groups.

    Whoever has no account yet is in every group. A company and a person may share an e-mail
    address, as they do where somebody acts for it.
    """
    if by is MatchBy.EMAIL:
        entities = {row.entity for row in alike if row.entity}
        for entity in sorted(entities) or [None]:
            same = [row for row in alike if row.entity in (None, entity)]
            if len(same) > 1:
                yield from _in_one_scope(same, by, policy, work)
    else:
        yield from _in_one_scope(alike, by, policy, work)


def _in_one_scope(
    alike: Sequence[sa.Row[Any]], by: MatchBy, policy: Policy, work: UnitOfWork
) -> Iterator[list[sa.Row[Any]]]:
    """Yield likewise, of those who may be one by what they are kept as."""
    rules = [rule for rule in policy.matching if rule.by is by]
    if not rules or any(rule.scope == "all" for rule in rules):
        yield list(alike)
        return
    accounts = reconciliation_reader.accounts_of(work, [row.id for row in alike])
    groups: dict[UUID, set[str | None]] = {
        row.id: {policy.store_group(*account) for account in accounts.get(row.id, ())}
        for row in alike
    }
    for group in sorted({each or "" for mine in groups.values() for each in mine}):
        crowd = [row for row in alike if not groups[row.id] or group in groups[row.id]]
        if len(crowd) > 1:
            yield crowd


def _several_accounts_are_meant(policy: Policy, channel: str) -> bool:
    """Whether a rule links a further account of the channel to a customer who has one."""
    return any(
        rule.already_linked == "link" and (not rule.channels or channel in rule.channels)
        for rule in policy.matching
    )
