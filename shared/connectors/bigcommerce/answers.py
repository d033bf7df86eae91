"""What an answer must be to be believed, for both of BigCommerce's APIs.

Promise: what a function returns has the shape its contract says; every other answer is an error
of `shared.domain.errors`.
"""

from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import Any

from shared.connectors.http import Answer
from shared.domain.errors import ConfigurationError, RemoteRejected, UnreadableAnswer

Item = dict[str, Any]


def succeeded(answer: Answer, explain: Callable[[Answer], str]) -> Answer:
    """Return the answer, or raise what it means."""
    if answer.is_success:
        return answer
    if answer.status == HTTPStatus.NOT_FOUND:
        text = f"no such route, check base_url and store_hash: {explain(answer)}"
        raise ConfigurationError(text)
    raise RemoteRejected(f"status {answer.status}: {explain(answer)}")


def mapping_of(answer: Answer) -> Item:
    """Return a body that is an object."""
    body = answer.json()
    if not isinstance(body, dict):
        raise UnreadableAnswer("not an object where one is due")
    return body


def mappings(value: Any) -> list[Item]:
    """Return a list of objects as one."""
    if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
        raise UnreadableAnswer("not a list of objects where one is due")
    return value


def data_of(answer: Answer) -> list[Item]:
    """Return the rows of an answer."""
    return mappings(mapping_of(answer).get("data"))


def within(body: Mapping[str, Any], *path: str) -> Any:
    """Return what a path leads to, or None."""
    value: Any = body
    for key in path:
        value = value.get(key) if isinstance(value, dict) else None
    return value


def id_of(item: Mapping[str, Any], name: str = "id") -> int:
    """Return an id. Raises `UnreadableAnswer` for anything that is none."""
    number = item.get(name)
    if isinstance(number, bool) or not isinstance(number, int) or number < 1:
        raise UnreadableAnswer(f"a row without {name}")
    return number
