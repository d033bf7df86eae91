"""Shoppers who register and edit all the time, and an operator who asks for a sweep now and then.

Half of the edits leave the shop's time of change alone, as Magento does for addresses, so that
only a sweep finds them. Its promise: nobody resembles anybody else.
"""

import random
import threading
from contextlib import suppress
from typing import Any, Final

import sqlalchemy as sa

from benchmarks.soak.faults import Journal
from benchmarks.soak.site import Site
from services.sandbox.magento.stores import STORE_VIEWS

_SWEEP_EVERY: Final = 40
_LARGEST_BOOK: Final = 4


class Shoppers:
    """Acts a few times a second until told to stop."""

    def __init__(
        self,
        site: Site,
        journal: Journal,
        dice: random.Random,
        stop: threading.Event,
        *,
        seconds_between: float,
    ) -> None:
        self._site = site
        self._journal = journal
        self._dice = dice
        self._stop = stop
        self._seconds_between = seconds_between
        self.registered = self.edited = 0

    def run(self) -> None:
        """Register one for a few edits."""
        step = 0
        while not self._stop.wait(self._dice.uniform(0, 2 * self._seconds_between)):
            step += 1
            if self._dice.random() < 0.3:
                self._register()
            else:
                self._edit(f"{step}")
            if step % _SWEEP_EVERY == 0:
                self._ask_for_a_sweep()

    def _ask_for_a_sweep(self) -> None:
        self._journal.note("sweep asked for")
        with suppress(sa.exc.DBAPIError):
            self._site.deployment.request_import(sweep=True)

    def _register(self) -> None:
        self.registered += 1
        number = self.registered
        names = {"firstname": "Mila", "lastname": f"Jansen {number}"}
        view = self._dice.choice(STORE_VIEWS)
        account = names | {
            "email": f"shopper{number}@example.com",
            "addresses": [names | _address(number)],
        }
        self._site.control.register(account, store_id=view.id)

    def _edit(self, mark: str) -> None:
        self.edited += 1
        control = self._site.control
        customer_id = self._dice.randint(1, control.customer_count())
        book = control.customer(customer_id)["addresses"]
        deed = self._dice.randrange(6)
        if deed == 0 or not book:
            control.edit_profile(customer_id, lastname=f"Nachname {mark}")
        elif deed == 1:
            control.touch(customer_id)
        elif deed == 2 and len(book) < _LARGEST_BOOK:
            copy = {name: value for name, value in book[0].items() if name != "id"}
            control.add_address(
                customer_id, **copy | {"street": [f"Gasse {mark}"], "default_billing": False}
            )
        elif deed == 3:
            address_id = self._dice.choice(book)["id"]
            control.edit_address(
                customer_id, address_id, default_billing=True, default_shipping=True
            )
        else:
            control.edit_address(customer_id, self._dice.choice(book)["id"], city=f"Stadt {mark}")


def _address(number: int) -> dict[str, Any]:
    return {
        "street": [f"Kerkstraat {number}"],
        "postcode": "1017 GA",
        "city": "Amsterdam",
        "country_id": "NL",
        "telephone": f"+31 20 {7_000_000 + number}",
        "default_billing": True,
        "default_shipping": True,
    }
