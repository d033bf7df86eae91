"""Reading the configuration: file, environment, secret files; every problem named at once.

Order of precedence: `PATRON_SECTION__KEY` in the environment, then `DATABASE_URL` and `AMQP_URL`,
then `patron.toml`, then the defaults. A key `x_file` gives the path of a file that holds `x`.
"""

import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from pydantic import ValidationError

from shared.config.settings import Settings

PREFIX = "PATRON_"
_ALIASES = {"DATABASE_URL": ("database", "url"), "AMQP_URL": ("broker", "url")}
_NOT_SETTINGS = {"PATRON_CONFIG"}
_NOT_SECTIONS = ("test_",)


class Problem(NamedTuple):
    """Something wrong with the configuration: where it stands, its key, and what is allowed."""

    origin: str
    key: str
    text: str

    def __str__(self) -> str:
        return (
            f"{self.origin}: {self.key}: {self.text}" if self.key else f"{self.origin}: {self.text}"
        )


class ConfigurationInvalid(Exception):
    """The configuration cannot be used; `problems` names all that is wrong, without values."""

    def __init__(self, problems: list[Problem]) -> None:
        super().__init__("\n".join(str(problem) for problem in problems))
        self.problems = problems


def load_settings(path: Path | None, environment: Mapping[str, str]) -> Settings:
    """Return the settings of the file at `path` (None: only defaults) under the environment's.

    Raises `ConfigurationInvalid` with every problem found.
    """
    problems: list[Problem] = []
    data = _read(path, problems) if path else {}
    origin = path.name if path else "environment"
    overlay = _from_environment(environment)
    merged = _merged(data, overlay)
    _resolve_files(merged, (), origin, problems)
    try:
        settings = Settings.model_validate(merged)
    except ValidationError as error:
        problems.extend(_problems_of(error, origin, overlay))
        raise ConfigurationInvalid(problems) from None
    problems.extend(Problem(origin, key, text) for key, text in settings.references())
    if problems:
        raise ConfigurationInvalid(problems)
    return settings


def problems_of(error: ValidationError, origin: str, under: str) -> list[Problem]:
    """Return what a connector's own settings model refuses, with keys below `under`."""
    return [Problem(origin, f"{under}.{p.key}", p.text) for p in _problems_of(error, origin, {})]


def _read(path: Path, problems: list[Problem]) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        problems.append(Problem(path.name, "", "there is no such file; see patron.example.toml"))
    except (OSError, UnicodeDecodeError) as error:
        problems.append(Problem(path.name, "", f"cannot be read ({type(error).__name__})"))
    except tomllib.TOMLDecodeError as error:
        problems.append(Problem(path.name, "", f"is not TOML: {error}"))
    raise ConfigurationInvalid(problems)


def _from_environment(environment: Mapping[str, str]) -> dict[str, Any]:
    data: dict[str, Any] = {}
    for name, keys in _ALIASES.items():
        if name in environment:
            _put(data, keys, environment[name])
    for name, value in sorted(environment.items()):
        if name.startswith(PREFIX) and name not in _NOT_SETTINGS:
            keys = tuple(name.removeprefix(PREFIX).lower().split("__"))
            if len(keys) > 1 and not keys[0].startswith(_NOT_SECTIONS):
                _put(data, keys, value)
    return data


def _put(data: dict[str, Any], keys: tuple[str, ...], value: str) -> None:
    for key in keys[:-1]:
        data = data.setdefault(key, {})
    data[keys[-1]] = value


def _merged(below: dict[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    """Lay `above` over `below`; a numeric key means a position in a list."""
    result: dict[str, Any] = dict(below)
    for key, value in above.items():
        before = result.get(key)
        if isinstance(value, dict) and isinstance(before, list):
            result[key] = _merged_list(before, value)
        elif isinstance(value, dict) and isinstance(before, dict):
            result[key] = _merged(before, value)
        else:
            result[key] = value
    return result


def _merged_list(below: list[Any], above: Mapping[str, Any]) -> list[Any]:
    result = list(below)
    for key, value in above.items():
        if key.isdigit() and int(key) < len(result):
            position = int(key)
            both = isinstance(value, dict) and isinstance(result[position], dict)
            result[position] = _merged(result[position], value) if both else value
    return result


def _resolve_files(node: Any, keys: tuple[str, ...], origin: str, problems: list[Problem]) -> None:
    """Replace every `x_file` by `x`, read from that file."""
    if isinstance(node, list):
        for position, item in enumerate(node):
            _resolve_files(item, (*keys, str(position)), origin, problems)
    if not isinstance(node, dict):
        return
    for key in list(node):
        _resolve_files(node[key], (*keys, key), origin, problems)
        if key.endswith("_file") and isinstance(node[key], str):
            path = Path(node.pop(key))
            try:
                node[key.removesuffix("_file")] = path.read_text(encoding="utf-8").strip()
            except (OSError, UnicodeDecodeError) as error:
                where = ".".join((*keys, key))
                problems.append(
                    Problem(origin, where, f"the file cannot be read ({type(error).__name__})")
                )


def _problems_of(
    error: ValidationError, origin: str, overlay: Mapping[str, Any]
) -> Iterator[Problem]:
    for entry in error.errors(include_url=False, include_context=False, include_input=False):
        location = tuple(str(part) for part in entry["loc"])
        where = "environment" if _has(overlay, location) else origin
        yield Problem(where, ".".join(location), _readable(entry["msg"]))


def _has(overlay: Mapping[str, Any], location: tuple[str, ...]) -> bool:
    node: Any = overlay
    for key in location:
        if not isinstance(node, Mapping) or key not in node:
            return False
        node = node[key]
    return bool(location)


def _readable(message: str) -> str:
    return {
        "Field required": "is missing",
        "Extra inputs are not permitted": "there is no such key",
    }.get(message, message.removeprefix("Value error, "))
