"""Writes customer numbers and additional data to a shop, once and verified.

A write reads the customer first and sends only what differs; all exports about one customer
share one PUT. The keys that Magento's versions want echoed are echoed, addresses never go out
(their list would be final), and the answer is compared, because Magento drops attributes that it
does not know without a word. Promise: doing it again is harmless.
"""

from collections.abc import Mapping, Sequence
from decimal import Decimal, InvalidOperation
from typing import Any

from shared.connectors.magento.checks import checked
from shared.connectors.magento.client import Item, MagentoClient
from shared.connectors.magento.groups import Groups
from shared.connectors.magento.record import attribute_values, fingerprint, without_secrets
from shared.connectors.magento.settings import MagentoSettings
from shared.connectors.outcomes import outcomes_of
from shared.connectors.ports import Finding, Outcome, Written
from shared.domain.errors import (
    AttributeMissing,
    PatronError,
    RemoteGone,
    RemoteRejected,
    UnreadableAnswer,
)
from shared.domain.messages import CustomerExport

GROUP = "group_id"
ECHOED = ("id", "email", "firstname", "lastname", "website_id", "store_id", GROUP)


class MagentoSink:
    """The writing side of a Magento channel; threads may share it."""

    def __init__(
        self,
        client: MagentoClient,
        groups: Groups,
        settings: MagentoSettings,
        additional_fields: Sequence[str] = (),
    ) -> None:
        self._client = client
        self._groups = groups
        self._settings = settings
        self._number_attribute = settings.number_attribute
        self._additional_fields = tuple(additional_fields)

    @property
    def customers_at_once(self) -> int:
        """One: Magento has no call that updates several customers and tells how each went."""
        return 1

    def write(self, exports: Sequence[CustomerExport]) -> Sequence[Outcome]:
        """Carry out the exports, all about one customer, in at most one PUT."""
        return outcomes_of(exports, self._refusal, self._write)

    def check(self) -> Sequence[Finding]:
        """Verify rights and store views, and that every attribute exists that is written."""
        codes = [c for c in (self._number_attribute, *self._additional_fields) if c != GROUP]
        return checked(self._client, self._settings.store_views, codes)

    def _write(self, exports: Sequence[CustomerExport]) -> Sequence[Outcome]:
        wanted = [self._wanted(export) for export in exports]
        target = {field: value for values in wanted for field, value in values.items()}
        before = self._read(exports[0].external_id)
        changes = {f: v for f, v in target.items() if not self._holds(before, f, v)}
        after = self._put(before, changes) if changes else before
        around = fingerprint(before), fingerprint(after)
        unforeseen = fingerprint(_undone(after, before, changes)) != around[0]
        outcomes = []
        for export, values in zip(exports, wanted, strict=True):
            if error := self._missed(after, {f: target[f] for f in values}):
                outcomes.append(Outcome(export, error=error))
            else:
                changed = not changes.keys().isdisjoint(values)
                outcomes.append(Outcome(export, Written(changed, *around, unforeseen)))
        return outcomes

    def _refusal(self, export: CustomerExport) -> PatronError | None:
        """Return why an export cannot even be tried."""
        group = export.values.get(GROUP)
        if group is None or self._groups.id(group) is not None:
            return None
        return RemoteRejected(f"{GROUP}: the shop has no such customer group")

    def _wanted(self, export: CustomerExport) -> dict[str, str]:
        """Return what an export asks for, by attribute code; the group by its id."""
        if export.effect == "customer_number":
            return {self._number_attribute: export.customer_number}
        wanted = dict(export.values)
        if GROUP in wanted:
            wanted[GROUP] = str(self._groups.id(wanted[GROUP]))
        return wanted

    def _read(self, external_id: str) -> Item:
        known = external_id.isascii() and external_id.isdigit()
        item = self._client.customer(external_id) if known else None
        if item is None:
            raise RemoteGone(f"customer {external_id} does not exist any more")
        return _of_customer(item, int(external_id))

    def _put(self, before: Item, changes: Mapping[str, str]) -> Item:
        body = {key: before[key] for key in ECHOED if key in before}
        if GROUP in changes:
            body[GROUP] = int(changes[GROUP])
        attributes = {field: value for field, value in changes.items() if field != GROUP}
        if attributes:
            body["custom_attributes"] = [
                {"attribute_code": code, "value": value} for code, value in attributes.items()
            ]
        customer_id = before["id"]
        return _of_customer(self._client.update_customer(str(customer_id), body), customer_id)

    def _missed(self, after: Item, target: Mapping[str, str]) -> PatronError | None:
        """Return what became of the fields that the answer does not hold as wanted."""
        wrong = [field for field, value in target.items() if not self._holds(after, field, value)]
        if dropped := [field for field in wrong if field not in _fields(after)]:
            return AttributeMissing(f"the shop dropped {', '.join(dropped)}: create it there")
        if wrong:
            return RemoteRejected(f"the shop stored {', '.join(wrong)} differently")
        return None

    def _holds(self, item: Item, field: str, wanted: str) -> bool:
        stored = _text(_fields(item).get(field))
        if stored == wanted:
            return True
        # A decimal attribute answers 5 with 5.0000; but a number series may mean its zeros.
        return field != self._number_attribute and _are_equal_numbers(stored, wanted)


def _of_customer(item: Item, customer_id: int) -> Item:
    if item.get("id") != customer_id:
        raise UnreadableAnswer(f"asked for customer {customer_id}, got another")
    return without_secrets(item)


def _fields(item: Item) -> dict[str, Any]:
    """Return what exports may write, by name."""
    return {**attribute_values(item), GROUP: item.get(GROUP)}


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return str(int(value))
    return "" if value is None else str(value)


def _are_equal_numbers(stored: str, wanted: str) -> bool:
    try:
        return Decimal(stored) == Decimal(wanted)
    except InvalidOperation:
        return False


def _undone(after: Item, before: Item, changes: Mapping[str, str]) -> Item:
    """Return `after` without our changes: equal to `before` unless somebody else wrote too."""
    was = attribute_values(before)
    values = attribute_values(after)
    for field in changes:
        values.pop(field, None)
        if field in was:
            values[field] = was[field]
    item = {
        **after,
        "custom_attributes": [{"attribute_code": c, "value": v} for c, v in values.items()],
    }
    return {**item, GROUP: before.get(GROUP)} if GROUP in changes else item
