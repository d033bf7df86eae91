"""The configurations that come with Patron: valid, complete, and described by the schema."""

import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from services.console.advice import advice_on
from services.console.demo.configuration import demo_configuration
from services.console.settings_schema import settings_schema
from shared.runtime.installation import load_installation

ROOT = Path(__file__).parents[3]
EXAMPLE = ROOT / "patron.example.toml"
COMPOSE = ROOT / "deploy" / "compose" / "patron.toml"


@pytest.mark.parametrize("path", [EXAMPLE, COMPOSE], ids=["example", "compose"])
def test_a_configuration_that_comes_with_patron_is_valid(path: Path) -> None:
    """It passes as it is, without advice."""
    installation = load_installation(path, {})

    assert advice_on(installation.settings) == []


def test_the_example_names_every_key() -> None:
    """Every key of every table is there, given or behind a #, so the file is the reference."""
    text = EXAMPLE.read_text(encoding="utf-8")
    named = set(re.findall(r"^#?\[*([a-z0-9_.]+)", text, re.M))
    named |= set(re.findall(r"(?:^#?|[{,] )([a-z0-9_]+) = ", text, re.M))
    # Secrets are shown as `x_file`, which stands for `x`.
    words = {word.removesuffix("_file") for name in named for word in name.split(".")}

    missing = sorted(key for key in _keys(settings_schema()) if key not in words)

    assert missing == []


def test_what_the_example_shows_as_a_default_is_the_default() -> None:
    """Taking the # away from a default changes nothing; a whole table behind a # is a sample."""
    text = re.sub(r"^#\[.*?^$", "", EXAMPLE.read_text(encoding="utf-8"), flags=re.M | re.S)
    shown = dict(re.findall(r'^#([a-z_]+) = (".*"|[\d.]+|true|false)$', text, re.M))
    defaults = _defaults(settings_schema())

    compared = {
        key: (tomllib.loads(f"x = {value}")["x"], defaults[key])
        for key, value in shown.items()
        if key in defaults
    }

    assert len(compared) > 25
    assert {key for key, (told, allowed) in compared.items() if told not in allowed} == set()


@pytest.mark.parametrize("path", [EXAMPLE, COMPOSE], ids=["example", "compose"])
def test_the_schema_accepts_what_comes_with_patron(path: Path) -> None:
    """An editor finds nothing to complain about."""
    data = tomllib.loads(path.read_text(encoding="utf-8"))

    _validator().validate(data)


def test_the_schema_accepts_the_demo(tmp_path: Path) -> None:
    """The demo's configuration is an ordinary one."""
    text = demo_configuration("http://127.0.0.1:1", tmp_path)
    path = tmp_path / "patron.toml"
    path.write_text(text, encoding="utf-8")

    load_installation(path, {})
    _validator().validate(tomllib.loads(text))


def _validator() -> jsonschema.Draft202012Validator:
    return jsonschema.Draft202012Validator(settings_schema())


def _tables(node: Any) -> Iterator[dict[str, Any]]:
    for each in node.values() if isinstance(node, dict) else node if isinstance(node, list) else ():
        yield from _tables(each)
    if isinstance(node, dict) and node.get("additionalProperties") is False:
        yield node["properties"]


def _keys(schema: dict[str, Any]) -> set[str]:
    return {key for table in _tables(schema) for key in table if not key.endswith("_file")}


def _defaults(schema: dict[str, Any]) -> dict[str, list[Any]]:
    found: dict[str, list[Any]] = {}
    for table in _tables(schema):
        for key, described in table.items():
            if described.get("default") is not None:
                found.setdefault(key, []).append(described["default"])
    return found
