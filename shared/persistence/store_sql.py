"""The statements of the message store; `shared.persistence.store` says what they are for."""

from dataclasses import fields

import sqlalchemy as sa

from shared.domain.messages import Parcel
from shared.persistence.sets import SetStatement
from shared.persistence.tables import Moment, foreign_messages, messages

_IDS = {"id": sa.Uuid()}
_ID = (messages.c.id,)

# The columns of a parcel, in the order of its fields.
PARCELS = sa.select(
    *(messages.c["id" if field.name == "message_id" else field.name] for field in fields(Parcel))
)

MARK_FRESH = SetStatement(
    "UPDATE messages SET published_at = {now}"
    " WHERE id {is_given} AND attempts = 0 AND last_reason IS NULL",
    given=_IDS,
    values={"now": Moment()},
)

MARK_TAKEN = SetStatement(
    "UPDATE messages SET published_at = {now} WHERE id {is_given}",
    given=_IDS,
    values={"now": Moment()},
)

CLAIM = SetStatement(
    "DELETE FROM messages WHERE id {is_given} RETURNING id",
    given=_IDS,
    returns=_ID,
)

# An id with counted attempts has a row already, which is not done yet.
CLAIM_FOREIGN = SetStatement(
    "INSERT INTO foreign_messages (id, seen_at, attempts, done)"
    " SELECT given.id, {now}, 0, TRUE FROM {given} WHERE TRUE"
    " ON CONFLICT (id) DO UPDATE SET done = TRUE WHERE NOT foreign_messages.done"
    " RETURNING id, attempts",
    given=_IDS,
    values={"now": Moment()},
    returns=(foreign_messages.c.id, foreign_messages.c.attempts),
)

COUNT_OURS = SetStatement(
    "UPDATE messages SET attempts = attempts + 1 WHERE id {is_given} RETURNING attempts",
    given=_IDS,
    returns=(messages.c.attempts,),
)

COUNT_FOREIGN = SetStatement(
    "INSERT INTO foreign_messages (id, seen_at, attempts, done)"
    " SELECT given.id, {now}, 1, FALSE FROM {given} WHERE TRUE"
    " ON CONFLICT (id) DO UPDATE SET attempts = foreign_messages.attempts + 1"
    " WHERE NOT foreign_messages.done RETURNING attempts",
    given=_IDS,
    values={"now": Moment()},
    returns=(foreign_messages.c.attempts,),
)

TAKE_BACK = SetStatement(
    "UPDATE messages SET attempts = attempts - 1 WHERE id {is_given} AND attempts > 0",
    given=_IDS,
)

# A message from outside has its starts elsewhere, so that there may be none to be taken back.
RETRY = SetStatement(
    "UPDATE messages SET attempts = CASE WHEN messages.attempts + given.attempts < 0 THEN 0"
    " ELSE messages.attempts + given.attempts END,"
    " available_at = given.available_at, published_at = NULL,"
    " leased_until = NULL, lease_owner = NULL,"
    " last_reason = given.reason, last_error = given.error,"
    " first_failed_at = coalesce(messages.first_failed_at, {now}), last_failed_at = {now}"
    " FROM {given} WHERE messages.id = given.id AND ({owner} IS NULL"
    " OR messages.leased_until IS NULL OR messages.leased_until <= {now}"
    " OR messages.lease_owner = {owner})"
    " RETURNING messages.id",
    given={
        "id": sa.Uuid(),
        "available_at": Moment(),
        "attempts": sa.Integer(),
        "reason": sa.Text(),
        "error": sa.Text(),
    },
    values={"now": Moment(), "owner": sa.Text()},
    returns=_ID,
)

BURY = SetStatement(
    "DELETE FROM messages WHERE id {is_given} RETURNING id, attempts, first_failed_at",
    given=_IDS,
    returns=(messages.c.id, messages.c.attempts, messages.c.first_failed_at),
)

# Whoever leases messages of a subject waits here for the one who is just doing so, and then sees
# that one's leases. In sorted order, so that two batches cannot wait for each other.
LOCK_SUBJECTS = SetStatement(
    "SELECT pg_advisory_xact_lock(subjects.key) FROM ("
    "SELECT DISTINCT hashtextextended(channel || chr(31) || subject, 7) AS key"
    " FROM messages WHERE id {is_given} ORDER BY key) AS subjects",
    given=_IDS,
)

LEASE = SetStatement(
    "UPDATE messages SET lease_owner = {owner}, leased_until = {until}"
    " WHERE messages.id {is_given}"
    " AND (messages.leased_until IS NULL OR messages.leased_until <= {now})"
    " AND NOT EXISTS (SELECT 1 FROM messages AS other"
    " WHERE other.channel = messages.channel AND other.subject = messages.subject"
    " AND other.lease_owner IS NOT NULL AND other.lease_owner <> {owner}"
    " AND other.leased_until > {now})"
    " RETURNING messages.id",
    given=_IDS,
    values={"owner": sa.Text(), "until": Moment(), "now": Moment()},
    returns=_ID,
)

EXTEND = SetStatement(
    "UPDATE messages SET leased_until = {until}"
    " WHERE id {is_given} AND lease_owner = {owner} RETURNING id",
    given=_IDS,
    values={"owner": sa.Text(), "until": Moment()},
    returns=_ID,
)

RELEASE = SetStatement(
    "UPDATE messages SET lease_owner = NULL, leased_until = NULL"
    " WHERE id {is_given} AND ({owner} IS NULL OR lease_owner = {owner})",
    given=_IDS,
    values={"owner": sa.Text()},
)

_is_due = sa.and_(
    messages.c.published_at.is_(None),
    messages.c.available_at <= sa.bindparam("now", type_=Moment()),
)
BACKLOG = sa.select(
    sa.func.count().label("owed"),
    sa.func.min(messages.c.created_at).label("oldest_at"),
    sa.func.count().filter(_is_due).label("due"),
    sa.func.min(messages.c.available_at).filter(_is_due).label("oldest_due_at"),
    sa.func.count()
    .filter(messages.c.published_at.is_(None), messages.c.attempts > 0)
    .label("retrying"),
)
