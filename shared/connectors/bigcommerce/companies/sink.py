"""Writes customer numbers, location numbers and additional data to a company, and verifies them.

The number and additional data go to the company's extra fields, the numbers of its locations to
the `externalId` of their addresses. Reads the company first and sends only what differs; the extra
fields that the shop requires go along, because it asks for them. Promise: doing it again is
harmless.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from shared.connectors.bigcommerce.answers import Item, id_of
from shared.connectors.bigcommerce.companies.client import CompaniesClient
from shared.connectors.bigcommerce.companies.record import (
    company_fingerprint,
    company_id_of,
    company_record,
    extra_fields,
    group_of,
)
from shared.connectors.bigcommerce.fields import GROUP
from shared.connectors.bigcommerce.names import Names
from shared.connectors.bigcommerce.settings import BigCommerceSettings
from shared.connectors.outcomes import outcomes_of
from shared.connectors.ports import Outcome, RemoteRecord, Written
from shared.domain.errors import AttributeMissing, PatronError, RemoteGone, RemoteRejected
from shared.domain.messages import CustomerExport


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a company should have: extra fields, its group, the numbers of its addresses."""

    fields: Mapping[str, str]
    group: int | None
    locations: Mapping[int, str]


@dataclass(frozen=True, slots=True)
class State:
    """A company as it was read."""

    company: Item
    record: RemoteRecord

    def lacking(self, wanted: Wanted) -> Wanted:
        """Return what of `wanted` this is not. What a deleted location lacks, nobody misses."""
        fields = extra_fields(self.company)
        numbers = {
            id_of(row, "addressId"): str(row.get("externalId") or "")
            for row in self.record.payload["addresses"]
        }
        return Wanted(
            {f: value for f, value in wanted.fields.items() if fields.get(f, "") != value},
            wanted.group if wanted.group not in {None, group_of(self.company)} else None,
            {
                number: value
                for number, value in wanted.locations.items()
                if numbers.get(number, value) != value
            },
        )


class CompanyWriter:
    """Writes to the companies of the B2B Edition; threads may share it."""

    def __init__(
        self, settings: BigCommerceSettings, client: CompaniesClient, groups: Names
    ) -> None:
        self._number_field = settings.company_number_field
        self._client = client
        self._groups = groups

    def write(self, exports: Sequence[CustomerExport]) -> Sequence[Outcome]:
        """Carry out the exports about one company, one outcome for each in order."""
        return outcomes_of(exports, self._refusal, self._write)

    def _refusal(self, export: CustomerExport) -> PatronError | None:
        """Return why an export cannot even be tried."""
        group = export.values.get(GROUP)
        if group and self._groups.id(group) is None:
            return RemoteRejected(f"{GROUP}: the shop has no such customer group")
        if empty := [field for field, value in export.values.items() if not value]:
            return RemoteRejected(f"{', '.join(empty)}: cannot be emptied")
        return None

    def _write(self, exports: Sequence[CustomerExport]) -> Sequence[Outcome]:
        company_id = company_id_of(exports[0].external_id)
        before = self._read(company_id)
        wanted = [self._wanted(export) for export in exports]
        changes = before.lacking(_all_of(wanted))
        try:
            self._send(id_of(before.company, "companyId"), before.company, changes)
        except RemoteRejected as refusal:
            if missing := self._missing_field(changes):
                raise missing from refusal
            raise
        changed = any((changes.fields, changes.group, changes.locations))
        after = self._read(company_id) if changed else before
        undone = company_fingerprint(_undone(after, before, changes))
        outcomes = []
        for export, mine in zip(exports, wanted, strict=True):
            if error := _missed(after, mine):
                outcomes.append(Outcome(export, error=error))
                continue
            lacked = before.lacking(mine)
            written = Written(
                changed=any((lacked.fields, lacked.group, lacked.locations)),
                before=before.record.fingerprint,
                after=after.record.fingerprint,
                unforeseen=undone != before.record.fingerprint,
            )
            outcomes.append(Outcome(export, written=written))
        return outcomes

    def _wanted(self, export: CustomerExport) -> Wanted:
        if export.effect == "customer_number":
            fields = {self._number_field: export.customer_number}
            numbers = {int(i): n for i, n in export.locations.items() if i.isdecimal()}
            return Wanted(fields, None, numbers)
        fields = {field: value for field, value in export.values.items() if field != GROUP}
        group = export.values.get(GROUP)
        return Wanted(fields, self._groups.id(group) if group else None, {})

    def _read(self, company_id: int | None) -> State:
        company = None if company_id is None else self._client.company(company_id)
        if company is None or company_id is None:
            raise RemoteGone(f"company {company_id} does not exist any more")
        addresses = self._client.addresses(company_id=company_id)
        users = self._client.users(company_id=company_id)
        return State(company, company_record(company, addresses, users))

    def _missing_field(self, changes: Wanted) -> AttributeMissing | None:
        """Return that an extra field is not there, if that is why the shop refuses us."""
        known = {str(item.get("fieldName")) for item in self._client.extra_fields()}
        missing = [field for field in changes.fields if field not in known]
        text = f"the shop has no extra field {', '.join(missing)} of companies: create it"
        return AttributeMissing(text) if missing else None

    def _send(self, company_id: int, company: Item, changes: Wanted) -> None:
        body: dict[str, Any] = {}
        if changes.fields:
            fields = {**_required(company), **changes.fields}
            body["extraFields"] = [{"fieldName": f, "fieldValue": v} for f, v in fields.items()]
        if changes.group is not None:
            body["customerGroupId"] = changes.group
        if body:
            self._client.update_company(company_id, body)
        for address_id, number in changes.locations.items():
            self._client.update_address(address_id, {"externalId": number})


def _all_of(wanted: Sequence[Wanted]) -> Wanted:
    fields = {field: value for each in wanted for field, value in each.fields.items()}
    groups = [each.group for each in wanted if each.group is not None]
    locations = {number: value for each in wanted for number, value in each.locations.items()}
    return Wanted(fields, groups[-1] if groups else None, locations)


def _required(company: Item) -> dict[str, str]:
    """Return the extra fields that the shop wants to be told with any other."""
    rows = company.get("extraFields")
    required = [r for r in rows or () if str(r.get("isRequired", "")).lower() in {"1", "true"}]
    return extra_fields({"extraFields": required})


def _missed(after: State, wanted: Wanted) -> PatronError | None:
    lacking = after.lacking(wanted)
    there = extra_fields(after.company)
    if dropped := [field for field in lacking.fields if field not in there]:
        return AttributeMissing(f"the shop dropped {', '.join(dropped)}: create the extra field")
    if lacking.fields or lacking.group or lacking.locations:
        return RemoteRejected("the shop stored extra fields, group or locations differently")
    return None


def _undone(after: State, before: State, changes: Wanted) -> Item:
    """Return `after` without our changes: equal to `before` unless somebody else wrote too."""
    was, now = before.record.payload, dict(after.record.payload)
    fields = [
        *(row for row in now["extraFields"] if row["fieldName"] not in changes.fields),
        *(row for row in was["extraFields"] if row["fieldName"] in changes.fields),
    ]
    now["extraFields"] = sorted(fields, key=lambda row: str(row["fieldName"]))
    if changes.group is not None:
        now = {k: v for k, v in now.items() if k != "bcGroupName"}
        now |= {k: v for k, v in was.items() if k == "bcGroupName"}
    numbers = {row["addressId"]: row.get("externalId") for row in was["addresses"]}
    now["addresses"] = [
        _renumbered(row, numbers) if row["addressId"] in changes.locations else row
        for row in now["addresses"]
    ]
    return now


def _renumbered(row: Item, numbers: Mapping[int, Any]) -> Item:
    rest = {key: value for key, value in row.items() if key != "externalId"}
    number = numbers.get(row["addressId"])
    return rest if number is None else {**rest, "externalId": number}
