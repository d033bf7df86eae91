"""The control of the sandbox BigCommerce over HTTP, under `/_sandbox/`.

Its promise: it does what `Control` does, nothing more.
"""

from dataclasses import asdict
from datetime import datetime

from services.sandbox.bigcommerce.control import Control
from services.sandbox.ledger import as_json
from services.sandbox.remote import Answer, Body, Parts

Table = list[tuple[str, str, Answer]]


def control_table(control: Control) -> Table:
    """Return method, path and deed of every control call."""
    return [*_customers(control), *_fields(control), *_store(control), *_fate(control)]


def _customers(c: Control) -> Table:
    return [
        ("POST", "customers", lambda b, _: c.register(b)),
        ("GET", "customers/{id}", lambda _, p: c.customer(int(p[0]))),
        ("PATCH", "customers/{id}", lambda b, p: c.edit_profile(int(p[0]), **b)),
        ("DELETE", "customers/{id}", lambda _, p: c.delete_customer(int(p[0]))),
        ("POST", "customers/{id}/touch", lambda _, p: c.touch(int(p[0]))),
        ("POST", "customers/{id}/merge/{gone}", lambda _, p: c.merge_customers(*map(int, p))),
        ("POST", "customers/{id}/addresses", lambda b, p: c.add_address(int(p[0]), **b)),
        ("PATCH", "customers/{id}/address", lambda b, p: c.edit_address(int(p[0]), **b)),
        (
            "PATCH",
            "customers/{id}/addresses/{address}",
            lambda b, p: c.edit_address(int(p[0]), int(p[1]), **b),
        ),
        ("DELETE", "addresses/{id}", lambda _, p: c.delete_address(int(p[0]))),
        ("GET", "writes/{id}", lambda _, p: [as_json(each) for each in c.writes(int(p[0]))]),
    ]


def _fields(c: Control) -> Table:
    return [
        ("PUT", "attributes/{name}", lambda b, p: {"id": c.add_attribute(p[0], **b)}),
        ("DELETE", "attributes/{name}", lambda _, p: c.remove_attribute(p[0])),
        ("GET", "attributes/{name}", lambda _, p: _by_text(c.attribute_values(p[0]))),
        (
            "PUT",
            "customers/{id}/attributes/{name}",
            lambda b, p: c.set_attribute(int(p[0]), p[1], b["value"]),
        ),
        (
            "PUT",
            "customers/{id}/form_fields/{name}",
            lambda b, p: c.set_form_field(int(p[0]), p[1], b["value"]),
        ),
        (
            "GET",
            "metafields/{namespace}/{key}",
            lambda _, p: _by_text(c.metafields(p[0], p[1])),
        ),
        ("GET", "companies", lambda _, __: c.company_ids()),
        ("GET", "companies/{id}", lambda _, p: c.company(int(p[0]))),
        ("PATCH", "companies/{id}", lambda b, p: c.edit_company(int(p[0]), **b)),
    ]


def _store(c: Control) -> Table:
    return [
        ("GET", "health", lambda _, __: {"status": "ok", "now": c.now()}),
        ("GET", "stats", lambda _, __: c.stats()),
        ("DELETE", "stats", lambda _, __: c.reset_stats()),
        ("DELETE", "token", lambda _, __: c.revoke_token()),
        ("PUT", "token", lambda b, _: c.restore_token(**b)),
        ("PUT", "scopes", lambda b, _: c.set_scopes(*b.get("scopes", ()))),
        ("PATCH", "quirks", lambda b, _: c.set_quirks(**b)),
        ("PUT", "quota", lambda b, _: c.set_quota(**b)),
        ("GET", "events", lambda _, __: [asdict(each) for each in c.events()]),
        ("GET", "hooks", lambda _, __: c.subscriptions()),
        ("POST", "webhooks", lambda b, _: _sent(c, b)),
        ("POST", "webhooks/deliver", lambda _, __: c.deliver_webhooks()),
    ]


def _fate(c: Control) -> Table:
    return [
        ("POST", "clock", lambda b, p: _clock(c, b, p)),
        ("POST", "faults", lambda b, _: c.fail_next(**b)),
        ("DELETE", "faults", lambda _, __: c.clear_faults()),
        ("POST", "release", lambda _, __: c.release()),
        ("PUT", "latency", lambda b, _: c.set_latency(float(b["seconds"]))),
        ("PUT", "maintenance", lambda b, _: c.maintenance(**b)),
    ]


def _by_text(values: dict[int, str]) -> Body:
    return {str(number): value for number, value in values.items()}


def _sent(c: Control, body: Body) -> Body:
    status, event = c.send_webhook(body["url"], body["scope"], body["data"])
    return {"status": status, "hash": event.hash}


def _clock(c: Control, body: Body, _: Parts) -> Body:
    if "freeze" in body:
        at = body["freeze"]
        c.freeze_clock(datetime.fromisoformat(at) if isinstance(at, str) else None)
    if "advance_seconds" in body:
        c.advance_clock(int(body["advance_seconds"]))
    if body.get("run"):
        c.run_clock()
    return {"now": c.now()}
