"""Events that shops told by webhook, remembered for longer than a shop tells them again.

Its promise: of several that tell one event at the same moment, one is the first.
"""

import sqlalchemy as sa

from shared.persistence.sets import SetStatement
from shared.persistence.tables import Moment, webhook_events
from shared.persistence.unit_of_work import UnitOfWork


def is_news(work: UnitOfWork, channel: str, event_id: str) -> bool:
    """Remember an event; whether it was not known."""
    told = _REMEMBER.run(
        work.connection, {"event_id": [event_id]}, channel=channel, received_at=work.now
    )
    return bool(told)


_REMEMBER = SetStatement(
    "INSERT INTO webhook_events (channel, event_id, received_at)"
    " SELECT {channel}, given.event_id, {received_at} FROM {given} WHERE true"
    " ON CONFLICT (channel, event_id) DO NOTHING RETURNING event_id",
    given={"event_id": sa.Text()},
    values={"channel": sa.Text(), "received_at": Moment()},
    returns=(webhook_events.c.event_id,),
)
