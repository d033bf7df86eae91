"""What the intake says and takes, as models: the OpenAPI document is made of them."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from shared.connectors.push.customer import PushedCustomer

MOST_CUSTOMERS = 500
Outcome = Literal["accepted", "parked", "refused"]


class Said(BaseModel):
    """A part of an answer."""

    model_config = ConfigDict(frozen=True)


class FaultSaid(Said):
    """Something that does not fit."""

    pointer: str = Field(description="RFC 6901 pointer into the request's body.")
    detail: str = Field(description="What is allowed there. Never the value.")


class ProblemSaid(Said):
    """RFC 9457: why a request was refused as a whole. Nothing of it was taken."""

    type: str = Field(description="A stable name, such as `urn:patron:problem:invalid`.")
    title: str
    status: int
    detail: str
    errors: Sequence[FaultSaid] | None = None


class CustomerSaid(Said):
    """How far a customer has come."""

    external_id: str
    state: Literal["numbered", "waiting", "held", "refused", "removed", "unknown"] = Field(
        description="`numbered`: here is the number. `waiting`: on its way. `held`: somebody has"
        " to look at it, for `reason`. `refused`: it is not wanted. `removed`: it was deleted."
    )
    customer_number: str | None = None
    reason: str | None = Field(None, description="A stable code; the runbook has an entry for it.")
    notes: Sequence[str] | None = None


class ItemSaid(Said):
    """What became of one customer of a request."""

    index: int = Field(description="Its position in the request, from 0.")
    outcome: Outcome = Field(
        description="`accepted`: it is recorded and will be processed. `parked`: it is recorded"
        " and waits, for what `errors` say. `refused`: it was not taken; mend it and send it again."
    )
    external_id: str | None = None
    errors: Sequence[FaultSaid] | None = None
    customer: CustomerSaid | None = Field(None, description="Only in a request's status.")


class PushReceipt(Said):
    """What was taken; it is recorded durably."""

    request_id: UUID
    status_url: str
    customers: Sequence[ItemSaid]


class RequestStatus(Said):
    """What became of the customers of a request."""

    request_id: UUID
    received_at: datetime
    customers: Sequence[ItemSaid]


class HookReceipt(Said):
    """What became of a webhook."""

    outcome: Literal["accepted", "duplicate"]


class PushedBatch(BaseModel):
    """Several customers, each taken or refused for itself."""

    model_config = ConfigDict(extra="forbid", title="PushedBatch")

    customers: Annotated[list[PushedCustomer], Field(min_length=1, max_length=MOST_CUSTOMERS)]
