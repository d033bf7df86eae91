"""The fields of a customer that exports may write, and how they stand in a record.

A field is the name of an attribute, `customer_group_id` (by its id), or the metafield of the
customer number.
"""

from collections.abc import Iterable, Mapping
from decimal import Decimal, InvalidOperation
from typing import Any, Final

from shared.connectors.bigcommerce.answers import Item
from shared.connectors.bigcommerce.names import Names
from shared.connectors.bigcommerce.record import attribute_values, metafields_named
from shared.connectors.bigcommerce.settings import BigCommerceSettings, MetafieldNumber

GROUP: Final = "customer_group_id"
_METAFIELD: Final = "metafield "


class Fields:
    """Reads and undoes the fields of one channel's customers."""

    def __init__(self, settings: BigCommerceSettings, attributes: Names) -> None:
        self._attributes = attributes
        number = settings.number
        self.metafield = number if isinstance(number, MetafieldNumber) else None
        self.number = f"{_METAFIELD}{number.name}" if self.metafield else number.name

    def attribute_id(self, field: str) -> int | None:
        """Return the id of the attribute that a field is; None for the others."""
        if field == GROUP or self.is_metafield(field):
            return None
        return self._attributes.id(field)

    def is_metafield(self, field: str) -> bool:
        """Whether a field is the number's metafield."""
        return self.metafield is not None and field == self.number

    def holds(self, payload: Mapping[str, Any], field: str, wanted: str) -> bool:
        """Whether a customer has the wanted value."""
        stored = self.value(payload, field) or ""
        # A number attribute may answer 5 with 5.0; but a number series may mean its zeros.
        return stored == wanted or (field != self.number and _are_equal(stored, wanted))

    def differing(self, payload: Mapping[str, Any], target: Mapping[str, str]) -> dict[str, str]:
        """Return what a customer does not have as wanted."""
        return {f: wanted for f, wanted in target.items() if not self.holds(payload, f, wanted)}

    def value(self, payload: Mapping[str, Any], field: str) -> str | None:
        """Return what a customer has, or None."""
        item = dict(payload)
        if field == GROUP:
            return str(item.get(GROUP) or 0)
        if self.metafield and field == self.number:
            rows = self.own_metafields(item)
            return str(rows[0].get("value")) if rows else None
        number = self._attributes.id(field)
        return None if number is None else attribute_values(item).get(number)

    def own_metafields(self, payload: Mapping[str, Any]) -> list[Item]:
        """Return the customer's metafields that bear the number's name."""
        if self.metafield is None:
            return []
        return metafields_named(dict(payload), self.metafield.namespace, self.metafield.key)

    def undone(
        self, after: Mapping[str, Any], before: Mapping[str, Any], fields: Iterable[str]
    ) -> Item:
        """Return `after` without our changes: equal to `before` unless somebody else wrote too."""
        item = dict(after)
        changed = set(fields)
        ids = {self.attribute_id(field) for field in changed} - {None}
        item["attributes"] = [
            *(row for row in _rows(after, "attributes") if row.get("attribute_id") not in ids),
            *(row for row in _rows(before, "attributes") if row.get("attribute_id") in ids),
        ]
        if GROUP in changed:
            item[GROUP] = before.get(GROUP)
        if self.metafield and self.number in changed:
            ours = self.own_metafields(after)
            others = [row for row in _rows(after, "metafields") if row not in ours]
            item["metafields"] = [*others, *self.own_metafields(before)]
        return item


def _rows(payload: Mapping[str, Any], name: str) -> list[Item]:
    rows = payload.get(name)
    return rows if isinstance(rows, list) else []


def _are_equal(stored: str, wanted: str) -> bool:
    try:
        return Decimal(stored) == Decimal(wanted)
    except InvalidOperation:
        return False
