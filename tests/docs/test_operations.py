"""The page about operations, held against the metrics and the code."""

import re
from typing import Final

from shared.observability.catalogue import ENTRIES
from tests.docs.pages import DOCS, prose

PAGES: Final = (DOCS / "operations.md", DOCS / "alerts.md", DOCS / "configuration.md")


def test_pages_speak_of_metrics_that_there_are() -> None:
    """Whoever copies a name or an expression from a page gets an answer."""
    known = {name for entry in ENTRIES for name in (entry.full_name, *entry.series)}

    spoken_of = {name for page in PAGES for name in re.findall(r"\bpatron_[a-z_]+", prose(page))}

    assert spoken_of <= known
