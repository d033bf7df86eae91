"""Search criteria as Magento reads them: always sorted upwards, always the first page.

Brackets are percent-encoded here, once, so that the address on the wire and the address that
is signed are the same.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple
from urllib.parse import quote


class Where(NamedTuple):
    """One condition; conditions of a search must all hold."""

    field: str
    condition: str
    value: str | int


@dataclass(frozen=True, slots=True)
class Search:
    """Which rows, in the order of which columns, and how many at most."""

    where: Sequence[Where]
    order_by: Sequence[str]
    limit: int

    def query(self) -> str:
        """Return the query string."""
        return "&".join(f"{quote(name, safe='')}={quote(value, safe='')}" for name, value in self)

    def __iter__(self) -> Iterator[tuple[str, str]]:
        for number, condition in enumerate(self.where):
            # Filters of one group are ORed, groups are ANDed: so one group for each condition.
            prefix = f"searchCriteria[filter_groups][{number}][filters][0]"
            yield f"{prefix}[field]", condition.field
            yield f"{prefix}[value]", str(condition.value)
            yield f"{prefix}[condition_type]", condition.condition
        for number, field in enumerate(self.order_by):
            # Without a direction Magento sorts downwards.
            yield f"searchCriteria[sortOrders][{number}][field]", field
            yield f"searchCriteria[sortOrders][{number}][direction]", "ASC"
        yield "searchCriteria[pageSize]", str(self.limit)
        yield "searchCriteria[currentPage]", "1"
