"""Exports that a plan owes, written down before their customer's number is known."""

from datetime import datetime
from typing import Any
from uuid import UUID

from shared.domain.customer import Source
from shared.domain.decisions import ExportIntent
from shared.domain.locations import location_number
from shared.domain.messages import CustomerExport, Envelope, Parcel, parcel
from shared.domain.values import value


@value
class PlannedExport:
    """An export that waits for its customer's number."""

    cause: Envelope[Any]
    source: Source
    customer_id: UUID
    intent: ExportIntent

    def parcel(self, number: str, at: datetime) -> Parcel:
        """Return the message, now that the number is known."""
        body = CustomerExport(
            effect=self.intent.effect,
            channel=self.source.channel,
            external_id=self.source.external_id,
            store_view=self.source.store_view,
            customer_id=self.customer_id,
            customer_number=number,
            locations={
                address: location_number(number, location)
                for address, location in self.intent.locations.items()
            },
            values=dict(self.intent.values),
            version=self.source.version,
        )
        return parcel(
            body,
            channel=self.source.channel,
            subject=self.source.external_id,
            at=at,
            cause=self.cause,
        )
