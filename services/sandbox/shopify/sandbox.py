"""A running sandbox shop: the shop, its API, its faults and its control, on one socket.

    with SandboxShopify(customers=200, seed=7) as shop:
        httpx.post(shop.graphql_url, headers=shop.headers(), json={"query": "{ shop { name } }"})

Its promise: leaving the `with` block leaves no thread and no socket behind.
"""

import orjson

from services.sandbox.faults import Fault, FaultPlan
from services.sandbox.remote import CONTROL_PREFIX, RemoteControl
from services.sandbox.running import RunningSandbox
from services.sandbox.shopify.access import CLIENT_ID, TOKEN, Gate
from services.sandbox.shopify.api import Api
from services.sandbox.shopify.bulk import Bulk
from services.sandbox.shopify.company_seeding import seed_companies
from services.sandbox.shopify.control import Control
from services.sandbox.shopify.control_routes import control_table
from services.sandbox.shopify.cost import Bucket
from services.sandbox.shopify.documents import Planner
from services.sandbox.shopify.errors import Problems
from services.sandbox.shopify.objects import OBJECTS
from services.sandbox.shopify.quirks import Quirks
from services.sandbox.shopify.reading import QUERIES
from services.sandbox.shopify.seeding import Crowd
from services.sandbox.shopify.shop import Shop
from services.sandbox.shopify.writing import MUTATIONS
from services.sandbox.wire import HTML_TYPE, Request, Response, Server

API_VERSION = "2026-07"


class SandboxShopify(RunningSandbox):
    """A Shopify shop that exists as long as its `with` block, or until `close`.

    `restore_rate` and `bucket` are those of a Standard plan; ten times both is a clock that runs
    ten times as fast. `latency_seconds` is how long every answer takes. `first_person` is the
    index of the person behind the first customer: 0 makes customer `n` the same human as
    customer `n` of any other sandbox with that seed.
    """

    def __init__(
        self,
        customers: int = 100,
        seed: int = 7,
        *,
        companies: int = 0,
        awkward: bool = True,
        first_person: int = 0,
        restore_rate: float = 100,
        bucket: float = 2000,
        latency_seconds: float = 0,
        defines_number: bool = True,
        quirks: Quirks | None = None,
        host: str = "127.0.0.1",
        port: int = 0,
    ) -> None:
        self._latency_seconds = latency_seconds
        self._server = Server(self._handle, host, port)
        shop = Shop(customers, Crowd(seed, first_person, awkward), quirks or Quirks())
        seed_companies(shop, companies)
        gate = Gate(shop.clock)
        planner = Planner({**OBJECTS, "QueryRoot": QUERIES, "Mutation": MUTATIONS})
        self._bulk = Bulk(shop, planner, self._server.url)
        self._api = Api(shop, gate, planner, self._bulk, Bucket(bucket, restore_rate))
        self._faults = FaultPlan(
            unavailable=_unavailable,
            server_error=lambda: Response(500, b'{"errors":"Internal Server Error"}'),
            too_many_requests=_too_many,
        )
        self._gate = gate
        self._ledger = shop.ledger
        self.control = Control(shop, gate, self._faults, self._api, self._bulk)
        if defines_number:
            self.control.define_metafield()
        self._remote = RemoteControl(control_table(self.control), Problems)

    @property
    def graphql_url(self) -> str:
        """Where queries are posted to."""
        return f"{self.url}/admin/api/{API_VERSION}/graphql.json"

    @property
    def token(self) -> str:
        """The permanent access token."""
        return TOKEN

    @property
    def client_id(self) -> str:
        """The app's client id."""
        return CLIENT_ID

    @property
    def client_secret(self) -> str:
        """The app's client secret, which signs webhooks, too."""
        return self._gate.client_secret

    def headers(self) -> dict[str, str]:
        """Return the header of the permanent token."""
        return {"X-Shopify-Access-Token": self.token}

    def close(self) -> None:
        """Stop serving and cut every connection."""
        self._bulk.close()
        super().close()

    def _handle(self, request: Request) -> Response:
        if request.path.startswith(CONTROL_PREFIX):
            return self._remote.answer(request)
        if self._latency_seconds:
            self._server.closed.wait(self._latency_seconds)
        response = self._faults.answer(request, self._answer)
        route = self._api.route_name(request)
        self._ledger.count_request(request.method, route, response)
        return response

    def _answer(self, request: Request) -> Response:
        return self.control.refusal or self._api.answer(request)


def _unavailable() -> Response:
    return Response(503, b"<!doctype html><h1>Service Unavailable</h1>", HTML_TYPE)


def _too_many(fault: Fault) -> Response:
    retry = (("Retry-After", fault.retry_after),) if fault.retry_after else ()
    body = {"errors": "Exceeded 2 calls per second for api client. Reduce request rates to resume."}
    return Response(429, orjson.dumps(body), headers=retry)
