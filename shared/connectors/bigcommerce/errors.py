"""BigCommerce's error bodies put into words that are safe to log.

Its own API answers with `title` and `errors`, by field and in any form; the B2B Edition with
`meta.message` and `data.errMsg`. Both repeat what was sent. Promise: nothing passes but words of
the platform's own messages, names of fields, and places in a list that we sent.
"""

from collections.abc import Iterable, Iterator, Mapping
from http import HTTPStatus
from typing import Any, Final

import orjson

from shared.connectors.bigcommerce.vocabulary import FIELDS, WORDS
from shared.connectors.http import Answer
from shared.connectors.masking import MASK, Masking, merged
from shared.domain.errors import (
    ConfigurationError,
    PatronError,
    RemoteRejected,
    RemoteUnavailable,
)

LONGEST_TEXT = 500
MOST_ERRORS = 10
_LARGEST_PLACE = 99
_ADDED = frozenset({"type", "status"})
_NESTING = frozenset({"errors", "title", "message"})


class AlreadyThere(RemoteRejected):
    """Somebody created it since we looked."""


MEANINGS: Final[Mapping[int, type[PatronError]]] = {
    HTTPStatus.CONFLICT: AlreadyThere,
    HTTPStatus.LOCKED: RemoteUnavailable,
    HTTPStatus.NOT_IMPLEMENTED: RemoteRejected,
    HTTPStatus.INSUFFICIENT_STORAGE: ConfigurationError,  # a limit of the shop's plan
}


class Explanation:
    """Explains answers of one shop; `own_fields` are its names of fields, which may be told."""

    def __init__(self, own_fields: Iterable[str] = ()) -> None:
        words = {word for name in own_fields for word in (name, *name.replace(".", " ").split())}
        self._mask = Masking(WORDS, FIELDS | words)

    def __call__(self, answer: Answer) -> str:
        """Return the safe words of an error answer, "" where there is none to be had."""
        try:
            body = orjson.loads(answer.body)
        except orjson.JSONDecodeError:
            return "(no JSON)" if answer.body else ""
        parts = list(self._of_body(body))[: MOST_ERRORS + 1]
        return "; ".join(filter(None, parts))[:LONGEST_TEXT]

    def _of_body(self, body: Any) -> Iterator[str]:
        if isinstance(body, list):  # V2 answers with a list of errors
            body = {"errors": body}
        if not isinstance(body, Mapping):
            return
        yield self._safe(body.get("title"))
        yield self._safe(_mapping(body.get("meta")).get("message"))
        yield from self._flat(body.get("errors"))
        yield from self._flat(_mapping(body.get("data")).get("errMsg"))

    def _flat(self, errors: Any, path: tuple[str, ...] = ()) -> Iterator[str]:
        """Yield each text of a tree of errors, with the names that lead to it."""
        if isinstance(errors, Mapping):
            for key, value in errors.items():
                if key not in _ADDED:
                    within = path if key in _NESTING else (*path, str(key))
                    yield from self._flat(value, within)
        elif isinstance(errors, list):
            for value in errors:
                yield from self._flat(value, path)
        elif isinstance(errors, str) and (text := self._safe(errors)):
            place = merged(".".join(self._place(part) for key in path for part in key.split(".")))
            yield f"{place.strip('.')}: {text}" if place.strip(".") else text

    def _place(self, key: str) -> str:
        if key.isascii() and key.isdigit() and int(key) <= _LARGEST_PLACE:
            return key
        return self._mask(key)

    def _safe(self, text: Any) -> str:
        if not isinstance(text, str):
            return ""
        safe = merged(self._mask(text))
        return "" if safe == MASK else safe


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}
