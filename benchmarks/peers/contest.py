"""One run of one peer: real processes, a queue that is full before they may begin, real work.

Its promise: what is measured is the time from the moment when all processes may go on to the
moment when the last result is confirmed in the next queue; no start, no filling, no first message.
"""

import os
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from itertools import islice
from typing import Any, Final

import pika
import sqlalchemy as sa

from benchmarks.installation import Installation, NotDone, Site
from benchmarks.peers import place, supply
from benchmarks.peers.catalogue import ROOT, Peer
from benchmarks.peers.crew import Crew
from benchmarks.peers.job import IN, OUT
from benchmarks.peers.verdict import check
from shared.messaging.rabbitmq import RabbitMQBroker
from shared.messaging.topology import EXCHANGE
from shared.persistence.engine import create_engine

WARM_UP: Final = 200
"""How many messages are handled before anything is measured."""

_PATIENCE_SECONDS: Final = 120.0
_LOOK_SECONDS: Final = 0.01
_FILL_AT_ONCE: Final = 1000
_HANDLED: Final = sa.text("SELECT count(*) FROM tiny_handled")


@dataclass(frozen=True)
class Outcome:
    """What a run took: seconds, and CPU seconds by who used them."""

    messages: int
    seconds: float
    cpu: dict[str, float]

    @property
    def rate(self) -> float:
        """Messages a second."""
        return self.messages / self.seconds


@dataclass
class Course:
    """A database and a virtual host for one run, and the workers on them."""

    peer: Peer
    site: Site
    engine: sa.Engine
    channel: Any
    life: ExitStack
    directory: int
    crews: list[Crew] = field(default_factory=list)
    sent: int = 0

    def start(self, processes: int) -> None:
        """Start workers and return when all of them consume."""
        for number in range(processes):
            log = self.site.folder / f"worker-{number}.log"
            crew = Crew(self.peer.command, self._environment(), log)
            self.crews.append(self.life.enter_context(crew))
        self.await_consumers(processes)

    def fill(self, count: int) -> None:
        """Put `count` more messages into the queue, and return when they are there."""
        waiting = self.depth(IN)
        messages = map(self.peer.envelope, supply.parcels(self.sent, count))
        broker = RabbitMQBroker(self.site.broker_url, name="benchmark")
        try:
            while some := list(islice(messages, _FILL_AT_ONCE)):
                broker.publish(some)
        finally:
            broker.close()
        self.sent += count
        if all(crew.is_running for crew in self.crews):
            return
        raise NotDone(f"a worker has ended; {waiting} messages waited\n{self.words()}")

    def depth(self, queue: str) -> int:
        """Return how many messages wait in `queue`."""
        return int(self._ask(queue).message_count)

    def until(self, holds: Callable[[], bool], what: str) -> None:
        """Wait until something holds. Raises NotDone with what the workers have said."""
        deadline = time.monotonic() + _PATIENCE_SECONDS
        while not holds():
            if time.monotonic() > deadline or not all(crew.is_running for crew in self.crews):
                raise NotDone(f"{self.peer.title}: never {what}\n{self.words()}")
            time.sleep(_LOOK_SECONDS)

    def await_consumers(self, many: int) -> None:
        """Wait until so many consume: what a worker that is gone had in hand is back by then."""
        self.until(lambda: self._ask(IN).consumer_count == many, f"{many} consume")

    def handled(self) -> int:
        """Return how many messages were handled, each counted once."""
        with self.engine.connect() as connection:
            return int(connection.execute(_HANDLED).scalar_one())

    def words(self) -> str:
        """Return what the workers said last."""
        return "\n".join(crew.last_words for crew in self.crews)

    def _ask(self, queue: str) -> Any:
        return self.channel.queue_declare(queue, passive=True).method

    def _environment(self) -> dict[str, str]:
        url = sa.make_url(self.site.database_url).set(drivername="postgresql")
        product = self.site.database_url if self.peer.name == "Patron" else None
        return {
            **os.environ,
            "PYTHONPATH": str(ROOT),
            "PYTHONWARNINGS": "ignore",
            place.DATABASE: product or url.render_as_string(hide_password=False),
            place.BROKER: self.site.broker_url,
            place.VARIANT: self.peer.variant,
            **self.peer.environment,
        }


@contextmanager
def course(installation: Installation, peer: Peer, messages: int) -> Iterator[Course]:
    """Set the scene for one run of up to `messages` messages."""
    with installation.bare([]) as site, ExitStack() as life:
        engine = create_engine(site.database_url, application_name="benchmark")
        life.callback(installation.drop, site.database_url)
        life.callback(engine.dispose)
        connection = pika.BlockingConnection(pika.URLParameters(site.broker_url))
        life.callback(connection.close)
        channel = connection.channel()
        for queue in (IN, OUT):
            channel.queue_declare(queue, durable=True, arguments=peer.queue_arguments(queue))
            channel.queue_bind(queue, EXCHANGE, queue)
        directory = supply.prepare(engine, messages)
        workers = life.enter_context(ExitStack())
        yield Course(peer, site, engine, channel, workers, directory)


def run(
    installation: Installation, peer: Peer, messages: int, processes: int, warm_up: int = WARM_UP
) -> Outcome:
    """Have `processes` handle `messages` messages; check the work and say what it took."""
    with course(installation, peer, messages + warm_up) as there:
        there.start(processes)
        there.fill(warm_up)
        there.until(lambda: there.depth(OUT) == warm_up, "warm")
        for crew in there.crews:
            crew.freeze()
        there.fill(messages)
        outcome = _measure(installation, there, messages)
        for crew in there.crews:
            crew.end()
        check(there.engine, there.channel, there.directory, there.sent)
        return outcome


def _measure(installation: Installation, there: Course, messages: int) -> Outcome:
    def cpu() -> dict[str, float]:
        return {
            "client": sum(crew.cpu_seconds() for crew in there.crews),
            "broker": installation.broker_cpu_seconds(),
            "database": installation.database_cpu_seconds(),
        }

    before, began = cpu(), time.perf_counter()
    for crew in there.crews:
        crew.thaw()
    there.until(lambda: there.depth(OUT) >= there.sent, "done")
    seconds = time.perf_counter() - began
    return Outcome(messages, seconds, {who: used - before[who] for who, used in cpu().items()})


def survive(installation: Installation, peer: Peer, messages: int) -> int:
    """Kill a worker in the middle of its work, start another; return how often a result came twice.

    Raises NotDone unless everything was done in the end.
    """
    with course(installation, peer, messages) as there:
        there.start(1)
        there.fill(messages)
        there.until(lambda: there.depth(OUT) >= messages // 4, "a quarter")
        there.crews.pop().kill()
        there.await_consumers(0)
        left = messages - there.depth(OUT)
        if left <= 0:
            raise NotDone(f"{peer.title}: done before it could be killed; give it more")
        # And once more for what a worker had fetched, and gives back when it ends in good order.
        while there.depth(IN):
            there.start(1)
            there.until(lambda: not there.depth(IN) and there.handled() == messages, "done again")
            there.crews.pop().end()
            there.await_consumers(0)
        return check(there.engine, there.channel, there.directory, messages, killed=True)
