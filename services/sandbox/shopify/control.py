"""What a test or a demo may do to the shop behind its API.

Customers, companies and locations are named by their global ids, seeded customers by their count
as well. Its promise: a shopper's deeds here move `updatedAt` exactly when the real shop would.
"""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from typing import Any

from services.sandbox.faults import Fault, FaultKind, FaultPlan
from services.sandbox.ledger import Write
from services.sandbox.shopify import metafields
from services.sandbox.shopify.access import Gate
from services.sandbox.shopify.api import Api
from services.sandbox.shopify.bulk import Bulk
from services.sandbox.shopify.buyer import Buyer
from services.sandbox.shopify.errors import Record
from services.sandbox.shopify.gids import customer_gid
from services.sandbox.shopify.postman import Postman
from services.sandbox.shopify.shop import ALL_SCOPES, KEY, NAMESPACE, Shop
from services.sandbox.shopify.shopper import plain
from services.sandbox.shopify.webhooks import Delivery

THROTTLED = (
    '{"errors":[{"message":"Throttled","extensions":{"code":"THROTTLED","documentation":'
    '"https://shopify.dev/api/usage/rate-limits"}}],"extensions":{"cost":{"requestedQueryCost":112,'
    '"actualQueryCost":null,"throttleStatus":{"maximumAvailable":2000.0,"currentlyAvailable":40.0,'
    '"restoreRate":100.0}}}}'
)
INTERNAL = (
    '{"errors":[{"message":"Internal error. Looks like something went wrong on our end.",'
    '"extensions":{"code":"INTERNAL_SERVER_ERROR","requestId":"00000000-0000-4000-8000-000000000000"'
    "}}]}"
)


class Control(Buyer):
    """The hands of shoppers, of the shop's operator, and of fate."""

    def __init__(
        self,
        shop: Shop,
        gate: Gate,
        faults: FaultPlan,
        api: Api,
        bulk: Bulk,
    ) -> None:
        super().__init__(shop)
        self._gate = gate
        self._faults = faults
        self._api = api
        self.bulk = bulk
        self._postman = Postman(shop, gate)

    # ---- the shop ------------------------------------------------------------

    def define_metafield(self) -> None:
        """Define `erp.customer_number` of type id, as the set-up of the connector does."""
        wanted = {"name": "ERP customer number", "namespace": NAMESPACE, "key": KEY,
                  "ownerType": "CUSTOMER", "type": "id"}  # fmt: skip
        with self._shop.lock:
            metafields.define(self._shop, {"definition": wanted})

    def remove_metafield_definition(self, *, with_values: bool = True) -> None:
        """Remove the definition of `erp.customer_number`, and the values or not."""
        with self._shop.lock:
            metafields.remove_definition(
                self._shop, "CUSTOMER", NAMESPACE, KEY, with_values=with_values
            )

    def set_quirks(self, **switches: Any) -> None:
        """Turn single switches of `Quirks`."""
        self._shop.quirks = replace(self._shop.quirks, **switches)

    def set_search_lag(self, seconds: int = 0) -> None:
        """Let search know of writes only `seconds` of the shop's clock later."""
        self._shop.indexing.seconds = seconds
        self._shop.indexing.is_held = False

    def hold_search(self) -> None:
        """Let search know of no further write until `release_search`."""
        self._shop.indexing.is_held = True

    def release_search(self) -> None:
        """Let search catch up, and keep up."""
        self.set_search_lag(0)

    def revoke_token(self) -> None:
        """Make every token invalid: 401."""
        self._gate.revoke()

    def restore_token(self) -> None:
        """Make the permanent token valid again."""
        self._gate.restore()

    def expire_tokens(self) -> None:
        """Let every token of client credentials expire now."""
        self._gate.expire()

    def set_client_secret(self, secret: str) -> None:
        """Rotate the app's client secret, which signs webhooks, too."""
        self._gate.client_secret = secret

    def remove_scopes(self, *scopes: str) -> None:
        """Take access scopes away; what needed them is ACCESS_DENIED."""
        self._shop.scopes = self._shop.scopes.difference(scopes)

    def restore_scopes(self) -> None:
        """Grant every scope again."""
        self._shop.scopes = ALL_SCOPES

    def make_unavailable(self, status: int | None) -> None:
        """Answer every request with 402, 403, 404 or 423; None opens the shop again."""
        self._api.unavailable = status

    def freeze_clock(self, at: datetime | None = None) -> None:
        """Stop the shop's clock, at `at` or where it stands."""
        self._shop.clock.freeze(at)

    def advance_clock(self, seconds: int) -> None:
        """Move the shop's clock."""
        self._shop.clock.advance(seconds)

    def run_clock(self) -> None:
        """Let a frozen clock go on."""
        self._shop.clock.run()

    def now(self) -> str:
        """Return the shop's time as it writes it."""
        return self._shop.now()

    # ---- fate ----------------------------------------------------------------

    def fail_next(self, kind: FaultKind | str, times: int = 1, **where: Any) -> None:
        """Make the next `times` requests go wrong; `where` as the fields of `Fault`.

        `operation` limits it to requests of that `operationName`.
        """
        if operation := where.pop("operation", None):
            where["containing"] = rf'"operationName":\s*"{operation}"'
        self._faults.order(Fault(kind=FaultKind(kind), times=times, **where))

    def throttle_next(self, times: int = 1, **where: Any) -> None:
        """Answer the next `times` requests THROTTLED, with HTTP 200."""
        self.fail_next(FaultKind.STATUS, times, status=200, body=THROTTLED, **where)

    def break_next(self, times: int = 1, **where: Any) -> None:
        """Answer the next `times` requests INTERNAL_SERVER_ERROR, with HTTP 200."""
        self.fail_next(FaultKind.STATUS, times, status=200, body=INTERNAL, **where)

    def set_points(self, available: float) -> None:
        """Fill or drain the bucket."""
        self._api.bucket.set(available)

    def clear_faults(self) -> None:
        """Forget planned faults and let go of held connections."""
        self._faults.clear()

    def release(self) -> None:
        """Let go of held and slow connections."""
        self._faults.release()

    def faults_waiting(self) -> int:
        """Return how many faults have not struck yet."""
        return sum(fault.times for fault in self._faults.waiting())

    def wait_for_fault(self, times: int = 1, timeout_seconds: float = 10) -> bool:
        """Wait until faults have struck `times` since the start; say whether they did."""
        return self._faults.wait_until_struck(times, timeout_seconds)

    # ---- webhooks ------------------------------------------------------------

    def send_webhook(self, url: str, topic: str, subject: str | int, **said: Any) -> Delivery:
        """Post a signed event about `subject`; see `Postman.send`."""
        text = customer_gid(subject) if isinstance(subject, int) else subject
        return self._postman.send(url, topic, text, **said)

    def redeliver(self, url: str, delivery: Delivery) -> Delivery:
        """Post an event again: the same event id and payload, a new webhook id."""
        return self._postman.redeliver(url, delivery)

    def subscriptions(self) -> list[Record]:
        """Return the webhook subscriptions of the app."""
        rows = self._shop.tables["WebhookSubscription"].rows.values()
        return [plain(row.record) for row in rows]

    # ---- the books -----------------------------------------------------------

    def stats(self) -> Record:
        """Return counts of requests, writes and THROTTLED answers."""
        return self._shop.ledger.stats() | {
            "customers": self.customer_count(),
            "companies": len(self._shop.companies),
            "throttled": self._api.throttled,
            "points": self._api.bucket.spent,
            "faults_struck": self._faults.struck,
        }

    def requests(self, route: str = "", status: int | None = None) -> int:
        """Count the requests that match; `route` is the operation's name."""
        return self._shop.ledger.requests("", route, status)

    def throttled(self) -> int:
        """Return how many queries found the bucket too empty."""
        return self._api.throttled

    def writes(self, subject: str | int) -> list[Write]:
        """Return every write to a customer, company or location, oldest first."""
        text = customer_gid(subject) if isinstance(subject, int) else subject
        return self._shop.ledger.writes(int(text.rpartition("/")[2]))

    def bugs(self) -> list[str]:
        """Return the tracebacks of the sandbox's own failures."""
        return list(self._shop.ledger.bugs)

    def reset_stats(self) -> None:
        """Forget the books."""
        self._shop.ledger.reset()
        self._api.throttled = 0

    def wait_until(self, holds: Callable[[], bool], timeout_seconds: float = 10) -> bool:
        """Wait until `holds`, looked at after each request and write; say whether it came true."""
        return self._shop.ledger.wait_until(holds, timeout_seconds)
