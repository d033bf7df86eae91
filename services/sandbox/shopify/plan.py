"""Plans: what of which object is wanted, and how it is found.

graphql-core would spend a third of a second on a page of 250 customers, so fields are resolved
here, by plans that `documents` compiles once for each document. Its promise: the answer is the
one graphql-core would give.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from graphql import FieldNode, GraphQLField
from graphql.execution.values import VariableValues, get_argument_values

from services.sandbox.shopify.shop import Shop

Resolver: TypeAlias = Callable[[Any, Mapping[str, Any], Any], Any]

_NOTHING: Mapping[str, Any] = {}


@dataclass(slots=True, eq=False)
class Field:
    """One field of a plan: how its value is found, and what of it is wanted."""

    key: str
    name: str
    parent: str
    definition: GraphQLField
    node: FieldNode
    resolve: Resolver | None
    is_list: bool
    is_required: bool
    is_connection: bool
    selections: dict[str, "Selection"] = field(default_factory=dict)
    selection: "Selection | None" = None
    """The only one there can be; None for leaves and interfaces."""

    def complete(self, value: Any, run: "Run") -> Any:
        """Return what is wanted of `value`."""
        if value is None or not self.selections:
            return value
        if self.is_list:
            return [self._chosen(each).select(each, run) if each else None for each in value]
        return self._chosen(value).select(value, run)

    def _chosen(self, value: Any) -> "Selection":
        return self.selection or self.selections[value["__typename"]]


@dataclass(slots=True, eq=False)
class Selection:
    """The fields wanted of one type."""

    fields: tuple[Field, ...]
    objects: tuple[Field, ...]
    """Those of the fields that are no leaves."""

    def select(self, record: Any, run: "Run") -> dict[str, Any]:
        """Return the fields wanted of `record`."""
        found = {}
        for each in self.fields:
            if each.resolve is None:
                value = record.get(each.name)
            else:
                value = each.resolve(record, run.arguments(each), run)
            found[each.key] = each.complete(value, run) if each.selections else value
        return found


@dataclass(slots=True)
class Run:
    """One execution of a plan: the variables, and whom to ask."""

    variables: VariableValues
    shop: Shop
    bulk: Any = None
    is_bulk: bool = False
    _arguments: dict[int, Mapping[str, Any]] = field(default_factory=dict)

    def arguments(self, of: Field) -> Mapping[str, Any]:
        """Return the coerced arguments of a field, the same for every object it is read from."""
        if not of.definition.args:
            return _NOTHING
        known = self._arguments.get(id(of))
        if known is None:
            known = get_argument_values(of.definition, of.node, self.variables)
            self._arguments[id(of)] = known
        return known
