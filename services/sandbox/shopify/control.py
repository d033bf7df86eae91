"""What a test or a demo may do to the shop behind its API.

Customers, companies and locations are named by their global ids, seeded customers by their count
as well. Its promise: a shopper's deeds here move `updatedAt` exactly when the real shop would.
"""

from dataclasses import replace
from typing import Any

from services.sandbox.fate import Fate
from services.sandbox.faults import FaultKind, FaultPlan
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


class Control(Buyer, Fate):
    """The hands of shoppers, of the shop's operator, and of fate."""

    def __init__(
        self,
        shop: Shop,
        gate: Gate,
        faults: FaultPlan,
        api: Api,
        bulk: Bulk,
    ) -> None:
        Buyer.__init__(self, shop)
        Fate.__init__(self, shop.clock, shop.ledger, faults)
        self._gate = gate
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
        super().fail_next(kind, times, **where)

    def throttle_next(self, times: int = 1, **where: Any) -> None:
        """Answer the next `times` requests THROTTLED, with HTTP 200."""
        self.fail_next(FaultKind.STATUS, times, status=200, body=THROTTLED, **where)

    def break_next(self, times: int = 1, code: str = "INTERNAL_SERVER_ERROR", **where: Any) -> None:
        """Answer the next `times` requests with one error of that code, and HTTP 200."""
        body = INTERNAL.replace("INTERNAL_SERVER_ERROR", code)
        self.fail_next(FaultKind.STATUS, times, status=200, body=body, **where)

    def set_points(self, available: float) -> None:
        """Fill or drain the bucket."""
        self._api.bucket.set(available)

    # ---- webhooks ------------------------------------------------------------

    def send_webhook(self, url: str, topic: str, subject: str | int, **said: Any) -> Delivery:
        """Post a signed event about `subject`; see `Postman.send`."""
        text = customer_gid(subject) if isinstance(subject, int) else subject
        return self._postman.send(url, topic, text, **said)

    def redeliver(self, url: str, delivery: Delivery) -> Delivery:
        """Post an event again: the same event id and payload, a new webhook id."""
        return self._postman.redeliver(url, delivery)

    def delete_subscriptions(self) -> None:
        """Remove every subscription, as the platform does after eight failed deliveries."""
        with self._shop.lock:
            table = self._shop.tables["WebhookSubscription"]
            for number in list(table.rows):
                table.drop(number)

    def subscriptions(self) -> list[Record]:
        """Return the webhook subscriptions of the app."""
        rows = self._shop.tables["WebhookSubscription"].rows.values()
        return [plain(row.record) for row in rows]

    # ---- the books -----------------------------------------------------------

    def stats(self) -> Record:
        """Return counts of requests, writes and THROTTLED answers."""
        return super().stats() | {
            "customers": self.customer_count(),
            "companies": len(self._shop.companies),
            "throttled": self._api.throttled,
            "points": self._api.bucket.spent,
        }

    def throttled(self) -> int:
        """Return how many queries found the bucket too empty."""
        return self._api.throttled

    def writes(self, subject: str | int) -> list[Write]:
        """Return every write to a customer, company or location, oldest first."""
        text = customer_gid(subject) if isinstance(subject, int) else subject
        return super().writes(int(text.rpartition("/")[2]))

    def reset_stats(self) -> None:
        """Forget the books."""
        super().reset_stats()
        self._api.throttled = 0
