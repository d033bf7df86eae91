"""Sets metafields, up to 25 in a call that Shopify carries out whole or not at all.

Each goes with the digest of what was read, so that nothing is overwritten unseen. Where one is
refused, that one fails and the others go again, each by itself.
"""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from shared.connectors.shopify.client import Item
from shared.connectors.shopify.documents import METAFIELDS_SET
from shared.connectors.shopify.errors import Refusal, mappings
from shared.connectors.shopify.ids import number_of
from shared.connectors.shopify.reading import Reading
from shared.connectors.shopify.settings import MetafieldKey
from shared.connectors.shopify.wishes import Place, Wishes
from shared.domain.errors import (
    PatronError,
    RemoteGone,
    RemoteRejected,
    TransientError,
    UnreadableAnswer,
)

AT_ONCE = 25


class Entry(NamedTuple):
    """One metafield to set: its place, the value, and the digest of what was read there."""

    place: Place
    key: MetafieldKey
    value: str
    digest: str | None

    def is_answered_by(self, metafield: Mapping[str, Any]) -> bool:
        """Whether this is what was set."""
        wanted = {"namespace": self.key.namespace, "key": self.key.key, "value": self.value}
        return wanted.items() <= metafield.items()

    @property
    def input(self) -> dict[str, Any]:
        """How it is sent. Its type is its definition's; a digest of null: not there yet."""
        return {
            "ownerId": self.place.gid,
            "namespace": self.key.namespace,
            "key": self.key.key,
            "value": self.value,
            "compareDigest": self.digest,
        }


class MetafieldWrites:
    """Carries out what is wanted of metafields."""

    def __init__(self, reading: Reading) -> None:
        self._reading = reading

    def carry_out(self, wishes: Wishes, items: dict[str, Item]) -> None:
        """Set what differs; `items` are brought up to what is stored then."""
        entries = [
            _entry(place, key, value, items[place.gid])
            for place, key, value in wishes.metafields()
            if place.gid in items and not _holds(items[place.gid], key, value)
        ]
        for start in range(0, len(entries), AT_ONCE):
            self._set(entries[start : start + AT_ONCE], wishes, items)

    def _set(self, entries: Sequence[Entry], wishes: Wishes, items: dict[str, Item]) -> None:
        try:
            stored, refusals = self._send(entries)
        except PatronError as error:
            wishes.errors |= dict.fromkeys((entry.place for entry in entries), error)
            return
        if not refusals:
            for entry in entries:
                self._take(entry, stored, wishes, items)
        elif len(entries) == 1:
            self._settle(entries[0], refusals[0], wishes, items)
        else:
            self._set_singly(entries, refusals, wishes, items)

    def _send(self, entries: Sequence[Entry]) -> tuple[dict[Place, Item], Sequence[Refusal]]:
        client = self._reading.client
        data = client.ask(METAFIELDS_SET, metafields=[entry.input for entry in entries]).data
        payload = data.get("metafieldsSet")
        if not isinstance(payload, dict):
            raise UnreadableAnswer("metafields set without an answer")
        if refusals := client.explain.refusals(payload):
            return {}, refusals
        return self._stored(entries, mappings(payload.get("metafields"))), ()

    def _stored(
        self, entries: Sequence[Entry], answered: Sequence[Mapping[str, Any]]
    ) -> dict[Place, Item]:
        """Return what the shop stored, by place: it answers in the order that it was asked in."""
        pairs = list(zip(entries, answered, strict=False))
        if len(answered) == len(entries) and all(entry.is_answered_by(a) for entry, a in pairs):
            return {entry.place: dict(answer) for entry, answer in pairs}
        # In another order, or not as it was sent: see what is there.
        items = {gid: self._read(gid) for gid in {entry.place.gid for entry in entries}}
        found = {entry.place: _metafield(items[entry.place.gid], entry.key) for entry in entries}
        return {place: metafield for place, metafield in found.items() if metafield}

    def _set_singly(
        self,
        entries: Sequence[Entry],
        refusals: Sequence[Refusal],
        wishes: Wishes,
        items: dict[str, Item],
    ) -> None:
        """Nothing was stored: those that are at fault fail, the others go by themselves."""
        at_fault = {r.element: r for r in refusals if r.element is not None and not r.is_stale}
        for position, entry in enumerate(entries):
            if refusal := at_fault.get(position):
                wishes.errors[entry.place] = _refused(entry, refusal)
                continue
            self._set([entry], wishes, items)
            error = wishes.errors.get(entry.place)
            if isinstance(error, TransientError):
                # The shop is away or has enough of us: the rest would fare no better.
                rest = (other.place for other in entries[position + 1 :])
                wishes.errors |= {place: error for place in rest if place not in wishes.errors}
                return

    def _settle(
        self, entry: Entry, refusal: Refusal, wishes: Wishes, items: dict[str, Item]
    ) -> None:
        """Where somebody else wrote meanwhile: read again, and write once more."""
        if not refusal.is_stale:
            wishes.errors[entry.place] = _refused(entry, refusal)
            return
        try:
            item = self._read(entry.place.gid)
            if _holds(item, entry.key, entry.value):
                return
            again = _entry(entry.place, entry.key, entry.value, item)
            stored, refusals = self._send([again])
            if refusals:
                raise refusals[0].error
        except PatronError as error:
            wishes.errors[entry.place] = error
            return
        self._take(again, stored, wishes, items)

    def _take(
        self, entry: Entry, stored: Mapping[Place, Item], wishes: Wishes, items: dict[str, Item]
    ) -> None:
        """Note what came of an entry, by what the shop says that it stored."""
        metafield = stored.get(entry.place)
        if metafield is None or metafield.get("value") != entry.value:
            error = RemoteRejected(f"the shop stored {entry.key} differently")
            wishes.errors[entry.place] = error
            return
        wishes.written.add(entry.place)
        gid, selection = entry.place.gid, self._reading.selection
        aliased = (
            selection.company_metafields if _is_company(gid) else selection.customer_metafields
        )
        ours = {alias: metafield for alias, key in aliased if key == entry.key}
        # What else was changed meanwhile stays out of it, so that it is still news.
        items[gid] = {**items[gid], **ours}

    def _read(self, gid: str) -> Item:
        reading = self._reading
        read = reading.companies_of if _is_company(gid) else reading.customers_of
        item = read([gid]).get(gid)
        if item is None:
            raise RemoteGone("the record does not exist any more")
        return item


def _entry(place: Place, key: MetafieldKey, value: str, item: Item) -> Entry:
    stored = _metafield(item, key)
    digest = stored.get("compareDigest") if stored else None
    return Entry(place, key, value, str(digest) if digest else None)


def _refused(entry: Entry, refusal: Refusal) -> PatronError:
    """Return what a refusal means; one metafield's place in the call means nothing later."""
    if refusal.code == "TAKEN":
        text = f"{entry.key}: another customer of the shop has this value, and it must be unique"
        return RemoteRejected(text)
    return refusal.error


def _holds(item: Item, key: MetafieldKey, value: str) -> bool:
    stored = _metafield(item, key)
    return stored is not None and stored.get("value") == value


def _metafield(item: Item, key: MetafieldKey) -> Item | None:
    """Return a metafield of a record."""
    for value in item.values():
        if isinstance(value, dict) and (value.get("namespace"), value.get("key")) == key:
            return value
    return None


def _is_company(gid: str) -> bool:
    return number_of(gid, "Company") is not None
