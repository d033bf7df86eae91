"""A pusher's own shape of a customer, turned into ours by JMESPath expressions.

    [channels.crm.connector.mapping]
    external_id = "id"
    email = "contact.mail"
    "custom.attributes.loyalty" = "loyalty.tier"

Its promise: an expression that cannot be read, or is for a field that there is not, is refused
when the configuration is; what an expression finds nothing for is not said at all.
"""

from collections.abc import Mapping
from typing import Any, Final

import jmespath
from jmespath.exceptions import JMESPathError
from jmespath.parser import ParsedResult

from shared.domain.errors import UnreadableRecord

_FAMILIES: Final = ("attributes", "metafields", "form_fields")


class MappingInvalid(ValueError):
    """A mapping that cannot be used; names the field."""


class FieldMapping:
    """Compiled expressions by field; `fields` are the names that may be mapped to."""

    def __init__(self, expressions: Mapping[str, str], fields: frozenset[str]) -> None:
        self._paths = {
            field: (_path(field, fields), compiled(expression, field))
            for field, expression in expressions.items()
        }

    def apply(self, record: Mapping[str, Any]) -> dict[str, Any]:
        """Return a record in our shape. Raises `UnreadableRecord` naming what did not work."""
        result: dict[str, Any] = {}
        problems = []
        for field, (path, expression) in self._paths.items():
            try:
                value = expression.search(record)
            except (JMESPathError, TypeError, ValueError, AttributeError, KeyError):
                problems.append((field, "its mapping cannot be applied to this record"))
                continue
            if value is not None:
                _put(result, path, value)
        if problems:
            raise UnreadableRecord(problems)
        return result


def compiled(expression: str, field: str) -> ParsedResult:
    """Return a compiled expression. Raises `MappingInvalid`."""
    try:
        return jmespath.compile(expression)
    except JMESPathError as error:
        fact = type(error).__name__
        raise MappingInvalid(f"{field}: is no JMESPath expression ({fact})") from None


def _path(field: str, fields: frozenset[str]) -> tuple[str, ...]:
    match field.split(".", 2):
        case [name] if name in fields:
            return (name,)
        case ["custom", family, name] if family in _FAMILIES and name:
            return ("custom", family, name)
    known = ", ".join((*sorted(fields), *(f"custom.{family}.NAME" for family in _FAMILIES)))
    raise MappingInvalid(f"{field}: there is no such field; known are {known}")


def _put(result: dict[str, Any], path: tuple[str, ...], value: Any) -> None:
    for name in path[:-1]:
        inner = result.setdefault(name, {})
        if not isinstance(inner, dict):
            raise UnreadableRecord([(".".join(path), "is mapped both whole and in parts")])
        result = inner
    result[path[-1]] = value
