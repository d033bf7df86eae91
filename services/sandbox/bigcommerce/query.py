"""Reads query strings as the V3 API does: `field:min`, comma-separated `field:in`, and dates.

Its promise: an unknown parameter is a 422, and a date whose colon came percent-encoded breaks
its filter, as it does there.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from urllib.parse import unquote_plus

from services.sandbox.bigcommerce.errors import Refusal, invalid
from services.sandbox.bigcommerce.quirks import Quirks
from services.sandbox.wire import Request

DEFAULT_LIMIT, MOST_PER_PAGE = 50, 250
PAGING = frozenset({"page", "limit", "after", "before"})
_FOREVER = 1 << 62
_BAD_FILTER = "The filter was not valid."


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of time, both ends included."""

    since: int = -_FOREVER
    until: int = _FOREVER

    def __contains__(self, moment: int) -> bool:
        return self.since <= moment <= self.until

    @property
    def is_open(self) -> bool:
        """Whether it holds every moment."""
        return self == Span()


_NEVER = Span(_FOREVER, -_FOREVER)


class Query:
    """The parameters of one request."""

    def __init__(self, request: Request, quirks: Quirks, now: int) -> None:
        self._quirks = quirks
        self._now = now
        self._raw: dict[str, str] = {}
        for pair in filter(None, request.target.partition("?")[2].split("&")):
            name, _, value = pair.partition("=")
            self._raw[unquote_plus(name)] = value

    def refuse_unknown(self, known: Iterable[str]) -> None:
        """Raise the 422 that names what is no filter here."""
        if strange := sorted(set(self._raw) - set(known) - PAGING):
            names = ", ".join(strange)
            raise Refusal(422, f"The filter(s): {names} are not valid filter parameter(s).", {})

    def text(self, name: str) -> str:
        """Return a parameter decoded, "" where it is missing."""
        return unquote_plus(self._raw.get(name, ""))

    def texts(self, name: str) -> tuple[str, ...] | None:
        """Return a comma-separated list, None where the parameter is missing."""
        if name not in self._raw:
            return None
        # Commas separate before the decoding: an encoded one belongs to its value.
        return tuple(unquote_plus(part) for part in self._raw[name].split(",") if part)

    def numbers(self, name: str) -> frozenset[int] | None:
        """Return a comma-separated list of ids, None where the parameter is missing."""
        given = self.text(name)
        if name not in self._raw:
            return None
        try:
            return frozenset(int(part) for part in given.split(",") if part)
        except ValueError:
            raise invalid(_BAD_FILTER, name, "must be a list of integers") from None

    def number(self, name: str, otherwise: int, most: int = _FOREVER) -> int:
        """Return a positive whole number; what is out of bounds is brought within them."""
        given = self.text(name)
        if not given:
            return otherwise
        try:
            return min(max(1, int(given)), most)
        except ValueError:
            raise invalid(_BAD_FILTER, name, "must be an integer") from None

    @property
    def limit(self) -> int:
        """How many items a page holds."""
        return self.number("limit", DEFAULT_LIMIT, MOST_PER_PAGE)

    @property
    def page(self) -> int:
        """Which page is wanted, from 1."""
        return self.number("page", 1)

    def span(self, field: str) -> Span:
        """Return what `field`, `field:min` and `field:max` leave of time."""
        found = Span()
        for suffix in ("", ":min", ":max"):
            name = f"{field}{suffix}"
            if name not in self._raw:
                continue
            if "%3a" in self._raw[name].lower():
                if self._quirks.encoded_dates == "refused":
                    raise invalid(_BAD_FILTER, name, "must be a date")
                found = _NEVER if self._quirks.encoded_dates == "empty" else found
                continue
            moment = self._moment(name)
            found = Span(
                found.since if suffix == ":max" else max(found.since, moment),
                found.until if suffix == ":min" else min(found.until, moment),
            )
        return found

    def rest(self) -> str:
        """Return the parameters that a link to another page repeats, as they came."""
        kept = [f"{name}={value}" for name, value in self._raw.items() if name not in PAGING]
        return "&".join(kept)

    def _moment(self, name: str) -> int:
        given = self.text(name)
        try:
            moment = datetime.fromisoformat(given)
        except ValueError:
            raise invalid(_BAD_FILTER, name, "must be a date") from None
        if len(given) == len("2026-11-20") and self._quirks.dates_get_time_of_day:
            present = datetime.fromtimestamp(self._now, UTC).time()
            moment = datetime.combine(moment, present)
        if moment.tzinfo is None:
            zone = timezone(timedelta(hours=self._quirks.naive_dates_hours))
            moment = moment.replace(tzinfo=zone)
        return int(moment.timestamp())
