"""What came of loading a file of existing customers, counted for people and for programs. Pure."""

from collections import Counter
from dataclasses import dataclass, field
from typing import Final

from services.console.directory_file import Entry
from services.console.directory_load import Loading

COUNTS: Final = ("created", "updated", "unchanged", "alike", "erased")


@dataclass
class Totals:
    """What came of a whole file, for people and for programs."""

    dry_run: bool
    records: int = 0
    is_taken: bool = False
    counts: Counter[str] = field(default_factory=Counter)
    series: dict[str, str] = field(default_factory=dict)
    warnings: Counter[str] = field(default_factory=Counter)

    def warn(self, entry: Entry) -> None:
        """Count what of a record is kept as written because it could not be understood."""
        self.warnings.update(f"{each.column}: {each.problem}" for each in entry.warnings)

    def add(self, loading: Loading) -> None:
        """Take in a batch."""
        self.is_taken = True
        self.counts += loading.counts
        for name, counter in loading.highest.items():
            following = loading.policy.number_series[name].number(counter + 1)
            self.series[name] = max(self.series.get(name, ""), following, key=_by_length)

    def facts(self) -> dict[str, object]:
        """Return everything as a program reads it."""
        return {
            "dry_run": self.dry_run,
            "records": self.records,
            **{name: self.counts[name] for name in COUNTS},
            "number_series": self.series,
            "warnings": dict(self.warnings),
        }

    def lines(self) -> list[str]:
        """Return everything in words."""
        would, counts = "would be " if self.dry_run else "", self.counts
        done = ", ".join(f"{counts[name]} {would}{name}" for name in ("created", "updated"))
        lines = [f"{self.records} records: {done}, {counts['unchanged']} unchanged"]
        if counts["erased"]:
            lines.append(f"{counts['erased']} were erased in Patron and are not loaded again")
        if counts["alike"]:
            lines.append(
                f"{counts['alike']} have the e-mail address or tax id of another customer:"
                " matching by it will be ambiguous"
            )
        lines += [
            f"kept as written in {n} of them: {what}" for what, n in self.warnings.most_common()
        ]
        lines += [
            f"number series {name} goes on at {n} or later" for name, n in self.series.items()
        ]
        return lines


def _by_length(number: str) -> tuple[int, str]:
    return len(number), number
