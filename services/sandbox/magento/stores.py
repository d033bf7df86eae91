"""Websites, stores, store views and customer groups of the sandbox shop.

Two websites, so that one e-mail may exist twice; five store views. No view is called `default`:
a client that hard-codes it gets the 400 it would get from many a real shop.
"""

from typing import Any, NamedTuple


class StoreView(NamedTuple):
    """One storefront of the shop."""

    id: int
    code: str
    name: str
    website_id: int
    locale: str
    currency: str
    timezone: str
    countries: tuple[str, ...]


STORE_VIEWS: tuple[StoreView, ...] = (
    StoreView(
        1, "de", "German Store View", 1, "de_DE", "EUR", "Europe/Berlin",
        ("DE", "AT", "CH", "PL", "CZ", "SE"),
    ),
    StoreView(
        2, "fr", "French Store View", 1, "fr_FR", "EUR", "Europe/Paris", ("FR", "BE", "IT", "ES"),
    ),
    StoreView(3, "nl", "Dutch Store View", 1, "nl_NL", "EUR", "Europe/Amsterdam", ("NL",)),
    StoreView(
        4, "uk", "English Store View", 2, "en_GB", "GBP", "Europe/London", ("GB", "GR"),
    ),
    StoreView(5, "us", "American Store View", 2, "en_US", "USD", "America/New_York", ("US", "JP")),
)  # fmt: skip

DEFAULT_STORE = STORE_VIEWS[0]
BY_ID = {view.id: view for view in STORE_VIEWS}
BY_CODE = {view.code: view for view in STORE_VIEWS}
FIRST_OF_WEBSITE = {1: BY_ID[1], 2: BY_ID[4]}

GENERAL, WHOLESALE, RETAILER = 1, 2, 3
GROUPS: tuple[dict[str, Any], ...] = tuple(
    {"id": number, "code": code, "tax_class_id": 3, "tax_class_name": "Retail Customer"}
    for number, code in enumerate(("NOT LOGGED IN", "General", "Wholesale", "Retailer"))
)
GROUP_IDS = frozenset(group["id"] for group in GROUPS)

# Countries that no store view sells to; an address there is skipped without a word.
NOT_SOLD_TO = frozenset({"RU", "BY", "KP"})


def websites() -> list[dict[str, Any]]:
    """Answer `GET store/websites`, with the admin website that is no shop."""
    rows = ((0, "admin", "Admin"), (1, "base", "Main Website"), (2, "world", "World Website"))
    return [
        {"id": number, "code": code, "name": name, "default_group_id": number}
        for number, code, name in rows
    ]


def store_groups() -> list[dict[str, Any]]:
    """Answer `GET store/storeGroups`."""
    rows = ((0, 0, 0, "Default", "default"), (1, 1, 1, "Main", "main"), (2, 2, 4, "World", "world"))
    return [
        {
            "id": number,
            "website_id": website,
            "root_category_id": 0 if number == 0 else 2,
            "default_store_id": store,
            "name": name,
            "code": code,
        }
        for number, website, store, name, code in rows
    ]


def store_views() -> list[dict[str, Any]]:
    """Answer `GET store/storeViews`, with the admin view that is no shop."""
    admin = {
        "id": 0, "code": "admin", "name": "Admin", "website_id": 0, "store_group_id": 0,
        "is_active": 1,
    }  # fmt: skip
    return [admin] + [
        {
            "id": view.id,
            "code": view.code,
            "name": view.name,
            "website_id": view.website_id,
            "store_group_id": view.website_id,
            "is_active": 1,
        }
        for view in STORE_VIEWS
    ]


def store_configs(base_url: str) -> list[dict[str, Any]]:
    """Answer `GET store/storeConfigs`: locale, currency and time zone of each view."""
    url = f"{base_url}/"
    return [
        {
            "id": view.id,
            "code": view.code,
            "website_id": view.website_id,
            "locale": view.locale,
            "base_currency_code": "EUR",
            "default_display_currency_code": view.currency,
            "timezone": view.timezone,
            "weight_unit": "kgs",
            "base_url": url,
            "base_link_url": url,
            "base_static_url": f"{url}static/",
            "base_media_url": f"{url}media/",
            "secure_base_url": url,
            "secure_base_link_url": url,
            "secure_base_static_url": f"{url}static/",
            "secure_base_media_url": f"{url}media/",
        }
        for view in STORE_VIEWS
    ]
