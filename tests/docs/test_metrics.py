"""The page about metrics: made of the code, and true of it."""

import re
import runpy
from typing import Final, get_args

import pytest

from services.exporter.fence import Lapse
from shared.config.settings import RetentionSettings
from shared.connectors.registry import PLATFORMS
from shared.domain.messages import Effect
from shared.messaging import broker
from shared.messaging.topology import WORKERS
from shared.observability.catalogue import ENTRIES
from shared.observability.catalogue.entries import ALL, CONSUMERS, PLATFORM
from shared.persistence.dead_letter_intake import Fate
from shared.persistence.replays import ItemState
from shared.persistence.retention import kinds
from shared.persistence.tables import OPEN_STAGING_STATES
from shared.runtime.received import Outcome
from tests.docs.pages import DOCS, ROOT, anchors

PAGE: Final = DOCS / "metrics.md"
GENERATOR: Final = ROOT / "deploy" / "prometheus" / "metrics_page.py"
IDLE_BY_NATURE: Final = {"build_info"}


def values_of(metric: str, label: str) -> set[str]:
    """Return the values that the catalogue lists for a label of a metric."""
    (entry,) = (entry for entry in ENTRIES if entry.name == metric)
    (found,) = (each for each in entry.labels if each.name == label)
    return set(found.values)


def test_the_page_is_what_the_catalogue_makes() -> None:
    """Nobody edited it: metrics, rules and panels are what it says."""
    made = runpy.run_path(str(GENERATOR))["text"]()

    assert PAGE.read_text("utf-8") == made, f"run python {GENERATOR.relative_to(ROOT)}"


def test_every_metric_has_its_section() -> None:
    """Whoever meets a name finds it by its link."""
    assert {entry.full_name for entry in ENTRIES} <= anchors(PAGE)


def test_every_metric_is_filled_by_some_code() -> None:
    """None is shown that nobody counts."""
    sources = [path for part in ("shared", "services") for path in (ROOT / part).rglob("*.py")]
    code = "\n".join(path.read_text("utf-8") for path in sources)

    idle = {entry.name for entry in ENTRIES if not re.search(rf"metrics\s*\.{entry.name}\b", code)}

    assert idle <= IDLE_BY_NATURE


@pytest.mark.parametrize(
    ("metric", "label", "in_code"),
    [
        ("messages", "outcome", {*get_args(Outcome)}),
        ("dead_letters_ingested", "outcome", {*get_args(Fate), "failed"}),
        ("replays", "result", {*get_args(ItemState)} - {"pending"}),
        ("staging_open", "state", {*OPEN_STAGING_STATES}),
        ("staging_oldest_seconds", "state", {*OPEN_STAGING_STATES}),
        ("exports", "effect", {*get_args(Effect)}),
        ("retention_deleted", "kind", {each.name for each in kinds(RetentionSettings())}),
        (
            "publish",
            "result",
            {
                broker.UNROUTABLE, broker.NACKED, broker.CONFIRM_TIMEOUT, broker.CONNECTION_LOST,
                broker.FORBIDDEN, "confirmed", "unavailable", "reply_dropped",
            },
        ),
    ],
)  # fmt: skip
def test_labels_have_the_values_of_the_code(metric: str, label: str, in_code: set[str]) -> None:
    """What the page lists is what the code can say."""
    assert values_of(metric, label) == in_code


def test_workers_platforms_and_lapses_are_those_of_the_code() -> None:
    """The lists that many metrics share are those of topology, registry and exporter."""
    (outcome,) = (
        label for entry in ENTRIES if entry.name == "exports" for label in entry.labels
        if label.name == "outcome"
    )  # fmt: skip

    assert (WORKERS, (*WORKERS, "keeper")) == (CONSUMERS, ALL)
    assert set(PLATFORM.values) == PLATFORMS.keys()
    assert all(f"`{lapse}`" in outcome.bound for lapse in get_args(Lapse))
