"""Ids of what we make."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

from shared.domain.ids import new_id


def test_ids_sort_by_the_order_in_which_they_were_made() -> None:
    """Also those of one millisecond."""
    ids = [new_id() for _ in range(1000)]

    assert ids == sorted(set(ids))


def test_an_id_is_like_any_other_uuid() -> None:
    """It is a UUID of version 7 in all respects, and says when it was made."""
    made = new_id()

    same = UUID(str(made))

    assert (same, hash(same), same.is_safe) == (made, hash(made), made.is_safe)
    assert made.version == 7
    age = datetime.now(UTC) - datetime.fromtimestamp((made.int >> 80) / 1000, UTC)
    assert abs(age) < timedelta(minutes=1)
