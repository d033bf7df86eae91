"""The README: licences of what Patron depends on, and the version it speaks of."""

import re
from collections.abc import Iterator
from importlib.metadata import Distribution, PackageNotFoundError, distribution, version
from typing import Final

from tests.docs.pages import ROOT, prose, table_rows

PAGE: Final = ROOT / "README.md"
_COPYLEFT: Final = re.compile(r"GPL|MPL|EPL|CDDL|EUPL")


def test_licences_that_ask_for_something_are_named() -> None:
    """Every dependency under a copyleft licence stands in the notices, and no other."""
    section = prose(PAGE).split("\n## Licence\n")[1]
    rows = [row for row in table_rows(section) if row[0] != "Library"]
    named = {name for row in rows for name in row[0].split(", ")}

    assert named == {each.name for each in _dependencies() if _COPYLEFT.search(_licence(each))}


def test_the_version_is_this_one() -> None:
    """README and changelog speak of the version that is built."""
    assert f"Version {version('patron')} " in prose(PAGE)
    assert f" {version('patron')}\n" in prose(ROOT / "CHANGELOG.md")


def _dependencies() -> Iterator[Distribution]:
    """Yield what is locked and installed; what is locked for other systems is passed over."""
    locked = (ROOT / "requirements" / "runtime.txt").read_text("utf-8")
    for name in re.findall(r"^([a-z0-9][\w.-]*)==", locked, re.MULTILINE):
        try:
            yield distribution(name)
        except PackageNotFoundError:
            continue


def _licence(package: Distribution) -> str:
    """Return what a package says of its licence; a field that holds the whole text says less."""
    fields = package.metadata.json
    short = str(fields.get("license", ""))[:60]
    classifiers = [c for c in fields.get("classifier", []) if c.startswith("License")]
    return " ".join([str(fields.get("license_expression", "")), short, *classifiers])
