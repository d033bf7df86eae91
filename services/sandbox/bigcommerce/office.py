"""What the operator of the store may do: tokens, scopes, limits, webhooks and the books.

Its promise: nothing here changes a customer.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from services.sandbox.bigcommerce import hooks
from services.sandbox.bigcommerce.api import Api
from services.sandbox.bigcommerce.b2b_api import B2BApi
from services.sandbox.bigcommerce.gate import ALL_SCOPES, CLIENT_SECRET, TOKEN, Gate
from services.sandbox.bigcommerce.hooks import Event
from services.sandbox.bigcommerce.shop import Shop
from services.sandbox.bigcommerce.traffic import Traffic
from services.sandbox.fate import Fate
from services.sandbox.faults import FaultPlan

Record = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Premises:
    """The parts of a running store."""

    shop: Shop
    gate: Gate
    api: Api
    b2b: B2BApi
    traffic: tuple[Traffic, Traffic]
    """Of the store's API and of the B2B Edition's."""


class Office(Fate):
    """The operator's hands."""

    def __init__(self, premises: Premises, faults: FaultPlan) -> None:
        super().__init__(premises.shop.clock, premises.shop.ledger, faults)
        self._shop = premises.shop
        self._gate = premises.gate
        self._api = premises.api
        self._b2b = premises.b2b
        self._traffic = premises.traffic
        self._told = 0

    def customer_count(self) -> int:
        """Return how many customers there are."""
        return len(self._shop.table.rows)

    # Who may do what

    def revoke_token(self) -> None:
        """Make every request a 401, as when the app was uninstalled."""
        self._gate.is_revoked = True

    def restore_token(self, token: str = TOKEN) -> None:
        """Accept `token` again, or a new one instead of the old."""
        self._gate.token, self._gate.is_revoked = token, False

    def set_scopes(self, *scopes: str) -> None:
        """Limit what the token may do; without scopes given, allow everything."""
        self._gate.scopes = frozenset(scopes) or ALL_SCOPES

    def remove_scope(self, *scopes: str) -> None:
        """Take single scopes away: a 403 for what needs them."""
        self._gate.scopes -= frozenset(scopes)

    def set_quirks(self, **switches: Any) -> None:
        """Turn single switches of `quirks.Quirks`."""
        self._shop.quirks = replace(self._shop.quirks, **switches)

    def set_quota(self, quota: int, window_seconds: float | None = None) -> None:
        """Grant another quota of requests, from a fresh window on."""
        self._traffic[0].window.change(quota, window_seconds)

    def set_latency(self, seconds: float) -> None:
        """Make every answer take so long to come."""
        for each in self._traffic:
            each.latency_seconds = seconds

    # Webhooks

    def events(self) -> list[Event]:
        """Return what happened since the store opened, oldest first."""
        with self._shop.lock:
            return list(self._shop.journal.events)

    def subscriptions(self) -> list[Record]:
        """Return the hooks that clients created."""
        return list(self._api.hooks.known.values())

    def send_webhook(
        self,
        url: str,
        scope: str,
        data: Record | int,
        *,
        redeliver: Event | None = None,
        headers: Mapping[str, str] | None = None,
        secret: str = CLIENT_SECRET,
        timestamp: int | None = None,
    ) -> tuple[int, Event]:
        """Post one signed notice; return the status that came back, and what was told.

        `data` as in the notice, or a customer's id. `redeliver` repeats an earlier notice under
        its own hash; another `secret` or `timestamp` forges one. Raises OSError where nobody
        answers.
        """
        about = hooks.about_customer(data) if isinstance(data, int) else data
        event = redeliver or self._event(scope, about)
        status = hooks.send(
            url,
            event.body(),
            identifier=f"msg_{event.hash[:27]}",
            headers=headers,
            secret=secret,
            timestamp=timestamp,
        )
        return status, event

    def deliver_webhooks(self) -> list[tuple[str, str, int]]:
        """Tell the active hooks what happened since the last call: (scope, url, status)."""
        events = self.events()
        news, self._told = events[self._told :], len(events)
        return [
            (event.scope, hook["destination"], self._deliver(hook, event))
            for event in news
            for hook in self._api.hooks.wanting(event)
        ]

    def _deliver(self, hook: Record, event: Event) -> int:
        try:
            return self.send_webhook(
                hook["destination"],
                event.scope,
                event.data,
                redeliver=event,
                headers=hook["headers"],
            )[0]
        except OSError:
            return 0

    def _event(self, scope: str, data: Record) -> Event:
        self._shop.happened(scope, data)
        return self.events()[-1]

    # Time, fate and the books

    def now(self) -> str:
        """Return the store's time as it writes it."""
        return self._shop.now()

    def clear_faults(self) -> None:
        """Forget planned faults and let go of everything held."""
        super().clear_faults()
        self.release()

    def release(self) -> None:
        """Let go of held and slow connections, and of answers on their way."""
        super().release()
        for each in self._traffic:
            each.hurry()

    def stats(self) -> Record:
        """Return counts of requests, refusals, writes and welcome mails."""
        counts = {"customers": self.customer_count(), "refused": self.refused()}
        return super().stats() | counts

    def refused(self) -> int:
        """Count the requests that the limits refused, as 429 or as 500."""
        return sum(each.refused for each in self._traffic)

    def reset_stats(self) -> None:
        """Forget the books."""
        super().reset_stats()
        for each in self._traffic:
            each.refused = 0
