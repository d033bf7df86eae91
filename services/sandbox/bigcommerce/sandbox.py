"""A running sandbox store: the store, its APIs, its faults and its control, on one socket.

    with SandboxBigCommerce(customers=200, seed=7) as shop:
        httpx.get(f"{shop.url}/stores/{shop.store_hash}/v3/customers", headers=shop.headers())

Its promise: leaving the `with` block leaves no thread and no socket behind.
"""

from dataclasses import replace

from services.sandbox.bigcommerce.api import Api
from services.sandbox.bigcommerce.b2b_api import B2B_PREFIX, B2BApi
from services.sandbox.bigcommerce.control import Control
from services.sandbox.bigcommerce.control_routes import control_table
from services.sandbox.bigcommerce.errors import Refusal, server_error, unavailable
from services.sandbox.bigcommerce.gate import CLIENT_ID, CLIENT_SECRET, Gate
from services.sandbox.bigcommerce.limits import Window
from services.sandbox.bigcommerce.office import Premises
from services.sandbox.bigcommerce.quirks import Quirks
from services.sandbox.bigcommerce.shop import Shop
from services.sandbox.bigcommerce.traffic import Traffic
from services.sandbox.faults import Fault, FaultPlan
from services.sandbox.remote import CONTROL_PREFIX, RemoteControl
from services.sandbox.running import RunningSandbox
from services.sandbox.wire import Request, Response, Server

QUOTA, WINDOW_SECONDS = 150, 30.0
B2B_QUOTA, B2B_WINDOWS = 150, 2


class SandboxBigCommerce(RunningSandbox):
    """A BigCommerce store that exists as long as its `with` block, or until `close`."""

    def __init__(
        self,
        customers: int = 100,
        seed: int = 7,
        *,
        awkward: bool = True,
        first_person: int = 0,
        quirks: Quirks | None = None,
        quota: int = QUOTA,
        window_seconds: float = WINDOW_SECONDS,
        b2b_quota: int = B2B_QUOTA,
        latency_seconds: float = 0.0,
        host: str = "127.0.0.1",
        port: int = 0,
    ) -> None:
        shop = Shop(customers, seed, awkward=awkward, first_person=first_person, quirks=quirks)
        self._gate = Gate()
        traffic = Traffic(Window(quota, window_seconds), lambda: shop.quirks, latency_seconds)
        b2b_window = Window(b2b_quota, B2B_WINDOWS * window_seconds)
        b2b_traffic = replace(traffic, window=b2b_window, tells=False)
        self._faults = FaultPlan(
            unavailable=unavailable,
            server_error=server_error,
            too_many_requests=_platform_load,
            is_page=lambda request: "page=" in request.target or "after=" in request.target,
        )
        self._api = Api(shop, self._gate, traffic)
        self._b2b = B2BApi(shop, self._gate, b2b_traffic)
        premises = Premises(shop, self._gate, self._api, self._b2b, (traffic, b2b_traffic))
        self.control = Control(premises, self._faults)
        self._remote = RemoteControl(control_table(self.control), Refusal)
        self._ledger = shop.ledger
        self._server = Server(self._handle, host, port)

    @property
    def b2b_url(self) -> str:
        """Where the B2B Edition is: here on the same host."""
        return f"{self.url}{B2B_PREFIX}"

    @property
    def store_hash(self) -> str:
        """The store's hash, part of every path."""
        return self._gate.store_hash

    @property
    def token(self) -> str:
        """The access token that is valid now."""
        return self._gate.token

    @property
    def client_id(self) -> str:
        """The app's client id."""
        return CLIENT_ID

    @property
    def client_secret(self) -> str:
        """The app's client secret, with which webhooks are signed."""
        return CLIENT_SECRET

    def headers(self) -> dict[str, str]:
        """Return the headers of a request; the B2B Edition wants both, the store one."""
        return {
            "X-Auth-Token": self.token,
            "X-Store-Hash": self.store_hash,
            "Accept": "application/json",
        }

    def close(self) -> None:
        """Stop serving and cut every connection."""
        self.control.clear_faults()
        super().close()

    def _handle(self, request: Request) -> Response:
        if request.path.startswith(CONTROL_PREFIX):
            return self._remote.answer(request)
        response = self._faults.answer(request, self._answer)
        route = self._api_of(request).route_name(request)
        self._ledger.count_request(request.method, route, response)
        return response

    def _answer(self, request: Request) -> Response:
        return self.control.refusal or self._api_of(request).answer(request)

    def _api_of(self, request: Request) -> Api | B2BApi:
        return self._b2b if request.path.startswith(f"{B2B_PREFIX}/") else self._api


def _platform_load(fault: Fault) -> Response:
    """Answer 429 as under platform load: at most X-Retry-After, never the quota's headers."""
    retry = (("X-Retry-After", fault.retry_after),) if fault.retry_after else ()
    return Refusal(429, headers=retry).response()
