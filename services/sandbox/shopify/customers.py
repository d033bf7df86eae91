"""The mutations that create, change and delete customers.

Its promise: e-mail and phone are unique, what was not sent stays, and a refusal changes nothing.
"""

import re
from collections.abc import Iterable, Mapping
from typing import Any

from services.sandbox.shopify.addresses import new_address
from services.sandbox.shopify.errors import Problems, Record, problem, refused
from services.sandbox.shopify.gids import gid, number
from services.sandbox.shopify.metafields import holder_of, with_metafield
from services.sandbox.shopify.shop import Shop, email_key
from services.sandbox.shopify.zones import as_e164

TEXTS = ("firstName", "lastName", "note")
PLAIN = ("locale", "taxExempt", "taxExemptions")
LONGEST = {"firstName": 255, "lastName": 255, "note": 5000}
NOBODY = "Customer does not exist"
_EMAIL = re.compile(r"[^@\s]+@[^@\s.]+(\.[^@\s.]+)+")
_LABELS = {"firstName": "First name", "lastName": "Last name", "note": "Note"}
_WRITABLE_CONSENT = {"SUBSCRIBED", "UNSUBSCRIBED", "PENDING"}


def create(shop: Shop, given: Mapping[str, Any], origin: str = "api") -> Record:
    """Carry out `customerCreate`."""
    wanted = given["input"]
    if wanted.get("id"):
        raise refused("id", "Cannot specify ID on creation")
    customer = created(shop, wanted, origin)
    return {"customer": customer, "userErrors": []}


def created(shop: Shop, wanted: Mapping[str, Any], origin: str, prefix: str = "") -> Record:
    """Return the new customer, saved."""
    customer = overlaid(shop, _blank(shop), wanted, prefix)
    if not any(customer[name] for name in ("firstName", "lastName", "email", "phone")):
        raise refused(prefix or None, "A name, phone number, or email address must be present")
    if consent := wanted.get("emailMarketingConsent"):
        customer["_consent"] = _consent(shop, customer, consent)
    shop.customers.last_number = customer["_number"]
    return shop.save(customer, (origin, "create", dict(wanted)))


def update(shop: Shop, given: Mapping[str, Any], origin: str = "api") -> Record:
    """Carry out `customerUpdate`."""
    wanted = given["input"]
    before = shop.find("Customer", wanted.get("id"))
    if before is None:
        raise refused("id", NOBODY)
    if "emailMarketingConsent" in wanted:
        message = "To update emailMarketingConsent, please use the "
        raise refused(
            "emailMarketingConsent",
            f"{message}customerEmailMarketingConsentUpdate Mutation instead",
        )
    customer = shop.save(overlaid(shop, before, wanted), (origin, "update", dict(wanted)))
    return {"customer": customer, "userErrors": []}


def upsert(shop: Shop, given: Mapping[str, Any], origin: str = "api") -> Record:
    """Carry out `customerSet`."""
    wanted, identifier = given["input"], given.get("identifier") or {}
    before = _identified(shop, identifier, wanted)
    if before is not None:
        customer = overlaid(shop, before, wanted, "input")
        saved = shop.save(customer, (origin, "update", dict(wanted)))
    else:
        extra: dict[str, Any] = {}
        if custom := identifier.get("customId"):
            extra = {"metafields": [dict(custom) | {"type": "id"}]}
        saved = created(shop, dict(wanted) | extra, origin, "input")
    return {"customer": saved, "userErrors": []}


def delete(shop: Shop, given: Mapping[str, Any], origin: str = "api") -> Record:
    """Carry out `customerDelete`; whoever has ordered stays."""
    customer = shop.find("Customer", given["input"]["id"])
    if customer is None:
        raise refused("id", "Customer can't be found")
    if customer["numberOfOrders"] != "0":
        raise refused("id", "Customer can't be deleted because they have associated orders")
    shop.delete(customer, origin)
    return {"deletedCustomerId": customer["id"], "userErrors": []}


def update_consent(shop: Shop, given: Mapping[str, Any], origin: str = "api") -> Record:
    """Carry out `customerEmailMarketingConsentUpdate`."""
    wanted = given["input"]
    before = shop.find("Customer", wanted["customerId"])
    if before is None:
        raise refused("input.customerId", NOBODY, "INVALID")
    consent = _consent(shop, before, wanted["emailMarketingConsent"])
    after = shop.save(before | {"_consent": consent}, (origin, "update", dict(wanted)))
    return {"customer": after, "userErrors": []}


def change_tags(shop: Shop, given: Mapping[str, Any], *, adds: bool, origin: str = "api") -> Record:
    """Carry out `tagsAdd` and `tagsRemove`."""
    before = shop.find("Customer", given["id"])
    if before is None:
        raise refused("id", NOBODY)
    named = {tag.strip().lower() for tag in given["tags"]}
    tags = (
        tidy_tags([*before["tags"], *given["tags"]])
        if adds
        else [tag for tag in before["tags"] if tag.lower() not in named]
    )
    after = before
    if tags != before["tags"]:
        after = shop.save(before | {"tags": tags}, (origin, "update", dict(given)))
    return {"node": after, "userErrors": []}


def overlaid(shop: Shop, before: Record, given: Mapping[str, Any], prefix: str = "") -> Record:
    """Return a customer with what was given. Raises `Problems`."""
    after = dict(before)
    problems: list[Record] = []
    path = [prefix] if prefix else []
    sent = {
        name: value for name, value in given.items() if value is not None or shop.quirks.null_clears
    }
    for name in TEXTS:
        if name in sent:
            after[name] = (sent[name] or "").strip() or None
            if len(after[name] or "") > LONGEST[name]:
                message = f"{_LABELS[name]} is too long (maximum is {LONGEST[name]} characters)"
                problems.append(problem([*path, name], message, "TOO_LONG"))
    after.update({name: sent[name] for name in PLAIN if sent.get(name) is not None})
    if "email" in sent:
        problems += _set_email(shop, after, sent["email"], path)
    if "phone" in sent:
        problems += _set_phone(shop, after, sent["phone"], path)
    if sent.get("tags") is not None:
        after["tags"] = tidy_tags(sent["tags"])
    if problems:
        raise Problems(*problems)
    return _with_parts(shop, after, sent, path)


def tidy_tags(tags: Iterable[str]) -> list[str]:
    """Return tags as they are kept: each once, whatever its case, in order."""
    kept: dict[str, str] = {}
    for tag in tags:
        if tag.strip():
            kept.setdefault(tag.strip().lower(), tag.strip())
    return sorted(kept.values(), key=str.lower)


def _with_parts(shop: Shop, after: Record, sent: Mapping[str, Any], path: list[str]) -> Record:
    if sent.get("addresses") is not None:  # the final list: what is not in it is gone
        field = ".".join([*path, "addresses"])
        book = [
            new_address(shop, each, f"{field}.{at}") for at, each in enumerate(sent["addresses"])
        ]
        after["_addresses"] = book
        after["_default"] = book[0]["id"] if book else None
    for place, each in enumerate(sent.get("metafields") or ()):
        after = with_metafield(shop, after, each, [*path, "metafields", str(place)])
    return after


def _set_email(shop: Shop, after: Record, given: str | None, path: list[str]) -> list[Record]:
    email = (given or "").strip() or None
    if email and not _EMAIL.fullmatch(email):
        return [problem([*path, "email"], "Email is invalid", "INVALID")]
    if email and not shop.customers.is_free(email_key(email), after["_number"]):
        return [problem([*path, "email"], "Email has already been taken", "TAKEN")]
    after["email"] = email
    return []


def _set_phone(shop: Shop, after: Record, given: str | None, path: list[str]) -> list[Record]:
    phone = as_e164(given) if given else None
    field = [*path, "phone"]
    if given and not phone:
        return [problem(field, "Phone is invalid", "INVALID")]
    if phone and not shop.customers.is_free(f"phone:{phone}", after["_number"]):
        if shop.quirks.duplicate_phone_is_invalid:
            return [problem(field, "Phone is invalid", "INVALID")]
        return [problem(field, "Phone has already been taken", "TAKEN")]
    after["phone"] = phone
    return []


def _identified(
    shop: Shop, identifier: Mapping[str, Any], wanted: Mapping[str, Any]
) -> Record | None:
    if text := identifier.get("id"):
        found = shop.find("Customer", text)
        if found is None:
            raise refused("input", "Resource matching the identifier was not found.", "NOT_FOUND")
        return found
    for name in ("email", "phone"):
        value = identifier.get(name)
        if not value:
            continue
        if name not in wanted:
            message = f"The input field corresponding to the identifier is required: {name}."
            raise refused("input", message, "MISSING_FIELD_REQUIRED")
        if wanted[name] != value:
            message = "The identifier value does not match the value of the corresponding field."
            raise refused(f"input.{name}", message, "INPUT_MISMATCH")
        key = email_key(value) if name == "email" else f"phone:{as_e164(value)}"
        return shop.holder(key)
    custom = identifier.get("customId")
    return holder_of(shop, custom) if custom else None


def _consent(shop: Shop, customer: Record, given: Mapping[str, Any]) -> Record:
    field = "input.emailMarketingConsent"
    if given["marketingState"] not in _WRITABLE_CONSENT:
        raise refused(f"{field}.marketingState", "Marketing state is not allowed", "INCLUSION")
    if not customer["email"]:
        raise refused(field, "An email address is required to set the consent", "INVALID")
    return {
        "marketingState": given["marketingState"],
        "marketingOptInLevel": given.get("marketingOptInLevel") or "SINGLE_OPT_IN",
        "marketingUpdatedAt": given.get("consentUpdatedAt") or shop.now(),
    }


def _blank(shop: Shop) -> Record:
    count, now = shop.customers.last_number + 1, shop.now()
    return {
        "__typename": "Customer",
        "_number": count,
        "id": gid("Customer", count),
        "legacyResourceId": str(number("Customer", count)),
        "createdAt": now,
        "updatedAt": now,
        "firstName": None,
        "lastName": None,
        "locale": "de",
        "note": None,
        "tags": [],
        "state": "DISABLED",
        "verifiedEmail": True,
        "taxExempt": False,
        "taxExemptions": [],
        "numberOfOrders": "0",
        "multipassIdentifier": None,
        "email": None,
        "phone": None,
        "_consent": {
            "marketingState": "NOT_SUBSCRIBED",
            "marketingOptInLevel": None,
            "marketingUpdatedAt": None,
        },
        "_addresses": [],
        "_default": None,
        "_metafields": {},
    }
