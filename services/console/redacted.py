"""The configuration as it may be shown: every value with where it was given, no secret in it.

Its promise: what is shown is only ever what a model declares harmless; passwords in URLs, secrets
and whatever is named like one are stars.
"""

from collections.abc import Iterator, Mapping
from datetime import date, datetime
from enum import Enum
from typing import Any, Final, NamedTuple
from urllib.parse import urlsplit

from pydantic import BaseModel, SecretStr

from shared.config.sources import Given
from shared.domain.conditions import Condition
from shared.runtime.installation import Installation

MASK: Final = "***"
DEFAULT: Final = "default"
_URLS: Final = frozenset({"url", "management_url"})
_SECRET_WORDS: Final = ("password", "secret", "token", "credential", "private_key", "api_key")

Path = tuple[str, ...]


class Shown(NamedTuple):
    """One value: its key, what may be shown of it, and where it was given."""

    key: str
    value: Any
    origin: str


def shown_settings(installation: Installation, given: Given) -> list[Shown]:
    """Return every value of the configuration, defaults included, in the order of the tables."""
    return [
        Shown(".".join(path), value, given.origin_of(path) if is_given(given, path) else DEFAULT)
        for path, value in _flat(settings_tree(installation), ())
    ]


def settings_tree(installation: Installation) -> dict[str, Any]:
    """Return the configuration as tables, redacted; connectors as they understood themselves."""
    tree: dict[str, Any] = _harmless(installation.settings, "")
    for name, channel in tree["channels"].items():
        connector: dict[str, Any] = _harmless(installation.connectors[name], "")
        remotes = {view.pop("code"): view for view in connector.pop("store_views", [])}
        channel["connector"] = connector
        for view in channel["store_views"]:
            view["remote"] = remotes.get(view["code"], {})
    return tree


def is_given(given: Given, path: Path) -> bool:
    """Whether a value was given at all, in the file or the environment."""
    node: Any = given.data
    for key in path:
        if isinstance(node, Mapping) and key in node:
            node = node[key]
        elif isinstance(node, list) and key.isdigit() and int(key) < len(node):
            node = node[int(key)]
        else:
            return False
    return True


def redacted_url(url: str) -> str:
    """Return a URL without its password and without the values of its query."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        return MASK
    at = f"{host}:{port}" if port else host
    if parts.username is not None:
        at = f"{parts.username}{f':{MASK}' if parts.password is not None else ''}@{at}"
    query = "&".join(f"{pair.partition('=')[0]}={MASK}" for pair in parts.query.split("&") if pair)
    return f"{parts.scheme}://{at}{parts.path}{f'?{query}' if query else ''}"


def _harmless(value: Any, name: str) -> Any:  # noqa: PLR0911 - one return for each kind
    match value:
        case BaseModel():
            # Going over a model yields what it has worked out from its fields as well.
            return {
                _name(value, key): _harmless(getattr(value, key), key)
                for key in type(value).model_fields
            }
        case Mapping():
            return {str(key): _harmless(inner, str(key)) for key, inner in value.items()}
        case list() | tuple():
            return [_harmless(inner, name) for inner in value]
        case SecretStr():
            return redacted_url(value.get_secret_value()) if name in _URLS else MASK
        case Enum():
            return value.value
        case datetime() | date():
            return value.isoformat()
        case Condition():
            return value.text
        case str() if any(word in name.lower() for word in _SECRET_WORDS):
            return MASK
        case _:
            return value


def _name(model: BaseModel, field: str) -> str:
    """Return how a field is called in the file."""
    return type(model).model_fields[field].alias or field


def _flat(node: Any, path: Path) -> Iterator[tuple[Path, Any]]:
    if isinstance(node, dict) and node:
        for key, value in node.items():
            yield from _flat(value, (*path, key))
    elif isinstance(node, list) and any(isinstance(entry, dict) for entry in node):
        for position, value in enumerate(node):
            yield from _flat(value, (*path, str(position)))
    else:
        yield path, node
