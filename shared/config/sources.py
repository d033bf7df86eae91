"""Where a configuration is given: the file, the environment over it, and files that hold secrets.

Order of precedence: `PATRON_SECTION__KEY` in the environment, then `DATABASE_URL` and `AMQP_URL`,
then `patron.toml`. A key `x_file` gives the path of a file that holds `x`.
"""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from shared.config.problems import ENVIRONMENT, ConfigurationInvalid, Problem, stands_in

PREFIX = "PATRON_"
ALIASES: Mapping[str, tuple[str, ...]] = {
    "DATABASE_URL": ("database", "url"),
    "AMQP_URL": ("broker", "url"),
}
_NOT_SETTINGS = {"PATRON_CONFIG"}
_NOT_SECTIONS = ("test_",)


@dataclass(frozen=True)
class Given:
    """What was given, merged and with secret files read, and not yet validated.

    `overlay` is the environment's part; `problems` are those of reading.
    """

    origin: str
    overlay: Mapping[str, Any]
    data: dict[str, Any]
    problems: list[Problem] = field(default_factory=list)

    def origin_of(self, location: tuple[str, ...]) -> str:
        """Return where a key was given: in the file, or in the environment."""
        in_a_file = (*location[:-1], f"{location[-1]}_file") if location else ()
        is_above = stands_in(self.overlay, location) or stands_in(self.overlay, in_a_file)
        return ENVIRONMENT if is_above else self.origin

    def is_unread(self, key: str) -> bool:
        """Whether a key, or one in its table, is missing as the file with it cannot be read."""
        return any(
            problem.key == f"{key}_file" or problem.key.startswith(f"{key}.")
            for problem in self.problems
        )


def read(path: Path | None, environment: Mapping[str, str]) -> Given:
    """Read the file at `path` (None: no file) and the environment over it.

    Raises `ConfigurationInvalid` when there is no such file or it is not TOML.
    """
    below = _read(path) if path else {}
    overlay = _from_environment(environment)
    given = Given(path.name if path else ENVIRONMENT, overlay, _merged(below, overlay))
    _resolve_files(given.data, (), given)
    return given


def _read(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        problem = "there is no such file; see patron.example.toml"
    except (OSError, UnicodeDecodeError) as error:
        problem = f"cannot be read ({type(error).__name__})"
    except tomllib.TOMLDecodeError as error:
        problem = f"is not TOML: {error}"
    raise ConfigurationInvalid([Problem(path.name, "", problem)])


def _from_environment(environment: Mapping[str, str]) -> dict[str, Any]:
    data: dict[str, Any] = {}
    for name, keys in ALIASES.items():
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
        inner = data.setdefault(key, {})
        data = inner if isinstance(inner, dict) else {}
    data[keys[-1]] = value


def _merged(below: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
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
    return _without_eclipsed(result, above)


def _without_eclipsed(merged: dict[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    """Drop the twin of a key, `x` or `x_file`, that was given further below."""
    for key in above:
        twin = key.removesuffix("_file") if key.endswith("_file") else f"{key}_file"
        if twin not in above:
            merged.pop(twin, None)
    return merged


def _merged_list(below: list[Any], above: Mapping[str, Any]) -> list[Any]:
    result = list(below)
    for key, value in above.items():
        if key.isdigit() and int(key) < len(result):
            position = int(key)
            both = isinstance(value, dict) and isinstance(result[position], dict)
            result[position] = _merged(result[position], value) if both else value
    return result


def _resolve_files(node: Any, keys: tuple[str, ...], given: Given) -> None:
    """Replace every `x_file` by `x`, read from that file."""
    if isinstance(node, list):
        for position, item in enumerate(node):
            _resolve_files(item, (*keys, str(position)), given)
    if not isinstance(node, dict):
        return
    for key in list(node):
        _resolve_files(node[key], (*keys, key), given)
        if key.endswith("_file") and isinstance(node[key], str):
            _resolve_file(node, key, keys, given)


def _resolve_file(node: dict[str, Any], key: str, keys: tuple[str, ...], given: Given) -> None:
    path = Path(node.pop(key))
    try:
        text = path.read_text(encoding="utf-8").strip()
        problem = None if text else "the file is empty"
    except (OSError, UnicodeDecodeError) as error:
        text, problem = "", f"the file cannot be read ({type(error).__name__})"
    if problem:
        location = (*keys, key)
        given.problems.append(Problem(given.origin_of(location), ".".join(location), problem))
    else:
        node[key.removesuffix("_file")] = text
