"""Speaks GraphQL to one shop: one document, one answer's data, or one error of ours.

Promise: data comes back whole or not at all. An answer with errors is a failure, whatever data it
brings; a query goes only when the shop's bucket of points can pay for it.
"""

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from http import HTTPStatus
from typing import Any, Final

import structlog

from shared.connectors.budget import RateBudget
from shared.connectors.http import Answer, HttpClient
from shared.connectors.shopify.auth import Grant, Tokens, tokens
from shared.connectors.shopify.cost import Cost, cost_of
from shared.connectors.shopify.documents import Document
from shared.connectors.shopify.errors import Explanation, is_throttled, raise_for
from shared.connectors.shopify.settings import ClientCredentials, ShopifySettings
from shared.connectors.shopify.throttle import CostThrottle
from shared.domain.errors import (
    AccessDenied,
    ConfigurationError,
    RemoteRejected,
    RemoteThrottled,
    UnreadableAnswer,
)

Item = dict[str, Any]
TOKEN_HEADER: Final = "X-Shopify-Access-Token"  # noqa: S105 (a header's name)
VERSION_HEADER: Final = "X-Shopify-API-Version"
_CROWDED: Final = 430
_CLOSED: Final = {
    HTTPStatus.PAYMENT_REQUIRED: "the shop is frozen: its plan is not paid",
    HTTPStatus.NOT_FOUND: "no such shop or API version, check base_url and api_version",
    HTTPStatus.LOCKED: "the shop is locked",
}
_log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Reply:
    """The data of an answer, and the shop's clock."""

    data: Item
    at: datetime | None


class ShopifyClient:
    """Speaks to one shop; threads may share it."""

    def __init__(
        self,
        settings: ShopifySettings,
        http: HttpClient,
        explain: Explanation,
        budget: RateBudget,
        throttle: CostThrottle,
    ) -> None:
        self.explain = explain
        self._version = settings.api_version
        self._root = f"{settings.base_url}/admin"
        self._http = http
        self._budget = budget
        self._throttle = throttle
        self._tokens: Tokens = tokens(settings.auth, self._ask_for_token)
        self._lock = threading.Lock()
        self._other_version: str | None = None

    @property
    def other_version(self) -> str | None:
        """The API version that the shop answers with, if it is not the one we ask for."""
        return self._other_version

    def ask(self, document: Document, **variables: Any) -> Reply:
        """Send a document. Raises `CostExceeded`, `FieldsDenied`, or what else went wrong."""
        with self._throttle.turn((document.name, _size(variables))) as turn:
            answer = self._call(document, variables)
            body, turn.cost = self._body(answer)
        if errors := body.get("errors"):
            if is_throttled(errors):
                raise self._throttled(turn.cost.wait_seconds)
            raise_for(errors, self.explain)
        data = body.get("data")
        if not isinstance(data, dict):
            raise UnreadableAnswer("answer without data")
        self._look_at_version(answer)
        return Reply(data, answer.date)

    def download(self, url: str, start: int, end: int) -> Answer:
        """Return the bytes from `start` to `end` of a file that the shop has put up for us."""

        def headers() -> Mapping[str, str]:
            # A signed address: the token is none of its business.
            return {"Range": f"bytes={start}-{end}", "Accept-Encoding": "identity"}

        return self._http.request("GET", url, headers=headers)

    def _call(self, document: Document, variables: Mapping[str, Any]) -> Answer:
        body = {
            "query": document.text,
            "variables": variables,
            "operationName": document.name,
        }
        url = f"{self._root}/api/{self._version}/graphql.json"
        sent = ""

        def headers() -> dict[str, str]:
            nonlocal sent
            sent = ""
            sent = self._tokens.token()
            return {TOKEN_HEADER: sent}

        def send() -> Answer:
            return self._http.request(
                "POST", url, headers=headers, json=body, is_read=document.is_read
            )

        try:
            return send()
        except AccessDenied:
            # A token may have run out; a refused request had no effect, so any may go again.
            # Without a token the exchange for one was refused.
            if not sent or not self._tokens.renew(sent):
                raise
        return send()

    def _body(self, answer: Answer) -> tuple[Item, Cost]:
        if not answer.is_success:
            self._refuse(answer)
        body = answer.json()
        if not isinstance(body, dict):
            raise UnreadableAnswer("not an object where one is due")
        return body, cost_of(body, self._throttle.clock())

    def _refuse(self, answer: Answer) -> None:
        text = f"status {answer.status} {self.explain(answer)}".rstrip()
        if answer.status == _CROWDED:
            raise self._throttled(1.0)
        if answer.status in _CLOSED:
            raise ConfigurationError(f"{_CLOSED[HTTPStatus(answer.status)]}: {text}")
        raise RemoteRejected(text)

    def _throttled(self, seconds: float) -> RemoteThrottled:
        self._budget.refused(seconds)
        return RemoteThrottled("the shop asks for fewer queries", retry_after_seconds=seconds)

    def _look_at_version(self, answer: Answer) -> None:
        served = answer.headers.get(VERSION_HEADER) or self._version
        other = None if served == self._version else served
        with self._lock:
            is_news = other != self._other_version
            self._other_version = other
        if is_news and other:
            # A version that is no longer supported is answered by a later one, without a word.
            _log.warning("shopify.other_version", asked=self._version, served=other[:20])

    def _ask_for_token(self, credentials: ClientCredentials) -> Grant:
        form = {
            "grant_type": "client_credentials",
            "client_id": credentials.client_id,
            "client_secret": credentials.client_secret.get_secret_value(),
        }
        url = f"{self._root}/oauth/access_token"
        answer = self._http.request("POST", url, headers=dict, json=form)
        if not answer.is_success:
            text = f"no token: status {answer.status} {self.explain(answer)}"
            raise AccessDenied(text.rstrip())
        body = answer.json()
        token = body.get("access_token") if isinstance(body, dict) else None
        seconds = body.get("expires_in") if isinstance(body, dict) else None
        if not isinstance(token, str) or not token.isascii() or not token.isprintable():
            raise UnreadableAnswer("the answer holds no token")
        return Grant(token, float(seconds) if isinstance(seconds, int | float) else 3600.0)


def _size(variables: Mapping[str, Any]) -> object:
    """Return what the cost of a document depends on."""
    lists = [len(value) for value in variables.values() if isinstance(value, list)]
    return variables.get("first"), *lists


Ask = Callable[..., Reply]
