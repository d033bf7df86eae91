"""The JSON Schema of `patron.toml`, each platform's own tables included.

For editors. Its promise: what `patron config check` accepts, the schema accepts; where a value
may come from a file, `x_file` stands beside `x`.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final, NamedTuple

from pydantic import BaseModel
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue
from pydantic_core import core_schema

from shared.config.settings import Settings
from shared.connectors.registry import PLATFORMS
from shared.domain.conditions import FACTS

_DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"
_FILE: Final = "Path of a file that holds {name}."
_WORDS: Final = {"object": "table", "string": "text"}
_HIDDEN: Final = "secret"
Schema = dict[str, Any]


class SettingField(NamedTuple):
    """One key that can be configured: what it may be, and what it is without being given."""

    key: str
    kind: str
    required: bool
    default: Any


class _Generator(GenerateJsonSchema):
    """Knows that a condition is written as text."""

    def is_instance_schema(self, schema: core_schema.IsInstanceSchema) -> JsonSchemaValue:
        """Describe a condition, the only class of its own in the settings."""
        facts = "; ".join(f"{name}: {meaning}" for name, meaning in FACTS.items())
        text = f"A condition in the Common Expression Language. It may speak of {facts}."
        return {"type": "string", "description": text, "examples": ["country == 'DE'"]}


def settings_schema() -> Schema:
    """Return the schema."""
    schema = _schema_of(Settings)
    definitions: Schema = schema.setdefault("$defs", {})
    channel = definitions["ChannelSettings"]
    channel["allOf"] = [
        _for_platform(name, platform.settings, definitions)
        for name, platform in sorted(PLATFORMS.items())
    ]
    channel["properties"]["platform"]["enum"] = sorted(PLATFORMS)
    _each_table(schema, _allow_files)
    return {"$schema": _DIALECT, **schema, "title": "patron.toml"}


def platform_schema(platform: str) -> Schema:
    """Return the schema of one platform's tables: `connector`, and `remote` of a store view."""
    connector, remote, definitions = _tables_of(platform)
    schema: Schema = {
        "$schema": _DIALECT,
        "title": platform,
        "type": "object",
        "properties": {"connector": connector, "remote": remote},
        "required": ["connector"],
        "additionalProperties": False,
        "$defs": definitions,
    }
    for table in (connector, remote, definitions):
        _each_table(table, _allow_files)
    return schema


def platform_fields(platform: str) -> list[SettingField]:
    """Return every key of one platform's tables, in words."""
    connector, remote, definitions = _tables_of(platform)
    return [*_fields(connector, "connector", definitions), *_fields(remote, "remote", definitions)]


def _tables_of(platform: str) -> tuple[Schema, Schema, Schema]:
    """Return the schemas of `connector`, of `remote`, and what both refer to."""
    connector = _schema_of(PLATFORMS[platform].settings)
    definitions: Schema = connector.pop("$defs", {})
    view = connector["properties"].pop("store_views")["items"]["$ref"].rpartition("/")[2]
    remote = definitions.pop(view)
    remote["properties"].pop("code")
    for table, elsewhere in ((connector, "store_views"), (remote, "code")):
        table["required"] = [key for key in table.get("required", ()) if key != elsewhere]
    _mark_secrets([connector, remote, definitions])
    return connector, remote, definitions


def _mark_secrets(node: Any) -> None:
    """Say of every secret that it is given and never shown."""
    for each in node.values() if isinstance(node, dict) else node if isinstance(node, list) else ():
        _mark_secrets(each)
    if isinstance(node, dict) and node.get("format") == "password":
        node["writeOnly"] = True


def _fields(table: Schema, prefix: str, definitions: Schema) -> Iterator[SettingField]:
    for name, schema in table["properties"].items():
        key = f"{prefix}.{name}"
        required, default = name in table.get("required", ()), schema.get("default")
        tables = [each for each in _variants(schema, definitions) if "properties" in each]
        if not tables:
            kind = _kind(schema, definitions)
            yield SettingField(key, kind, required, None if _HIDDEN in kind else default)
        for each in tables:
            fixed = next((p["const"] for p in each["properties"].values() if "const" in p), None)
            yield from _fields(each, f"{key}({fixed})" if len(tables) > 1 else key, definitions)


def _variants(schema: Schema, definitions: Schema) -> list[Schema]:
    """Return what a value may be, references followed."""
    if "$ref" in schema:
        return [definitions[schema["$ref"].rpartition("/")[2]]]
    choices = schema.get("oneOf") or schema.get("anyOf")
    return [v for each in choices for v in _variants(each, definitions)] if choices else [schema]


def _kind(schema: Schema, definitions: Schema) -> str:
    """Return the kind of a value in words, with its bounds."""
    words = []
    for each in _variants(schema, definitions):
        kind: str = each.get("type", "any")
        low, high = each.get("minimum", each.get("exclusiveMinimum")), each.get("maximum")
        if "const" in each or "enum" in each:
            words.append(" | ".join(map(str, each.get("enum", [each.get("const")]))))
        elif each.get("format") == "password":
            words.append(_HIDDEN)
        elif kind == "array":
            words.append(f"list of {_kind(each.get('items', {}), definitions)}")
        elif low is not None or high is not None:
            words.append(f"{kind} {'' if low is None else low}..{'' if high is None else high}")
        elif kind != "null":
            words.append(_WORDS.get(kind, kind))
    return " | ".join(words)


def _schema_of(model: type[BaseModel]) -> Schema:
    return model.model_json_schema(by_alias=True, schema_generator=_Generator)


def _for_platform(name: str, settings: type[BaseModel], definitions: Schema) -> Schema:
    """Return what holds of a channel of one platform; add its definitions to `definitions`."""
    prefix = f"{name}."
    schema = _renamed(_schema_of(settings), prefix)
    for key, definition in schema.pop("$defs", {}).items():
        definitions[prefix + key] = definition
    view = schema["properties"].pop("store_views")["items"]["$ref"].rpartition("/")[2]
    remote = definitions[view]
    remote["properties"].pop("code")
    schema["required"] = [key for key in schema.get("required", ()) if key != "store_views"]
    remote["required"] = [key for key in remote.get("required", ()) if key != "code"]
    views = {"items": {"properties": {"remote": {"$ref": f"#/$defs/{view}"}}}}
    return {
        "if": {"properties": {"platform": {"const": name}}},
        "then": {"properties": {"connector": schema, "store_views": views}},
    }


def _renamed(node: Any, prefix: str) -> Any:
    """Return a schema whose references point to definitions with `prefix`."""
    if isinstance(node, list):
        return [_renamed(each, prefix) for each in node]
    if not isinstance(node, Mapping):
        return node
    return {
        key: value.replace("#/$defs/", f"#/$defs/{prefix}")
        if isinstance(value, str) and value.startswith("#/$defs/")
        else _renamed(value, prefix)
        for key, value in node.items()
    }


def _each_table(node: Any, change: Callable[[Schema], None]) -> None:
    """Apply `change` to every closed table in a schema."""
    for each in node.values() if isinstance(node, dict) else node if isinstance(node, list) else ():
        _each_table(each, change)
    if isinstance(node, dict) and node.get("additionalProperties") is False:
        change(node)


def _allow_files(table: Schema) -> None:
    """Let each text of a table be given by a file; required is then one of both."""
    properties, required = table["properties"], table.get("required", [])
    for schema in properties.values():
        if schema.get("format") == "password":
            schema.pop("default", None)  # it is only stars
    texts = [name for name, schema in properties.items() if _may_be_text(schema)]
    for name in texts:
        properties[f"{name}_file"] = {"type": "string", "description": _FILE.format(name=name)}
    if either := [name for name in required if name in texts]:
        table["required"] = [name for name in required if name not in texts]
        table["allOf"] = [
            *table.get("allOf", []),
            *({"anyOf": [{"required": [n]}, {"required": [f"{n}_file"]}]} for n in either),
        ]


def _may_be_text(schema: Schema) -> bool:
    kinds = {schema.get("type"), *(each.get("type") for each in schema.get("anyOf", ()))}
    return "string" in kinds and "const" not in schema and "enum" not in schema
