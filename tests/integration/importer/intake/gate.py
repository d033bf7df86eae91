"""An intake on a real database and a real socket, for tests: what was taken in is read back."""

import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import httpx2
import orjson
import sqlalchemy as sa

from services.importer.intake.app import Intake, create_app
from services.importer.intake.hooks import Hook, Hooks
from services.importer.intake.keyring import ChannelKeys, Keyring
from services.importer.intake.pushing import Pushes
from services.importer.intake.reading import Door
from services.importer.intake.server import IntakeServer
from services.processor.worker import process_batch
from shared.connectors.ports import Notice
from shared.connectors.push.settings import PushSettings
from shared.connectors.push.signing import Signed, sign
from shared.domain.errors import NoticeRefused, UnreadableRecord
from shared.domain.messages import Envelope
from shared.domain.policy import ChannelPolicy, Policy, StoreViewPolicy
from shared.observability.tracing import NO_TRACING, Tracer
from shared.persistence.tombstones import Tombstones
from tests.builders import a_policy
from tests.integration.importer.station import Station

API_KEY = "crm-" + "k" * 40
OTHER_KEY = "crm-" + "o" * 40
SIGNING_KEY = "sign-" + "s" * 40
HOOK_KEY = "hook-" + "h" * 20
OLD_HOOK_KEY = "hook-" + "z" * 20
ANN: Mapping[str, Any] = {
    "external_id": "4711",
    "first_name": "Ann",
    "last_name": "Lang",
    "email": "Ann.Lang@Example.com",
    "phone": "+49 30 1234567",
    "addresses": [
        {"lines": ["Lindenweg 4"], "city": "Berlin", "postcode": "10115", "country": "Germany"}
    ],
}


def read_notice(
    headers: Mapping[str, str], body: bytes, keys: Sequence[str], at: datetime
) -> Notice:
    """Read the webhooks of a platform that sends its key in plain: simple, for tests."""
    if headers.get("x-hook-key") not in keys:
        raise NoticeRefused("wrong key")
    try:
        said = orjson.loads(body)
        return Notice(said["event"], "customer", tuple(said["ids"]))
    except (ValueError, KeyError, TypeError):
        raise UnreadableRecord([("event", "is missing")]) from None


def push_settings(**changes: Any) -> PushSettings:
    """Return the settings of a channel that is pushed to."""
    given = {
        "store_views": [{"code": "main"}],
        "api_keys": [API_KEY, OTHER_KEY],
        "signing_keys": [SIGNING_KEY],
    }
    return PushSettings.model_validate({**given, **changes})


@dataclass
class Gate:
    """The intake, a processor behind it, and a client before it."""

    station: Station
    settings: PushSettings = field(default_factory=push_settings)
    imported: frozenset[str] | None = None
    tombstones: Tombstones = field(default_factory=Tombstones)
    max_body_bytes: int = 300_000
    request_seconds: float = 5.0
    debounce_seconds: float = 0.0
    hooks: dict[str, Hook] = field(default_factory=lambda: {
        "shop": Hook(read_notice, (HOOK_KEY, OLD_HOOK_KEY))
    })  # fmt: skip
    tracer: Tracer = NO_TRACING
    woken: list[str] = field(default_factory=list)
    handled: set[Any] = field(default_factory=set)

    def intake(self) -> Intake:
        """Return what the routes work with."""
        units = self.station.units
        imported = self.imported or frozenset(self.settings.codes)
        keys = ChannelKeys(
            [key.get_secret_value() for key in self.settings.api_keys],
            [key.get_secret_value() for key in self.settings.signing_keys],
        )
        return Intake(
            hooks=Hooks(
                self.hooks,
                units,
                self.woken.append,
                self.debounce_seconds,
                lambda: self.station.clock.now,
            ),
            pushes=Pushes(
                units,
                self.station.sent.extend,
                self.tombstones,
                self.station.metrics,
                tracer=self.tracer,
            ),
            keyring=Keyring({"crm": keys}),
            doors={"crm": Door("crm", self.settings, imported, keeps_raw=True)},
            units=units,
            metrics=self.station.metrics,
            max_body_bytes=self.max_body_bytes,
            request_seconds=self.request_seconds,
            tracer=self.tracer,
            clock=lambda: self.station.clock.now,
        )

    @contextmanager
    def open(self) -> Iterator["Client"]:
        """Serve, and give a client with the channel's API key."""
        with serving(crm_server(self)) as url, httpx2.Client(base_url=url, timeout=20) as http:
            yield Client(http, self.station)

    def process(self) -> None:
        """Let a processor decide what has been sent since it last did."""
        news = [m for m in self.station.messages() if m.message_id not in self.handled]
        self.handled.update(message.message_id for message in news)
        with self.station.units.begin() as work:
            process_batch([m for m in news if m.type.startswith("customer.")
                           and m.type != "customer.export"], work, crm_policy())  # fmt: skip

    def rows(self, table: sa.Table) -> Sequence[sa.Row[Any]]:
        """Return a table's rows."""
        with self.station.units.read() as work:
            return work.connection.execute(
                sa.select(table).order_by(*table.primary_key.columns)
            ).all()

    def imported_messages(self) -> list[Envelope[Any]]:
        """Return the messages that customers were imported."""
        return [m for m in self.station.messages() if m.type == "customer.imported"]

    def counted(self, **labels: str) -> float:
        """Return a count of the intake's metric."""
        return self.station.registry.get_sample_value("patron_intake_total", labels) or 0.0


@dataclass
class Client:
    """Somebody before the gate."""

    http: httpx2.Client
    station: Station

    def push(self, body: Any, *, key: str = API_KEY, **headers: str) -> httpx2.Response:
        """Push customers with an API key; `idempotency` gives the request a key of its own."""
        given = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}
        if idempotency := headers.pop("idempotency", None):
            given["Idempotency-Key"] = idempotency
        content = body if isinstance(body, bytes) else orjson.dumps(body)
        return self.http.post("/v1/customers", content=content, headers={**given, **headers})

    def signed(
        self, body: bytes, *, path: str = "/v1/customers", method: str = "POST",
        key: str = SIGNING_KEY, channel: str = "crm", idempotency: str = "",
    ) -> httpx2.Response:  # fmt: skip
        """Make a signed request."""
        headers = sign(key, self.station.clock.now, Signed(method, path, body))
        given = {"Patron-Channel": channel, "Content-Type": "application/json", **headers}
        if idempotency:
            given["Idempotency-Key"] = idempotency
        return self.http.request(method, path, content=body, headers=given)

    def status(self, reference: str, key: str = API_KEY) -> httpx2.Response:
        """Ask how far a customer or a request has come."""
        return self.http.get(
            f"/v1/customers/{reference}", headers={"Authorization": f"Bearer {key}"}
        )

    def hook(
        self, event: str, *ids: str, key: str = HOOK_KEY, channel: str = "shop"
    ) -> httpx2.Response:
        """Send a webhook."""
        return self.http.post(
            f"/v1/webhooks/{channel}",
            content=orjson.dumps({"event": event, "ids": ids}),
            headers={"X-Hook-Key": key},
        )


def crm_server(gate: Gate) -> IntakeServer:
    """Return a server of a gate's intake, listening."""
    return IntakeServer(create_app(gate.intake()), "127.0.0.1", 0)


@contextmanager
def serving(server: IntakeServer) -> Iterator[str]:
    """Run a server's loop in a thread as the importer does, and give its URL."""
    thread = threading.Thread(target=server.run, args=(lambda: None,), daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.port}"
    finally:
        server.stop()
        thread.join(30)
        server.close()
        assert not thread.is_alive()


def crm_policy() -> Policy:
    """Return a policy under which customers of the channel `crm` are created and updated."""
    views = {code: StoreViewPolicy(code) for code in ("main", "de", "uk")}
    return a_policy(channels={"crm": ChannelPolicy("crm", views)})
