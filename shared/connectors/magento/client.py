"""The few calls of Magento's REST API that the connector makes, and what their answers must be.

Promise: what a method returns has the shape its contract says; every other answer is an error of
`shared.domain.errors`.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from http import HTTPStatus
from typing import Any

from shared.connectors.http import Answer, HttpClient
from shared.connectors.magento.auth import Authentication, authentication
from shared.connectors.magento.errors import is_about_missing
from shared.connectors.magento.search import Search
from shared.connectors.magento.settings import Admin, MagentoSettings
from shared.domain.errors import (
    AccessDenied,
    ConfigurationError,
    RemoteGone,
    RemoteRejected,
    UnreadableAnswer,
)

Item = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Found:
    """The rows of one search, how many there were to find, and the shop's clock."""

    items: Sequence[Item]
    total: int
    at: datetime | None


class MagentoClient:
    """Speaks to one shop; threads may share it."""

    def __init__(
        self, settings: MagentoSettings, http: HttpClient, explain: Callable[[Answer], str]
    ) -> None:
        self._root = f"{settings.base_url}/rest/V1"
        self._http = http
        self._explain = explain
        self._auth: Authentication = authentication(settings, self._log_in)

    def search_customers(self, search: Search) -> Found:
        """Return the customers that a search finds."""
        return self._search("customers/search", search)

    def search_groups(self, search: Search) -> Found:
        """Return the customer groups that a search finds."""
        return self._search("customerGroups/search", search)

    def customer(self, customer_id: str) -> Item | None:
        """Return a customer, or None when the shop says there is none."""
        answer = self._call("GET", f"customers/{customer_id}")
        return None if self._is_missing(answer) else _mapping(self._succeeded(answer))

    def update_customer(self, customer_id: str, customer: Mapping[str, Any]) -> Item:
        """Overlay a stored customer with `customer` and return it as stored then."""
        answer = self._call("PUT", f"customers/{customer_id}", {"customer": customer})
        if self._is_missing(answer):
            raise RemoteGone(f"customer {customer_id} does not exist any more")
        return _mapping(self._succeeded(answer))

    def attribute(self, code: str) -> Item | None:
        """Return what the shop knows of a customer attribute, or None when it has none such."""
        answer = self._call("GET", f"attributeMetadata/customer/attribute/{code}")
        return None if self._is_missing(answer) else _mapping(self._succeeded(answer))

    def attributes(self) -> Sequence[Item]:
        """Return what the shop knows of all customer attributes."""
        answer = self._succeeded(self._call("GET", "attributeMetadata/customer"))
        return _mappings(answer.json())

    def store_views(self) -> Sequence[Item]:
        """Return the shop's store views."""
        return _mappings(self._succeeded(self._call("GET", "store/storeViews")).json())

    def _search(self, path: str, search: Search) -> Found:
        answer = self._succeeded(self._call("GET", f"{path}?{search.query()}"))
        body = _mapping(answer)
        total = body.get("total_count")
        if not isinstance(total, int):
            raise UnreadableAnswer("search answer without total_count")
        return Found(_mappings(body.get("items")), total, answer.date)

    def _call(self, method: str, path: str, body: Any = None) -> Answer:
        url = f"{self._root}/{path}"
        sent = ""

        def headers() -> dict[str, str]:
            nonlocal sent
            sent = self._auth.header(method, url)
            return {"Authorization": sent}

        try:
            return self._http.request(method, url, headers=headers, json=body)
        except AccessDenied:
            # A token may have run out; a refused request had no effect, so any may go again.
            # Without a header there was no token: the login itself was refused.
            if not sent or not self._auth.renew(sent):
                raise
        return self._http.request(method, url, headers=headers, json=body)

    def _log_in(self, admin: Admin) -> str:
        login = {"username": admin.username, "password": admin.password.get_secret_value()}
        url = f"{self._root}/integration/admin/token"
        answer = self._http.request("POST", url, headers=dict, json=login)
        if not answer.is_success:
            # 400 is two-factor login, which an unattended worker cannot pass.
            raise AccessDenied(f"login refused: status {answer.status} {self._explain(answer)}")
        token = answer.json()
        if not isinstance(token, str) or not token.isascii() or not token.isalnum():
            raise UnreadableAnswer("the login's answer is no token")
        return token

    def _is_missing(self, answer: Answer) -> bool:
        return answer.status == HTTPStatus.NOT_FOUND and is_about_missing(answer)

    def _succeeded(self, answer: Answer) -> Answer:
        if answer.is_success:
            return answer
        if answer.status == HTTPStatus.NOT_FOUND:
            raise ConfigurationError(f"no such route, check base_url: {self._explain(answer)}")
        raise RemoteRejected(f"status {answer.status}: {self._explain(answer)}")


def _mapping(answer: Answer) -> Item:
    body = answer.json()
    if not isinstance(body, dict):
        raise UnreadableAnswer("not an object where one is due")
    return body


def _mappings(value: Any) -> list[Item]:
    if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
        raise UnreadableAnswer("not a list of objects where one is due")
    return value
