"""Held customers are decided again when the configuration has changed (C365-6, NEW-13).

What held them may be cured: a template was added, a store view configured, a number series named.
Its promise: each is sent once for each version of the configuration, however many processors
start. Those who wait for an operator, staged or ambiguous, keep waiting for one.
"""

from collections.abc import Callable, Sequence
from typing import Final

import structlog

from shared.domain.messages import Parcel
from shared.persistence import staging_desk
from shared.persistence.unit_of_work import UnitsOfWork
from shared.runtime.loops import Beat

CURABLE: Final = frozenset(
    {
        "no_template",
        "incomplete_template",
        "no_number",
        "number_taken",
        "has_number",
        "unknown_store_view",
        "guest",
        "guest_unmatched",
        "no_guest_customer",
        "business_not_enabled",
        "company_unknown",
    }
)
EVERY_SECONDS: Final = 600.0
# The first look is made while the processors that are being replaced may still decide by the old
# configuration; the second finds what they held by it. Then all is said.
LOOKS: Final = 2

_log = structlog.get_logger()


class Redecision:
    """Has held customers decided by `config_version`: at the start, and once more later."""

    def __init__(
        self,
        units: UnitsOfWork,
        offer: Callable[[Sequence[Parcel]], None],
        config_version: str,
    ) -> None:
        self._units = units
        self._offer = offer
        self._config_version = config_version
        self._looks_left = LOOKS
        self._sent = 0

    def look(self, beat: Beat) -> bool:
        """Send one slice of those that are to be decided again; return whether there are more."""
        if not self._looks_left:
            return False
        beat()
        with self._units.begin() as work:
            many = staging_desk.claim_changed(work, CURABLE, self._config_version)
        self._offer(work.sent)
        self._sent += many
        if many == staging_desk.SLICE:
            return True
        self._looks_left -= 1
        if self._sent:
            _log.info("staging.decided_again", customers=self._sent, version=self._config_version)
            self._sent = 0
        return False
