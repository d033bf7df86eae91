"""Nothing but updates: everybody is known and linked, and everybody was edited in the shop.

For `benchmarks.pipeline`. Half of them have another name, half another address; a sweep finds
them, the processor takes them over, and the exporter has nothing to write. Its promise: it fails
unless the directory has every edit, and nobody was written to.
"""

from collections.abc import Mapping
from typing import Final

from benchmarks.changes import change, check_changed, linked, must_be
from benchmarks.checks import check_decided
from benchmarks.installation import Installation, Scene
from benchmarks.measuring import (
    ALL_PUBLISHED,
    NONE_IMPORTED,
    NOTHING_OWED,
    Figures,
    Usage,
    all_done,
    measured,
    until,
)
from benchmarks.processes import Process

_SWEPT: Final = (
    "NOT EXISTS (SELECT 1 FROM cursors WHERE sweep_finished_at IS NULL OR lease_owner IS NOT NULL)"
)


def updates(installation: Installation, customers: int) -> Figures:
    """Import everybody, edit everybody, sweep, and have the edits taken over from a full queue."""
    with installation.scene(customers) as scene:
        scene.hold_imports()
        roles = ("importer", "processor", "exporter")
        workers = {role: scene.start(f"services.{role}") for role in roles}
        scene.request_imports()
        until(scene, all_done(customers))
        check_decided(scene, customers)
        changes = change(linked(scene), scene)
        known, before = len(changes.all), _effects(scene)
        swept = _sweep(installation, scene, workers, known)
        took = _take_over(installation, scene, workers)
        until(scene, NOTHING_OWED)
        updated, written = (now - then for now, then in zip(_effects(scene), before, strict=True))
        must_be("customers updated", updated, known)
        must_be("writes to the shop", written, 0)
        check_changed(changes, scene)
    return {
        "updates, a sweep that finds all edited: importer [records/s]": customers / swept.seconds,
        **swept.per_customer("updates, a sweep that finds all edited", customers),
        "updates: processor [customers/s]": known / took.seconds,
        **took.per_customer("updates", known),
    }


def _sweep(
    installation: Installation, scene: Scene, workers: Mapping[str, Process], known: int
) -> Usage:
    """Sweep the shop while the processor is frozen, which finds a full queue then."""
    workers["processor"].freeze()
    only = {"importer": workers["importer"]}
    with measured(installation, scene, only) as usage:
        scene.request_imports(sweep=True)
        until(scene, _SWEPT)
    until(scene, f"(SELECT count(*) = {known} FROM messages) AND {ALL_PUBLISHED}")
    return usage


def _take_over(installation: Installation, scene: Scene, workers: Mapping[str, Process]) -> Usage:
    both = {name: workers[name] for name in ("processor", "exporter")}
    with measured(installation, scene, both) as usage:
        workers["processor"].thaw()
        until(scene, NONE_IMPORTED)
    return usage


def _effects(scene: Scene) -> tuple[int, int]:
    """Return how many updates there were in the directory, and how many in the shop."""
    updated = scene.value("SELECT count(*) FROM history WHERE event = 'customer.updated'")
    return int(updated), int(scene.shop.stats()["updates"])
