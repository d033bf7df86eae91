"""`patron channel list` and `spec`: what is known without asking anybody."""

from pathlib import Path

import jsonschema
import pytest

from services.console.channel_uses import used_for
from services.console.settings_schema import platform_fields, platform_schema
from shared.connectors.ports import Discovered
from shared.connectors.registry import PLATFORMS
from shared.runtime.installation import load_installation
from tests.unit.config.builders import SECRET, a_file, changed
from tests.unit.console.runner import Patron

CONNECTOR = {"base_url": "https://shop.example", "auth": {"kind": "bearer", "token": SECRET}}
REMOTE = {"store_id": 1, "website_id": 1}


def test_channels_are_listed_with_their_store_views(patron: Patron, tmp_path: Path) -> None:
    """One row each; platforms that nobody uses stand below."""
    a_file(tmp_path, changed(('code = "fr"', 'code = "fr"\nimport = false')))

    answer = patron("channel", "list")
    rows = patron("channel", "list", "-o", "json").json

    assert answer.code == 0
    assert ["shop", "magento", "de", "customers", "yes"] in map(str.split, answer.out.splitlines())
    assert [(r["store_view"], r["is_imported"]) for r in rows if "channel" in r] == [
        ("de", True),
        ("fr", False),
    ]
    assert {row["platform"] for row in rows} == PLATFORMS.keys()


def test_a_specification_is_a_schema(patron: Patron) -> None:
    """What can be configured fits it, also by files; what cannot does not."""
    schema = patron("channel", "spec", "magento", "-o", "json").json
    validator = jsonschema.Draft202012Validator(schema)
    by_file = {**CONNECTOR, "auth": {"kind": "bearer", "token_file": "/run/secrets/token"}}

    assert validator.is_valid({"connector": CONNECTOR, "remote": REMOTE})
    assert validator.is_valid({"connector": by_file, "remote": REMOTE})
    assert not validator.is_valid({"connector": {**CONNECTOR, "colour": 1}, "remote": REMOTE})
    assert not validator.is_valid({"connector": CONNECTOR, "remote": {"store_id": "one"}})


@pytest.mark.parametrize("platform", PLATFORMS)
def test_every_platform_has_a_specification(patron: Patron, platform: str) -> None:
    """Its secrets are marked: to be given, never to be shown."""
    schema = platform_schema(platform)
    table = patron("channel", "spec", platform)

    jsonschema.Draft202012Validator.check_schema(schema)
    secrets = [each for each in _nodes(schema) if each.get("format") == "password"]
    assert secrets
    assert all(each["writeOnly"] for each in secrets)
    assert table.code == 0
    assert all(field.key in table.out for field in platform_fields(platform))


def test_keys_are_told_in_words() -> None:
    """Kind and bounds, whether it must be given, what it is otherwise; each variant by its kind."""
    fields = {field.key: field for field in platform_fields("magento")}

    assert fields["connector.page_size"][1:] == ("integer 1..300", False, 300)
    assert fields["connector.auth(bearer).token"][1:] == ("secret", True, None)
    assert fields["connector.timeouts.attempts"].kind == "integer 1..5"
    assert fields["remote.store_id"].required
    assert not {"connector.store_views", "remote.code"} & fields.keys()


def test_a_platform_that_is_not_known_is_named(patron: Patron) -> None:
    """With those that are."""
    answer = patron("channel", "spec", "magneto")

    assert answer.code == 2
    assert answer.err.startswith("error: there is no platform 'magneto'; known are ")


def test_uses_are_found_by_name(tmp_path: Path) -> None:
    """Rules, templates, additional data and the connector's own settings; nothing by chance."""
    text = changed(
        ('number_series = "debtors"', 'number_from = "attributes.old_number"'),
        ('name = "standard"', "name = 'standard'\nwhen = 'group == \"Wholesale\"'"),
        (
            'platform = "magento"',
            'platform = "magento"\nadditional_data = { erp_terms = "values.terms" }',
        ),
    )
    rule = '[[matching]]\nby = "attribute"\nname = "old_number"\nfield = "customer_number"\n'
    installation = load_installation(a_file(tmp_path, rule + text), {})
    found = [
        Discovered("store_view", "german", "store_id 1, website_id 1"),
        Discovered("store_view", "admin", "store_id 0, website_id 0"),
        Discovered("store_view", "store_id 1", "a storefront of customers"),
        Discovered("store_view", "customers", 'remote = { store_id = "1" }'),
        Discovered("attribute", "old_number"),
        Discovered("attribute", "erp_terms"),
        Discovered("attribute", "erp_customer_number"),
        Discovered("attribute", "Wholesale"),
        Discovered("group", "Wholesale"),
        Discovered("group", "Retailer"),
    ]

    assert used_for(installation, "shop", found) == [
        ["store view de"],
        [],
        ["store view de"],
        ["store view de"],
        ["matching", "number of template standard"],
        ["additional data"],
        ["connector.number_attribute"],
        [],
        ["template standard"],
        [],
    ]


def _nodes(node: object) -> list[dict[str, object]]:
    children = node.values() if isinstance(node, dict) else node if isinstance(node, list) else ()
    below = [found for each in children for found in _nodes(each)]
    return [node, *below] if isinstance(node, dict) else below
