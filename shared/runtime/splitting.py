"""One bad item must not stop its neighbours: a batch that fails is tried again in halves."""

from collections.abc import Callable, Sequence
from typing import TypeVar

from shared.runtime.patience import Stopping

T = TypeVar("T")
R = TypeVar("R")


def in_halves(
    batch: Sequence[T],
    attempt: Callable[[Sequence[T]], Sequence[R]],
    fail: Callable[[T, Exception], R],
) -> list[R]:
    """Return `attempt(batch)`, split down to the items at fault, for which `fail` answers.

    `attempt` must leave nothing behind when it raises. Results are in the order of the batch.
    """
    try:
        return list(attempt(batch))
    except Stopping:
        raise
    except Exception as error:  # noqa: BLE001 - `fail` decides about every failure
        if len(batch) == 1:
            return [fail(batch[0], error)]
    middle = len(batch) // 2
    return [
        *in_halves(batch[:middle], attempt, fail),
        *in_halves(batch[middle:], attempt, fail),
    ]
