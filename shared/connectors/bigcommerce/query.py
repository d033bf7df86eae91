"""Query strings as BigCommerce reads them: colons and commas as they are, cursors by id.

The colon of a time must not be percent-encoded, or the filter is passed over.
"""

from base64 import b64encode
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from urllib.parse import urlencode

import orjson

INCLUDED = ("addresses", "attributes", "formfields")


def query(parameters: Mapping[str, str | int | None]) -> str:
    """Return the query string, question mark and all; parameters that are None are left out."""
    given = {name: value for name, value in parameters.items() if value is not None}
    return f"?{urlencode(given, safe=':,')}" if given else ""


def moment_of(at: datetime) -> str:
    """Write a moment as filters take it: UTC, without a zone."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S")


def list_of(values: Iterable[int | str]) -> str:
    """Write a list as filters take it."""
    return ",".join(map(str, values))


def cursor_after(customer_id: int) -> str:
    """Return the cursor of whatever comes after an id."""
    return b64encode(orjson.dumps({"id": customer_id})).decode()
