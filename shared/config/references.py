"""References within a configuration: names that one table gives and another must have.

Works on what was given, valid or not, so that these problems are told together with all others.
"""

from collections.abc import Iterator, Mapping
from typing import Any

Reference = tuple[tuple[str, ...], str]


def bad_references(data: Mapping[str, Any]) -> Iterator[Reference]:
    """Yield every reference to something that is not there, as (location, what is allowed)."""
    templates = [entry for entry in _list(data.get("templates")) if isinstance(entry, Mapping)]
    yield from _series(templates, _table(data.get("number_series")))
    yield from _names_given_twice(templates)
    values = {f"values.{key}" for template in templates for key in _table(template.get("values"))}
    yield from _additional_data(_table(data.get("channels")), {"template", *values})
    yield from _matched_channels(_list(data.get("matching")), _table(data.get("channels")))


def _series(templates: list[Mapping[str, Any]], series: Mapping[str, Any]) -> Iterator[Reference]:
    for position, template in enumerate(templates):
        name = template.get("number_series")
        if isinstance(name, str) and name not in series:
            location = ("templates", str(position), "number_series")
            yield location, f"names no series; configured are {_listed(series)}"


def _names_given_twice(templates: list[Mapping[str, Any]]) -> Iterator[Reference]:
    names = [template.get("name") for template in templates]
    for position, name in enumerate(names):
        if isinstance(name, str) and name in names[:position]:
            yield ("templates", str(position), "name"), f"{name!r} is given twice"


def _additional_data(channels: Mapping[str, Any], allowed: set[str]) -> Iterator[Reference]:
    for name, channel in channels.items():
        for field, source in _table(_table(channel).get("additional_data")).items():
            if isinstance(source, str) and source not in allowed:
                location = ("channels", name, "additional_data", field)
                yield location, f"{source!r} is not among {_listed(allowed)}"


def _matched_channels(rules: list[Any], channels: Mapping[str, Any]) -> Iterator[Reference]:
    for position, rule in enumerate(rules):
        for place, name in enumerate(_list(_table(rule).get("channels"))):
            if isinstance(name, str) and name not in channels:
                location = ("matching", str(position), "channels", str(place))
                yield location, f"{name!r} is no channel; configured are {_listed(channels)}"


def _table(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _listed(names: Any) -> str:
    return ", ".join(sorted(names)) or "none"
