"""JSON pointers (RFC 6901): set a value by one, and say by which two documents differ. Pure.

For amending messages. Documents are what JSON parsers return.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final, Literal

_POSITION: Final = re.compile(r"0|[1-9][0-9]{0,8}")


class PointerInvalid(ValueError):
    """A pointer is none, or leads nowhere in the document; the text says which."""


@dataclass(frozen=True, slots=True)
class Change:
    """One difference; `before` is None where a value was added, `after` where one was removed."""

    op: Literal["add", "remove", "replace"]
    path: str
    before: Any = None
    after: Any = None


def parse(pointer: str) -> list[str]:
    """Return the steps of a pointer. Raises PointerInvalid."""
    if pointer and not pointer.startswith("/"):
        raise PointerInvalid(f"{pointer}: a JSON pointer starts with /, such as /customer/email")
    if re.search(r"~(?![01])", pointer):
        raise PointerInvalid(f"{pointer}: ~ is written ~0, and / in a key ~1")
    return [step.replace("~1", "/").replace("~0", "~") for step in pointer.split("/")[1:]]


def find(document: Any, pointer: str, default: Any = None) -> Any:
    """Return the value at `pointer`, or `default` if there is none."""
    node = document
    for step in parse(pointer):
        match node:
            case dict() if step in node:
                node = node[step]
            case list() if _POSITION.fullmatch(step) and int(step) < len(node):
                node = node[int(step)]
            case _:
                return default
    return node


def with_value(document: Any, pointer: str, value: Any) -> Any:
    """Return `document` with `value` at `pointer`; `-` appends to a list. Raises PointerInvalid.

    Every step but the last must be there already: a slip of the pen makes no new branch.
    """
    return _set(document, parse(pointer), value, pointer)


def changes(before: Any, after: Any) -> list[Change]:
    """Return what differs, in the order of the documents; values that were not there are None."""
    return list(_changes(before, after, ""))


def _set(node: Any, steps: list[str], value: Any, pointer: str) -> Any:
    if not steps:
        return value
    step, *rest = steps
    match node:
        case dict() if step in node or not rest:
            return {**node, step: _set(node.get(step), rest, value, pointer)}
        case list() if step == "-" and not rest:
            return [*node, value]
        case list() if _POSITION.fullmatch(step) and int(step) < len(node):
            at = int(step)
            return [*node[:at], _set(node[at], rest, value, pointer), *node[at + 1 :]]
    raise PointerInvalid(f"{pointer}: there is no such place in the message")


def _changes(before: Any, after: Any, path: str) -> Iterator[Change]:
    if isinstance(before, dict) and isinstance(after, dict):
        for key in [*before, *(key for key in after if key not in before)]:
            place = f"{path}/{_escaped(key)}"
            if key not in after:
                yield Change("remove", place, before=before[key])
            elif key not in before:
                yield Change("add", place, after=after[key])
            else:
                yield from _changes(before[key], after[key], place)
    elif isinstance(before, list) and isinstance(after, list) and len(before) == len(after):
        for at, (old, new) in enumerate(zip(before, after, strict=True)):
            yield from _changes(old, new, f"{path}/{at}")
    elif before != after or type(before) is not type(after):
        yield Change("replace", path, before=before, after=after)


def _escaped(key: str) -> str:
    return key.replace("~", "~0").replace("/", "~1")
