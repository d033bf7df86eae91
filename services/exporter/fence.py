"""Which exports are still meant: the last look before something is written to a shop (NEW-8).

Between the decision and the write a customer may have been deleted there, linked to another
customer, or given another number; and a dead letter may be replayed long after. Its promise: what
no longer holds is never written.
"""

from collections.abc import Sequence
from typing import Final, Literal

import sqlalchemy as sa

from shared.domain.messages import CustomerExport
from shared.persistence.sets import Found, SetStatement
from shared.persistence.tables import customers, links
from shared.persistence.unit_of_work import UnitOfWork

Lapse = Literal["removed", "superseded"]


def lapses(channel: str, exports: Sequence[CustomerExport], work: UnitOfWork) -> list[Lapse | None]:
    """Say of each export of a channel why it is not to be carried out any more, or None."""
    external_ids = sorted({export.external_id for export in exports})
    rows = _LINKS.run(work.connection, {"external_id": external_ids}, channel=channel)
    linked = {row.external_id: row for row in rows}
    return [_lapse(export, linked.get(export.external_id)) for export in exports]


def _lapse(export: CustomerExport, link: Found | None) -> Lapse | None:
    if link is None or link.status == "removed":
        return "removed"
    if link.customer_id != export.customer_id or link.number != export.customer_number:
        return "superseded"
    return None


_LINKS: Final = SetStatement(
    "SELECT links.external_id, links.customer_id, links.status, customers.number"
    " FROM links LEFT JOIN customers ON customers.id = links.customer_id"
    " WHERE links.external_id {is_given} AND links.channel = {channel}",
    given={"external_id": sa.Text()},
    values={"channel": sa.Text()},
    returns=(links.c.external_id, links.c.customer_id, links.c.status, customers.c.number),
)
