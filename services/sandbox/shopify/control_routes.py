"""The control interface over HTTP, under `/_sandbox/`; no part of the platform.

Its promise: it does what `Control` does. `{id}` is a seeded customer's count, or the number at
the end of a global id.
"""

from datetime import UTC, datetime
from typing import Any

from services.sandbox.ledger import as_json
from services.sandbox.remote import Answer, Body, Parts
from services.sandbox.shopify.control import Control
from services.sandbox.shopify.errors import Record
from services.sandbox.shopify.gids import FIRST_NUMBER
from services.sandbox.shopify.times import moment
from services.sandbox.shopify.webhooks import Delivery


def control_table(c: Control) -> list[tuple[str, str, Answer]]:
    """Return what may be asked for, and what is done then."""
    return [
        ("GET", "health", lambda _, __: {"status": "ok", "now": c.now()}),
        ("GET", "stats", lambda _, __: c.stats()),
        ("DELETE", "stats", lambda _, __: c.reset_stats()),
        ("GET", "numbers", lambda _, __: c.customer_numbers()),
        ("GET", "writes/{id}", lambda _, p: [as_json(each) for each in c.writes(_id(p))]),
        ("POST", "customers", lambda b, _: c.register(**b)),
        ("GET", "customers/{id}", lambda _, p: c.customer(_id(p))),
        ("PATCH", "customers/{id}", lambda b, p: c.edit_customer(_id(p), **b)),
        ("DELETE", "customers/{id}", lambda _, p: c.delete_customer(_id(p))),
        ("POST", "customers/{id}/touch", lambda _, p: c.touch(_id(p))),
        ("POST", "customers/{id}/merge", lambda b, p: c.merge(_id(p), b["gone"])),
        ("POST", "customers/{id}/addresses", lambda b, p: c.add_address(_id(p), **b)),
        ("PATCH", "customers/{id}/address", lambda b, p: c.edit_address(_id(p), **b)),
        ("DELETE", "customers/{id}/address", lambda _, p: c.delete_address(_id(p))),
        ("POST", "companies", lambda b, _: _register_company(c, b)),
        ("GET", "companies/{id}", lambda _, p: c.company(_gid("Company", p))),
        ("PATCH", "companies/{id}", lambda b, p: c.edit_company(_gid("Company", p), **b)),
        ("GET", "locations/{id}", lambda _, p: c.location(_gid("CompanyLocation", p))),
        (
            "PATCH",
            "locations/{id}",
            lambda b, p: c.edit_location(_gid("CompanyLocation", p), **b),
        ),
        ("PUT", "metafield_definition", lambda _, __: c.define_metafield()),
        ("DELETE", "metafield_definition", lambda _, __: c.remove_metafield_definition()),
        ("PATCH", "quirks", lambda b, _: c.set_quirks(**b)),
        ("PUT", "search_lag", lambda b, _: _lag(c, b)),
        ("DELETE", "token", lambda _, __: c.revoke_token()),
        ("PUT", "token", lambda _, __: c.restore_token()),
        ("POST", "tokens/expire", lambda _, __: c.expire_tokens()),
        ("DELETE", "scopes/{scope}", lambda _, p: c.remove_scopes(p[0])),
        ("PUT", "scopes", lambda _, __: c.restore_scopes()),
        ("PUT", "maintenance", lambda b, _: c.maintenance(**b)),
        ("PUT", "unavailable", lambda b, _: c.make_unavailable(b["status"])),
        ("POST", "clock", lambda b, _: _clock(c, b)),
        ("POST", "faults", lambda b, _: c.fail_next(**b)),
        ("POST", "throttle", lambda b, _: c.throttle_next(**b)),
        ("DELETE", "faults", lambda _, __: c.clear_faults()),
        ("POST", "release", lambda _, __: c.release()),
        ("POST", "webhooks", lambda b, _: _said(c.send_webhook(**b))),
    ]


def _id(parts: Parts) -> str | int:
    """Return the customer meant; other kinds have numbers of their own, for `writes`."""
    number = int(parts[0])
    return number if number < min(FIRST_NUMBER.values()) else f"gid://shopify/Customer/{number}"


def _gid(kind: str, parts: Parts) -> str:
    number = int(parts[0])
    first = FIRST_NUMBER[kind]
    return f"gid://shopify/{kind}/{number if number >= first else first + number}"


def _register_company(control: Control, body: Body) -> Record:
    given: dict[str, Any] = dict(body)
    contacts = tuple(given.pop("contacts", ()))
    return control.register_company(
        contacts=contacts, locations_=tuple(given.pop("locations", ())), **given
    )


def _lag(control: Control, body: Body) -> None:
    if body.get("held"):
        control.hold_search()
    else:
        control.set_search_lag(int(body.get("seconds", 0)))


def _said(delivery: Delivery) -> Record:
    return {"status": delivery.status, "event_id": delivery.event_id}


def _clock(control: Control, body: Body) -> Record:
    if "freeze" in body:
        at = body["freeze"]
        control.freeze_clock(
            datetime.fromtimestamp(moment(at), UTC) if isinstance(at, str) else None
        )
    if "advance_seconds" in body:
        control.advance_clock(int(body["advance_seconds"]))
    if body.get("run"):
        control.run_clock()
    return {"now": control.now()}
