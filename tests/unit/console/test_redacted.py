"""What may be shown of URLs."""

import pytest

from services.console.redacted import redacted_url


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
