"""What goes wrong during a soak: machines and shops, each after its own seeded dice.

Its promise: the order of the faults is the same for the same seed; when they strike depends on
how long the servers take to come back.
"""

import random
import threading
import time
from collections import Counter
from collections.abc import Callable
from typing import Final

from benchmarks.soak.site import Site

Strike = Callable[[], None]


class Journal:
    """What struck, and when; both kinds of faults and the shoppers write here."""

    def __init__(self) -> None:
        self._began = time.monotonic()
        self._lock = threading.Lock()
        self.lines: list[tuple[float, str, str]] = []

    @property
    def seconds(self) -> float:
        """How long the soak has lasted."""
        return time.monotonic() - self._began

    def note(self, what: str, whom: str = "") -> None:
        """Write a line."""
        with self._lock:
            self.lines.append((self.seconds, what, whom))

    def counts(self) -> Counter[str]:
        """Return how often each thing happened, to whomever."""
        with self._lock:
            return Counter(what for _, what, _ in self.lines)


class Faults:
    """One stream of faults: a strike, a rest, and again until told to stop."""

    def __init__(self, journal: Journal, dice: random.Random, stop: threading.Event) -> None:
        self._journal = journal
        self._dice = dice
        self._stop = stop
        self._table: dict[Strike, int] = {}
        self._rest_seconds = (1.0, 4.0)

    def run(self) -> None:
        """Strike until the end."""
        strikes, weights = zip(*self._table.items(), strict=True)
        while not self._stop.is_set():
            [strike] = self._dice.choices(strikes, weights)
            strike()
            self.between()
            self._pause(*self._rest_seconds)

    def between(self) -> None:
        """Do what has to be done after each strike."""

    def _pause(self, least: float, most: float) -> None:
        self._stop.wait(self._dice.uniform(least, most))


class MachineFaults(Faults):
    """Workers, broker, database and the lines to them."""

    def __init__(
        self, site: Site, journal: Journal, dice: random.Random, stop: threading.Event
    ) -> None:
        super().__init__(journal, dice, stop)
        self._site = site
        self._table = {
            self._kill_worker: 8,
            self._freeze_worker: 3,
            self._cut_broker: 4,
            self._silence_broker: 2,
            self._restart_broker: 1,
            self._kill_broker: 2,
            self._cut_database: 4,
            self._silence_database: 2,
            self._stop_database: 3,
        }

    def between(self) -> None:
        """Start again whoever ended by itself, as at a start without a database."""
        self._site.start_again()

    def _kill_worker(self) -> None:
        name = self._dice.choice(self._site.mortal)
        self._journal.note("kill -9 of a worker", name)
        self._site.workers[name].kill()
        self._pause(0, 3)

    def _freeze_worker(self) -> None:
        """Let one hang longer than its leases last, then go on as if nothing had been."""
        name = self._dice.choice(self._site.mortal)
        self._journal.note("worker hangs", name)
        worker = self._site.workers[name]
        worker.freeze()
        self._pause(3, 12)
        worker.thaw()

    def _cut_broker(self) -> None:
        self._journal.note("connections to the broker cut")
        self._site.broker_line.cut()

    def _silence_broker(self) -> None:
        self._journal.note("line to the broker silent")
        self._site.broker_line.stall()
        self._pause(1, 8)
        self._site.broker_line.flow()

    def _restart_broker(self) -> None:
        self._journal.note("broker restarted")
        self._site.node.restart()

    def _kill_broker(self) -> None:
        self._journal.note("kill -9 of the broker")
        self._site.node.kill()
        self._pause(0, 5)
        self._site.node.start()

    def _cut_database(self) -> None:
        self._journal.note("connections to the database cut")
        self._site.database_line.cut()

    def _silence_database(self) -> None:
        self._journal.note("line to the database silent")
        self._site.database_line.stall()
        self._pause(1, 6)
        self._site.database_line.flow()

    def _stop_database(self) -> None:
        self._journal.note("database stopped at once")
        self._site.cluster.stop(immediate=True)
        self._pause(0, 5)
        self._site.cluster.start()


_MOST: Final = 30


class ShopFaults(Faults):
    """The shop throttles, fails, crawls, and loses its answers."""

    def __init__(
        self, site: Site, journal: Journal, dice: random.Random, stop: threading.Event
    ) -> None:
        super().__init__(journal, dice, stop)
        self._control = site.control
        self._rest_seconds = (2.0, 8.0)
        self._table = {
            self._throttle: 4,
            self._fail: 4,
            self._maintain: 2,
            self._crawl: 3,
            self._lose: 4,
            self._hang: 1,
            self._garble: 3,
        }

    def _throttle(self) -> None:
        self._order("too_many_requests", _MOST, "429", retry_after=self._a_few_seconds())

    def _fail(self) -> None:
        kind = self._dice.choice(["server_error", "unavailable", "reset"])
        self._order(kind, _MOST, "5xx or reset", retry_after=self._a_few_seconds())

    def _maintain(self) -> None:
        self._journal.note("shop: under maintenance")
        self._control.maintenance(on=True, retry_after=self._a_few_seconds())
        self._pause(1, 6)
        self._control.maintenance(on=False)

    def _crawl(self) -> None:
        speed = self._dice.choice([200.0, 2000.0])
        self._order("slow", 6, "slow answers", bytes_per_second=speed)

    def _lose(self) -> None:
        self._order("lost", 10, "writes whose answers are lost", method="PUT")

    def _hang(self) -> None:
        self._order("stalled", 3, "no answers", method="PUT")
        self._pause(2, 6)
        self._control.release()

    def _garble(self) -> None:
        kind = self._dice.choice(["truncated", "html", "repeated_page"])
        self._order(kind, 4, "garbled answers", method="GET")

    def _a_few_seconds(self) -> str:
        """Return for how long the shop sends us away: who is away meets no other fault."""
        return str(self._dice.randint(1, 3))

    def _order(self, kind: str, most: int, name: str, **where: object) -> None:
        self._journal.note(f"shop: {name}")
        self._control.fail_next(kind, self._dice.randint(1, most), **where)
