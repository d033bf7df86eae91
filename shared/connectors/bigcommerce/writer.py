"""Writes customer numbers and additional data to several customers at once, and verifies each.

Reads the customers, sends only what differs, and reads them again (NEW-12): the answer of a write
says little. The platform refuses ten for one that is bad, and may have taken some of them: so each
is looked at and sent again alone. Promise: doing it again is harmless, and one customer's failure
costs no other's.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from shared.connectors.bigcommerce.assembly import Assembly
from shared.connectors.bigcommerce.client import BigCommerceClient
from shared.connectors.bigcommerce.errors import AlreadyThere
from shared.connectors.bigcommerce.fields import GROUP, Fields
from shared.connectors.bigcommerce.record import fingerprint
from shared.connectors.ports import Outcome, RemoteRecord, Written
from shared.domain.errors import (
    AttributeMissing,
    PatronError,
    PermanentError,
    RemoteGone,
    RemoteRejected,
)
from shared.domain.messages import CustomerExport

LONGEST_VALUE = 255


@dataclass(frozen=True, slots=True)
class Job:
    """What one customer should have, by field."""

    customer_id: int
    target: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Done:
    """A customer before and after, and what was wanted of it."""

    before: RemoteRecord
    after: RemoteRecord
    target: Mapping[str, str]


Results = dict[int, Done | PatronError]


class CustomerWriter:
    """Writes to the customers of a shop; threads may share it."""

    def __init__(self, client: BigCommerceClient, assembly: Assembly, fields: Fields) -> None:
        self._client = client
        self._assembly = assembly
        self._fields = fields

    def write(self, exports: Sequence[CustomerExport]) -> Sequence[Outcome]:
        """Carry out exports about ten customers at the most, one outcome for each in order."""
        try:
            refusals = [self._refusal(export) for export in exports]
            possible = [e for e, refusal in zip(exports, refusals, strict=True) if not refusal]
            results = self._carry_out(self._jobs(possible)) if possible else {}
        except PatronError as error:
            return [Outcome(export, error=error) for export in exports]
        return [
            Outcome(export, error=refusal)
            if refusal
            else self._outcome(export, results[int(export.external_id)])
            for export, refusal in zip(exports, refusals, strict=True)
        ]

    def _refusal(self, export: CustomerExport) -> PatronError | None:
        """Return why an export cannot even be tried."""
        if not (export.external_id.isascii() and export.external_id.isdigit()):
            return RemoteGone(f"there can be no customer {export.external_id}")
        for field, value in self._wanted(export, by_name=True).items():
            if field == GROUP:
                if value and self._assembly.groups.id(value) is None:
                    return RemoteRejected(f"{GROUP}: the shop has no such customer group")
            elif self._fields.is_metafield(field):
                continue
            elif self._fields.attribute_id(field) is None:
                return AttributeMissing(f"the shop has no customer attribute {field}: create it")
            elif len(value) > LONGEST_VALUE:
                return RemoteRejected(f"{field}: longer than {LONGEST_VALUE} characters")
        return None

    def _wanted(self, export: CustomerExport, *, by_name: bool = False) -> dict[str, str]:
        """Return what an export asks for, by field; the group by its id unless `by_name`."""
        if export.effect == "customer_number":
            return {self._fields.number: export.customer_number}
        wanted = dict(export.values)
        if GROUP in wanted and not by_name:
            wanted[GROUP] = str(self._assembly.groups.id(wanted[GROUP]) or 0)
        return wanted

    def _jobs(self, exports: Iterable[CustomerExport]) -> list[Job]:
        targets: dict[int, dict[str, str]] = {}
        for export in exports:
            targets.setdefault(int(export.external_id), {}).update(self._wanted(export))
        return [Job(customer_id, target) for customer_id, target in targets.items()]

    def _carry_out(self, jobs: Sequence[Job]) -> Results:
        """Write all together, or each alone where one of them is refused."""
        origins: dict[int, RemoteRecord] = {}
        if len(jobs) > 1:
            try:
                return self._together(jobs, origins)
            except PermanentError:
                pass  # Each is looked at and sent again: some may have been taken.
        results: Results = {}
        for job in jobs:
            results |= self._alone(job, origins)
        return results

    def _alone(self, job: Job, origins: dict[int, RemoteRecord]) -> Results:
        try:
            try:
                return self._together([job], origins)
            except AlreadyThere:
                return self._together([job], origins)
        except RemoteRejected as error:
            return {job.customer_id: self._missing_attribute(job) or error}
        except PatronError as error:
            return {job.customer_id: error}

    def _together(self, jobs: Sequence[Job], origins: dict[int, RemoteRecord]) -> Results:
        """Read, write what differs, and read again. `origins` keeps what was there at first."""
        before = self._assembly.read(job.customer_id for job in jobs)
        for customer_id, first in before.items():
            origins.setdefault(customer_id, first)
        changes = {
            job.customer_id: fields
            for job in jobs
            if (record := before.get(job.customer_id))
            and (fields := self._fields.differing(record.payload, job.target))
        }
        self._send(changes, before)
        unchanged = {i: record for i, record in before.items() if i not in changes}
        after = {**unchanged, **self._assembly.read(changes)} if changes else before
        results: Results = {}
        for job in jobs:
            number = job.customer_id
            if number in before and number in after:
                results[number] = Done(origins[number], after[number], job.target)
            else:
                results[number] = RemoteGone(f"customer {number} does not exist any more")
        return results

    def _send(
        self, changes: Mapping[int, Mapping[str, str]], before: Mapping[int, RemoteRecord]
    ) -> None:
        """Make at most one call for each kind of field."""
        values = [
            {"customer_id": customer_id, "attribute_id": attribute_id, "value": value}
            for customer_id, fields in changes.items()
            for field, value in fields.items()
            if (attribute_id := self._fields.attribute_id(field)) is not None
        ]
        if values:
            self._client.put_attribute_values(values)
        groups = [(i, fields[GROUP]) for i, fields in changes.items() if GROUP in fields]
        if groups:
            self._client.put_customers([{"id": i, GROUP: int(group)} for i, group in groups])
        self._send_metafields(changes, before)

    def _send_metafields(
        self, changes: Mapping[int, Mapping[str, str]], before: Mapping[int, RemoteRecord]
    ) -> None:
        if (metafield := self._fields.metafield) is None:
            return
        new, old = [], []
        for customer_id, fields in changes.items():
            if (value := fields.get(self._fields.number)) is None:
                continue
            if rows := self._fields.own_metafields(before[customer_id].payload):
                old.append({"id": rows[0]["id"], "value": value})
            else:
                names = metafield.model_dump(include={"namespace", "key", "permission_set"})
                new.append({"resource_id": customer_id, **names, "value": value})
        if new:
            self._client.create_metafields(new)
        if old:
            self._client.update_metafields(old)

    def _outcome(self, export: CustomerExport, result: Done | PatronError) -> Outcome:
        if isinstance(result, PatronError):
            return Outcome(export, error=result)
        before, after = result.before.payload, result.after.payload
        wanted = self._wanted(export)
        wrong = [f for f, value in wanted.items() if not self._fields.holds(after, f, value)]
        if dropped := [field for field in wrong if self._fields.value(after, field) is None]:
            text = f"the shop dropped {', '.join(dropped)}: see whether it exists there"
            return Outcome(export, error=AttributeMissing(text))
        if wrong:
            text = f"the shop stored {', '.join(wrong)} differently"
            return Outcome(export, error=RemoteRejected(text))
        changed = self._fields.differing(before, result.target)
        undone = fingerprint(self._fields.undone(after, before, changed))
        written = Written(
            changed=not changed.keys().isdisjoint(wanted),
            before=result.before.fingerprint,
            after=result.after.fingerprint,
            unforeseen=undone != result.before.fingerprint,
        )
        return Outcome(export, written=written)

    def _missing_attribute(self, job: Job) -> AttributeMissing | None:
        """Return that an attribute was deleted in the shop, if that is why it refuses us."""
        for field in job.target:
            is_attribute = field != GROUP and not self._fields.is_metafield(field)
            if is_attribute and not self._assembly.attributes.confirms(field):
                return AttributeMissing(f"the shop has no customer attribute {field}: create it")
        return None
