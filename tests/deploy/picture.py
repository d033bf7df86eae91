"""Plays five lively minutes of a shop and draws the dashboard of them, for docs/operations.md.

    python -m tests.deploy.picture

Customers register all the time; then the shop is away, then it refuses some, then the processor is
stopped. Everything is real but the shop; the numbers are what Prometheus scraped.
"""

import runpy
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

from shared.persistence.migrate import upgrade
from tests.deploy.watched import Watched, rules, watched
from tests.docs.pages import ROOT
from tests.faults.people import register
from tests.services import Databases, PostgresCluster

FILE: Final = ROOT / "docs" / "images" / "dashboard.svg"
MINUTES: Final = 5.0
CUSTOMERS: Final = 400
BUT_SEARCHES: Final = r"^(?!.*customers/search)"
REFUSED: Final = '{"message":"\\"Gender\\" is a required value."}'
ROWS: Final = ("Is it alive", "Channel")


def main() -> None:
    """Play and draw."""
    with (
        tempfile.TemporaryDirectory(prefix="patron-picture-") as folder,
        PostgresCluster(durable=False) as cluster,
        Databases(cluster.url()).temporary() as template,
    ):
        upgrade(template)
        Databases(cluster.url()).let_be_copied(template)
        databases = Databases(cluster.url())
        with watched(
            Path(folder), databases, template, rules(), poll_seconds=2, customers=CUSTOMERS
        ) as scene:
            play(scene)
            draw(scene)


def play(scene: Watched) -> None:
    """Let things happen, one after the other, while people register."""
    scene.deployment.environment |= {
        "PATRON_CANARY__INTERVAL_SECONDS": "2",
        "PATRON_RECOVERY__PAUSE_SECONDS": "5",
    }
    scene.deployment.start()
    scene.start_keeper()
    is_over = threading.Event()
    shoppers = threading.Thread(target=_shoppers, args=(scene, is_over))
    shoppers.start()
    script: list[tuple[float, Callable[[], object]]] = [
        (0.30, lambda: _fail(scene)),
        (0.48, scene.shop.control.clear_faults),
        (0.60, lambda: _refuse(scene)),
        (0.72, scene.deployment.workers["processor"].stop),
        (0.82, lambda: scene.deployment.start("processor")),
        (1.00, is_over.set),
    ]
    began = time.monotonic()
    try:
        for part, act in script:
            time.sleep(max(0.0, began + part * 60 * MINUTES - time.monotonic()))
            act()
    finally:
        is_over.set()
        shoppers.join()


def draw(scene: Watched) -> None:
    """Write the picture, as the command line does."""
    words = ["--minutes", str(MINUTES), "--channel", "shop", "--rate", "15s", "--file", str(FILE)]
    sys.argv = ["render.py", scene.prometheus.url, *words, "--rows", *ROWS]
    runpy.run_path(str(ROOT / "deploy" / "grafana" / "render.py"), run_name="__main__")


def _shoppers(scene: Watched, is_over: threading.Event) -> None:
    """Register somebody twice a second; every tenth has no address yet."""
    number = 0
    while not is_over.wait(0.5):
        number += 1
        if number % 10:
            register(scene.shop, number)
        else:
            names = {"firstname": "Ann", "lastname": "Example"}
            account = names | {"email": f"ann{number}@example.com"}
            scene.shop.control.register(account, store_id=1)


def _fail(scene: Watched) -> None:
    scene.shop.control.fail_next("server_error", 1_000_000, path=BUT_SEARCHES)


def _refuse(scene: Watched) -> None:
    scene.shop.control.fail_next("status", 6, method="PUT", status=400, body=REFUSED)


if __name__ == "__main__":
    main()
