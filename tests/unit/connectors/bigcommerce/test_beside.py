"""What a shop keeps beside its customers: complete, current, and read no more than needed."""

from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from shared.connectors.bigcommerce.beside import Beside
from shared.connectors.content import moment
from shared.domain.errors import RemoteUnavailable

Row = dict[str, Any]


class Shop:
    """Rows in pages of two, and what was asked for."""

    def __init__(self, *rows: Row) -> None:
        self.rows = list(rows)
        self.asked: list[datetime | None] = []
        self.between: Callable[[], None] = lambda: None

    def read(self, since: datetime | None) -> Iterator[Sequence[Row]]:
        """Give what changed, or everything."""
        self.asked.append(since)
        changed = [r for r in self.rows if since is None or moment(r["date_modified"]) >= since]  # type: ignore[operator]
        for start in range(0, len(changed), 2):
            yield changed[start : start + 2]
            self.between()


def row(number: int, customer: int, value: str = "", minutes: float = -60.0) -> Row:
    """Return a row that changed so many minutes from now."""
    at = datetime.now(UTC) + timedelta(minutes=minutes)
    return {"id": number, "customer": customer, "value": value, "date_modified": at.isoformat()}


def beside(shop: Shop) -> Beside[int]:
    """Return what is kept of a shop."""
    return Beside(
        shop.read,
        owner=lambda each: each["customer"],
        touched=lambda each: moment(each["date_modified"]),
    )


def values(kept: Beside[int], customer: int) -> list[str]:
    """Return what a customer has."""
    return [each["value"] for each in kept.of(customer)]


def test_everything_is_read_once_and_then_what_changed() -> None:
    """By the platform's own times, a minute back."""
    shop = Shop(row(1, 7, "a"), row(2, 8, "b"), row(3, 7, "c"))
    kept = beside(shop)
    kept.refresh()
    shop.rows[1] = row(2, 8, "new", minutes=0)
    kept.refresh()
    kept.refresh()

    assert (values(kept, 7), values(kept, 8), values(kept, 9)) == (["a", "c"], ["new"], [])
    assert shop.asked.count(None) == 1
    changed = moment(shop.rows[1]["date_modified"])
    assert changed
    assert shop.asked[-1] == changed - timedelta(minutes=1)


def test_a_row_may_change_its_customer() -> None:
    """It is the other's then, and no more the one's."""
    shop = Shop(row(1, 7, "a"))
    kept = beside(shop)
    kept.refresh()
    shop.rows[0] = row(1, 8, "a", minutes=0)

    kept.refresh()

    assert (values(kept, 7), values(kept, 8)) == ([], ["a"])


def test_what_was_told_of_one_customer_is_not_taken_for_everything() -> None:
    """A single customer may be read before all are."""
    shop = Shop(row(1, 7, "a"), row(2, 8, "b"))
    kept = beside(shop)
    kept.replace(8, [row(2, 8, "exact", minutes=0)])

    kept.refresh()

    assert values(kept, 7) == ["a"]


def test_what_is_deleted_is_noticed_when_everything_is_read_again() -> None:
    """It leaves no trace else."""
    shop = Shop(row(1, 7, "a"), row(2, 7, "b"))
    kept = beside(shop)
    kept.refresh()
    del shop.rows[0]

    while kept.load_more():
        pass

    assert values(kept, 7) == ["b"]


def test_a_change_while_everything_is_read_is_not_lost() -> None:
    """Though its page was read before."""
    shop = Shop(row(1, 7, "a"), row(2, 7, "b"), row(3, 7, "c"))
    kept = beside(shop)
    kept.load_more()
    shop.rows[0] = row(1, 7, "new", minutes=0)
    while kept.load_more():
        pass

    kept.refresh()

    assert values(kept, 7) == ["new", "b", "c"]


def test_reading_everything_goes_on_where_it_was_broken_off() -> None:
    """It may take longer than anybody may be silent."""
    shop = Shop(*(row(number, 7) for number in range(1, 6)))
    kept = beside(shop)

    steps = 1
    while kept.load_more():
        steps += 1

    assert steps == 4
    assert shop.asked == [None]
    assert not kept.is_older_than(60)


def test_a_failure_leaves_what_was_known() -> None:
    """And how far it was known."""
    shop = Shop(row(1, 7, "a"), row(2, 7, "b"), row(3, 7, "c"))
    kept = beside(shop)
    kept.refresh()
    shop.rows = [row(n, 7, "new", minutes=0) for n in (1, 2, 3)]

    def fail() -> None:
        raise RemoteUnavailable("no answer")

    shop.between = fail
    with pytest.raises(RemoteUnavailable):
        kept.refresh()
    shop.between = lambda: None
    assert values(kept, 7) == ["a", "b", "c"]
    kept.refresh()

    assert values(kept, 7) == ["new", "new", "new"]


def test_a_broken_load_begins_again() -> None:
    """Half of everything is nothing."""
    shop = Shop(*(row(number, 7) for number in range(1, 6)))
    kept = beside(shop)

    def fail() -> None:
        raise RemoteUnavailable("no answer")

    shop.between = fail
    kept.load_more()
    with pytest.raises(RemoteUnavailable):
        kept.load_more()
    shop.between = lambda: None

    kept.refresh()

    assert len(kept.of(7)) == 5
