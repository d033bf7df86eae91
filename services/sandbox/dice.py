"""Choices that follow from a seed, for everything random in the sandboxes.

Its promise: the same seed gives the same choices on every machine and every Python.
"""

from collections.abc import Sequence
from hashlib import blake2b
from typing import TypeVar

T = TypeVar("T")


class Dice:
    """An endless-enough supply of choices drawn from one hash."""

    __slots__ = ("_rest",)

    def __init__(self, *seed: object) -> None:
        digest = blake2b(":".join(map(str, seed)).encode(), digest_size=64).digest()
        self._rest = int.from_bytes(digest)

    def roll(self, sides: int) -> int:
        """Return a number from 0 to `sides` - 1."""
        self._rest, number = divmod(self._rest, sides)
        return number

    def pick(self, choices: Sequence[T]) -> T:
        """Return one of `choices`."""
        return choices[self.roll(len(choices))]

    def chance(self, percent: int) -> bool:
        """Return True in `percent` of a hundred cases."""
        return self.roll(100) < percent
