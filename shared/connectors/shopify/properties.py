"""Writes what is no metafield: a customer's tags, the numbers of a company and its locations.

Tags are only ever added. Each answer is compared with what was wanted.
"""

from collections.abc import Mapping
from typing import Any

from shared.connectors.shopify.client import Item, ShopifyClient
from shared.connectors.shopify.documents import (
    COMPANY_UPDATE,
    LOCATION_UPDATE,
    TAGS_ADD,
    Document,
)
from shared.connectors.shopify.ids import number_of
from shared.connectors.shopify.wishes import LOCATION_PREFIX, TAGS, Place, Wishes
from shared.domain.errors import PatronError, RemoteRejected, UnreadableAnswer


class PropertyWrites:
    """Carries out what is wanted of records' own properties, one call for each that differs."""

    def __init__(self, client: ShopifyClient) -> None:
        self._client = client

    def carry_out(self, wishes: Wishes, items: dict[str, Item]) -> None:
        """Write what differs; `items` are brought up to what is stored then."""
        for place, what, value in wishes.properties():
            item = items.get(place.gid)
            if item is None:
                continue
            try:
                after = self._written(item, what, value)
            except PatronError as error:
                wishes.errors[place] = error
                continue
            if after is not item:
                _note(place, after, wishes, items)

    def _written(self, item: Item, what: str, value: str) -> Item:
        if what == TAGS:
            return self._add_tags(item, value)
        if what.startswith(LOCATION_PREFIX):
            return self._number_location(item, what.removeprefix(LOCATION_PREFIX), value)
        return self._number_company(item, value)

    def _add_tags(self, customer: Item, value: str) -> Item:
        tags = list(customer.get("tags") or ())
        missing = [tag for tag in _tags_of(value) if not _is_among(tag, tags)]
        if not missing:
            return customer
        payload = self._changed(TAGS_ADD, "tagsAdd", id=customer["id"], tags=missing)
        node = payload.get("node")
        stored = node.get("tags") if isinstance(node, dict) else None
        if not isinstance(stored, list) or not all(_is_among(tag, stored) for tag in missing):
            raise RemoteRejected("the shop stored tags differently")
        added = [tag for tag in stored if _is_among(tag, missing)]
        return {**customer, "tags": [*tags, *added]}

    def _number_company(self, company: Item, number: str) -> Item:
        if company.get("externalId") == number:
            return company
        variables = {"companyId": company["id"], "input": {"externalId": number}}
        payload = self._changed(COMPANY_UPDATE, "companyUpdate", **variables)
        _verify(payload.get("company"), company["id"], number)
        return {**company, "externalId": number}

    def _number_location(self, company: Item, location: str, number: str) -> Item:
        locations = company.get("locations") or ()
        known = {str(number_of(each.get("id"), "CompanyLocation")): each for each in locations}
        before = known.get(location)
        if before is None:
            raise RemoteRejected("the company has no such location any more")
        if before.get("externalId") == number:
            return company
        variables = {"companyLocationId": before["id"], "input": {"externalId": number}}
        payload = self._changed(LOCATION_UPDATE, "companyLocationUpdate", **variables)
        _verify(payload.get("companyLocation"), before["id"], number)
        after = {**before, "externalId": number}
        return {**company, "locations": [after if o is before else o for o in locations]}

    def _changed(self, document: Document, field: str, **variables: Any) -> Mapping[str, Any]:
        payload = self._client.ask(document, **variables).data.get(field)
        if not isinstance(payload, dict):
            raise UnreadableAnswer(f"{field} without an answer")
        if refusals := self._client.explain.refusals(payload):
            raise refusals[0].error
        return payload


def _note(place: Place, after: Item, wishes: Wishes, items: dict[str, Item]) -> None:
    wishes.written.add(place)
    items[place.gid] = after


def _verify(stored: Any, gid: str, number: str) -> None:
    if not isinstance(stored, dict) or stored.get("id") != gid:
        raise UnreadableAnswer("wrote one record, got another")
    if stored.get("externalId") != number:
        raise RemoteRejected("the shop stored externalId differently")


def _tags_of(value: str) -> list[str]:
    return list(dict.fromkeys(filter(None, (tag.strip() for tag in value.split(",")))))


def _is_among(tag: str, tags: list[str]) -> bool:
    """Whether a tag is there: Shopify takes no notice of case."""
    return tag.casefold() in {str(each).casefold() for each in tags}
