"""What is wrong with a configuration, in words for whoever wrote it.

Its promise: a problem names the file, the key and what is allowed, and never a value: values may
be secrets.
"""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from pydantic import ValidationError

ENVIRONMENT = "environment"


class Problem(NamedTuple):
    """Something wrong with the configuration: where it stands, its key, and what is allowed."""

    origin: str
    key: str
    text: str

    def __str__(self) -> str:
        return (
            f"{self.origin}: {self.key}: {self.text}" if self.key else f"{self.origin}: {self.text}"
        )


class ConfigurationInvalid(Exception):
    """The configuration cannot be used; `problems` names all that is wrong, without values."""

    def __init__(self, problems: list[Problem]) -> None:
        super().__init__("\n".join(str(problem) for problem in problems))
        self.problems = problems


class Fault(NamedTuple):
    """What a model refuses: the place as it stands in the data, and what is allowed there."""

    location: tuple[str, ...]
    text: str


def faults_of(error: ValidationError, data: Any) -> list[Fault]:
    """Return all that `error` says of `data`, in words and at places that a person can find."""
    return [
        Fault(_place(data, entry["loc"]), _readable(entry["msg"]))
        for entry in error.errors(include_url=False, include_context=False, include_input=False)
        if not (entry["type"] == "too_short" and _has_entries(data, entry["loc"]))
    ]


def _has_entries(data: Any, location: Sequence[int | str]) -> bool:
    """Whether a list stands at `location` that only lost its faulty entries, and is not short."""
    for part in location:
        if not _holds(data, str(part)):
            return False
        data = data[part]
    return isinstance(data, list | tuple) and bool(data)


def stands_in(data: Any, location: Sequence[str]) -> bool:
    """Whether `data` holds something at `location`."""
    node = data
    for key in location:
        if not _holds(node, key):
            return False
        node = node[int(key)] if isinstance(node, list | tuple) else node[key]
    return bool(location)


def _place(data: Any, location: Sequence[int | str]) -> tuple[str, ...]:
    """Return `location` without the names that pydantic puts in for the branch of a union."""
    place: list[str] = []
    node = data
    for position, part in enumerate(map(str, location), start=1):
        if _holds(node, part):
            node = node[int(part)] if isinstance(node, list | tuple) else node[part]
        elif position < len(location):
            continue
        place.append(part)
    return tuple(place)


def _holds(node: Any, key: str) -> bool:
    if isinstance(node, Mapping):
        return key in node
    return isinstance(node, list | tuple) and key.isdigit() and int(key) < len(node)


def _readable(message: str) -> str:
    return {
        "Field required": "is missing",
        "Extra inputs are not permitted": "there is no such key",
    }.get(message, _plain(message.removeprefix("Value error, ")))


def _plain(message: str) -> str:
    """Let pydantic's sentence go on after the key: `Input should be …` becomes `should be …`."""
    for start in ("Input should be ", "Input should have "):
        if message.startswith(start):
            return "should " + message.removeprefix("Input should ")
    return message
