"""Pages by number and pages by cursor, and what the answer says of them.

A cursor is a position by id and nothing else, whatever the order asked for. Its promise: the
first page tells both ways on, a page after a cursor only that one.
"""

import binascii
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Iterable, Sequence
from itertools import islice
from typing import Any, TypeVar

import orjson

from services.sandbox.bigcommerce.errors import invalid
from services.sandbox.bigcommerce.query import Query

T = TypeVar("T")
Meta = dict[str, Any]


def cursor_of(number: int) -> str:
    """Write a position: `{"id":204}` in base64 without padding."""
    return urlsafe_b64encode(orjson.dumps({"id": number})).decode().rstrip("=")


def position(query: Query, name: str) -> int | None:
    """Read the position that `after` or `before` carries, None where it is missing."""
    given = query.text(name)
    if not given:
        return None
    try:
        return int(orjson.loads(urlsafe_b64decode(given + "=" * (-len(given) % 4)))["id"])
    except (binascii.Error, orjson.JSONDecodeError, KeyError, TypeError, ValueError):
        raise invalid("The cursor was not valid.", name, "invalid cursor") from None


def numbered(found: Sequence[T], query: Query) -> tuple[Sequence[T], Meta]:
    """Cut the page that was asked for by number; past the last one it is empty."""
    limit, page = query.limit, query.page
    items = found[(page - 1) * limit : page * limit]
    total_pages = -(-len(found) // limit)
    links = {"current": _link(query, f"page={page}&limit={limit}")}
    if page > 1:
        links["previous"] = _link(query, f"page={page - 1}&limit={limit}")
    if page < total_pages:
        links["next"] = _link(query, f"page={page + 1}&limit={limit}")
    return items, {
        "pagination": {
            "total": len(found),
            "count": len(items),
            "per_page": limit,
            "current_page": page,
            "total_pages": total_pages,
            "links": links,
        }
    }


def upcoming(found: Iterable[T], query: Query) -> tuple[list[T], bool]:
    """Take one page from what follows a cursor; say whether there is more."""
    taken = list(islice(found, query.limit + 1))
    return taken[: query.limit], len(taken) > query.limit


def cursors(ids: Sequence[int], query: Query, *, has_more: bool) -> Meta:
    """Describe a page by cursor; without items there is no cursor to go on from."""
    limit = query.limit
    told: Meta = {"count": len(ids), "per_page": limit, "links": {}}
    if ids:
        told["start_cursor"], told["end_cursor"] = cursor_of(ids[0]), cursor_of(ids[-1])
        if has_more:
            told["links"]["next"] = _link(query, f"limit={limit}&after={told['end_cursor']}")
        if query.text("after"):
            link = f"limit={limit}&before={told['start_cursor']}"
            told["links"]["previous"] = _link(query, link)
    return {"cursor_pagination": told}


def _link(query: Query, paging: str) -> str:
    return "?" + "&".join(filter(None, (query.rest(), paging)))
