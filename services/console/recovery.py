"""Recovery: customers whom a shop knows by a number of ours, and a restored database does not.

After an older backup was restored, shops show numbers that were given since. Whoever carries one
gets it back: created under it, or linked to whom it belongs to; and the number series go on behind
all that was seen. Its promise: a page is one transaction with its line in the audit log, nobody is
given another number, nothing is drawn, and doing it again changes nothing.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import orjson

from services.importer.pages import StoreViewReader
from services.processor.apply import apply
from services.processor.gather import Inquiry, gather
from services.processor.plan import Plan
from shared.connectors.ports import RemoteRecord
from shared.domain.customer import Customer, SourceKey
from shared.domain.decide import decide
from shared.domain.decisions import (
    Ambiguous,
    Create,
    Decision,
    Hold,
    Ignore,
    Instruction,
    Stage,
    Update,
)
from shared.domain.ids import new_id
from shared.domain.known import Known
from shared.domain.match_rules import DirectoryKey
from shared.domain.messages import CustomerImported, Envelope, type_of
from shared.domain.normalise import match_keys
from shared.domain.policy import Policy
from shared.domain.templates import given_by_us
from shared.persistence import audit, number_series
from shared.persistence.tombstones import hold_off_erasures
from shared.persistence.unit_of_work import UnitOfWork, UnitsOfWork

IN_STEP = ("known", "created", "linked", "unnumbered")
"""What needs nobody's attention."""


@dataclass(frozen=True, slots=True)
class Left:
    """A record that was left alone although it carries a number, and why."""

    store_view: str
    external_id: str
    why: str


@dataclass
class Recovered:
    """What became of a channel's records; `left` are the first of those to be looked at."""

    limit: int
    counts: Counter[str] = field(default_factory=Counter)
    highest: dict[str, int] = field(default_factory=dict)
    left: list[Left] = field(default_factory=list)

    @property
    def is_clean(self) -> bool:
        """Whether nothing is left for a person."""
        return not set(self.counts) - set(IN_STEP)

    def take(self, what: str, store_view: str, external_id: str) -> None:
        """Count what became of a record, and keep it if a person has to look at it."""
        self.counts[what] += 1
        if what not in IN_STEP and len(self.left) < self.limit:
            self.left.append(Left(store_view, external_id, what))

    def saw(self, counters: dict[str, int]) -> None:
        """Note the counters that wrote a number."""
        for name, counter in counters.items():
            self.highest[name] = max(counter, self.highest.get(name, 0))


@dataclass(frozen=True, slots=True)
class Recovery:
    """Goes through store views; with `is_dry` it only says what it would do."""

    units: UnitsOfWork
    policy: Policy
    actor: str
    is_dry: bool = False

    def recover(self, reader: StoreViewReader, totals: Recovered) -> None:
        """Give everybody in a store view back who carries a number of ours."""
        for page in reader.source.sweep(reader.store_view, ""):
            with self.units.read() if self.is_dry else self.units.begin() as work:
                self._take_page(page.records, reader, totals, work)

    def _take_page(
        self,
        records: Sequence[RemoteRecord],
        reader: StoreViewReader,
        totals: Recovered,
        work: UnitOfWork,
    ) -> None:
        messages = list(_told(records, reader, work, totals, locks=not self.is_dry))
        if not messages:
            return
        inquiries = [Inquiry(m.body.customer.source.key, m.body.customer) for m in messages]
        known = gather(inquiries, work, self.policy, locks=not self.is_dry)
        plan, page = Plan(work.now, self.policy), Recovered(0)
        for message in messages:
            what = _take(message, known, plan, page)
            totals.take(what, reader.store_view, message.subject)
            page.counts[what] += 1
        totals.saw(page.highest)
        if not self.is_dry:
            self._write(plan, page, reader, work)

    def _write(
        self, plan: Plan, page: Recovered, reader: StoreViewReader, work: UnitOfWork
    ) -> None:
        behind = {
            name: counter
            for name, following in number_series.next_values(work).items()
            if (counter := page.highest.pop(name, 0)) >= following
        } | page.highest
        number_series.pass_by(work.connection, behind)
        apply(plan, work)
        changes = {what: page.counts[what] for what in ("created", "linked") if page.counts[what]}
        if changes or behind:
            audit.note(
                work,
                actor=self.actor,
                action="directory.recovered",
                subject=f"{reader.channel}/{reader.store_view}",
                detail=orjson.dumps({**changes, "series_passed": behind}).decode(),
            )


def _told(
    records: Sequence[RemoteRecord],
    reader: StoreViewReader,
    work: UnitOfWork,
    totals: Recovered,
    *,
    locks: bool,
) -> Iterator[Envelope[CustomerImported]]:
    """Yield what the importer would tell of those who carry a number and were not erased."""
    if locks:
        hold_off_erasures(work)
    accounts = {SourceKey(reader.channel, record.external_id) for record in records}
    erased = reader.tombstones.erased(work, accounts)
    for record in records:
        if SourceKey(reader.channel, record.external_id) in erased:
            continue
        body = reader.read(record, work.now, "operator", "repair").body
        if not isinstance(body, CustomerImported):
            totals.take("unreadable", reader.store_view, record.external_id)
        elif match_keys(body.customer).customer_number is None:
            totals.take("unnumbered", reader.store_view, record.external_id)
        else:
            yield _as_message(body, work)


def _as_message(body: CustomerImported, work: UnitOfWork) -> Envelope[CustomerImported]:
    kind, source, message_id = type_of(body), body.customer.source, new_id()
    return Envelope(
        message_id=message_id,
        type=kind.name,
        schema_version=kind.schema_version,
        correlation_id=message_id,
        occurred_at=work.now,
        channel=source.channel,
        subject=source.external_id,
        body=body,
        raw=body.to_json(),
    )


def _take(message: Envelope[CustomerImported], known: Known, plan: Plan, page: Recovered) -> str:
    """Decide about one record, and say what becomes of it."""
    customer = message.body.customer
    number = match_keys(customer).customer_number or ""
    counters = given_by_us(number, plan.policy)
    page.saw(counters)
    link = known.link(customer.source.key)
    linked = known.customer(link.customer_id) if link else None
    if linked:
        return "known" if linked.number == number else "another_number"
    decision = _decision(customer, number, known, plan.policy, is_ours=bool(counters))
    match decision:
        case Create() | Update():
            plan.add(message, decision, known)
            known.learn(decision)
            return "created" if isinstance(decision, Create) else "linked"
        case Hold(reason=reason) | Stage(reason=reason) | Ignore(reason=reason):
            return reason
        case Ambiguous():
            return "ambiguous"
        case str(why):
            return why


def _decision(
    customer: Customer, number: str, known: Known, policy: Policy, *, is_ours: bool
) -> Decision | str:
    """Decide with the number that is carried, or say why that cannot be decided here."""
    owners = known.candidates(DirectoryKey.CUSTOMER_NUMBER, number)
    if owners:
        usual = decide(customer, known, policy)
        if isinstance(usual, Update) and usual.existing.id == owners[0]:
            return usual  # as a guest or a company's buyer, say
        chosen = Instruction(processes=True, customer_id=owners[0], number=number)
        return decide(customer, known, policy, chosen)
    if not is_ours:
        return "not_ours"
    if known.is_taken(number):
        return "erased"
    return decide(customer, known, policy, Instruction(processes=True, number=number))
