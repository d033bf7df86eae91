"""Magento's error bodies put into words that are safe to log.

A body holds a template (`No such entity with %fieldName = %fieldValue`), its parameters, and
maybe more of both under `errors`. Parameters are often what the customer typed, and so are the
words of messages that were filled in already. Promise: nothing passes but words of Magento's own
messages, names of fields and rights, and the ids of records.
"""

import re
from collections.abc import Iterable, Mapping
from typing import Any

import orjson

from shared.connectors.http import Answer
from shared.connectors.magento.vocabulary import FIELDS, ID_FIELDS, WORDS
from shared.connectors.masking import MASK, Masking, merged

LONGEST_TEXT = 500
MOST_ERRORS = 10
_SMALLEST_ID_LIKE = 1000

_NAMING = frozenset({"fieldName", "field2Name", "resources", "attributeCode", "attribute_code"})
_KEPT_WHOLE = r"webapi-[0-9a-f]+|Magento_\w+(?:::\w+)*"
_PLACEHOLDER = re.compile(r"%(\w+)")
_RESOURCES = re.compile(r"^(?:Magento_\w+::\w+|self|anonymous)(?:,\s*(?:Magento_\w+::\w+|self))*$")


class Explanation:
    """Explains answers of one shop; `own_fields` are its attribute codes, which may be named."""

    def __init__(self, own_fields: Iterable[str] = ()) -> None:
        self._fields = FIELDS | frozenset(own_fields)
        self._mask = Masking(WORDS, self._fields, kept_whole=_KEPT_WHOLE)

    def __call__(self, answer: Answer) -> str:
        """Return the safe words of an error answer, "" where there is none to be had."""
        try:
            body = orjson.loads(answer.body)
        except orjson.JSONDecodeError:
            return "(no JSON)"
        return "; ".join(filter(None, self._of_body(body)))[:LONGEST_TEXT]

    def _of_body(self, body: Any) -> Iterable[str]:
        if not isinstance(body, Mapping):
            return
        yield self._of_message(body)
        yield from map(self._of_message, _mappings(body.get("errors")))
        # What is rendered outside the normal path: {"messages": {"error": [...]}}
        if isinstance(fatal := body.get("messages"), Mapping):
            yield from map(self._of_message, _mappings(fatal.get("error")))

    def _of_message(self, error: Mapping[str, Any]) -> str:
        template = error.get("message")
        if not isinstance(template, str):
            return ""
        safe = self._safe_parameters(error.get("parameters"))
        parts = _PLACEHOLDER.split(template)
        # split alternates between text and the names of placeholders
        filled = [
            safe.get(part, MASK) if number % 2 else self._mask(part)
            for number, part in enumerate(parts)
        ]
        return merged("".join(filled))

    def _safe_parameters(self, parameters: Any) -> dict[str, str]:
        if isinstance(parameters, list):
            return {
                str(number): self._safe_value(value)
                for number, value in enumerate(parameters, start=1)
            }
        if not isinstance(parameters, Mapping):
            return {}
        safe = {
            name: self._safe_value(value) for name, value in parameters.items() if name in _NAMING
        }
        for name, value in (("fieldName", "fieldValue"), ("field2Name", "field2Value")):
            if safe.get(name) in ID_FIELDS and value in parameters:
                safe[value] = self._safe_id(parameters[value])
        return safe

    def _safe_value(self, value: Any) -> str:
        if isinstance(value, int) and 0 <= value < _SMALLEST_ID_LIKE:
            return str(value)
        text = str(value)
        return text if text in self._fields or _RESOURCES.match(text) else MASK

    def _safe_id(self, value: Any) -> str:
        text = str(value)
        return text if text.isascii() and text.isdigit() else self._safe_value(value)


def is_about_missing(answer: Answer) -> bool:
    """Whether a 404 says that the record does not exist, rather than the route."""
    try:
        body = orjson.loads(answer.body)
    except orjson.JSONDecodeError:
        return False
    parameters = body.get("parameters") if isinstance(body, Mapping) else None
    return isinstance(parameters, Mapping) and "fieldName" in parameters


def _mappings(values: Any) -> list[Mapping[str, Any]]:
    if not isinstance(values, list):
        return []
    return [value for value in values if isinstance(value, Mapping)][:MOST_ERRORS]
