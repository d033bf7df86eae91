"""The B2B Edition's API, on the platform a host of its own, here under the same one.

Its promise: every answer, refusals and bugs included, has the B2B Edition's envelope.
"""

import traceback

from services.sandbox.bigcommerce import gate
from services.sandbox.bigcommerce.api import Route, rendered, route
from services.sandbox.bigcommerce.b2b_form import B2BRefusal, in_this_form
from services.sandbox.bigcommerce.call import Call
from services.sandbox.bigcommerce.companies import Companies
from services.sandbox.bigcommerce.company_locations import Locations
from services.sandbox.bigcommerce.company_users import Users
from services.sandbox.bigcommerce.errors import Refusal
from services.sandbox.bigcommerce.query import Query
from services.sandbox.bigcommerce.shop import Shop
from services.sandbox.bigcommerce.traffic import Traffic
from services.sandbox.wire import Request, Response

B2B_PREFIX = "/api/v3/io"


class B2BApi:
    """Answers requests under `/api/v3/io`."""

    def __init__(self, shop: Shop, admission: gate.Gate, traffic: Traffic) -> None:
        self._shop = shop
        self._gate = admission
        self._traffic = traffic
        self.companies = Companies(shop)
        self.users = Users(shop, self.companies)
        self.locations = Locations(shop, self.companies)
        self._routes = self._table()

    def answer(self, request: Request) -> Response:
        """Carry out one request, or refuse it."""
        try:
            found, parts = self._find(request)
            store_hash = request.headers.get("x-store-hash", "")
            self._gate.admit(request, store_hash, gate.B2B)
        except Refusal as refusal:
            return in_this_form(refusal).response()
        return self._traffic.pass_on(request, lambda: self._carried_out(request, found, parts))

    def route_name(self, request: Request) -> str:
        """Return the name of the route that `request` would take, for the books."""
        try:
            return f"b2b/{self._find(request)[0][2]}"
        except Refusal:
            return "unknown"

    def _carried_out(self, request: Request, found: Route, parts: tuple[str, ...]) -> Response:
        try:
            query = Query(request, self._shop.quirks, self._shop.clock.now())
            return rendered(found[4](Call(request, query, parts)))
        except Refusal as refusal:
            return in_this_form(refusal).response()
        except Exception:  # noqa: BLE001 - the platform, too, hides its bugs
            self._shop.ledger.bugs.append(traceback.format_exc())
            return B2BRefusal(500, "Internal Server Error").response()

    def _find(self, request: Request) -> tuple[Route, tuple[str, ...]]:
        path = request.path.removeprefix(f"{B2B_PREFIX}/").rstrip("/")
        for each in self._routes:
            if each[0] == request.method and (hit := each[1].fullmatch(path)):
                return each, hit.groups()
        raise B2BRefusal(404, "No such resource.")

    def _table(self) -> tuple[Route, ...]:
        companies, users, locations = self.companies, self.users, self.locations
        return (
            route("GET", "companies/extra-fields", gate.B2B, companies.browse_extra_fields),
            route("POST", "companies/bulk", gate.B2B, companies.create_bulk),
            route("PUT", "companies/bulk", gate.B2B, companies.update_bulk),
            route("PUT", "companies/{id}/status", gate.B2B, companies.set_status),
            route("POST", "users/bulk", gate.B2B, users.create_bulk),
            route("GET", "users/customer/{id}", gate.B2B, users.of_customer),
            route("POST", "addresses/bulk", gate.B2B, locations.create_bulk),
            *_crud("companies", companies),
            *_crud("users", users),
            *_crud("addresses", locations),
        )


def _crud(path: str, resource: Companies | Users | Locations) -> tuple[Route, ...]:
    return (
        route("GET", path, gate.B2B, resource.browse),
        route("POST", path, gate.B2B, resource.create),
        route("GET", f"{path}/{{id}}", gate.B2B, resource.get),
        route("PUT", f"{path}/{{id}}", gate.B2B, resource.update),
        route("DELETE", f"{path}/{{id}}", gate.B2B, resource.delete),
    )
