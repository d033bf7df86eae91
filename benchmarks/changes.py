"""Edits in the shop, and whether the directory has them.

For the stages. Its promise: half of those who were changed have another name, half another
address, which leaves the shop's change time alone; who is neither was not touched.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from benchmarks.installation import NotDone, Scene


@dataclass(frozen=True, slots=True)
class Changes:
    """Who was changed in the shop: by name, or by an address alone."""

    renamed: frozenset[str]
    moved: frozenset[str]

    @property
    def all(self) -> frozenset[str]:
        """Everybody who was changed."""
        return self.renamed | self.moved


def linked(scene: Scene) -> Sequence[str]:
    """Return everybody in the shop whom the directory knows, in the shop's order."""
    return sorted(scene.pairs("SELECT external_id, customer_id FROM links"), key=int)


def change(chosen: Sequence[str], scene: Scene) -> Changes:
    """Change these customers in the shop."""
    changes = Changes(frozenset(chosen[::2]), frozenset(chosen[1::2]))
    for number in changes.renamed:
        scene.shop.rename(number, f"Nachname{number}")
    for number in changes.moved:
        scene.shop.move(number, f"Neue Gasse {number}")
    return changes


def check_changed(changes: Changes, scene: Scene) -> None:
    """Check that the directory has these names and streets, and nobody else has."""
    names = scene.pairs("SELECT l.external_id, c.last_name FROM customers c"
                        " JOIN links l ON l.customer_id = c.id"
                        " WHERE c.last_name LIKE 'Nachname%'")  # fmt: skip
    must_be("names", names, {number: f"Nachname{number}" for number in changes.renamed})
    streets = scene.pairs("SELECT l.external_id, a.lines FROM customer_addresses a"
                          " JOIN links l ON l.customer_id = a.customer_id"
                          " WHERE a.lines LIKE 'Neue Gasse%'")  # fmt: skip
    must_be("streets", streets, {number: f"Neue Gasse {number}" for number in changes.moved})


def must_be(what: str, found: object, expected: object) -> None:
    """Raise NotDone unless it is so."""
    if found != expected:
        raise NotDone(f"{what}: {_shortened(found, expected)}")


def _shortened(found: object, expected: object) -> str:
    """Say what differs, without a thousand of what does not."""
    if isinstance(found, dict) and isinstance(expected, dict):
        pairs = [(key, found.get(key), expected.get(key)) for key in {*found, *expected}]
        wrong = [pair for pair in pairs if pair[1] != pair[2]]
        return f"{len(wrong)} differ (which, found, expected), such as {wrong[:5]}"
    return f"{found}, expected {expected}"
