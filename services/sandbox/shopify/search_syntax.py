"""The search syntax: `updated_at:>='2026-11-20T08:00:00Z' AND tag:erp`.

Kept as treacherous as it is: a misspelt field is passed over, so that everything is found; a
timestamp without quotes loses its time and is meant in the shop's zone; e-mails are found by
their parts. Its promise: any text is a query, and what can be read of it is applied.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta, tzinfo
from typing import Any

from services.sandbox.shopify.quirks import Quirks
from services.sandbox.shopify.table import Row
from services.sandbox.shopify.times import local

Test = Callable[[Row], bool]
Texts = Callable[[Row], Sequence[str]]
Numbers = Callable[[Row], int]
Range = tuple[int, int]

FOREVER = 1 << 60
_TOKEN = re.compile(
    r"""\s*(?:
    (?P<mark>[()]) |
    (?P<word>AND|OR|NOT)(?=[\s()]|$) |
    (?P<minus>-)(?=[\w(]) |
    (?:(?P<field>[A-Za-z_][\w.]*)\s*:\s*)?(?P<op><=|>=|<|>)?\s*
    (?P<value>'(?:\\.|[^'\\])*'|"(?:\\.|[^"\\])*"|[^\s()]+)
    )""",
    re.VERBOSE,
)
_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Fields:
    """What may be searched for in one kind of record."""

    moments: Mapping[str, Numbers]
    numbers: Mapping[str, Numbers]
    texts: Mapping[str, Texts]
    tokens: Mapping[str, Texts]
    """Texts that are found by any of their parts."""
    metafield: Callable[[Row, str, str], str | None]
    anywhere: Texts


@dataclass(frozen=True, slots=True)
class Term:
    """One `field:value` of a query."""

    field: str
    operator: str
    value: str
    is_quoted: bool


@dataclass(frozen=True, slots=True)
class Query:
    """A query that has been read."""

    test: Test | None
    """None finds everything."""
    ranges: Mapping[str, Range]
    """Limits that everything found keeps to, by field, both ends included."""

    def matches(self, row: Row) -> bool:
        """Whether the query finds `row`."""
        return self.test is None or self.test(row)


def read_query(text: str | None, fields: Fields, zone: tzinfo, quirks: Quirks) -> Query:
    """Read a query, passing over whatever it says that means nothing."""
    reader = _Reader(fields, zone, quirks)
    tokens = [each for each in _TOKEN.finditer(text or "") if each[0].strip()]
    test, _ = reader.any_of(tokens, 0)
    return Query(test, {} if reader.has_alternatives else reader.ranges)


class _Reader:
    """Reads one query by recursive descent."""

    def __init__(self, fields: Fields, zone: tzinfo, quirks: Quirks) -> None:
        self._fields = fields
        self._zone = zone
        self._quirks = quirks
        self.ranges: dict[str, Range] = {}
        self.has_alternatives = False

    def any_of(self, tokens: list[re.Match[str]], at: int) -> tuple[Test | None, int]:
        found, at = self._all_of(tokens, at)
        tests = [found]
        while at < len(tokens) and tokens[at]["word"] == "OR":
            self.has_alternatives = True
            found, at = self._all_of(tokens, at + 1)
            tests.append(found)
        known = [test for test in tests if test]
        if len(known) < 2:
            return (known[0] if known else None), at
        return (lambda row: any(test(row) for test in known)), at

    def _all_of(self, tokens: list[re.Match[str]], at: int) -> tuple[Test | None, int]:
        known: list[Test] = []
        while at < len(tokens):
            token = tokens[at]
            if token["word"] == "OR" or token["mark"] == ")":
                break
            if token["word"] == "AND":
                at += 1
                continue
            found, at = self._one(tokens, at)
            if found:
                known.append(found)
        if len(known) < 2:
            return (known[0] if known else None), at
        return (lambda row: all(test(row) for test in known)), at

    def _one(self, tokens: list[re.Match[str]], at: int) -> tuple[Test | None, int]:
        token = tokens[at]
        if token["word"] == "NOT" or token["minus"]:
            self.has_alternatives = True  # what is limited in here is not limited outside
            if at + 1 >= len(tokens):
                return None, at + 1
            inner, at = self._one(tokens, at + 1)
            return (_negated(inner) if inner else None), at
        if token["mark"] == "(":
            inner, at = self.any_of(tokens, at + 1)
            return inner, at + 1
        return self._test(_term(token)), at + 1

    def _test(self, term: Term) -> Test | None:
        fields = self._fields
        if not term.field:
            wanted = _parts(term.value)
            return lambda row: _has_all(wanted, fields.anywhere(row))
        if moment_of := fields.moments.get(term.field):
            return self._ranged(term, moment_of, self._span(term))
        if number_of := fields.numbers.get(term.field):
            digits = term.value.rpartition("/")[2]
            span = (int(digits), int(digits)) if digits.isdigit() else None
            return self._ranged(term, number_of, span)
        return self._text_test(term)

    def _text_test(self, term: Term) -> Test | None:
        fields, value = self._fields, term.value.lower()
        if whole := fields.texts.get(term.field):
            return lambda row: any(each.lower() == value for each in whole(row))
        if parts := fields.tokens.get(term.field):
            if value == "*":
                return lambda row: bool(parts(row))
            wanted = _parts(value)
            find = _has_phrase if term.is_quoted else _has_all
            return lambda row: find(wanted, parts(row))
        family, _, name = term.field.partition(".")
        namespace, _, key = name.partition(".")
        if family != "metafields" or not key:
            return None
        return lambda row: fields.metafield(row, namespace, key) == term.value

    def _ranged(self, term: Term, of: Numbers, span: Range | None) -> Test | None:
        if span is None:
            return None
        low, high = span
        least, most = {
            "": (low, high),
            ">": (low if self._quirks.greater_is_inclusive else high + 1, FOREVER),
            ">=": (low, FOREVER),
            "<": (-FOREVER, low - 1),
            "<=": (-FOREVER, high),
        }[term.operator]
        before = self.ranges.get(term.field, (-FOREVER, FOREVER))
        self.ranges[term.field] = max(before[0], least), min(before[1], most)
        return lambda row: least <= of(row) <= most

    def _span(self, term: Term) -> Range | None:
        """Return the moments that a value means: one, or a whole day of the shop."""
        keeps_time = term.is_quoted and not self._quirks.searches_whole_days
        text = term.value if keeps_time else term.value.partition("T")[0]
        try:
            first = local(text, self._zone)
        except ValueError:
            return None
        if len(text) > len("2026-11-20"):
            return first, first
        return first, first + int(_DAY.total_seconds()) - 1


def _negated(test: Test) -> Test:
    return lambda row: not test(row)


def _term(token: re.Match[str]) -> Term:
    value: str = token["value"]
    is_quoted = len(value) > 1 and value[0] in "'\"" and value[-1] == value[0]
    if is_quoted:
        value = re.sub(r"\\(.)", r"\1", value[1:-1])
    return Term(token["field"] or "", token["op"] or "", value, is_quoted)


def _parts(text: str) -> list[str]:
    return [part for part in re.split(r"[^\w]+", text.lower()) if part]


def _has_all(wanted: list[str], texts: Sequence[str]) -> bool:
    found = {part for text in texts for part in _parts(text)}
    return all(part in found for part in wanted)


def _has_phrase(wanted: list[str], texts: Sequence[Any]) -> bool:
    size = len(wanted)
    return any(
        parts[place : place + size] == wanted
        for parts in map(_parts, texts)
        for place in range(len(parts) - size + 1)
    )
