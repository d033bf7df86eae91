"""The page about the configuration, held against the settings."""

import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

import pytest
from pydantic import BaseModel

from shared.config import Settings
from shared.connectors.bigcommerce.settings import BigCommerceSettings
from shared.connectors.magento.settings import MagentoSettings
from shared.connectors.shopify.settings import ShopifySettings
from shared.domain.conditions import FACTS
from shared.runtime.installation import load_installation
from tests.docs.pages import DOCS, ROOT, Block, blocks, name_of, pages, prose, table_rows

PAGE = DOCS / "configuration.md"
_WITHOUT_DEFAULTS = {"matching", "templates", "number_series", "channels", "fields"}
_TOML = [(path, each) for path in pages() for each in blocks(path, "toml")]


def _models(model: type[BaseModel]) -> Iterator[type[BaseModel]]:
    yield model
    for field in model.model_fields.values():
        for inner in _classes(field.annotation):
            if isinstance(inner, type) and issubclass(inner, BaseModel):
                yield from _models(inner)


def _classes(annotation: Any) -> Iterator[Any]:
    yield annotation
    for argument in get_args(annotation):
        yield from _classes(argument)


def _keys(model: type[BaseModel]) -> set[str]:
    return {field.alias or name for name, field in model.model_fields.items()}


def test_every_key_is_described() -> None:
    """Each key of each table stands on the page as code; so do a platform's own keys."""
    platforms = (MagentoSettings, BigCommerceSettings, ShopifySettings)
    models = {*_models(Settings), *(model for each in platforms for model in _models(each))}
    described = set(re.findall(r"`([a-z_0-9]+)`", prose(PAGE)))

    missing = {key for model in models for key in _keys(model)} - described
    assert missing <= Settings.model_fields.keys()
    for table in Settings.model_fields:
        assert re.search(rf"^## \[+{table}(\.NAME)?\]+$", prose(PAGE), re.MULTILINE), table


@pytest.mark.parametrize("table", sorted(Settings.model_fields.keys() - _WITHOUT_DEFAULTS))
def test_defaults_are_told_rightly(table: str) -> None:
    """What the page gives as default is the default."""
    section = prose(PAGE).split(f"## [{table}]\n")[1].split("\n## ")[0]
    told = {row[0].strip("`"): row[1].strip("`") for row in table_rows(section) if row[0] != "Key"}

    settings = getattr(Settings(), table)

    assert {key: told[key] for key in type(settings).model_fields} == {
        key: _shown(getattr(settings, key)) for key in type(settings).model_fields
    }


def test_the_facts_of_conditions_are_named() -> None:
    """Every name that a condition may use stands on the page."""
    assert [fact for fact in FACTS if f"`{fact}`" not in prose(PAGE)] == []


@pytest.mark.parametrize(("path", "example"), _TOML, ids=[name_of(path) for path, _ in _TOML])
def test_examples_are_toml(path: Path, example: Block) -> None:
    """Every TOML block can be read."""
    assert tomllib.loads(example.text), path


@pytest.mark.parametrize(
    ("path", "example"),
    [(path, each) for path, each in _TOML if "config" in each.info.split()],
    ids=[name_of(path) for path, each in _TOML if "config" in each.info.split()],
)
def test_examples_are_valid(path: Path, example: Block, tmp_path: Path) -> None:
    """A TOML block that is marked as configuration is one that Patron would start with."""
    written = tmp_path / "patron.toml"
    written.write_text(example.text, encoding="utf-8")

    assert load_installation(written, {}).policy.version, path


def test_the_default_matching_is_shown_as_it_is(tmp_path: Path) -> None:
    """The first example is the default order of rules, spelt out."""
    written = tmp_path / "patron.toml"
    written.write_text(blocks(PAGE, "toml")[0].text, encoding="utf-8")

    assert (
        load_installation(written, {}).policy.matching
        == load_installation(None, {}).policy.matching
    )


def test_the_example_file_is_valid() -> None:
    """`patron.example.toml` is a configuration that Patron would start with."""
    assert load_installation(ROOT / "patron.example.toml", {}).settings.channels


def _shown(value: Any) -> str:
    if value is None:
        return "none"
    if hasattr(value, "get_secret_value"):
        return str(value.get_secret_value())
    return f"{value:g}" if isinstance(value, float) else str(value)
