"""The control interface over HTTP, under `/_sandbox/`; no part of the platform.

For demos and for tests in other processes. Its promise: it does what `Control` does, nothing
more; a mistake in the call is a 400 that says so.
"""

from datetime import UTC, datetime

from services.sandbox.clock import moment_of
from services.sandbox.ledger import as_json
from services.sandbox.magento.control import Control
from services.sandbox.magento.errors import Refusal
from services.sandbox.remote import Answer, Body, RemoteControl


class ControlRoutes(RemoteControl):
    """Maps paths to the methods of `Control`."""

    def __init__(self, control: Control) -> None:
        self._control = control
        super().__init__(self._table(), Refusal)

    def _table(self) -> list[tuple[str, str, Answer]]:
        c = self._control
        return [
            ("GET", "health", lambda _, __: {"status": "ok", "now": c.now()}),
            ("GET", "stats", lambda _, __: c.stats()),
            ("DELETE", "stats", lambda _, __: c.reset_stats()),
            ("GET", "writes/{id}", lambda _, p: [as_json(each) for each in c.writes(int(p[0]))]),
            ("POST", "customers", lambda b, _: c.register(b)),
            ("GET", "customers/{id}", lambda _, p: c.customer(int(p[0]))),
            ("PATCH", "customers/{id}", lambda b, p: c.edit_profile(int(p[0]), **b)),
            ("DELETE", "customers/{id}", lambda _, p: c.delete_customer(int(p[0]))),
            ("POST", "customers/{id}/touch", lambda _, p: c.touch(int(p[0]))),
            ("POST", "customers/{id}/fail_login", lambda _, p: c.fail_login(int(p[0]))),
            ("POST", "customers/{id}/reset_password", lambda _, p: c.reset_password(int(p[0]))),
            ("POST", "customers/{id}/addresses", lambda b, p: c.add_address(int(p[0]), **b)),
            ("PATCH", "customers/{id}/address", lambda b, p: c.edit_address(int(p[0]), **b)),
            (
                "PATCH",
                "customers/{id}/addresses/{address}",
                lambda b, p: c.edit_address(int(p[0]), int(p[1]), **b),
            ),
            ("DELETE", "addresses/{id}", lambda _, p: c.delete_address(int(p[0]))),
            ("GET", "attributes/{code}", self._attribute),
            ("PUT", "attributes/{code}", lambda b, p: c.add_attribute(p[0], b.get("label", ""))),
            ("DELETE", "attributes/{code}", lambda _, p: c.remove_attribute(p[0])),
            ("PUT", "rights/{kind}", lambda b, p: c.set_rights(p[0], *b.get("rights", ()))),
            ("PATCH", "quirks", lambda b, _: c.set_quirks(**b)),
            ("POST", "clock", self._clock),
            ("POST", "faults", lambda b, _: c.fail_next(**b)),
            ("DELETE", "faults", lambda _, __: c.clear_faults()),
            ("POST", "release", lambda _, __: c.release()),
            ("PUT", "maintenance", lambda b, _: c.maintenance(**b)),
            ("POST", "admin_token", lambda _, __: {"token": c.admin_token()}),
        ]

    def _attribute(self, _: Body, parts: tuple[str, ...]) -> Body:
        values = self._control.attribute_values(parts[0])
        return {str(customer_id): value for customer_id, value in values.items()}

    def _clock(self, body: Body, _: tuple[str, ...]) -> Body:
        if "freeze" in body:
            at = body["freeze"]
            self._control.freeze_clock(
                datetime.fromtimestamp(moment_of(at), UTC) if isinstance(at, str) else None
            )
        if "advance_seconds" in body:
            self._control.advance_clock(int(body["advance_seconds"]))
        if body.get("run"):
            self._control.run_clock()
        return {"now": self._control.now()}
