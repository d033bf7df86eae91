"""Drains one dead queue into the dead letters, for as long as the keeper runs.

Its promise: a delivery is acknowledged after what it says is committed, and never otherwise. A
letter that cannot be stored is told of, counted, left in the queue and tried again now and then,
while the others go on.
"""

import threading
import time
from collections import Counter
from collections.abc import Sequence
from hashlib import sha256
from typing import Final

import structlog

from services.console.keeper.reading import Reader
from shared.domain.errors import ConfigurationError
from shared.messaging.broker import Broker, Consumption, Delivery
from shared.observability.evidence import evidence
from shared.observability.metrics import Metrics
from shared.persistence.dead_letter_intake import Fate, Find, take_in
from shared.persistence.tombstones import Tombstones
from shared.persistence.unit_of_work import UnitsOfWork
from shared.runtime.loops import Beat
from shared.runtime.patience import Patience, Stopping
from shared.runtime.splitting import in_halves

BATCH_SIZE: Final = 100
# A letter may have a megabyte, and a stranger's may have more.
PREFETCH: Final = 200
RETRY_SECONDS: Final = 60.0
_TAKE_SECONDS: Final = 1.0
_MISCONFIGURED_SECONDS: Final = 5.0
_log = structlog.get_logger()


class Drain:
    """Takes in what lies in `queue`, the dead queue of one worker. A `Loop`."""

    def __init__(
        self,
        worker: str,
        queue: str,
        broker: Broker,
        units: UnitsOfWork,
        *,
        reader: Reader,
        tombstones: Tombstones,
        metrics: Metrics,
        retry_seconds: float = RETRY_SECONDS,
    ) -> None:
        self.name = f"drain.{queue}"
        self._worker = worker
        self._queue = queue
        self._broker = broker
        self._units = units
        self._reader = reader
        self._tombstones = tombstones
        self._metrics = metrics
        self._retry_seconds = retry_seconds
        self._retry_at = 0.0
        self._stopped = threading.Event()
        self._consumption: Consumption | None = None
        self._fault: str | None = None
        self._left: dict[str, Delivery] = {}

    def readiness(self) -> str | None:
        """Say why nothing is taken out of the queue. A health check."""
        if len(self._left) >= PREFETCH:
            return f"{len(self._left)} letters of {self._queue} cannot be stored, and block it"
        consumption = self._consumption
        if consumption and consumption.is_active:
            return None
        return f"not draining {self._queue}{f': {self._fault}' if self._fault else ''}"

    def stop(self) -> None:
        """Take nothing more; end after the batch in hand."""
        self._stopped.set()
        if consumption := self._consumption:
            consumption.wake()

    def run(self, beat: Beat) -> None:
        """Drain until stopped."""
        patience = Patience(self._stopped, beat=beat, on_trouble=self._count_trouble)
        consumption = self._broker.consume(self._queue, PREFETCH)
        self._consumption = consumption
        self._show()
        try:
            while not self._stopped.is_set():
                beat()
                self._try_again(consumption, patience)
                if deliveries := self._take(consumption):
                    self._take_in(deliveries, consumption, patience)
        except Stopping:
            _log.info("keeper.stopped_during_outage", queue=self._queue)
        finally:
            self._consumption = None
            # What is left was not settled, and is in the queue again.
            self._left.clear()
            consumption.close()

    def _take(self, consumption: Consumption) -> list[Delivery]:
        """Take what is there; a queue that is missing or forbidden is waited for, loudly."""
        try:
            deliveries = consumption.take(BATCH_SIZE, _TAKE_SECONDS)
        except ConfigurationError as error:
            self._fault = str(error)
            _log.error("keeper.misconfigured", reason=error.reason, error=self._fault)
            self._stopped.wait(_MISCONFIGURED_SECONDS)
            return []
        if deliveries:
            self._fault = None
        return deliveries

    def _take_in(
        self, deliveries: Sequence[Delivery], consumption: Consumption, patience: Patience
    ) -> None:
        """Store a batch, and acknowledge what was stored."""

        def attempt(some: Sequence[Delivery]) -> list[Fate | None]:
            finds = [self._reader.read(delivery) for delivery in some]
            fates = patience.through(lambda: self._commit(finds))
            self._count(finds, fates)
            return list(fates)

        fates = in_halves(deliveries, attempt, self._leave)
        stored = [each for each, fate in zip(deliveries, fates, strict=True) if fate]
        consumption.settle(acks=stored)
        if self._left:
            for delivery in stored:
                self._left.pop(_key(delivery), None)

    def _commit(self, finds: Sequence[Find]) -> list[Fate]:
        with self._units.begin() as work:
            return take_in(work, finds, self._tombstones)

    def _leave(self, delivery: Delivery, error: Exception) -> None:
        """Leave a letter in the queue: unsettled, so that it comes to whoever is next.

        Returned at once it would come again at once.
        """
        if not self._left:
            self._retry_at = time.monotonic() + self._retry_seconds
        self._left[_key(delivery)] = delivery
        self._metrics.dead_letters_ingested.labels(self._worker, "failed").inc()
        facts = evidence(error)
        message_id = delivery.message.message_id
        _log.error(
            "keeper.letter_not_stored",
            queue=self._queue,
            message_id=str(message_id) if message_id else None,
            error_class=facts.error_class,
            error=facts.text,
        )

    def _try_again(self, consumption: Consumption, patience: Patience) -> None:
        """Try what was left behind; its cause may have been mended."""
        if self._left and time.monotonic() >= self._retry_at:
            self._retry_at = time.monotonic() + self._retry_seconds
            self._take_in(list(self._left.values()), consumption, patience)

    def _count(self, finds: Sequence[Find], fates: Sequence[Fate]) -> None:
        for fate, many in Counter(fates).items():
            self._metrics.dead_letters_ingested.labels(self._worker, fate).inc(many)
        for find, fate in zip(finds, fates, strict=True):
            if fate == "buried":
                self._metrics.dead_letters.labels(self._worker, find.letter.reason).inc()
                self._tell(find)

    def _tell(self, find: Find) -> None:
        letter = find.letter
        _log.error(
            "message.dead",
            reason=letter.reason,
            worker=self._worker,
            queue=letter.queue,
            message_id=str(letter.message_id),
            correlation_id=str(letter.correlation_id) if letter.correlation_id else None,
            type=letter.type,
            channel=letter.channel,
        )

    def _count_trouble(self, reason: str) -> None:
        self._metrics.database_errors.labels("keeper", reason).inc()

    def _show(self) -> None:
        active = self._metrics.consumer_active.labels("keeper", self._queue)
        active.set_function(lambda: float(bool((c := self._consumption) and c.is_active)))
        left = self._metrics.dead_letters_unstored.labels(self._worker)
        left.set_function(lambda: float(len(self._left)))


def _key(delivery: Delivery) -> str:
    """Return what is the same for a letter that is delivered again."""
    message = delivery.message
    return f"{message.message_id}:{sha256(message.body).hexdigest()}"
