"""The plan of a batch: what its decisions will write, one row per thing however often decided.

Numbers are not known yet when a plan is made; `numbers` maps customers to theirs once `apply` has
drawn them.
"""

from collections import Counter
from datetime import datetime
from typing import Any, Final
from uuid import UUID

import orjson

from services.processor.contacts import contact_rows, contacts_of
from services.processor.exports import PlannedExport
from services.processor.rows import Row, address_row, link_row, staging_row
from shared.domain.contacts import accounts_of
from shared.domain.customer import Customer, Source, SourceKey, Version
from shared.domain.decisions import (
    Ambiguous,
    Create,
    Decision,
    Explanation,
    Hold,
    Ignore,
    Stage,
    Update,
)
from shared.domain.directory import DirectoryCustomer
from shared.domain.known import Known
from shared.domain.messages import CustomerDeleted, CustomerImported, CustomerUnreadable, Envelope
from shared.domain.policy import Policy
from shared.persistence import history
from shared.persistence.tombstones import ERASED_ID

_ERASED: Final = '{"reason":"erased"}'
_PARKED: Final = {Hold: "held", Stage: "staged", Ambiguous: "ambiguous"}


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
        self.removed_links: dict[SourceKey, datetime] = {}
        self.contacts: dict[SourceKey, list[Row]] = {}
        self.awaited: set[SourceKey] = set()
        self.staging: dict[UUID, Row] = {}
        self.discarded: dict[UUID, str] = {}
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
            case Hold(reason=reason, existing=existing) | Stage(reason=reason, existing=existing):
                self._park(message, decision, known, reason=reason, existing=existing)
            case Ambiguous():
                self._park(message, decision, known, reason="ambiguous")
            case Ignore(reason="unchanged"):
                self._note_unchanged(message, decision, known)
            case Ignore(reason=reason):
                self._tell(message, decision.customer.source, "customer.ignored", reason=reason)
                if reason == "before_start_date" and known.staging(decision.customer.source.key):
                    # Staged before there was that date: nobody will ever decide about it.
                    self._discard(known.staging_id(decision.customer.source.key), reason)

    def hold_unreadable(self, message: Envelope[CustomerUnreadable], known: Known) -> None:
        """Record a customer that the canonical model cannot hold, with the fields named."""
        source, problems = message.body.source, message.body.problems
        if known.is_ahead_of(source):
            self._tell(message, source, "customer.ignored", reason="superseded")
            return
        notes = tuple(f"{problem.field}: {problem.problem}" for problem in problems)
        explanation = Explanation(config_version=self.policy.version, notes=notes)
        existing = _linked_customer(source, known)
        self._stage(
            message, source, explanation, known, state="held", reason="unreadable", of=existing
        )
        known.stage(source)
        self._tell(
            message,
            source,
            "customer.held",
            customer_id=existing.id if existing else None,
            reason="unreadable",
            fields=[problem.field for problem in problems],
        )

    def drop_erased(self, message: Envelope[Any], channel: str) -> None:
        """Note that somebody who was erased came again, without a word on who it was."""
        self.outcomes["customer.erased"] += 1
        self.history.append(
            history.line(
                at=self.now,
                correlation_id=message.correlation_id,
                message_id=message.message_id,
                channel=channel,
                external_id=ERASED_ID,
                worker="processor",
                event="customer.ignored",
                detail=_ERASED,
            )
        )

    def remove(self, message: Envelope[CustomerDeleted], known: Known) -> None:
        """Record that the shop deleted a customer; the directory keeps it."""
        source = message.body.source
        versions = _versions(source, known)
        if not versions:
            return
        # By our own clock: a deletion has no time of the shop's.
        if any(source.version.read_at < version.read_at for version in versions):
            self._tell(message, source, "customer.ignored", reason="superseded")
            return
        if known.staging(source.key):
            self._discard(known.staging_id(source.key), "removed_in_shop")
        link = known.link(source.key)
        if link:
            self.removed_links[source.key] = source.version.read_at
        customer_id = link.customer_id if link else None
        self._tell(message, source, "customer.removed_in_shop", customer_id=customer_id)
        known.remove(source)

    def _create(self, message: Envelope[Any], decision: Create, known: Known) -> None:
        created = decision.created
        self.created[created.id] = created
        if created.number is not None:
            self.numbers[created.id] = created.number
        elif decision.template.number_series is not None:
            self.series[created.id] = decision.template.number_series
        for address in created.addresses:
            self.addresses[address.id] = address_row(address, created.id, self.now)
        self._arrive(message, decision, created, known)
        source = decision.customer.source
        self._tell(message, source, "customer.created", customer_id=created.id)

    def _update(self, message: Envelope[Any], decision: Update, known: Known) -> None:
        updated, changes = decision.updated, decision.address_changes
        if updated.id in self.created:
            self.created[updated.id] = updated
        elif updated != decision.existing:
            self.updated[updated.id] = updated
        if updated.number is not None:
            self.numbers[updated.id] = updated.number
        for address in (*changes.added, *changes.changed):
            self.addresses[address.id] = address_row(address, updated.id, self.now)
        for address_id in changes.removed:
            self.addresses.pop(address_id, None)
            self.removed_addresses.add(address_id)
        self._arrive(message, decision, updated, known)
        event = "customer.matched" if decision.is_new_link else "customer.updated"
        self._tell(
            message,
            decision.customer.source,
            event,
            customer_id=updated.id,
            fields=list(decision.explanation.fields_changed),
            conflicts=[conflict.field for conflict in decision.explanation.conflicts],
        )

    def _arrive(
        self,
        message: Envelope[Any],
        decision: Create | Update,
        arrived: DirectoryCustomer,
        known: Known,
    ) -> None:
        source = decision.customer.source
        collects = isinstance(decision, Update) and decision.collects
        joins = isinstance(decision, Update) and decision.joins
        self._relink(decision.customer, arrived.id, is_collected=collects, is_contact=joins)
        if contacts_of(decision) is not None:
            self.contacts[source.key] = contact_rows(decision.customer, arrived.id, self.now)
            self.awaited.update(accounts_of(decision.customer))
        self._stage(
            message,
            source,
            decision.explanation,
            known,
            state="processed",
            of=arrived,
            is_existing=isinstance(decision, Update),
        )
        self.exports += [
            PlannedExport(message, source, arrived.id, intent) for intent in decision.exports
        ]

    def _park(
        self,
        message: Envelope[Any],
        decision: Hold | Stage | Ambiguous,
        known: Known,
        *,
        reason: str,
        existing: DirectoryCustomer | None = None,
    ) -> None:
        source, state = decision.customer.source, _PARKED[type(decision)]
        self._stage(
            message, source, decision.explanation, known, state=state, reason=reason, of=existing
        )
        customer_id = existing.id if existing else None
        self._tell(message, source, f"customer.{state}", customer_id=customer_id, reason=reason)

    def _note_unchanged(self, message: Envelope[Any], decision: Ignore, known: Known) -> None:
        source = decision.customer.source
        existing, link = _linked_customer(source, known), known.link(source.key)
        assert existing  # noqa: S101 - "unchanged" is decided of linked customers only
        assert link  # noqa: S101 - likewise
        self._relink(
            decision.customer,
            existing.id,
            is_collected=link.is_collected,
            is_contact=link.is_contact,
        )
        if known.staging(source.key):
            self._stage(
                message,
                source,
                decision.explanation,
                known,
                state="superseded",
                reason="unchanged",
                of=existing,
            )
        self.outcomes["customer.unchanged"] += 1

    def _relink(
        self,
        customer: Customer,
        customer_id: UUID,
        *,
        is_collected: bool = False,
        is_contact: bool = False,
    ) -> None:
        key = customer.source.key
        self.links[key] = link_row(
            customer, customer_id, self.now, is_collected=is_collected, is_contact=is_contact
        )
        # It is there, whatever an earlier message of the batch said.
        self.removed_links.pop(key, None)

    def _stage(
        self,
        message: Envelope[Any],
        source: Source,
        explanation: Explanation,
        known: Known,
        *,
        state: str,
        reason: str | None = None,
        of: DirectoryCustomer | None = None,
        is_existing: bool | None = None,
    ) -> None:
        id_ = known.staging_id(source.key)
        self.staging[id_] = row = staging_row(id_, message, source, explanation, self.now)
        row |= {
            "state": state,
            "reason": reason,
            "is_existing": of is not None if is_existing is None else is_existing,
            "customer_id": of.id if of else None,
            "customer_number": of.number if of else None,
        }

    def _discard(self, staging_id: UUID, reason: str) -> None:
        if row := self.staging.get(staging_id):
            row |= {"state": "discarded", "reason": reason}
        else:
            self.discarded[staging_id] = reason

    def _tell(
        self,
        message: Envelope[Any],
        source: Source,
        event: str,
        *,
        customer_id: UUID | None = None,
        **said: str | list[str] | None,
    ) -> None:
        """Write a line of the customer's timeline, with what is `said` beside the event."""
        self.outcomes[event] += 1
        detail = {name: value for name, value in said.items() if value} if said else None
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


def _versions(source: Source, known: Known) -> list[Version]:
    """Return the states of a remote record that are linked or staged: fences against older news."""
    states = (known.link(source.key), known.staging(source.key))
    return [state.version for state in states if state]


def _linked_customer(source: Source, known: Known) -> DirectoryCustomer | None:
    link = known.link(source.key)
    return known.customer(link.customer_id) if link else None
