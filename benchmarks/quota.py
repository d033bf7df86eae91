"""`python -m benchmarks.quota`: a large shop through the pipeline, within what its platform allows.

Each platform's quota is as it is in the platform; only the simulated shop's clock runs faster.
20,000 customers are imported, decided and numbered by one process of each worker. Its promise: it
exits with 0 only if every customer carries its number in the shop, hardly a request was refused,
and the quota was used while there was something to write.
"""

import argparse
import re
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import httpx2
import sqlalchemy as sa
import stamina
from rich.console import Console

from benchmarks.installation import Installation, NotDone, Site, installed
from benchmarks.measuring import Figures
from benchmarks.processes import NotStarted, Process
from benchmarks.report import Report
from services.console.cli.failures import Refused
from services.console.demo.shops.kinds import kinds_of
from services.console.demo.shops.port import DemoShop
from shared.observability import logs
from shared.persistence.engine import create_engine

MOST_REFUSED: Final = 1.0
LEAST_USED: Final = 80.0
_REFUSED: Final = "refused [%]"
_USED: Final = "quota used while writing [%]"
_LONGEST_SECONDS: Final = 3600.0
_QUOTA_SECONDS: Final = 60.0
_CHANNEL: Final = "shop"
_WORKERS: Final = ("importer", "processor", "exporter")
_DONE: Final = (
    "SELECT (SELECT count(*) FROM cursors WHERE last_success_at IS NULL) = 0"
    " AND EXISTS (SELECT 1 FROM cursors) AND NOT EXISTS (SELECT 1 FROM messages)"
)
_WRITTEN: Final = "SELECT count(*) FROM links WHERE exported_number IS NOT NULL"

_HEAD: Final = """
[health]
importer_port = 0
processor_port = 0
exporter_port = 0

[number_series.debtors]
prefix = "D"
width = 6

[[templates]]
name = "standard"
number_series = "debtors"
values = { payment_terms = "NET30" }

[[matching]]
by = "email"
"""


@dataclass(frozen=True, slots=True)
class Quota:
    """What a platform allows: units a second after a first store of them, and how a shop counts.

    `faster` is how fast the shop's clock runs, so that the quota is what everything waits for.
    """

    platform: str
    unit: str
    a_second: float
    at_first: float
    spent: str
    refused: str
    faster: float

    def options(self, faster: float) -> list[str]:
        """Return the options of a sandbox whose clock runs `faster`."""
        if self.platform == "shopify":
            rate, bucket = self.a_second * faster, self.at_first * faster
            return ["--restore-rate", str(rate), "--bucket", str(bucket)]
        return ["--quota", "150", "--window-seconds", str(30 / faster)]


# BigCommerce: 150 requests in 30 seconds (Standard, Plus). Shopify: 100 points a second, 2,000 at
# first (Standard).
QUOTAS: Final = (
    Quota("bigcommerce", "requests", 5.0, 0.0, "requests_total", "refused", 3.0),
    Quota("shopify", "points", 100.0, 2000.0, "points", "throttled", 1.0),
)


@dataclass(frozen=True, slots=True)
class Look:
    """How things stand at one moment, by the shop's own books."""

    at: float
    spent: float
    requests: float
    refused: float
    written: int


def main(arguments: list[str] | None = None) -> int:
    """Measure every platform, and print what was measured."""
    given = _parser().parse_args(arguments)
    logs.configure("console", "warning", service="benchmark")
    report = Report()
    try:
        with (
            tempfile.TemporaryDirectory(prefix="patron-benchmark-") as folder,
            installed(Path(folder)) as installation,
        ):
            for quota in QUOTAS:
                if given.only in (None, quota.platform):
                    figures = _measure(installation, quota, given)
                    report.add(figures)
                    _check(quota.platform, figures)
    except (NotDone, NotStarted) as error:
        report.show(Console(soft_wrap=True))
        print(f"not proven: {error}", file=sys.stderr)
        return 1
    report.show(Console(soft_wrap=True))
    if given.json:
        report.write(given.json, {"customers": given.customers, "faster": given.faster})
    return 0


def _measure(installation: Installation, quota: Quota, given: argparse.Namespace) -> Figures:
    with installation.bare([_CHANNEL]) as site, ExitStack() as life:
        shop = _open_shop(site, quota, given, life)
        shop.prepare()
        environment = site.environment(_HEAD + _plain(shop.configuration()))
        engine = create_engine(site.database_url, application_name="benchmark")
        life.callback(engine.dispose)
        for worker in _WORKERS:
            log = site.folder / f"{worker}.log"
            process = Process(f"services.{worker}", environment=environment, log=log)
            life.enter_context(process).wait_for('"process.started"')
        looks = _watch(engine, shop.url, quota)
        _check_numbers(shop)
    return _judged(looks, quota, given)


def _open_shop(site: Site, quota: Quota, given: argparse.Namespace, life: ExitStack) -> DemoShop:
    log = site.folder / "shop.log"
    process = Process(
        "services.sandbox", "--shop", quota.platform, "--port", "0", "--tidy",
        "--customers", str(given.customers), *quota.options(given.faster or quota.faster),
        *(["--without-definition"] if quota.platform == "shopify" else []),
        environment=site.environment(""), log=log,
    )  # fmt: skip
    words = life.enter_context(process).wait_for("\n")
    (kind,) = kinds_of(quota.platform)
    found = re.search(r"http://\S+", words)
    if found is None:
        raise NotStarted(words)
    shop = kind.opening(given.customers).open(found[0], _CHANNEL)
    life.callback(shop.close)
    return shop


def _plain(configuration: str) -> str:
    """Leave out what is written beside the number: the number alone is measured."""
    return re.sub(r"^additional_data.*\n", "", configuration, flags=re.MULTILINE)


def _watch(engine: sa.Engine, url: str, quota: Quota) -> Sequence[Look]:
    """Look again and again until nothing is owed any more."""
    looks: list[Look] = []
    deadline = time.monotonic() + _LONGEST_SECONDS
    with httpx2.Client(base_url=f"{url}/_sandbox/", timeout=30) as books:
        while not looks or not _is_done(engine):
            if time.monotonic() > deadline:
                raise NotDone(f"{quota.platform}: not done after {_LONGEST_SECONDS:.0f} s")
            looks.append(_look(engine, books, quota))
            time.sleep(0.25)
        looks.append(_look(engine, books, quota))
    return looks


def _look(engine: sa.Engine, books: httpx2.Client, quota: Quota) -> Look:
    stats: dict[str, Any] = books.get("stats").json()
    with engine.connect() as connection:
        written = connection.execute(sa.text(_WRITTEN)).scalar_one()
    requests, refused = stats["requests_total"], stats[quota.refused]
    spent = stats[quota.spent] - (refused if quota.spent == "requests_total" else 0)
    return Look(time.monotonic(), spent, requests, refused, written)


def _is_done(engine: sa.Engine) -> bool:
    with engine.connect() as connection:
        return bool(connection.execute(sa.text(_DONE)).scalar_one())


def _check_numbers(shop: DemoShop) -> None:
    """Look at every customer in the shop, as soon as its quota allows that again."""
    for attempt in stamina.retry_context(on=Refused, attempts=None, timeout=_QUOTA_SECONDS):
        with attempt:
            accounts = list(shop.accounts())
    without = sum(1 for each in accounts if each.has_billing and not each.number)
    if without:
        raise NotDone(f"{without} customers have no number in the shop")


def _judged(looks: Sequence[Look], quota: Quota, given: argparse.Namespace) -> Figures:
    first, last = looks[0], looks[-1]
    requests, refused = last.requests - first.requests, last.refused - first.refused
    began = next(look for look in looks if look.written > 0)
    ended = next(look for look in looks if look.written == last.written)
    seconds = ended.at - began.at
    faster = given.faster or quota.faster
    allowed = faster * (quota.at_first + quota.a_second * seconds)
    used = (ended.spent - began.spent) / allowed
    name = quota.platform
    return {
        f"{name}: numbers in the shop [customers]": last.written,
        f"{name}: requests [requests]": requests,
        f"{name}: {_REFUSED}": 100 * refused / requests,
        f"{name}: {_USED}": 100 * used,
        f"{name}: {quota.unit} for each customer [{quota.unit}]": (last.spent - first.spent)
        / last.written,
        f"{name}: writing, at the platform's own pace [minutes]": seconds * faster / 60,
    }


def _check(platform: str, figures: Figures) -> None:
    if figures[f"{platform}: {_REFUSED}"] > MOST_REFUSED:
        raise NotDone(f"{platform}: too many requests were refused")
    if figures[f"{platform}: {_USED}"] < LEAST_USED:
        raise NotDone(f"{platform}: too little of the quota was used")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.quota", description=__doc__)
    parser.add_argument("--customers", type=int, default=20_000, help="in each shop")
    parser.add_argument("--faster", type=float, help="how fast the shops' clocks run")
    parser.add_argument("--only", choices=[each.platform for each in QUOTAS])
    parser.add_argument("--json", type=Path, metavar="FILE", help="write all figures there")
    return parser


if __name__ == "__main__":
    sys.exit(main())
