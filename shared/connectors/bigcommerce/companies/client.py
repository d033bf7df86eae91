"""The few calls of the B2B Edition's API that the connector makes.

It counts rows by offset, and rows that are touched meanwhile move: a list whose rows are fewer
than the shop counts is read again. At most three writes run at once.
"""

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from http import HTTPStatus
from typing import Any, Final

from shared.connectors.bigcommerce.answers import (
    Item,
    id_of,
    mapping_of,
    mappings,
    succeeded,
    within,
)
from shared.connectors.bigcommerce.query import query
from shared.connectors.bigcommerce.settings import BigCommerceSettings
from shared.connectors.http import Answer, HttpClient
from shared.domain.errors import RemoteGone, RemoteRejected, UnreadableAnswer

PAGE: Final = 200
_WRITES_AT_ONCE: Final = 3
_TIMES: Final = 3
_FIRST_ERROR: Final = 300
Parameters = Mapping[str, str | int | None]


@dataclass(frozen=True, slots=True)
class Listed:
    """All rows of a list, and the shop's clock when we began to read it."""

    items: Sequence[Item]
    at: datetime | None


class CompaniesClient:
    """Speaks to the B2B Edition of one shop; threads may share it."""

    def __init__(
        self, settings: BigCommerceSettings, http: HttpClient, explain: Callable[[Answer], str]
    ) -> None:
        self._root = f"{settings.b2b_base_url}/api/v3/io"
        self._headers = {
            "X-Auth-Token": settings.access_token.get_secret_value(),
            "X-Store-Hash": settings.store_hash,
        }
        self._http = http
        self._explain = explain
        self._writing = threading.BoundedSemaphore(_WRITES_AT_ONCE)

    def companies(self, since: datetime | None = None) -> Listed:
        """Return the companies that changed since a moment, or all."""
        parameters = {**_since(since), "isIncludeExtraFields": 1}
        return self._listed("companies", parameters, "companyId")

    def company(self, company_id: int) -> Item | None:
        """Return a company, or None when the shop says there is none."""
        answer = self._call("GET", f"companies/{company_id}")
        if _is_about_missing(answer):
            return None
        return self._one(answer)

    def addresses(
        self, *, company_id: int | None = None, since: datetime | None = None
    ) -> Sequence[Item]:
        """Return the addresses of a company, or those that changed, or all."""
        parameters = {"companyId": company_id, **_since(since)}
        return self._listed("addresses", parameters, "addressId").items

    def users(
        self, *, company_id: int | None = None, since: datetime | None = None
    ) -> Sequence[Item]:
        """Return the users of a company, or those that changed, or all."""
        return self._listed("users", {"companyId": company_id, **_since(since)}, "id").items

    def extra_fields(self) -> Sequence[Item]:
        """Return the definitions of what a company has besides."""
        return self._listed("companies/extra-fields", {}, None).items

    def update_company(self, company_id: int, changes: Mapping[str, Any]) -> None:
        """Change a company; what is not sent stays."""
        self._write(f"companies/{company_id}", changes)

    def update_address(self, address_id: int, changes: Mapping[str, Any]) -> None:
        """Change an address of a company; what is not sent stays."""
        self._write(f"addresses/{address_id}", changes)

    def _listed(self, path: str, parameters: Parameters, key: str | None) -> Listed:
        began_at: datetime | None = None
        for _ in range(_TIMES):
            rows: dict[int, Item] = {}
            offset = total = 0
            while True:
                here: Parameters = {**parameters, "limit": PAGE, "offset": offset}
                items, total, at = self._page(path, here)
                began_at = began_at or at
                for place, item in enumerate(items):
                    rows[id_of(item, key) if key else offset + place] = item
                offset += len(items)
                if not items or offset >= total:
                    break
            if len(rows) >= total:
                return Listed(list(rows.values()), began_at)
        raise UnreadableAnswer(f"{path}: rows move faster than they can be read")

    def _page(
        self, path: str, parameters: Parameters
    ) -> tuple[Sequence[Item], int, datetime | None]:
        answer = self._call("GET", f"{path}{query(parameters)}")
        body = mapping_of(self._succeeded(answer))
        items = mappings(body.get("data"))
        total = within(body, "meta", "pagination", "totalCount")
        if not isinstance(total, int):
            raise UnreadableAnswer(f"{path}: a list without totalCount")
        return items, total, answer.date

    def _one(self, answer: Answer) -> Item:
        data = mapping_of(self._succeeded(answer)).get("data")
        if not isinstance(data, dict):
            raise UnreadableAnswer("not an object where one is due")
        return data

    def _write(self, path: str, body: Mapping[str, Any]) -> None:
        with self._writing:
            answer = self._call("PUT", path, body)
        if _is_about_missing(answer):
            raise RemoteGone(f"{path} does not exist any more")
        self._succeeded(answer)

    def _succeeded(self, answer: Answer) -> Answer:
        """Return the answer; its own `code` counts as well as the status."""
        succeeded(answer, self._explain)
        code = mapping_of(answer).get("code")
        if isinstance(code, int) and code >= _FIRST_ERROR:
            raise RemoteRejected(f"code {code}: {self._explain(answer)}")
        return answer

    def _call(self, method: str, path: str, body: Any = None) -> Answer:
        url = f"{self._root}/{path}"
        return self._http.request(method, url, headers=lambda: self._headers, json=body)


def _is_about_missing(answer: Answer) -> bool:
    """Whether a 404 is the B2B Edition's own, about a row, and not that of a wrong address."""
    if answer.status != HTTPStatus.NOT_FOUND:
        return False
    try:
        return bool(within(mapping_of(answer), "code") == HTTPStatus.NOT_FOUND)
    except UnreadableAnswer:
        return False


def _since(since: datetime | None) -> dict[str, int | None]:
    return {"minModified": int(since.timestamp()) if since else None}
