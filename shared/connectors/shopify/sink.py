"""Writes customer numbers and additional data to a shop, once and verified.

A write reads the records first, by their ids, and sends only what differs: metafields of up to 25
customers in one call, which Shopify carries out whole or not at all. Each is guarded by what was
read of it, and compared with the answer. Promise: doing it again is harmless, and nothing is
written but what was asked for.
"""

from collections.abc import Mapping, Sequence

from shared.connectors.ports import Finding, Outcome, Written
from shared.connectors.shopify.checks import checked
from shared.connectors.shopify.client import Item
from shared.connectors.shopify.ids import gid_of, is_company, number_of
from shared.connectors.shopify.metafields import MetafieldWrites
from shared.connectors.shopify.properties import PropertyWrites
from shared.connectors.shopify.reading import Reading
from shared.connectors.shopify.record import fingerprint
from shared.connectors.shopify.settings import MetafieldKey, ShopifySettings, is_metafield
from shared.connectors.shopify.wishes import LOCATION_PREFIX, NUMBER, TAGS, Place, What, Wishes
from shared.domain.errors import ConfigurationError, PatronError, RemoteGone, RemoteRejected
from shared.domain.messages import CustomerExport

CUSTOMERS_AT_ONCE = 25


class ShopifySink:
    """The writing side of a Shopify channel; threads may share it."""

    def __init__(
        self, reading: Reading, settings: ShopifySettings, additional_fields: Sequence[str] = ()
    ) -> None:
        self._reading = reading
        self._settings = settings
        self._number = MetafieldKey.of(settings.number_metafield)
        self._additional_fields = tuple(additional_fields)

    @property
    def customers_at_once(self) -> int:
        """How many metafields one call takes."""
        return CUSTOMERS_AT_ONCE

    def write(self, exports: Sequence[CustomerExport]) -> Sequence[Outcome]:
        """Carry out the exports, those of several customers in as few calls as may be."""
        wishes = Wishes()
        refused: dict[int, PatronError] = {}
        for position, export in enumerate(exports):
            try:
                wishes.add(position, self._wanted(export))
            except PatronError as error:
                refused[position] = error
        try:
            items = self._read(wishes.gids)
        except PatronError as error:
            return [Outcome(e, error=refused.get(p, error)) for p, e in enumerate(exports)]
        around = {gid: fingerprint(item) for gid, item in items.items()}
        MetafieldWrites(self._reading).carry_out(wishes, items)
        PropertyWrites(self._reading.client).carry_out(wishes, items)
        return [
            Outcome(export, error=refused[position])
            if position in refused
            else _outcome(export, position, wishes, items, around)
            for position, export in enumerate(exports)
        ]

    def check(self) -> Sequence[Finding]:
        """Verify rights, the API's version, and that every metafield is defined that is written."""
        fields = [field for field in self._additional_fields if field != TAGS]
        return checked(self._reading, self._settings, fields)

    def _read(self, gids: Sequence[str]) -> dict[str, Item]:
        companies = [gid for gid in gids if number_of(gid, "Company") is not None]
        customers = [gid for gid in gids if gid not in companies]
        return self._reading.customers_of(customers) | self._reading.companies_of(companies)

    def _wanted(self, export: CustomerExport) -> dict[Place, str]:
        """Return what an export asks for. Raises what refuses it before anything is tried."""
        gid = gid_of(export.external_id)
        if gid is None:
            raise _gone(export)
        if export.effect == "customer_number":
            wanted = self._wanted_numbers(export)
        else:
            wanted = {_what(field): value for field, value in export.values.items()}
        if is_company(export.external_id) and TAGS in wanted:
            raise RemoteRejected("tags: a company has none")
        return {Place(gid, what): value for what, value in wanted.items()}

    def _wanted_numbers(self, export: CustomerExport) -> dict[What, str]:
        if not is_company(export.external_id):
            # An address of a customer's has nowhere to keep a number.
            return {self._number: export.customer_number}
        wanted: dict[What, str] = {NUMBER: export.customer_number}
        for location, number in export.locations.items():
            wanted[f"{LOCATION_PREFIX}{location}"] = number
        return wanted


def _what(field: str) -> What:
    if field == TAGS:
        return TAGS
    if not is_metafield(field):
        raise ConfigurationError(f"additional_data: {field} is neither tags nor namespace.key")
    return MetafieldKey.of(field)


def _outcome(
    export: CustomerExport,
    position: int,
    wishes: Wishes,
    items: Mapping[str, Item],
    around: Mapping[str, str],
) -> Outcome:
    places = wishes.places_of(position)
    gid = gid_of(export.external_id) or ""
    if gid not in items:
        return Outcome(export, error=_gone(export))
    if error := next((wishes.errors[place] for place in places if place in wishes.errors), None):
        return Outcome(export, error=error)
    changed = any(place in wishes.written for place in places)
    return Outcome(export, Written(changed, around[gid], fingerprint(items[gid])))


def _gone(export: CustomerExport) -> RemoteGone:
    return RemoteGone(f"{export.external_id} does not exist any more")
