"""The tour: shop and Patron are started, watched, checked against each other, and stopped.

Its promise: what is said was looked up, in the shop over HTTP and in the database; whatever did
not come out right ends the tour with exit code 1 and the reason.
"""

import shutil
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

import typer

from services.console.cli.failures import Refused
from services.console.demo import scenes
from services.console.demo.change import Change, ask_for_sweep, edit_an_address, show_change
from services.console.demo.children import Child, announcing_child, child
from services.console.demo.configuration import configuration_of
from services.console.demo.display import Guide, following
from services.console.demo.one_person import show_one_person
from services.console.demo.progress import Progress, progress
from services.console.demo.shops.kinds import ALL, Kind, kinds_of
from services.console.demo.shops.port import DemoShop
from shared.persistence.engine import create_engine
from shared.persistence.unit_of_work import UnitsOfWork
from shared.runtime.foundation import migrate_embedded
from shared.runtime.installation import load_installation

LOOK_EVERY_SECONDS: Final = 0.2


@dataclass(frozen=True, slots=True)
class Wish:
    """What the visitor asked for: which shops, and how many customers each has."""

    shop: str
    customers: int
    seed: int
    keep: bool
    patience_seconds: float


def give_tour(wish: Wish) -> None:
    """Give the whole tour. Raises `Refused` if something did not come out right."""
    if find_spec("services.sandbox") is None:
        raise Refused(
            "the simulated shop is not part of this installation",
            "Run the demo from the project's directory, or `docker compose --profile demo up`.",
        )
    place = Path(tempfile.mkdtemp(prefix="patron-demo-"))
    is_kept = wish.keep
    try:
        urls = _Tour(wish, place, Guide()).give()
    except Exception:
        is_kept = True
        typer.echo(f"Configuration, database and logs are kept in {place}.", err=True)
        raise
    finally:
        if not is_kept:
            shutil.rmtree(place)
    if wish.keep:
        again = [
            f"--shop {kind.name} --port {urlsplit(url).port} --customers {wish.customers}"
            f" --seed {wish.seed}"
            for kind, url in zip(kinds_of(wish.shop), urls, strict=True)
        ]
        scenes.say_how_to_go_on(place, again)


class _Tour:
    """One tour in the directory `place`."""

    def __init__(self, wish: Wish, place: Path, guide: Guide) -> None:
        self._wish = wish
        self._place = place
        self._guide = guide
        self._began = time.monotonic()
        self._log = place / "patron.log"

    def give(self) -> Sequence[str]:
        """Start everything, show everything, end everything; return where the shops were."""
        with ExitStack() as stack:
            shops = [self._open_shop(kind, stack) for kind in kinds_of(self._wish.shop)]
            stage = self._set_up(shops, stack)
            with child(
                "patron up", "services.console.cli", "--config", str(stage.configuration), "up",
                log=self._log, place=self._place,
            ) as patron:  # fmt: skip
                self._watch(stage, patron)
                scenes.verify_numbers(stage)
                if len(shops) > 1:
                    show_one_person(stage)
                scenes.explain_one(stage)
                self._change_one(stage, patron)
                code = patron.end()
        self._finish(code)
        return [shop.url for shop in shops]

    def _open_shop(self, kind: Kind, stack: ExitStack) -> DemoShop:
        opening = kind.opening(self._wish.customers)
        running, line = stack.enter_context(
            announcing_child(
                f"the simulated {kind.name} shop", "services.sandbox", "--shop", kind.name,
                "--port", "0", "--customers", str(self._wish.customers),
                "--seed", str(self._wish.seed), *opening.options,
                log=self._place / f"{kind.name}.log", place=self._place,
            )
        )  # fmt: skip
        url = line.rpartition(" ")[2]
        if not url.startswith("http"):
            raise Refused(f"{running.name} did not start: {line}")
        shop = opening.open(url, kind.name if self._wish.shop == ALL else "shop")
        stack.callback(shop.close)
        return shop

    def _set_up(self, shops: Sequence[DemoShop], stack: ExitStack) -> scenes.Stage:
        configuration = self._place / "patron.toml"
        configuration.write_text(configuration_of(shops, self._place), encoding="utf-8")
        installation = load_installation(configuration, {})
        migrate_embedded(installation)
        database = installation.settings.database.url.get_secret_value()
        engine = create_engine(database, application_name="patron-demo")
        stack.callback(engine.dispose)
        stage = scenes.Stage(
            self._guide, shops, installation, UnitsOfWork(engine), configuration,
            expected={shop.channel: shop.expected() for shop in shops},
        )  # fmt: skip
        scenes.introduce(stage, self._log)
        scenes.prepare_shops(stage)
        return stage

    def _watch(self, stage: scenes.Stage, patron: Child) -> None:
        stage.guide.step("Import, decide, write back", "patron up")
        began = time.monotonic()
        last = self._wait(stage, patron, partial(_is_imported, stage=stage), "the import")
        scenes.sum_up(stage, last, time.monotonic() - began)

    def _change_one(self, stage: scenes.Stage, patron: Child) -> None:
        change = edit_an_address(stage)
        channel = change.account.channel
        is_over: Callable[[Progress], bool] = partial(_has_arrived, change=change)
        if change.is_swept_for:
            is_over = partial(_is_swept, channel=channel, since=ask_for_sweep(stage, channel))
        after = self._wait(stage, patron, is_over, "the change")
        show_change(stage, change, after)

    def _wait(
        self,
        stage: scenes.Stage,
        patron: Child,
        is_done: Callable[[Progress], bool],
        what: str,
    ) -> Progress:
        """Look again and again until it is done; by state, not by time."""
        began = time.monotonic()
        with following(stage.expected_in_all) as show:
            while True:
                patron.check()
                with stage.units.read() as work:
                    now = progress(work)
                seconds = time.monotonic() - began
                show(now, seconds)
                if is_done(now):
                    return now
                if seconds > self._wish.patience_seconds:
                    raise Refused(
                        f"{what} did not end within {self._wish.patience_seconds:g} s:"
                        f" {now.owed} messages are still owed",
                        f"See {self._log}; --patience waits longer.",
                    )
                time.sleep(LOOK_EVERY_SECONDS)

    def _finish(self, code: int) -> None:
        if code:
            raise Refused(f"patron up ended with {code} instead of 0", f"See {self._log}.")
        scenes.say_goodbye(self._guide, time.monotonic() - self._began, kept=self._wish.keep)


def _is_imported(now: Progress, *, stage: scenes.Stage) -> bool:
    polled = {shop.channel for shop in stage.shops if shop.is_polled}
    return now.has_imported(polled, stage.expected_in_all)


def _is_swept(now: Progress, *, channel: str, since: datetime) -> bool:
    return now.has_swept(channel, since)


def _has_arrived(now: Progress, *, change: Change) -> bool:
    return now.decisions > change.decisions_before and not now.owed
