"""The simulated marketing system of the demo: it is not read, it pushes its customers to Patron."""

import socket
from collections.abc import Iterator, Mapping
from typing import Final

from services.console.cli.failures import Refused
from services.console.demo.shops.port import Account, Edit
from services.console.demo.shops.site import Record, Site

STORE_VIEW: Final = "crm"


def free_port() -> int:
    """Return a port for Patron's intake, which the system has to know before Patron runs."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


class PushShop:
    """A marketing system at `url` that pushes to the intake at `port`, and is called back."""

    title = "marketing system that pushes"
    is_polled = False

    def __init__(self, url: str, channel: str, port: int) -> None:
        self.url = url
        self.channel = channel
        self._port = port
        self._site = Site(url)

    def configuration(self) -> str:
        """Return the channel's tables, and the intake that it needs."""
        return _TEXT.format(channel=self.channel, url=self.url, port=self._port)

    def prepare(self) -> None:
        """Do nothing: it keeps what it is told."""

    def expected(self) -> Mapping[str, int]:
        """Return how many customers it has."""
        return {STORE_VIEW: int(self._site.control("GET", "stats")["customers"])}

    def accounts(self) -> Iterator[Account]:
        """Yield every customer, with the number that it was told by a callback."""
        callbacks = self._site.control("GET", "callbacks")["callbacks"]
        told = {each["external_id"]: each["customer_number"] for each in callbacks}
        for position in range(1, self.expected()[STORE_VIEW] + 1):
            record = self._site.control("GET", f"customers/{position}")
            external_id = record["external_id"]
            has_billing = _billing(record) is not None
            yield Account(external_id, STORE_VIEW, told.get(external_id), has_billing)

    def edit_an_address(self, external_id: str, street: str) -> Edit:
        """Edit the billing address, and push the customer again."""
        position = int(external_id.rpartition("-")[2])
        record = self._site.control("GET", f"customers/{position}")
        billing = _billing(record)
        if billing is None:
            raise Refused(f"customer {external_id} has no billing address")
        before = ", ".join(billing["lines"])
        addresses = [
            {**each, "lines": [street]} if each is billing else each for each in record["addresses"]
        ]
        self._site.control("PATCH", f"customers/{position}", {"addresses": addresses})
        self._site.control("POST", "push", {"numbers": [position]})
        return Edit(before, street, "this moment", is_dated=True)

    def close(self) -> None:
        """Let go of the connections."""
        self._site.close()


def _billing(record: Record) -> Record | None:
    addresses: list[Record] = record.get("addresses", [])
    return next((each for each in addresses if each.get("is_default_billing")), None)


_TEXT: Final = """
[intake]
enabled = true
port = {port}

[channels.{channel}]
platform = "push"
store_views = [{{ code = "crm" }}]

# The sandbox's documented keys; worthless anywhere else.
[channels.{channel}.connector]
api_keys = ["sandbox-api-key-000000000000000000000"]

[channels.{channel}.connector.callback]
url = "{url}/patron"
secret = "sandbox-callback-secret-0000000000"
"""
