"""The suite's pushing system: there is nothing to read, it is called back."""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Final, NoReturn, cast

import orjson

from services.sandbox.push import SandboxPush
from services.sandbox.push.sandbox import CALLBACK_SECRET
from shared.connectors.registry import PLATFORMS, Platform
from tests.conformance import person
from tests.conformance.sandboxed import PLAIN, Sandbox, Sandboxed
from tests.conformance.shop import Ability, Trouble

API_KEY: Final = "conformance-api-key-000000000000000000"
_NOBODY_TO_ASK: Final = "it calls us; nobody can be asked"
_STATUSES: Final = {Trouble.DENIED: 401, Trouble.FORBIDDEN: 403, Trouble.REFUSED: 422}


class PushingSystem(Sandboxed):
    """A system that pushes its customers, and hears callbacks."""

    lacks: ClassVar[Mapping[Ability, str]] = {
        Ability.SOURCE: "its customers are pushed to us",
        Ability.DISCOVERY: _NOBODY_TO_ASK,
        Ability.READ_BACK: _NOBODY_TO_ASK,
        Ability.CHECKED_CREDENTIALS: "a call with nothing to tell would only confuse",
        Ability.ANSWER_BODY: "any 2xx is an acknowledgement, whatever is in it",
        Ability.BATCHES: "a callback is about one customer",
        Ability.REFUSED_VALUE: "it is told, and not asked",
        Ability.REMOVABLE_FIELD: "it is told, and not asked",
        Ability.SILENT_DROP: "what it makes of a callback is its own affair",
        Ability.EXPIRING_TOKEN: "callbacks are signed",
    }
    platform: Platform = PLATFORMS["push"]
    view = other_view = "site"
    views: ClassVar[Mapping[str, Mapping[str, Any]]] = {"site": {}}
    wrong_credentials: ClassVar[dict[str, Any]] = {}
    expiring_credentials: ClassVar[dict[str, Any]] = {}
    secrets = (API_KEY, CALLBACK_SECRET)
    text_field = "last_name"
    spoken = unspoken = frozenset[str]()
    unknown_id = "c-987654"
    additional_field = "terms"
    discoverable = frozenset[tuple[str, str]]()

    def __init__(self) -> None:
        self._pusher = SandboxPush("http://127.0.0.1:9", customers=100)
        super().__init__(cast("Sandbox", self._pusher))

    @property
    def table(self) -> dict[str, Any]:
        """Call back over the loopback."""
        return {"api_keys": [API_KEY], "callback": self._callback(attempts=1, total_seconds=10)}

    def bounded(self, attempts: int, total_seconds: float) -> dict[str, Any]:
        """Bound callbacks."""
        return {"callback": self._callback(attempts=attempts, total_seconds=total_seconds)}

    @property
    def open_line(self) -> dict[str, Any]:
        """Call back in the open."""
        return {"callback": {"url": "http://crm.example", "secret": CALLBACK_SECRET}}

    def register(self, count: int = 1, view: str | None = None) -> list[str]:
        """Take the next ones; they are there from the start."""
        return [f"c-{self.next_number()}" for _ in range(count)]

    def ids(self) -> set[str]:
        """Leave them unknown, as they are."""
        _lacking()

    def register_blank(self) -> str:
        """Lack that."""
        _lacking()

    def plant(self, text: str) -> str:
        """Lack that."""
        _lacking()

    def edit(self, external_id: str) -> None:
        """Lack that."""
        _lacking()

    edit_address = touch = delete = edit

    def expire_token(self) -> None:
        """Lack that."""
        _lacking()

    remove_field = drop_silently = expire_token

    def logins(self) -> int:
        """Count none."""
        return 0

    def number(self, external_id: str) -> str | None:
        """Look at what it was told."""
        return self._pusher._system.numbers.get(external_id)

    def set_number(self, external_id: str, number: str) -> None:
        """Pretend that it was told."""
        self._pusher._system.numbers[external_id] = number

    def value(self, external_id: str) -> str | None:
        """Look at the last values it was told."""
        said = [each for each in self._told(external_id) if "values" in each]
        return str(said[-1]["values"][self.additional_field]) if said else None

    def refused_values(self) -> dict[str, str]:
        """Refuse nothing."""
        return {}

    def rest(self, external_id: str) -> Any:
        """Keep nothing else."""
        return None

    def writes(self, external_id: str) -> int:
        """Count what was heard, each once."""
        return len(self._told(external_id))

    def upset(self, trouble: Trouble, *, on: str = "", skip: int = 0) -> float | None:
        """Order a fault for one callback."""
        if trouble is Trouble.THROTTLED:
            self._pusher.control.fail_next("too_many_requests", retry_after="17", skip=skip)
            return 17.0
        if trouble in PLAIN:
            self._pusher.control.fail_next(PLAIN[trouble], skip=skip)
            return None
        body = orjson.dumps({"error": f"{person.EMAIL} is not welcome"}).decode()
        self._pusher.control.fail_next("status", status=_STATUSES[trouble], body=body, skip=skip)
        return None

    def release(self) -> None:
        """Let go of what is held."""
        self._pusher._faults.release()

    def bugs(self) -> Sequence[str]:
        """Find none: it keeps no such books."""
        return []

    def _callback(self, **timeouts: float) -> dict[str, Any]:
        url = self._pusher.callback_url
        return {"url": url, "secret": CALLBACK_SECRET, "timeouts": timeouts}

    def _told(self, external_id: str) -> list[dict[str, Any]]:
        told = self._pusher.control.callbacks()
        return [each for each in told if each["external_id"] == external_id]


def _lacking() -> NoReturn:
    raise LookupError(_NOBODY_TO_ASK)
