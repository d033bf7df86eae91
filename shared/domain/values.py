"""Values that are made by the thousand: what passes between modules for every message.

A frozen dataclass sets each of its fields by a call, which makes it three times as dear as one that
is not; a batch makes some forty for each customer. A `value` is frozen for the type checker, which
every change has to pass, and plain at run time. Everything else is a frozen dataclass as usual.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar, dataclass_transform, overload

T = TypeVar("T")


@overload
def value(cls: type[T], /) -> type[T]: ...
@overload
def value(*, kw_only: bool = False, slots: bool = True) -> Callable[[type[T]], type[T]]: ...
@dataclass_transform(frozen_default=True)
def value(
    cls: type[T] | None = None, /, *, kw_only: bool = False, slots: bool = True
) -> type[T] | Callable[[type[T]], type[T]]:
    """Make a class a dataclass that is compared and hashed by its fields.

    With slots, unless it is written as JSON: orjson writes one without in a third of the time.
    """

    def make(cls: type[T]) -> type[T]:
        return dataclass(slots=slots, unsafe_hash=True, kw_only=kw_only)(cls)

    return make if cls is None else make(cls)
