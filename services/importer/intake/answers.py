"""What the intake answers to pushes: receipts, and how far customers have come."""

from collections.abc import Mapping, Sequence
from uuid import UUID

from services.importer.intake.contract import (
    CustomerSaid,
    FaultSaid,
    ItemSaid,
    PushReceipt,
    RequestStatus,
)
from services.importer.intake.problems import not_found
from services.importer.intake.pushing import Receipt
from shared.persistence import pushes
from shared.persistence.customer_status import CustomerStatus, statuses
from shared.persistence.pushes import Item
from shared.persistence.unit_of_work import UnitOfWork

CUSTOMERS = "/v1/customers"


def receipt_said(receipt: Receipt) -> PushReceipt:
    """Return the answer to a request that was taken."""
    return PushReceipt(
        request_id=receipt.request_id,
        status_url=f"{CUSTOMERS}/{receipt.request_id}",
        customers=[_item(item, {}) for item in receipt.items],
    )


def status_said(work: UnitOfWork, channel: str, reference: str) -> RequestStatus | CustomerSaid:
    """Return how far a request, or one customer of the channel, has come. Raises `Problem`."""
    if (request_id := _as_uuid(reference)) and (request := pushes.get(work, channel, request_id)):
        items = pushes.items(work, request.id)
        known = statuses(work, channel, [i.external_id for i in items if i.external_id])
        return RequestStatus(
            request_id=request.id,
            received_at=request.received_at,
            customers=[_item(item, known) for item in items],
        )
    status = statuses(work, channel, [reference])[reference]
    if status.state == "unknown":
        raise not_found("no request and no customer of this channel is called that")
    return _customer(status)


def _item(item: Item, known: Mapping[str, CustomerStatus]) -> ItemSaid:
    status = known.get(item.external_id or "")
    return ItemSaid(
        index=item.position,
        outcome=item.outcome,
        external_id=item.external_id,
        errors=_faults(item.faults),
        customer=_customer(status) if status else None,
    )


def _customer(status: CustomerStatus) -> CustomerSaid:
    return CustomerSaid(
        external_id=status.external_id,
        state=status.state,
        customer_number=status.customer_number,
        reason=status.reason,
        notes=status.notes or None,
    )


def _faults(faults: Sequence[tuple[str, str]]) -> list[FaultSaid] | None:
    return [FaultSaid(pointer=p, detail=d) for p, d in faults] or None


def _as_uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None
