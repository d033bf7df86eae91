"""What a configuration uses of what a shop has.

Its promise: only ever compares names; nothing is asked, and no secret is looked at.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from pydantic import BaseModel, SecretStr

from shared.connectors.ports import Discovered
from shared.runtime.installation import Installation

_PAIR: Final = re.compile(r'([a-z_]+)(?:\s*=\s*|\s+)"?([\w-]+)"?')
_FAMILIES: Final = {"attribute": "attributes", "metafield": "metafields",
                    "form_field": "form_fields"}  # fmt: skip


def used_for(
    installation: Installation, channel: str, discovered: Sequence[Discovered]
) -> list[list[str]]:
    """Return, for each thing that was discovered, the configuration's uses of it."""
    names = [*_named(installation, channel)]
    return [
        [*_as_view(installation, channel, each), *_as_name(names, each)]
        if each.family == "store_view"
        else [*_as_name(names, each), *_in_conditions(installation, each)]
        for each in discovered
    ]


def _as_view(installation: Installation, channel: str, found: Discovered) -> Iterator[str]:
    """Yield the store views that are this one: their `remote` table says what the detail says."""
    said = dict(_PAIR.findall(found.name) + _PAIR.findall(found.detail))
    for view in _tables(installation.connectors[channel], "store_views"):
        remote = {key: str(value) for key, value in view.items() if key in said}
        if remote and all(said[key] == value for key, value in remote.items()):
            yield f"store view {view['code']}"


def _as_name(names: Sequence[tuple[str, str, str]], found: Discovered) -> Iterator[str]:
    for family, name, use in names:
        if name == found.name and family in {"", found.family}:
            yield use


def _named(installation: Installation, channel: str) -> Iterator[tuple[str, str, str]]:
    """Yield family ("" for any), name and use of everything that the configuration names."""
    settings = installation.settings
    for name in settings.channels[channel].additional_data:
        yield "", name, "additional data"
    for rule in settings.matching or ():
        if rule.name and channel in {*rule.channels, *([] if rule.channels else [channel])}:
            yield rule.by.value, rule.name, "matching"
    for template in settings.templates:
        family, dot, name = (template.number_from or "").partition(".")
        if dot:
            yield family.removesuffix("s"), name, f"number of template {template.name}"
    connector = installation.connectors[channel].model_dump(exclude={"store_views"})
    for key, text in _texts(connector, "connector"):
        yield "", text, key


def _in_conditions(installation: Installation, found: Discovered) -> Iterator[str]:
    """Yield the templates whose conditions speak of a group, or of a custom field."""
    custom = _FAMILIES.get(found.family)
    spoken = {f"{custom}.{found.name}"} if custom else {f'"{found.name}"', f"'{found.name}'"}
    for template in installation.settings.templates:
        if template.when and any(each in template.when.text for each in spoken):
            yield f"template {template.name}"


def _tables(settings: BaseModel, name: str) -> Sequence[Mapping[str, Any]]:
    tables: Sequence[Mapping[str, Any]] = settings.model_dump(mode="json").get(name, ())
    return tables


def _texts(node: Any, key: str) -> Iterator[tuple[str, str]]:
    """Yield every text of a table with its key; secrets are no texts."""
    if isinstance(node, Mapping):
        for name, value in node.items():
            yield from _texts(value, f"{key}.{name}")
        if {"namespace", "key"} <= node.keys():
            yield key, f"{node['namespace']}.{node['key']}"
    elif isinstance(node, list | tuple):
        for value in node:
            yield from _texts(value, key)
    elif isinstance(node, str) and not isinstance(node, SecretStr):
        yield key, node
