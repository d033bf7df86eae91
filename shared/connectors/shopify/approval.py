"""Which personal data Shopify lets the app read.

Names, e-mail addresses, telephones and addresses are each approved by themselves. What is not
comes back as null, with an error or without one. Promise: such a null never counts as emptied.
"""

import threading
import time
from collections.abc import Callable, Iterable, Mapping
from enum import StrEnum
from typing import Any

ASK_AGAIN_SECONDS = 3600.0


class Protected(StrEnum):
    """A kind of personal data that is approved by itself."""

    NAMES = "names"
    EMAILS = "e-mail addresses"
    PHONES = "telephones"
    ADDRESSES = "addresses"


FIELDS: Mapping[Protected, tuple[str, ...]] = {
    Protected.NAMES: ("firstName", "lastName"),
    Protected.EMAILS: ("defaultEmailAddress",),
    Protected.PHONES: ("defaultPhoneNumber",),
    Protected.ADDRESSES: ("addressesV2", "defaultAddress"),
}
_FURTHER = {
    "emailAddress": Protected.EMAILS,
    "phoneNumber": Protected.PHONES,
    "shippingAddress": Protected.ADDRESSES,
    "billingAddress": Protected.ADDRESSES,
    "phone": Protected.PHONES,
}
_OF_FIELD = {field: kind for kind, fields in FIELDS.items() for field in fields} | _FURTHER
_ALWAYS_ONE_OF = (Protected.NAMES, Protected.EMAILS, Protected.PHONES)


class Approval:
    """What one channel's app may read, as far as it has shown; threads may share it."""

    def __init__(self, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._denied_at = 0.0
        self._denied: frozenset[Protected] = frozenset()
        self._seen: frozenset[Protected] = frozenset()

    @property
    def denied(self) -> frozenset[Protected]:
        """What the shop refuses with an error: not to be asked for, until a while has passed."""
        is_old = self._clock() - self._denied_at > ASK_AGAIN_SECONDS
        return frozenset() if is_old else self._denied

    @property
    def unseen(self) -> frozenset[Protected]:
        """What no customer has shown yet, so that its being null says nothing."""
        return frozenset(Protected) - self._seen

    def deny(self, kinds: frozenset[Protected]) -> bool:
        """Note a refusal; return whether it is news."""
        with self._lock:
            before = self.denied
            self._denied, self._denied_at = before | kinds, self._clock()
        return not kinds <= before

    def learn(self, customers: Iterable[Mapping[str, Any]]) -> None:
        """Note what customers show."""
        if unseen := self.unseen:
            found = {kind for item in customers for kind in unseen if shows(item, kind)}
            with self._lock:
                self._seen |= found

    def spoken(self, customer: Mapping[str, Any]) -> dict[str, Any]:
        """Return the customer without the nulls that say nothing."""
        unsaid = {kind for kind in self.unseen if not shows(customer, kind)}
        if not any(shows(customer, kind) for kind in _ALWAYS_ONE_OF):
            # Shopify keeps no customer without a name, an e-mail address and a telephone.
            unsaid |= {kind for kind in Protected if not shows(customer, kind)}
        silent = {field for kind in unsaid for field in FIELDS[kind]}
        return {name: value for name, value in customer.items() if name not in silent}


def shows(customer: Mapping[str, Any], kind: Protected) -> bool:
    """Whether a customer shows data of a kind."""
    return any(customer.get(field) for field in FIELDS[kind])


def protected_by(path: Any) -> Protected | None:
    """Return what kind of personal data the path of an error leads to, if to any."""
    names = [part for part in path if isinstance(part, str)] if isinstance(path, list) else []
    return next((_OF_FIELD[name] for name in reversed(names) if name in _OF_FIELD), None)
