"""Every kind of request that the BigCommerce connector makes, judged by Prism.

`tests/contract/prism.sh` installs Prism and runs this; without it the test is skipped. The
connector works with the sandbox, and all that it asked is then sent to Prism, which mocks the
published contract and refuses what breaks it (`--errors`). With Prism 5.14.2 in November 2026 it
accepted all 54 requests, of 19 kinds; the run prints its own figures.
"""

import os
import signal
import socket
import subprocess
import time
from collections import Counter
from collections.abc import Iterator
from typing import Any, Final
from uuid import UUID

import httpx2
import pytest

from services.sandbox.bigcommerce import SandboxBigCommerce
from shared.connectors.bigcommerce.connect import connect
from shared.connectors.bigcommerce.settings import BigCommerceSettings
from shared.connectors.deadline import DeadlineTransport
from shared.connectors.ports import Connector
from shared.connectors.registry import settings_of
from shared.domain.customer import Version
from shared.domain.messages import CustomerExport
from tests.contract.bigcommerce_spec import MOCK
from tests.services.plain import PLAIN

PRISM: Final = os.environ.get("PATRON_PRISM", "")
START_SECONDS: Final = 60
NUMBER: Final = "ERP Customer Number"

pytestmark = [
    pytest.mark.skipif(not PRISM, reason="PATRON_PRISM names no Prism: tests/contract/prism.sh"),
    pytest.mark.skipif(not MOCK.is_file(), reason="BigCommerce's contract is not there"),
]


class Recorder(httpx2.BaseTransport):
    """Real connections that keep what was asked."""

    def __init__(self) -> None:
        self._real = DeadlineTransport(connections=4, tls=PLAIN)
        self.requests: list[httpx2.Request] = []

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        """Keep it and pass it on."""
        request.read()
        self.requests.append(request)
        return self._real.handle_request(request)

    def close(self) -> None:
        """Close the connections."""
        self._real.close()


@pytest.fixture
def prism() -> Iterator[str]:
    """Give the address of a Prism that serves the contract."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [PRISM, "mock", "--errors", "--host", "127.0.0.1", "--port", str(port), str(MOCK)]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, start_new_session=True
    ) as process:
        try:
            _wait_until_it_listens(process)
            yield f"http://127.0.0.1:{port}"
        finally:
            os.killpg(process.pid, signal.SIGTERM)


def test_prism_accepts_every_request(prism: str) -> None:
    """Reads, writes, checks and discoveries, of customers and companies."""
    requests = _all_requests()

    refused: list[tuple[str, str, int, str]] = []
    with httpx2.Client(base_url=prism, timeout=30.0) as client:
        for request in requests:
            answer = client.request(
                request.method,
                request.url.raw_path.decode(),
                content=request.content,
                headers={k: v for k, v in request.headers.items() if k in _SENT},
            )
            if not _is_accepted(answer):
                refused.append((request.method, str(request.url), answer.status_code, answer.text))

    assert not refused
    kinds = Counter(f"{r.method} {_route(r.url.path)}" for r in requests)
    print(f"\nPrism accepted {len(requests)} requests of {len(kinds)} kinds:")  # noqa: T201
    for kind, count in sorted(kinds.items()):
        print(f"  {count:4} {kind}")  # noqa: T201


def test_prism_refuses_what_breaks_the_contract(prism: str) -> None:
    """Otherwise it would prove nothing: no items, an unknown type, no token."""
    url = f"{prism}/stores/abc/v3/customers/attribute-values"
    token = {"X-Auth-Token": "t"}
    with httpx2.Client(timeout=30.0) as client:
        answers = [
            client.put(url, json=[], headers=token),
            client.put(url, json=[{"customer_id": "x", "attribute_id": 1}], headers=token),
            client.get(f"{prism}/stores/abc/v3/customers"),
        ]

    assert [_is_accepted(answer) for answer in answers] == [False, False, False]


_ADDRESS: Final = {
    "first_name": "Ann",
    "last_name": "Lee",
    "city": "Wien",
    "state_or_province": "Wien",
    "postal_code": "1010",
    "country_code": "AT",
}
_SENT: Final = frozenset({"accept", "content-type", "x-auth-token", "x-store-hash"})


def _is_accepted(answer: httpx2.Response) -> bool:
    """Whether the request was right; the contract's own examples need not be."""
    if answer.is_success:
        return "sl-violations" not in answer.headers
    broken = answer.json().get("validation", [])
    return bool(broken) and all(each["location"][0] == "response" for each in broken)


def _wait_until_it_listens(process: "subprocess.Popen[bytes]") -> None:
    ends_at = time.monotonic() + START_SECONDS
    assert process.stdout
    for line in process.stdout:
        if b"listening" in line:
            return
        assert time.monotonic() < ends_at
    raise AssertionError("Prism ended before it listened")


def _all_requests() -> list[httpx2.Request]:
    """Return what a connector asks of a shop, each request once."""
    recorder = Recorder()
    metafield = {"kind": "metafield", "namespace": "erp", "key": "customer_number"}
    with SandboxBigCommerce(customers=40, seed=7, quota=100_000, b2b_quota=100_000) as shop:
        for place in range(11):
            shop.control.add_address(7, **_ADDRESS, address1=f"Gasse {place}")
        for changes in ({}, {"number": metafield, "metafields": ["crm"]}):
            _work(_connector(shop, recorder, changes), shop)
    recorder.close()
    once = {(r.method, r.url.raw_path, r.content): r for r in recorder.requests}
    return list(once.values())


def _work(connector: Connector, shop: SandboxBigCommerce) -> None:
    company = f"company:{shop.control.company_ids()[0]}"
    reader = connector.reading
    for view in ("b2c", "b2b"):
        first = list(reader.changes(view, None))
        mark = first[-1].mark
        list(reader.changes(view, mark))
        list(reader.sweep(view, ""))
    reader.discover()
    connector.sink.check()
    record = reader.fetch(company)
    assert record
    places = {str(row["addressId"]): "L-1" for row in record.payload["addresses"]}
    exports = [_export(str(number), f"D-{number}") for number in range(1, 11)]
    connector.sink.write(exports)
    connector.sink.write([_export("5", "D-50"), _export("5", customer_group_id="Wholesale")])
    connector.sink.write([_export(company, locations=places)])
    connector.sink.write([_export(company, customer_group_id="Wholesale")])


def _connector(shop: SandboxBigCommerce, recorder: Recorder, changes: dict[str, Any]) -> Connector:
    table = {
        "base_url": shop.url,
        "b2b_base_url": shop.url,
        "store_hash": shop.store_hash,
        "access_token": shop.token,
        "number": {"kind": "attribute", "name": NUMBER},
        "company_number_field": NUMBER,
        "page_size": 20,
        "b2b_requests_per_second": 1000,
        **changes,
    }
    settings = settings_of("bigcommerce", table, {"b2c": {}, "b2b": {"entity": "companies"}})
    assert isinstance(settings, BigCommerceSettings)
    fields = ("Loyalty Level", "customer_group_id")
    return connect(settings, "shop", additional_fields=fields, transport=recorder)


def _export(
    external_id: str, number: str = "D-1", locations: dict[str, str] | None = None, **values: str
) -> CustomerExport:
    at = "2026-01-05T00:00:00Z"
    version = Version.model_validate({"changed_at": at, "read_at": at, "fingerprint": "f"})
    return CustomerExport(
        effect="additional_data" if values else "customer_number",
        channel="shop",
        external_id=external_id,
        store_view="b2c",
        customer_id=UUID(int=1),
        customer_number=number,
        locations=locations or {},
        values=values,
        version=version,
    )


def _route(path: str) -> str:
    parts = ["{id}" if part.isdigit() else part for part in path.split("/")]
    return "/".join(parts)
