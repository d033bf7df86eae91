"""Handling whose effects are all in the database: claim, handle and send in one transaction.

For the processor and the importer's requests. Its promise: a batch commits as a whole or is split
in halves down to the message at fault, so one bad message never stops its neighbours.
"""

from collections.abc import Callable, Sequence

from shared.domain.customer import Model
from shared.domain.messages import Envelope, Parcel
from shared.persistence.unit_of_work import UnitOfWork, UnitsOfWork
from shared.runtime.claiming import claim
from shared.runtime.failures import Failure, FailureRecorder
from shared.runtime.patience import Patience
from shared.runtime.received import DONE, DUPLICATE, Received, Result
from shared.runtime.splitting import in_halves

Process = Callable[[Sequence[Envelope[Model]], UnitOfWork], None]


class TransactionalHandler:
    """Runs `process` on what it could claim, in the transaction of the claim."""

    def __init__(
        self,
        process: Process,
        units: UnitsOfWork,
        failures: FailureRecorder,
        offer: Callable[[Sequence[Parcel]], None],
    ) -> None:
        self._process = process
        self._units = units
        self._failures = failures
        self._offer = offer

    def handle(self, batch: Sequence[Received], patience: Patience) -> Sequence[Result]:
        """Handle the batch in one transaction; on failure its halves, each in its own."""

        def fail(received: Received, error: Exception) -> Result:
            return patience.through(lambda: self._record(Failure(received, error)))

        return in_halves(batch, lambda part: patience.through(lambda: self._commit(part)), fail)

    def _commit(self, batch: Sequence[Received]) -> list[Result]:
        with self._units.begin() as work:
            claimed = claim(batch, work)
            if claimed:
                self._process([received.envelope for received in claimed], work)
        self._offer(work.sent)
        mine = {id(received) for received in claimed}
        return [DONE if id(received) in mine else DUPLICATE for received in batch]

    def _record(self, failure: Failure) -> Result:
        with self._units.begin() as work:
            return self._failures.record([failure], work)[0]
