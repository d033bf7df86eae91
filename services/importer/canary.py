"""Sends a message about nobody through all three workers, so that a silent pipeline shows.

It takes the way of every customer, store and broker and all, and touches no customer and no shop.
"""

from collections.abc import Callable, Sequence

from shared.domain.messages import CANARY, CanarySent, Parcel, parcel
from shared.persistence.unit_of_work import UnitsOfWork
from shared.runtime.loops import Beat


class Canary:
    """Sends one whenever it is its time. Several importers send several, which does no harm."""

    def __init__(self, units: UnitsOfWork, offer: Callable[[Sequence[Parcel]], None]) -> None:
        self._units = units
        self._offer = offer

    def send(self, _beat: Beat) -> None:
        """Send one."""
        with self._units.begin() as work:
            body = CanarySent(sent_at=work.now)
            work.send([parcel(body, channel=CANARY, subject=CANARY, at=work.now)])
        self._offer(work.sent)
