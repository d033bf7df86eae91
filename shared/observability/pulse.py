"""A sign of life from deep within a piece of work, for whoever answers for it.

What takes long does so in bounded steps, such as calls to a shop; each of them is felt by the loop
whose work it is. So a shop that is slow makes no worker look dead, and a thread that hangs does.
Promise: it costs next to nothing, and nobody need feel it.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

Feel = Callable[[], None]


def _unfelt() -> None:
    """Nobody answers for this thread."""


_felt: ContextVar[Feel] = ContextVar("pulse", default=_unfelt)


@contextmanager
def felt_by(feel: Feel) -> Iterator[None]:
    """Have `feel` called at each sign of life of this thread."""
    token = _felt.set(feel)
    try:
        yield
    finally:
        _felt.reset(token)


def pulse() -> None:
    """Give a sign of life: a step of the work has begun, or is waited for."""
    _felt.get()()
