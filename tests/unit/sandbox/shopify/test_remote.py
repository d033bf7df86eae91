"""The control interface over HTTP, and the command that starts a shop."""

import json
import re
import signal
import subprocess
import sys
from urllib.request import urlopen

import httpx2

from services.sandbox.shopify import SandboxShopify
from services.sandbox.shopify.gids import FIRST_NUMBER, customer_gid


def test_another_process_can_do_what_a_test_can(shop: SandboxShopify, http: httpx2.Client) -> None:
    """Customers, companies, clock, faults and books, by count or by number."""
    base = f"{shop.url}/_sandbox"
    http.post(f"{base}/clock", json={"freeze": "2026-11-20T12:00:00Z"})
    http.post(f"{base}/clock", json={"advance_seconds": 60})
    new = http.post(f"{base}/customers", json={"email": "n@example.com"}).json()
    http.patch(f"{base}/customers/5", json={"note": "seen"})
    http.patch(f"{base}/customers/5/address", json={"city": "Ulm"})
    http.delete(f"{base}/customers/6")
    http.post(f"{base}/customers/7/merge", json={"gone": customer_gid(8)})
    firm = http.post(
        f"{base}/companies", json={"name": "Alpha", "contacts": [9], "locations": [{"name": "A"}]}
    ).json()
    http.patch(f"{base}/locations/{firm['locations'][0].rpartition('/')[2]}", json={"name": "B"})
    http.post(f"{base}/faults", json={"kind": "server_error", "operation": "Ping"})
    http.put(f"{base}/search_lag", json={"held": True})
    stats = http.get(f"{base}/stats").json()
    writes = http.get(f"{base}/writes/{FIRST_NUMBER['Customer'] + 5}").json()

    assert new["createdAt"] == "2026-11-20T12:01:00Z"
    assert shop.control.customer(5)["note"] == "seen"
    assert [each["action"] for each in writes] == ["update", "update_address"]
    assert shop.control.location(firm["locations"][0])["name"] == "B"
    assert firm["customers"] == [customer_gid(9)]
    assert (stats["customers"], stats["companies"], stats["bugs"]) == (79, 6, 0)
    assert shop.control.faults_waiting() == 1


def test_a_wrong_call_says_so(shop: SandboxShopify, http: httpx2.Client) -> None:
    """An unknown customer, a refused input, an unknown path."""
    base = f"{shop.url}/_sandbox"

    unknown = http.patch(f"{base}/customers/999", json={"note": "x"})
    refused = http.post(f"{base}/customers", json={"email": "nonsense"})
    nowhere = http.get(f"{base}/nothing")

    assert (unknown.status_code, refused.status_code, nowhere.status_code) == (400, 400, 404)
    assert "Email is invalid" in refused.json()["message"]


def test_the_command_serves_until_it_is_told_to_stop() -> None:
    """One line on stderr, requests answered, exit code 0 on SIGTERM."""
    command = [sys.executable, "-m", "services.sandbox", "--shop", "shopify", "--port", "0"]
    with subprocess.Popen(
        [*command, "--customers", "50", "--companies", "2"], stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stderr is not None
        line = process.stderr.readline()
        url = re.search(r"http://\S+", line)
        assert url is not None, line
        with urlopen(f"{url[0]}/_sandbox/stats") as answer:  # noqa: S310 - our own server
            stats = json.load(answer)
        process.send_signal(signal.SIGTERM)
        rest = process.stderr.read()

    assert (stats["customers"], stats["companies"]) == (50, 2)
    assert (process.returncode, rest) == (0, "")
