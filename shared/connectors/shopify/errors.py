"""What Shopify says went wrong: errors of ours, in words that are safe to log.

    the query is refused whole        THROTTLED              RemoteThrottled
                                      MAX_COST_EXCEEDED      CostExceeded: ask for less at once
                                      ACCESS_DENIED          FieldsDenied, with the protected data
                                      SHOP_INACTIVE          ConfigurationError
                                      INTERNAL_SERVER_ERROR  RemoteUnavailable
                                      without a code         ConfigurationError: not our version
    the data is refused (userErrors)  see `Refusal`

Promise: no text holds anything but words of Shopify's own messages, names of its fields and codes.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from shared.connectors.http import Answer
from shared.connectors.masking import Masking, merged
from shared.connectors.shopify.approval import Protected, protected_by
from shared.connectors.shopify.vocabulary import NAMES, WORDS
from shared.domain.errors import (
    AccessDenied,
    AttributeMissing,
    ConfigurationError,
    PatronError,
    RemoteGone,
    RemoteRejected,
    RemoteUnavailable,
)

LONGEST_TEXT = 500
MOST_ERRORS = 10
_TEMPORARY = frozenset({"INTERNAL_SERVER_ERROR", "TIMEOUT", "SERVICE_UNAVAILABLE"})


class CostExceeded(RemoteRejected):
    """One query asks for more than a query may: ask for fewer records."""


class FieldsDenied(AccessDenied):
    """The app may not read some fields; `protected` are the kinds of personal data among them."""

    def __init__(self, text: str, protected: frozenset[Protected]) -> None:
        super().__init__(text)
        self.protected = protected


@dataclass(frozen=True, slots=True)
class Refusal:
    """One of a mutation's `userErrors`."""

    field: Sequence[str]
    code: str
    text: str

    @property
    def is_stale(self) -> bool:
        """Whether somebody else wrote meanwhile."""
        return self.code in {"STALE_OBJECT", "INVALID_COMPARE_DIGEST"}

    @property
    def element(self) -> int | None:
        """The number of the metafield that it is about."""
        number = self.field[1] if len(self.field) > 1 else ""
        is_about_one = self.field[:1] == ["metafields"] and number.isascii() and number.isdigit()
        return int(number) if is_about_one else None

    @property
    def error(self) -> PatronError:
        """What it means to whoever wrote."""
        last = self.field[-1] if self.field else ""
        if self.code == "RESOURCE_NOT_FOUND" or last == "ownerId":
            return RemoteGone(self.text)
        if self.code == "INTERNAL_ERROR" or self.is_stale:
            return RemoteUnavailable(self.text)
        if self.code == "APP_NOT_AUTHORIZED":
            return AccessDenied(self.text)
        if last == "type":
            return AttributeMissing(f"the metafield has no definition, or another: {self.text}")
        return RemoteRejected(self.text)


class Explanation:
    """Explains answers of one shop; `own_names` are its metafields, which may be named."""

    def __init__(self, own_names: Iterable[str] = ()) -> None:
        parts = (part for name in own_names for part in (name, *name.split(".")))
        self._names = NAMES | frozenset(parts)
        self._masking = Masking(WORDS, self._names)

    def __call__(self, answer: Answer) -> str:
        """Return the safe words of an error answer, "" where there is none to be had."""
        try:
            body = orjson.loads(answer.body)
        except orjson.JSONDecodeError:
            return "(no JSON)"
        if not isinstance(body, Mapping):
            return ""
        said = body.get("errors") or body.get("error_description") or body.get("error")
        return self.of(said)

    def of(self, said: Any) -> str:
        """Return the safe words of an `errors` property, be it a text, a list or an object."""
        texts = [self._of_one(error) for error in _several(said)[:MOST_ERRORS]]
        return "; ".join(dict.fromkeys(filter(None, texts)))[:LONGEST_TEXT]

    def refusals(self, payload: Mapping[str, Any]) -> Sequence[Refusal]:
        """Return why a mutation refused its data; none if it did not."""
        return [self._refusal(error) for error in mappings(payload.get("userErrors"))]

    def _of_one(self, error: Any) -> str:
        if isinstance(error, str):
            return merged(self._masking(error))
        if not isinstance(error, Mapping):
            return ""
        message = error.get("message")
        text = merged(self._masking(message)) if isinstance(message, str) else ""
        return " ".join(filter(None, (self._safe_name(code_of(error)), text)))

    def _refusal(self, error: Mapping[str, Any]) -> Refusal:
        code, path = str(error.get("code") or ""), error.get("field")
        field = [str(part) for part in path] if isinstance(path, list) else []
        element = error.get("elementIndex")
        if not field and isinstance(element, int):
            field = ["metafields", str(element)]
        message = error.get("message")
        where = ".".join(filter(None, map(self._safe_name, field)))
        words = merged(self._masking(message)) if isinstance(message, str) else ""
        text = " ".join(filter(None, (f"{where}:" if where else "", self._safe_name(code), words)))
        return Refusal(field, code, text[:LONGEST_TEXT] or "refused without a reason")

    def _safe_name(self, name: str) -> str:
        known = name in self._names or (name.isupper() and name in _CODES)
        return name if known or (name.isascii() and name.isdigit()) else ""


_CODES = frozenset({"TAKEN", "BLANK", "INVALID", "PRESENT", "REQUIRED", "INCLUSION", "TIMEOUT"})


def raise_for(errors: Any, explain: Explanation) -> None:
    """Raise what a query's top-level errors mean; THROTTLED is for whoever knows its cost."""
    listed = mappings(errors)
    codes = {code_of(error) for error in listed}
    text = explain.of(errors) or "the query failed"
    if "MAX_COST_EXCEEDED" in codes:
        raise CostExceeded(text)
    if "SHOP_INACTIVE" in codes:
        raise ConfigurationError(f"the shop is not active: {text}")
    if "ACCESS_DENIED" in codes:
        denied = [error for error in listed if code_of(error) == "ACCESS_DENIED"]
        kinds = [protected_by(error.get("path")) for error in denied]
        protected = frozenset(filter(None, kinds)) if all(kinds) else frozenset()
        raise FieldsDenied(text, protected)
    if codes & _TEMPORARY:
        raise RemoteUnavailable(text)
    raise ConfigurationError(f"the shop does not understand the query, check api_version: {text}")


def is_throttled(errors: Any) -> bool:
    """Whether a query was refused because the bucket of points is empty."""
    return any(code_of(error) == "THROTTLED" for error in mappings(errors))


def code_of(error: Mapping[str, Any]) -> str:
    """Return a top-level error's code, "" where it has none."""
    extensions = error.get("extensions")
    return str(extensions.get("code") or "") if isinstance(extensions, Mapping) else ""


def mappings(values: Any) -> list[Mapping[str, Any]]:
    """Return the objects of a list; none for anything else."""
    if not isinstance(values, list):
        return []
    return [value for value in values if isinstance(value, Mapping)]


def _several(said: Any) -> list[Any]:
    if isinstance(said, Mapping):
        return [each for value in said.values() for each in _several(value)]
    return said if isinstance(said, list) else [said]
