"""The shop's web API: routes, rights and answers.

Its promise: what a route needs to be allowed stands beside the route, and every refusal is the
platform's own.
"""

import re
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import orjson

from services.sandbox.magento import auth, directory, stores
from services.sandbox.magento.auth import Gate, Identity
from services.sandbox.magento.criteria import Criteria, parse_criteria, predicate
from services.sandbox.magento.errors import (
    Refusal,
    internal_error,
    no_such_entity,
    no_such_route,
)
from services.sandbox.magento.fields import parse_fields, trim
from services.sandbox.magento.metadata import SYSTEM_LABELS, attribute_metadata
from services.sandbox.magento.payload import read_body, read_customer
from services.sandbox.magento.rules import check_password
from services.sandbox.magento.shop import Shop
from services.sandbox.wire import HTML_TYPE, Request, Response

DEFAULT_LIMIT, MOST_PER_PAGE = 20, 300
_BASE = re.compile(r"^/rest/(?:(?P<store>[^/]+)/)?V1/(?P<rest>.+?)/?$")
_NOT_FOUND_PAGE = b"<!doctype html><html><body><h1>Whoops, our bad...</h1></body></html>"


@dataclass(frozen=True, slots=True)
class Call:
    """A request that found its route."""

    request: Request
    identity: Identity
    parts: tuple[str, ...]
    store_id: int | None

    def number(self) -> int:
        """Return the id in the path."""
        return int(self.parts[0])


Answer = Callable[[Call], Any]
Route = tuple[str, re.Pattern[str], str, str, Answer]


class Api:
    """Answers requests under `/rest`."""

    def __init__(self, shop: Shop, gate: Gate) -> None:
        self._shop = shop
        self._gate = gate
        self._routes = self._table()

    def answer(self, request: Request) -> Response:
        """Carry out one request, or refuse it."""
        try:
            store_id, route, parts = self._find(request)
            _, _, _, resource, handle = route
            identity = self._gate.identify(
                request, integration_as_bearer=self._shop.quirks.integration_as_bearer
            )
            if resource:
                identity.demand(resource)
            return _rendered(request, handle(Call(request, identity, parts, store_id)))
        except Refusal as refusal:
            return refusal.response()
        except Exception:  # noqa: BLE001 - the platform, too, hides its bugs behind a report id
            self._shop.ledger.bugs.append(traceback.format_exc())
            return internal_error(f"webapi-{uuid4().hex[:13]}").response()

    def route_name(self, request: Request) -> str:
        """Return the name of the route that `request` would take, for the books."""
        try:
            return self._find(request)[1][2]
        except Refusal:
            return "unknown"

    def _find(self, request: Request) -> tuple[int | None, Route, tuple[str, ...]]:
        base = _BASE.match(request.path)
        if base is None:
            raise no_such_route()
        store = base["store"]
        if store not in {None, "all"} and store not in stores.BY_CODE:
            raise Refusal(400, "Specified request cannot be processed.")
        for route in self._routes:
            if route[0] == request.method and (hit := route[1].fullmatch(base["rest"])):
                view = stores.BY_CODE.get(store)
                return view.id if view else None, route, hit.groups()
        raise no_such_route()

    def _table(self) -> tuple[Route, ...]:
        return (
            _route("GET", "customers/search", auth.READ, self._search),
            _route("GET", "customers/addresses/{id}", auth.MANAGE, self._address),
            _route("GET", "customers/{id}", auth.READ, self._customer),
            _route("PUT", "customers/{id}", auth.MANAGE, self._update),
            _route("POST", "customers", "", self._create),
            _route("DELETE", "customers/{id}", auth.DELETE, self._delete),
            _route("DELETE", "addresses/{id}", auth.MANAGE, self._delete_address),
            _route("GET", "attributeMetadata/customer/attribute/{code}", auth.READ, self._metadata),
            _route("GET", "attributeMetadata/customer", auth.READ, self._all_metadata),
            _route("GET", "store/websites", auth.STORE, lambda _: stores.websites()),
            _route("GET", "store/storeGroups", auth.STORE, lambda _: stores.store_groups()),
            _route("GET", "store/storeViews", auth.STORE, lambda _: stores.store_views()),
            _route("GET", "store/storeConfigs", auth.STORE, _store_configs),
            _route("GET", "customerGroups/search", auth.GROUP, _search_groups),
            _route("GET", "customerGroups/{id}", auth.GROUP, _group),
            _route("GET", "directory/countries/{code}", "", _country),
            _route("POST", "integration/admin/token", "", self._admin_token),
        )

    def _search(self, call: Call) -> bytes:
        criteria = parse_criteria(call.request.query)
        size = self._page_size(criteria)
        page = max(1, criteria.current_page or 1)
        items, total = self._shop.find(criteria, size, page)
        if not items and total and size and self._shop.quirks.repeats_last_page:
            items, total = self._shop.find(criteria, size, -(-total // size))
        return b'{"items":[%b],"search_criteria":%b,"total_count":%d}' % (
            b",".join(items),
            orjson.dumps(criteria.echo()),
            total,
        )

    def _page_size(self, criteria: Criteria) -> int:
        size = criteria.page_size or 0
        if not self._shop.quirks.limits_input:
            return size
        if size > MOST_PER_PAGE:
            raise Refusal(400, "Maximum SearchCriteria pageSize is %max", {"max": MOST_PER_PAGE})
        return size or DEFAULT_LIMIT

    def _customer(self, call: Call) -> bytes:
        return self._shop.customer(call.number())

    def _address(self, call: Call) -> Any:
        return self._shop.address(call.number())

    def _create(self, call: Call) -> Any:
        body = read_body(call.request)
        given = read_customer(body)
        if "group_id" in given:
            call.identity.demand(auth.MANAGE)
        if body.get("password") is not None:
            check_password(str(body["password"]), given.get("email", ""))
        return self._shop.create(given, origin="api", store_id=call.store_id)

    def _update(self, call: Call) -> Any:
        given = read_customer(read_body(call.request))
        is_admin = call.identity.kind == "admin"
        return self._shop.update(call.number(), given, origin="api", is_admin=is_admin)

    def _delete(self, call: Call) -> bool:
        self._shop.delete(call.number(), origin="api")
        return True

    def _delete_address(self, call: Call) -> bool:
        self._shop.delete_address(call.number(), origin="api")
        return True

    def _metadata(self, call: Call) -> Any:
        return attribute_metadata(call.parts[0], self._shop.attributes)

    def _all_metadata(self, _: Call) -> Any:
        custom = self._shop.attributes
        return [attribute_metadata(code, custom) for code in (*SYSTEM_LABELS, *custom)]

    def _admin_token(self, call: Call) -> str:
        body = read_body(call.request)
        if self._shop.quirks.two_factor:
            raise Refusal(400, "Please use the 2fa provider-specific endpoints to obtain a token.")
        return self._gate.issue_admin_token(
            str(body.get("username", "")), str(body.get("password", ""))
        )


def storefront(_: Request) -> Response:
    """Answer whatever is not the web API: a page for shoppers that is not there."""
    return Response(404, _NOT_FOUND_PAGE, HTML_TYPE)


def _route(method: str, path: str, resource: str, answer: Answer) -> Route:
    pattern = re.compile(path.replace("{id}", r"(\d+)").replace("{code}", r"([^/]+)"))
    return method, pattern, path, resource, answer


def _rendered(request: Request, answer: Any) -> Response:
    wanted = next((value for name, value in request.query if name == "fields"), "")
    if not wanted:
        return Response(200, answer if isinstance(answer, bytes) else orjson.dumps(answer))
    plain = orjson.loads(answer) if isinstance(answer, bytes) else answer
    return Response(200, orjson.dumps(trim(plain, parse_fields(wanted))))


def _store_configs(call: Call) -> Any:
    return stores.store_configs(f"http://{call.request.headers.get('host', '')}")


@dataclass(frozen=True, slots=True)
class _GroupRow:
    group: dict[str, Any]

    def value(self, field: str) -> int | str | None:
        names = {"entity_id": "id", "customer_group_code": "code"}
        found: int | str | None = self.group.get(names.get(field, field))
        return found


def _search_groups(call: Call) -> Any:
    criteria = parse_criteria(call.request.query)
    found = [
        group
        for group in stores.GROUPS
        if all(any(predicate(each)(_GroupRow(group)) for each in ored) for ored in criteria.groups)
    ]
    size = criteria.page_size or len(found)
    first = (max(1, criteria.current_page or 1) - 1) * size
    return {
        "items": found[first : first + size],
        "search_criteria": criteria.echo(),
        "total_count": len(found),
    }


def _group(call: Call) -> Any:
    for group in stores.GROUPS:
        if group["id"] == call.number():
            return group
    raise no_such_entity("id", call.number())


def _country(call: Call) -> Any:
    answer = directory.country(call.parts[0].upper())
    if answer is None:
        raise Refusal(404, "The country isn't available.", None)
    return answer
