"""Ask an advisory service for known vulnerabilities of what is locked: `audit.py FILE…`.

For `make audit`. Its promise: a known vulnerability, or anything that could not be judged, fails.
Only when the service itself cannot be reached is the audit passed over, in one line that says so;
with `--required` that fails as well.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import urllib.error
import urllib.request
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

OSV_URL = "https://api.osv.dev/v1/query"
PATIENCE_SECONDS = 10


@dataclass(frozen=True)
class Verdict:
    """What the audit found, and whether that is well."""

    passes: bool
    lines: Sequence[str]


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the verdict and return the exit code."""
    given = _options().parse_args(arguments)
    if trouble := unreachable(given.osv_url):
        print(f"not checked: {given.osv_url} {trouble}")  # noqa: T201 - a command's output
        return 1 if given.required else 0
    verdict = judged(*audited(given.osv_url, given.files))
    print("\n".join(verdict.lines))  # noqa: T201 - a command's output
    return 0 if verdict.passes else 1


def _options() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description="Ask for known vulnerabilities of what is locked.")
    parser.add_argument("files", nargs="+", type=Path, metavar="FILE", help="locked, with hashes")
    parser.add_argument(
        "--osv-url",
        default=os.environ.get("OSV_URL", OSV_URL),
        help="where to ask, in the manner of OSV (default: OSV_URL, or %(default)s)",
    )
    parser.add_argument(
        "--required", action="store_true", help="fail when the service cannot be reached"
    )
    return parser


def unreachable(url: str) -> str | None:
    """Return why the service cannot be asked just now, or nothing if it can."""
    question = {"package": {"name": "pip", "ecosystem": "PyPI"}, "version": "26.0"}
    request = urllib.request.Request(  # noqa: S310 - given by whoever runs this
        url, json.dumps(question).encode(), {"Content-Type": "application/json"}
    )
    try:
        with urllib.request.urlopen(request, timeout=PATIENCE_SECONDS) as answer:  # noqa: S310
            json.load(answer)
    except urllib.error.HTTPError as error:
        with error:
            return f"answers {error.code}"
    except urllib.error.URLError as error:
        return f"cannot be reached: {error.reason}"
    except (OSError, ValueError) as error:
        return f"gives no answer: {type(error).__name__}"
    return None


def audited(url: str, files: Sequence[Path]) -> tuple[dict[str, Any] | None, str]:
    """Run pip-audit; return its report, nothing if it made none, and what it complained of."""
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder, "report.json")
        done = subprocess.run(  # noqa: S603 - our own words
            [sys.executable, "-m", "pip_audit", "--vulnerability-service", "osv", "--osv-url", url,
             "--require-hashes", "--disable-pip", "--progress-spinner", "off", "--desc", "off",
             "--timeout", str(PATIENCE_SECONDS), "--format", "json", "--output", report,
             *(word for file in files for word in ("--requirement", file))],
            check=False, capture_output=True, text=True,
        )  # fmt: skip
        found = json.loads(report.read_text("utf-8")) if report.exists() else None
        return found, done.stderr


def judged(report: dict[str, Any] | None, complaint: str) -> Verdict:
    """Say what a report of pip-audit means."""
    if report is None:
        return Verdict(passes=False, lines=["the audit broke off:", *complaint.splitlines()[-3:]])
    packages = report["dependencies"]
    known = [
        f"{each['name']} {each['version']}: {bug['id']}, {_cure(bug['fix_versions'])}"
        for each in packages
        for bug in each.get("vulns", [])
    ]
    skipped = [
        f"{each['name']} was not audited: {each['skip_reason']}"
        for each in packages
        if "skip_reason" in each
    ]
    if known or skipped or not packages:
        return Verdict(passes=False, lines=[*known, *skipped] or ["nothing was audited"])
    return Verdict(passes=True, lines=[f"{len(packages)} packages, no known vulnerability"])


def _cure(versions: Sequence[str]) -> str:
    return f"fixed in {', '.join(versions)}" if versions else "not fixed yet"


if __name__ == "__main__":
    sys.exit(main())
