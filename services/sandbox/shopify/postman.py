"""Sends webhooks about what happens in the shop.

Its promise: every header the platform sends is there; the payload is what the shop held when the
event happened.
"""

from uuid import uuid4

from services.sandbox.shopify import webhooks
from services.sandbox.shopify.access import Gate
from services.sandbox.shopify.reading import DOMAIN
from services.sandbox.shopify.shop import Shop
from services.sandbox.shopify.webhooks import Delivery


class Postman:
    """Delivers events."""

    def __init__(self, shop: Shop, gate: Gate) -> None:
        self._shop = shop
        self._gate = gate

    def send(
        self,
        url: str,
        topic: str,
        subject: str,
        *,
        merged: str | None = None,
        event_id: str | None = None,
        secret: str | None = None,
        body: bytes | None = None,
    ) -> Delivery:
        """Post an event about a record, which need not exist any more.

        `topic` as in the header: `customers/update`. For `customers/merge`, `merged` is the id
        that is gone. `secret` signs instead of the client secret, `body` is sent instead.
        """
        said = {
            "X-Shopify-Shop-Domain": DOMAIN,
            "X-Shopify-API-Version": self._shop.quirks.versions[-1],
            "X-Shopify-Event-Id": event_id or str(uuid4()),
            "X-Shopify-Triggered-At": self._shop.now(),
        }
        payload = body if body is not None else self._body(topic, subject, merged)
        return webhooks.send(url, topic, payload, secret or self._gate.client_secret, said)

    def redeliver(self, url: str, delivery: Delivery) -> Delivery:
        """Post an event again, as it was."""
        kept = ("Shop-Domain", "API-Version", "Event-Id", "Triggered-At")
        said = {f"X-Shopify-{name}": delivery.headers[f"X-Shopify-{name}"] for name in kept}
        secret = self._gate.client_secret
        return webhooks.send(url, delivery.topic, delivery.body, secret, said)

    def _body(self, topic: str, subject: str, merged: str | None) -> bytes:
        if topic == "customers/merge":
            return webhooks.merged_body(subject, merged or "")
        with self._shop.lock:
            record = self._shop.node(subject)
        if record is None or topic.endswith("/delete"):
            return webhooks.deleted_body(subject)
        if record["__typename"] == "Customer":
            is_protected = self._shop.quirks.protects_data
            return webhooks.customer_body(record, self._shop.zone, is_protected=is_protected)
        return webhooks.company_body(record, self._shop.zone)
