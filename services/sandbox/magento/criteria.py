"""Reads `searchCriteria[...]` and says which rows it means, as the platform's database would.

Groups are ANDed, the filters of one group ORed; text compares without regard to case; NULL
matches nothing but `null`. Its promise: pure functions of the query and a row.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from fnmatch import translate
from typing import Any, Protocol

from services.sandbox.clock import moment_of
from services.sandbox.magento.errors import Refusal, wrong_type

Value = int | str | None
Predicate = Callable[["Row"], bool]

WHOLE_NUMBERS = frozenset(
    {"entity_id", "website_id", "store_id", "group_id", "gender", "default_billing",
     "default_shipping", "disable_auto_group_change"}
)  # fmt: skip
MOMENTS = frozenset({"created_at", "updated_at"})
_NEEDS_NO_VALUE = frozenset({"null", "notnull"})
_BRACKETS = re.compile(r"\[([^\]]*)\]")


class Row(Protocol):
    """Anything whose fields can be asked for by name."""

    def value(self, field: str) -> Value:
        """Return the field, or None when it has no value."""


@dataclass(frozen=True, slots=True)
class Filter:
    """One comparison."""

    field: str
    value: str
    condition: str = "eq"


@dataclass(frozen=True, slots=True)
class Sort:
    """One sort key; without a direction it falls."""

    field: str
    direction: str | None

    @property
    def is_ascending(self) -> bool:
        """Whether it rises. The platform's default is to fall."""
        return (self.direction or "DESC").upper() == "ASC"


@dataclass(frozen=True, slots=True)
class Criteria:
    """A whole search."""

    groups: tuple[tuple[Filter, ...], ...] = ()
    sorts: tuple[Sort, ...] = ()
    page_size: int | None = None
    current_page: int | None = None

    def echo(self) -> dict[str, Any]:
        """Return it as the answer repeats it."""
        echo: dict[str, Any] = {
            "filter_groups": [{"filters": [_echo(each) for each in group]} for group in self.groups]
        }
        if self.sorts:
            echo["sort_orders"] = [
                {"field": sort.field} | ({"direction": sort.direction} if sort.direction else {})
                for sort in self.sorts
            ]
        if self.page_size is not None:
            echo["page_size"] = self.page_size
        if self.current_page is not None:
            echo["current_page"] = self.current_page
        return echo


def _echo(each: Filter) -> dict[str, str]:
    return {"field": each.field, "value": each.value, "condition_type": each.condition}


def parse_criteria(query: Iterable[tuple[str, str]]) -> Criteria:
    """Read the search out of a query string. Without one the platform refuses to search."""
    tree: dict[str, Any] = {}
    given = False
    for name, value in query:
        root, bracket, rest = name.partition("[")
        if _snake(root) != "search_criteria":
            continue
        given = True
        if bracket:
            _plant(tree, [_snake(key) for key in _BRACKETS.findall(bracket + rest)], value)
    if not given:
        raise Refusal(
            400, '"%fieldName" is required. Enter and try again.', {"fieldName": "searchCriteria"}
        )
    return _criteria(tree)


def _plant(tree: dict[str, Any], path: list[str], value: str) -> None:
    for key in path[:-1]:
        tree = tree.setdefault(key, {})
        if not isinstance(tree, dict):
            raise wrong_type(tree, "array")
    if path:
        tree[path[-1]] = value


def _criteria(tree: Mapping[str, Any]) -> Criteria:
    if unknown := tree.keys() - {"filter_groups", "sort_orders", "page_size", "current_page"}:
        raise Refusal(
            400,
            '"%fieldName" is not supported. Correct the field name and try again.',
            {"fieldName": _pascal(sorted(unknown)[0])},
        )
    return Criteria(
        groups=tuple(
            tuple(_filter(each) for each in _rows(group, "filters"))
            for group in _rows(tree, "filter_groups")
        ),
        sorts=tuple(_sort(each) for each in _rows(tree, "sort_orders")),
        page_size=_number(tree.get("page_size")),
        current_page=_number(tree.get("current_page")),
    )


def _rows(tree: Mapping[str, Any], name: str) -> list[Mapping[str, Any]]:
    found = tree.get(name, {})
    if not isinstance(found, dict) or not all(isinstance(row, dict) for row in found.values()):
        raise wrong_type(found, "array")
    return list(found.values())


def _filter(row: Mapping[str, Any]) -> Filter:
    condition = str(row.get("condition_type") or "eq").lower()
    return Filter(str(row.get("field", "")), str(row.get("value", "")), condition)


def _sort(row: Mapping[str, Any]) -> Sort:
    direction = row.get("direction")
    if direction is not None and str(direction).upper() not in {"ASC", "DESC"}:
        raise Refusal(
            400, "%1 is not a valid sort direction. Please use ASC or DESC.", [str(direction)]
        )
    return Sort(str(row.get("field", "")), str(direction).upper() if direction else None)


def _number(value: object) -> int | None:
    if value is None:
        return None
    try:
        return int(str(value))
    except ValueError:
        raise wrong_type(value, "int") from None


def _snake(name: str) -> str:
    return re.sub(r"(?<=[a-z])([A-Z])", r"_\1", name).lower()


def _pascal(name: str) -> str:
    return "".join(part.capitalize() for part in name.split("_"))


def predicate(each: Filter) -> Predicate:
    """Return the test that `each` makes of a row. Raises `Refusal` for an unknown condition."""
    make = _CONDITIONS.get(each.condition)
    if make is None:
        raise Refusal(400, "The condition type is invalid. Verify and try again.")
    field = each.field
    if each.condition in _NEEDS_NO_VALUE:
        test = make(None)
        return lambda row: test(row.value(field))
    wanted: Any = (
        [comparable(field, part) for part in each.value.split(",")]
        if each.condition in {"in", "nin"}
        else each.value
        if each.condition in _TEXT_ONLY
        else comparable(field, each.value)
    )
    test = make(wanted)

    def holds(row: Row) -> bool:
        value = row.value(field)
        return value is not None and test(fold(value))

    return holds


def comparable(field: str, text: str) -> Value:
    """Turn a filter's text into what the field holds; None compares with nothing."""
    try:
        if field in WHOLE_NUMBERS:
            return int(text)
        if field in MOMENTS:
            return moment_of(text.replace("T", " ", 1))
    except ValueError:
        return None
    return fold(text)


def fold(value: Value) -> Value:
    """Compare text as the database does: no case, no trailing blanks."""
    return value.casefold().rstrip(" ") if isinstance(value, str) else value


def _ordered(test: Callable[[Any, Any], bool]) -> Callable[[Any], Callable[[Any], bool]]:
    def make(wanted: Any) -> Callable[[Any], bool]:
        return lambda value: type(value) is type(wanted) and test(value, wanted)

    return make


def _like(pattern: str) -> Callable[[Any], bool]:
    shell = re.sub(r"[\[\]*?]", "[\\g<0>]", pattern).replace("%", "*").replace("_", "?")
    compiled = re.compile(translate(shell), re.IGNORECASE)
    return lambda value: compiled.match(str(value)) is not None


def _in_set(wanted: str) -> Callable[[Any], bool]:
    return lambda value: fold(wanted) in str(value).split(",")


def _negated(
    make: Callable[[Any], Callable[[Any], bool]],
) -> Callable[[Any], Callable[[Any], bool]]:
    def opposite(wanted: Any) -> Callable[[Any], bool]:
        test = make(wanted)
        return lambda value: not test(value)

    return opposite


_TEXT_ONLY = frozenset({"like", "nlike", "finset", "nfinset"})
_CONDITIONS: dict[str, Callable[[Any], Callable[[Any], bool]]] = {
    "eq": lambda wanted: lambda value: value == wanted,
    "neq": lambda wanted: lambda value: value != wanted,
    "gt": _ordered(lambda value, wanted: value > wanted),
    "gteq": _ordered(lambda value, wanted: value >= wanted),
    "moreq": _ordered(lambda value, wanted: value >= wanted),
    "lt": _ordered(lambda value, wanted: value < wanted),
    "lteq": _ordered(lambda value, wanted: value <= wanted),
    "from": _ordered(lambda value, wanted: value >= wanted),
    "to": _ordered(lambda value, wanted: value <= wanted),
    "in": lambda wanted: lambda value: value in wanted,
    "nin": lambda wanted: lambda value: value not in wanted,
    "like": _like,
    "nlike": _negated(_like),
    "finset": _in_set,
    "nfinset": _negated(_in_set),
    "null": lambda _: lambda value: value is None,
    "notnull": lambda _: lambda value: value is not None,
}
