"""Answers those who asked for a customer, in the transaction of the decision (MYOB-4).

Only messages that a question led to are looked at. Its promise: an answer is sent if and only if
what it says is committed.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final
from uuid import UUID

import orjson
import sqlalchemy as sa

from services.processor.plan import Plan
from shared.domain.customer import SourceKey
from shared.domain.messages import CustomerImported, CustomerUnreadable, Envelope
from shared.persistence import import_requests
from shared.persistence.import_requests import Verdict
from shared.persistence.sets import Found, SetStatement
from shared.persistence.tables import (
    OPEN_STAGING_STATES,
    customers,
    staging_customers,
)
from shared.persistence.tables import (
    import_requests as requests,
)
from shared.persistence.unit_of_work import UnitOfWork


def answer_requests(messages: Sequence[Envelope[Any]], plan: Plan, work: UnitOfWork) -> None:
    """Say what became of the customers that were asked for, now that `plan` is applied."""
    asked = {m.message_id: key for m in messages if (key := _asked_for(m)) is not None}
    rows = _OUTCOMES.run(
        work.connection,
        {
            "import_id": list(asked),
            "channel": [key.channel for key in asked.values()],
            "external_id": [key.external_id for key in asked.values()],
        },
    )
    if rows:
        ignored = _ignored(plan)
        import_requests.answer(work, [v for row in rows if (v := verdict(row, ignored))])


def verdict(row: Found, ignored: Mapping[UUID, str]) -> Verdict | None:
    """Return the answer to a question, or None while there is none yet."""
    if row.number is not None:
        return Verdict(row.id, "customer", row.number)
    if row.state is not None:
        reason = f"{row.state}.{row.reason}" if row.reason else row.state
        return Verdict(row.id, "waiting", reason=reason)
    if row.import_id in ignored:
        return Verdict(row.id, "refused", reason=ignored[row.import_id])
    return None


def _asked_for(message: Envelope[Any]) -> SourceKey | None:
    """Return which customer a message is about if somebody may have asked for it."""
    body = message.body
    if isinstance(body, CustomerImported):
        return body.customer.source.key if body.origin == "request" else None
    # A record that cannot be read does not say what it was read for.
    return body.source.key if isinstance(body, CustomerUnreadable) else None


def _ignored(plan: Plan) -> dict[UUID, str]:
    """Return why messages were ignored, as the timeline has it."""
    lines = [line for line in plan.history if line["event"] == "customer.ignored"]
    return {line["message_id"]: orjson.loads(line["detail"])["reason"] for line in lines}


_OPEN: Final = ", ".join(f"'{state}'" for state in OPEN_STAGING_STATES)
_OUTCOMES = SetStatement(
    "SELECT import_requests.id, import_requests.import_id, customers.number,"
    " staging_customers.state, staging_customers.reason"
    " FROM import_requests JOIN {given} ON given.import_id = import_requests.import_id"
    " LEFT JOIN links ON links.channel = given.channel"
    " AND links.external_id = given.external_id AND links.status <> 'removed'"
    " LEFT JOIN customers ON customers.id = links.customer_id"
    " LEFT JOIN staging_customers ON staging_customers.channel = given.channel"
    " AND staging_customers.external_id = given.external_id"
    f" AND staging_customers.state IN ({_OPEN})"
    " WHERE import_requests.import_id {is_given} AND import_requests.state = 'fetched'",
    given={"import_id": sa.Uuid(), "channel": sa.Text(), "external_id": sa.Text()},
    returns=(
        requests.c.id,
        requests.c.import_id,
        customers.c.number,
        staging_customers.c.state,
        staging_customers.c.reason,
    ),
)
