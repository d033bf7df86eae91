"""Documents: parsed, held against the schema, and compiled into plans.

graphql-core parses, validates and coerces. Its promise: a document is worked on once, however
often it is sent, and one that the platform would refuse is refused.
"""

from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, TypeAlias

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLError,
    GraphQLField,
    GraphQLIncludeDirective,
    GraphQLInterfaceType,
    GraphQLList,
    GraphQLNamedType,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLSchema,
    GraphQLSkipDirective,
    InlineFragmentNode,
    OperationDefinitionNode,
    SelectionNode,
    SelectionSetNode,
    build_schema,
    get_named_type,
    parse,
    validate,
)
from graphql.execution.values import VariableValues, get_directive_values, get_variable_values

from services.sandbox.shopify.plan import Field, Resolver, Selection

Resolvers: TypeAlias = Mapping[str, Mapping[str, Resolver]]

_REMEMBERED = 200


@dataclass(frozen=True, slots=True)
class Operation:
    """A compiled operation."""

    name: str
    is_mutation: bool
    definition: OperationDefinitionNode
    root: Selection


class Planner:
    """Compiles documents, and remembers them."""

    def __init__(self, resolvers: Resolvers) -> None:
        self.schema = sandbox_schema()
        self._resolvers = resolvers
        self._operations: OrderedDict[tuple[str, str | None], Operation] = OrderedDict()

    def prepare(
        self, text: str, name: str | None, given: Mapping[str, Any]
    ) -> tuple[Operation, VariableValues]:
        """Return the operation and its variables. Raises `GraphQLError`s as an `Invalid`."""
        document = _document(text)
        definition = _operation(document, name)
        variables = get_variable_values(
            self.schema, definition.variable_definitions or (), dict(given)
        )
        if isinstance(variables, list):
            raise Invalid(variables)
        known = self._operations.get((text, name))
        if known is None:
            compiler = _Compiler(self.schema, self._resolvers, document, variables)
            known = compiler.operation(definition)
            if not compiler.depends_on_variables:
                self._operations[text, name] = known
                if len(self._operations) > _REMEMBERED:
                    self._operations.popitem(last=False)
        return known, variables


class Invalid(Exception):
    """The document, or what was given for its variables, does not fit the schema."""

    def __init__(self, errors: list[GraphQLError]) -> None:
        super().__init__(errors[0].message)
        self.errors = errors


@lru_cache(maxsize=1)
def sandbox_schema() -> GraphQLSchema:
    """Return the schema of this sandbox."""
    text = (Path(__file__).parent / "schema.graphql").read_text(encoding="utf-8")
    return build_schema(text)


@lru_cache(maxsize=_REMEMBERED)
def _document(text: str) -> DocumentNode:
    """Return a document that fits the schema; one that does not is looked at each time."""
    try:
        document = parse(text)
    except GraphQLError as error:
        raise Invalid([error]) from None
    if errors := validate(sandbox_schema(), document):
        raise Invalid(errors)
    return document


def _operation(document: DocumentNode, name: str | None) -> OperationDefinitionNode:
    found = [each for each in document.definitions if isinstance(each, OperationDefinitionNode)]
    if name:
        found = [each for each in found if each.name and each.name.value == name]
        if not found:
            raise Invalid([GraphQLError(f'No operation named "{name}"')])
    elif len(found) > 1:
        raise Invalid([GraphQLError("An operation name is required")])
    return found[0]


class _Compiler:
    """Compiles one operation."""

    def __init__(
        self,
        schema: GraphQLSchema,
        resolvers: Resolvers,
        document: DocumentNode,
        variables: VariableValues,
    ) -> None:
        self._schema = schema
        self._resolvers = resolvers
        self._variables = variables
        self._fragments = {
            each.name.value: each
            for each in document.definitions
            if isinstance(each, FragmentDefinitionNode)
        }
        self.depends_on_variables = False

    def operation(self, definition: OperationDefinitionNode) -> Operation:
        root = self._schema.get_root_type(definition.operation)
        assert root is not None  # noqa: S101 - validated
        return Operation(
            name=definition.name.value if definition.name else "",
            is_mutation=definition.operation.value == "mutation",
            definition=definition,
            root=self._selection(root, [definition.selection_set]),
        )

    def _selection(self, of: GraphQLObjectType, sets: list[SelectionSetNode]) -> Selection:
        nodes: dict[str, list[FieldNode]] = {}
        for each in sets:
            self._collect(of, each, nodes)
        fields = tuple(self._field(of, key, found) for key, found in nodes.items())
        return Selection(fields, tuple(each for each in fields if each.selections))

    def _field(self, of: GraphQLObjectType, key: str, nodes: list[FieldNode]) -> Field:
        name = nodes[0].name.value
        if name == "__typename":
            return _typename(of, key, nodes[0])
        if name not in of.fields:
            raise Invalid([GraphQLError("This sandbox does not tell its schema.")])
        definition = of.fields[name]
        named = get_named_type(definition.type)
        sets = [each.selection_set for each in nodes if each.selection_set]
        selections = {each.name: self._selection(each, sets) for each in self._behind(named)}
        bare = definition.type
        is_required = isinstance(bare, GraphQLNonNull)
        if isinstance(bare, GraphQLNonNull):
            bare = bare.of_type
        return Field(
            key=key,
            name=name,
            parent=of.name,
            definition=definition,
            node=nodes[0],
            resolve=_resolver(self._resolvers, of.name, name),
            is_list=isinstance(bare, GraphQLList),
            is_required=is_required,
            is_connection=named.name.endswith("Connection"),
            selections=selections,
            selection=selections.get(named.name),
        )

    def _behind(self, named: GraphQLNamedType) -> list[GraphQLObjectType]:
        if isinstance(named, GraphQLObjectType):
            return [named]
        if isinstance(named, GraphQLInterfaceType):
            return list(self._schema.get_possible_types(named))
        return []

    def _collect(
        self, of: GraphQLObjectType, wanted: SelectionSetNode, nodes: dict[str, list[FieldNode]]
    ) -> None:
        for each in wanted.selections:
            if not self._is_included(each):
                continue
            if isinstance(each, FieldNode):
                key = each.alias.value if each.alias else each.name.value
                nodes.setdefault(key, []).append(each)
                continue
            fragment = (
                self._fragments[each.name.value] if isinstance(each, FragmentSpreadNode) else each
            )
            assert isinstance(fragment, FragmentDefinitionNode | InlineFragmentNode)  # noqa: S101
            if self._applies(fragment, of):
                self._collect(of, fragment.selection_set, nodes)

    def _applies(
        self, fragment: FragmentDefinitionNode | InlineFragmentNode, of: GraphQLObjectType
    ) -> bool:
        if fragment.type_condition is None:
            return True
        named = self._schema.type_map[fragment.type_condition.name.value]
        return named is of or (
            isinstance(named, GraphQLInterfaceType) and self._schema.is_sub_type(named, of)
        )

    def _is_included(self, node: SelectionNode) -> bool:
        if not node.directives:
            return True
        self.depends_on_variables = True
        skip = get_directive_values(GraphQLSkipDirective, node, self._variables)
        include = get_directive_values(GraphQLIncludeDirective, node, self._variables)
        return not (skip and skip["if"]) and not (include and not include["if"])


def _resolver(resolvers: Resolvers, parent: str, name: str) -> Resolver | None:
    for family in (parent, "Connection" if parent.endswith("Connection") else parent):
        if found := resolvers.get(family, {}).get(name):
            return found
    return None


def _typename(of: GraphQLObjectType, key: str, node: FieldNode) -> Field:
    return Field(
        key=key,
        name="__typename",
        parent=of.name,
        definition=GraphQLField(of),
        node=node,
        resolve=lambda *_: of.name,
        is_list=False,
        is_required=True,
        is_connection=False,
    )
