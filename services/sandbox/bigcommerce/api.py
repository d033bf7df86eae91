"""The store's web API: routes, scopes, limits and answers.

Its promise: what a route needs to be allowed stands beside the route, every answer carries the
rate-limit headers, and every refusal is the platform's own.
"""

import re
import traceback
from collections.abc import Callable
from typing import Any

import orjson

from services.sandbox.bigcommerce import gate
from services.sandbox.bigcommerce.addresses import Addresses
from services.sandbox.bigcommerce.attributes import Attributes
from services.sandbox.bigcommerce.call import Call
from services.sandbox.bigcommerce.customers import Customers
from services.sandbox.bigcommerce.errors import Refusal, server_error
from services.sandbox.bigcommerce.forms import FormFields
from services.sandbox.bigcommerce.groups import Groups
from services.sandbox.bigcommerce.metafields import Metafields
from services.sandbox.bigcommerce.query import Query
from services.sandbox.bigcommerce.shop import Shop
from services.sandbox.bigcommerce.subscribers import Subscribers
from services.sandbox.bigcommerce.subscriptions import Subscriptions
from services.sandbox.bigcommerce.traffic import Traffic
from services.sandbox.wire import Request, Response

Answer = Callable[[Call], Any]
Route = tuple[str, re.Pattern[str], str, str, Answer]
_BASE = re.compile(r"^/stores/(?P<store>[^/]+)/(?P<rest>v[23]/.+?)/?$")


class Api:
    """Answers requests under `/stores`."""

    def __init__(self, shop: Shop, admission: gate.Gate, traffic: Traffic) -> None:
        self._shop = shop
        self._gate = admission
        self._traffic = traffic
        self.addresses = Addresses(shop)
        self.attributes = Attributes(shop)
        self.fields = FormFields(shop)
        self.metafields = Metafields(shop)
        self.subscribers = Subscribers(shop)
        self.hooks = Subscriptions(shop)
        self._routes = self._table()

    def answer(self, request: Request) -> Response:
        """Carry out one request, or refuse it."""
        try:
            store, route, parts = self._find(request)
            scope = route[3] and (gate.READ if request.method == "GET" else route[3])
            self._gate.admit(request, store, scope)
        except Refusal as refusal:
            return refusal.response()
        return self._traffic.pass_on(request, lambda: self._carried_out(request, route, parts))

    def route_name(self, request: Request) -> str:
        """Return the name of the route that `request` would take, for the books."""
        try:
            return self._find(request)[1][2]
        except Refusal:
            return "unknown"

    def _carried_out(self, request: Request, route: Route, parts: tuple[str, ...]) -> Response:
        try:
            query = Query(request, self._shop.quirks, self._shop.clock.now())
            return rendered(route[4](Call(request, query, parts)))
        except Refusal as refusal:
            return refusal.response()
        except Exception:  # noqa: BLE001 - the platform, too, shows its bugs as a bare 500
            self._shop.ledger.bugs.append(traceback.format_exc())
            return server_error()

    def _find(self, request: Request) -> tuple[str, Route, tuple[str, ...]]:
        base = _BASE.match(request.path)
        if base is None:
            raise Refusal(404)
        for route in self._routes:
            if route[0] == request.method and (hit := route[1].fullmatch(base["rest"])):
                return base["store"], route, hit.groups()
        raise Refusal(404)

    def _table(self) -> tuple[Route, ...]:
        return (
            *self._customer_routes(),
            *self._metafield_routes(),
            *_crud("v3/customers/subscribers", gate.MODIFY, self.subscribers),
            route("DELETE", "v3/customers/subscribers", gate.MODIFY, self.subscribers.delete_all),
            *_crud("v3/hooks", "", self.hooks),
            *_crud("v2/customer_groups", gate.MODIFY, Groups(self._shop)),
        )

    def _customer_routes(self) -> tuple[Route, ...]:
        attributes = self.attributes
        values = "v3/customers/attribute-values"
        return (
            *_batch("v3/customers", Customers(self._shop)),
            *_batch("v3/customers/addresses", self.addresses),
            *_batch("v3/customers/attributes", attributes),
            route("GET", values, gate.MODIFY, attributes.values),
            route("PUT", values, gate.MODIFY, attributes.upsert),
            route("DELETE", values, gate.MODIFY, attributes.delete_values),
            route("GET", "v3/customers/form-field-values", gate.MODIFY, self.fields.browse),
            route("PUT", "v3/customers/form-field-values", gate.MODIFY, self.fields.update),
        )

    def _metafield_routes(self) -> tuple[Route, ...]:
        fields = self.metafields
        everybody, one = "v3/customers/metafields", "v3/customers/{id}/metafields"
        return (
            route("GET", everybody, gate.MODIFY, fields.browse_all),
            route("POST", everybody, gate.MODIFY, fields.create_batch),
            route("PUT", everybody, gate.MODIFY, fields.update_batch),
            route("DELETE", everybody, gate.MODIFY, fields.delete_batch),
            *_crud(one, gate.MODIFY, fields),
        )


def route(method: str, path: str, scope: str, answer: Answer) -> Route:
    """Return a route; `{id}` in its path is a number."""
    return method, re.compile(path.replace("{id}", r"(\d+)")), path, scope, answer


def rendered(answer: Any) -> Response:
    """Return what a resource answered as it goes over the wire."""
    return answer if isinstance(answer, Response) else Response(200, orjson.dumps(answer))


def _batch(path: str, resource: Any) -> tuple[Route, ...]:
    """Return the routes of a resource that is written in batches."""
    return (
        route("GET", path, gate.MODIFY, resource.browse),
        route("POST", path, gate.MODIFY, resource.create),
        route("PUT", path, gate.MODIFY, resource.update),
        route("DELETE", path, gate.MODIFY, resource.delete),
    )


def _crud(path: str, scope: str, resource: Any) -> tuple[Route, ...]:
    """Return the routes of a resource that is written one by one."""
    return (
        route("GET", path, scope, resource.browse),
        route("POST", path, scope, resource.create),
        route("GET", f"{path}/{{id}}", scope, resource.get),
        route("PUT", f"{path}/{{id}}", scope, resource.update),
        route("DELETE", f"{path}/{{id}}", scope, resource.delete),
    )
