"""A running sandbox shop: the shop, its API, its faults and its control, on one socket.

    with SandboxMagento(customers=200, seed=7) as shop:
        httpx.get(f"{shop.url}/rest/V1/store/websites", headers=shop.bearer())

Its promise: leaving the `with` block leaves no thread and no socket behind.
"""

from types import TracebackType
from typing import Self
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
from services.sandbox.wire import Delivery, Request, Response, Server


class SandboxMagento:
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

    @property
    def url(self) -> str:
        """The shop's base URL."""
        return self._server.url

    @property
    def port(self) -> int:
        """The port it listens on."""
        return self._server.port

    def bearer(self) -> dict[str, str]:
        """Return the header of a fresh admin token."""
        return {"Authorization": f"Bearer {self.control.admin_token()}"}

    def start(self) -> Self:
        """Begin to serve."""
        self._server.start()
        return self

    def close(self) -> None:
        """Stop serving and cut every connection."""
        self._faults.clear()
        self._server.close()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _handle(self, request: Request) -> Response:
        if request.path.startswith(CONTROL_PREFIX):
            return self._control_routes.answer(request)
        response = self._faults.answer(request, self._answer)
        route = self._api.route_name(request)
        answered = response.delivery in {Delivery.WHOLE, Delivery.SLOW}
        self._ledger.count_request(request.method, route, response.status if answered else 0)
        return response

    def _answer(self, request: Request) -> Response:
        if self.control.is_in_maintenance:
            return maintenance()
        if not request.path.startswith("/rest/"):
            return storefront(request)
        return self._api.answer(request)
