"""The plan of a batch: what its decisions will write, one row per thing however often decided.

Numbers are not known yet when a plan is made; `numbers` maps customers to theirs once `apply` has
drawn them.
"""

from collections import Counter
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import orjson

from services.processor.rows import Row, address_row, link_row
from shared.domain.customer import Source, SourceKey
from shared.domain.decisions import (
    Ambiguous,
    Create,
    Decision,
    Explanation,
    ExportIntent,
    Hold,
    Ignore,
    Stage,
    Update,
)
from shared.domain.directory import DirectoryCustomer
from shared.domain.known import Known, Link
from shared.domain.messages import (
    CustomerDeleted,
    CustomerExport,
    CustomerImported,
    CustomerUnreadable,
    Envelope,
    Parcel,
    parcel,
)
from shared.domain.policy import Policy
from shared.persistence import history


@dataclass(frozen=True, slots=True)
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


class Plan:
    """Everything a batch writes."""

    def __init__(self, now: datetime, policy: Policy) -> None:
        self.now = now
        self.policy = policy
        self.created: dict[UUID, DirectoryCustomer] = {}
        self.series: dict[UUID, str] = {}
        self.updated: dict[UUID, DirectoryCustomer] = {}
        self.addresses: dict[UUID, Row] = {}
        self.removed_addresses: set[UUID] = set()
        self.links: dict[SourceKey, Row] = {}
        self.removed_links: set[SourceKey] = set()
        self.staging: dict[UUID, Row] = {}
        self.history: list[Row] = []
        self.exports: list[PlannedExport] = []
        self.numbers: dict[UUID, str] = {}
        self.outcomes: Counter[str] = Counter()

    def add(self, message: Envelope[CustomerImported], decision: Decision, known: Known) -> None:
        """Take in one decision."""
        match decision:
            case Create():
                self._create(message, decision, known)
            case Update():
                self._update(message, decision, known)
            case Hold(reason=reason, existing=existing):
                self._park(message, decision, known, state="held", reason=reason, existing=existing)
            case Stage(reason=reason, existing=existing):
                self._park(
                    message, decision, known, state="staged", reason=reason, existing=existing
                )
            case Ambiguous():
                self._park(message, decision, known, state="ambiguous", reason="ambiguous")
            case Ignore(reason="unchanged"):
                self._note_unchanged(message, decision, known)
            case Ignore(reason=reason):
                self._tell(message, decision.customer.source, "customer.ignored", reason=reason)

    def hold_unreadable(self, message: Envelope[CustomerUnreadable], known: Known) -> None:
        """Record a customer that the canonical model cannot hold, with the fields named."""
        source, problems = message.body.source, message.body.problems
        notes = tuple(f"{problem.field}: {problem.problem}" for problem in problems)
        explanation = Explanation(config_version=self.policy.version, notes=notes)
        link = known.link(source.key)
        customer_id = link.customer_id if link else None
        row = self._staging_row(
            message, source, explanation, known, state="held", reason="unreadable"
        )
        self.staging[row["id"]] = {**row, "customer_id": customer_id, "is_existing": bool(link)}
        known.stage(source)
        fields = [problem.field for problem in problems]
        self._tell(
            message,
            source,
            "customer.held",
            customer_id=customer_id,
            reason="unreadable",
            fields=fields,
        )

    def unlink(self, message: Envelope[CustomerDeleted], link: Link | None) -> None:
        """Record that the shop deleted a customer; the directory keeps it."""
        if link is None:
            return
        self.removed_links.add(link.source)
        self._tell(
            message, message.body.source, "customer.removed_in_shop", customer_id=link.customer_id
        )

    def _create(self, message: Envelope[Any], decision: Create, known: Known) -> None:
        created = decision.created
        self.created[created.id] = created
        self.series[created.id] = decision.template.number_series
        for address in created.addresses:
            self.addresses[address.id] = address_row(address, created.id, self.now)
        self._arrive(message, decision, created.id, known, is_existing=False)
        source = decision.customer.source
        self._tell(message, source, "customer.created", customer_id=created.id)

    def _update(self, message: Envelope[Any], decision: Update, known: Known) -> None:
        updated, changes = decision.updated, decision.address_changes
        if updated.id in self.created:
            self.created[updated.id] = updated
        else:
            self.updated[updated.id] = updated
        for address in (*changes.added, *changes.changed):
            self.addresses[address.id] = address_row(address, updated.id, self.now)
        for address_id in changes.removed:
            self.addresses.pop(address_id, None)
            self.removed_addresses.add(address_id)
        self._arrive(message, decision, updated.id, known, is_existing=True)
        event = "customer.matched" if decision.is_new_link else "customer.updated"
        changed = list(decision.explanation.fields_changed)
        source = decision.customer.source
        self._tell(message, source, event, customer_id=updated.id, fields=changed)

    def _arrive(
        self,
        message: Envelope[Any],
        decision: Create | Update,
        customer_id: UUID,
        known: Known,
        *,
        is_existing: bool,
    ) -> None:
        source = decision.customer.source
        self.links[source.key] = link_row(decision.customer, customer_id, self.now)
        row = self._staging_row(message, source, decision.explanation, known, state="processed")
        self.staging[row["id"]] = {
            **row, "customer_id": customer_id, "is_existing": is_existing,
        }  # fmt: skip
        self.exports.extend(
            PlannedExport(message, source, customer_id, intent) for intent in decision.exports
        )

    def _park(
        self,
        message: Envelope[Any],
        decision: Hold | Stage | Ambiguous,
        known: Known,
        *,
        state: str,
        reason: str,
        existing: DirectoryCustomer | None = None,
    ) -> None:
        source = decision.customer.source
        row = self._staging_row(
            message, source, decision.explanation, known, state=state, reason=reason
        )
        customer_id = existing.id if existing else None
        self.staging[row["id"]] = {
            **row, "customer_id": customer_id, "is_existing": existing is not None,
        }  # fmt: skip
        event = f"customer.{state}"
        self._tell(message, source, event, customer_id=customer_id, reason=reason)

    def _note_unchanged(self, message: Envelope[Any], decision: Ignore, known: Known) -> None:
        source = decision.customer.source
        link = known.link(source.key)
        assert link is not None  # noqa: S101 - "unchanged" is decided of linked customers only
        self.links[source.key] = link_row(decision.customer, link.customer_id, self.now)
        if known.staging(source.key):
            row = self._staging_row(
                message,
                source,
                decision.explanation,
                known,
                state="superseded",
                reason="unchanged",
            )
            self.staging[row["id"]] = {**row, "customer_id": link.customer_id, "is_existing": True}
        self.outcomes["customer.unchanged"] += 1

    def _staging_row(
        self,
        message: Envelope[Any],
        source: Source,
        explanation: Explanation,
        known: Known,
        *,
        state: str,
        reason: str | None = None,
    ) -> Row:
        return {
            "id": known.staging_id(source.key),
            "channel": source.channel,
            "external_id": source.external_id,
            "store_view": source.store_view,
            "state": state,
            "reason": reason,
            "customer_number": None,
            "message_id": message.message_id,
            "correlation_id": message.correlation_id,
            "changed_at": source.version.changed_at,
            "read_at": source.version.read_at,
            "config_version": self.policy.version,
            "body": message.raw,
            "explanation": orjson.dumps(explanation),
            "created_at": self.now,
            "updated_at": self.now,
        }

    def _tell(
        self,
        message: Envelope[Any],
        source: Source,
        event: str,
        *,
        customer_id: UUID | None = None,
        reason: str | None = None,
        fields: list[str] | None = None,
    ) -> None:
        self.outcomes[event] += 1
        detail: dict[str, object] = {"reason": reason} if reason else {}
        if fields:
            detail["fields"] = fields
        self.history.append(
            history.line(
                at=self.now,
                correlation_id=message.correlation_id,
                message_id=message.message_id,
                channel=source.channel,
                external_id=source.external_id,
                customer_id=customer_id,
                worker="processor",
                event=event,
                detail=orjson.dumps(detail).decode() if detail else None,
            )
        )
