"""What may be shown of a configuration."""

from pathlib import Path

import pytest

from services.console.redacted import redacted_url, settings_tree
from shared.connectors.push.settings import PushSettings
from shared.runtime.installation import load_installation

KEY = "k" * 32


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("sqlite:///.patron/patron.db", "sqlite:///.patron/patron.db"),
        ("memory://", "memory://"),
        ("amqp://u:secret@h:5672/v", "amqp://u:***@h:5672/v"),
        ("postgresql://u:se%40cret@h/d?password=secret&x=1", "postgresql://u:***@h/d?password=***&x=***"),
        ("postgresql://u@h/d", "postgresql://u@h/d"),
        ("amqp://:secret@h", "amqp://:***@h"),
        ("amqp://u:secret@h:port/v", "***"),
        ("redis://[broken", "***"),
    ],
)  # fmt: skip
def test_a_url_is_shown_without_its_password(url: str, shown: str) -> None:
    """Neither userinfo nor query give a secret away; what cannot be read is not shown at all."""
    assert redacted_url(url) == shown


def test_keys_that_stand_in_lists_are_hidden(tmp_path: Path) -> None:
    """And what a connector has worked out from its settings is none of them."""
    path = tmp_path / "patron.toml"
    path.write_text(
        f"""
        [channels.crm]
        platform = "push"
        store_views = [{{ code = "crm" }}]
        [channels.crm.connector]
        api_keys = ["{KEY}"]
        mapping = {{ external_id = "id" }}
        """,
        encoding="utf-8",
    )

    tree = settings_tree(load_installation(path, {}))

    connector = tree["channels"]["crm"]["connector"]
    assert (connector["api_keys"], connector["mapping"]) == (["***"], {"external_id": "id"})
    assert connector.keys() == PushSettings.model_fields.keys() - {"store_views"}
    assert KEY not in repr(tree)
