"""A running sandbox shop: the shop, its API, its faults and its control, on one socket.

    with SandboxMagento(customers=200, seed=7) as shop:
        httpx.get(f"{shop.url}/rest/V1/store/websites", headers=shop.bearer())

Its promise: leaving the `with` block leaves no thread and no socket behind.
"""

from uuid import uuid4

from services.sandbox.faults import FaultPlan
from services.sandbox.magento.api import Api, storefront
from services.sandbox.magento.auth import Gate
from services.sandbox.magento.control import Control
from services.sandbox.magento.control_routes import ControlRoutes
from services.sandbox.magento.errors import internal_error, maintenance
from services.sandbox.magento.shop import Shop
from services.sandbox.magento.versions import DEFAULT_RELEASE, Quirks, of_release
from services.sandbox.remote import CONTROL_PREFIX
from services.sandbox.running import RunningSandbox
from services.sandbox.wire import Request, Response, Server


class SandboxMagento(RunningSandbox):
    """A Magento shop that exists as long as its `with` block, or until `close`."""

    def __init__(
        self,
        customers: int = 100,
        seed: int = 7,
        *,
        awkward: bool = True,
        release: str = DEFAULT_RELEASE,
        quirks: Quirks | None = None,
        host: str = "127.0.0.1",
        port: int = 0,
    ) -> None:
        shop = Shop(customers, seed, awkward=awkward, quirks=quirks or of_release(release))
        gate = Gate(shop.clock)
        self._faults = FaultPlan(
            unavailable=maintenance,
            server_error=lambda: internal_error(f"webapi-{uuid4().hex[:13]}").response(),
        )
        self.control = Control(shop, gate, self._faults)
        self._api = Api(shop, gate)
        self._control_routes = ControlRoutes(self.control)
        self._ledger = shop.ledger
        self._server = Server(self._handle, host, port)

    def bearer(self) -> dict[str, str]:
        """Return the header of a fresh admin token."""
        return {"Authorization": f"Bearer {self.control.admin_token()}"}

    def _handle(self, request: Request) -> Response:
        if request.path.startswith(CONTROL_PREFIX):
            return self._control_routes.answer(request)
        response = self._faults.answer(request, self._answer)
        route = self._api.route_name(request)
        self._ledger.count_request(request.method, route, response)
        return response

    def _answer(self, request: Request) -> Response:
        if refusal := self.control.refusal:
            return refusal
        if not request.path.startswith("/rest/"):
            return storefront(request)
        return self._api.answer(request)
