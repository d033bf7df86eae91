"""A change that the shop does not date, and how it travels to the directory all the same."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from services.console.cli.customer_history import TIMELINE_COLUMNS, timeline_rows
from services.console.cli.failures import Refused
from services.console.cli.import_wishes import ask, wanted
from services.console.demo.configuration import CHANNEL
from services.console.demo.progress import Progress
from services.console.demo.scenes import MOST, Stage
from services.console.demo.shop import Customer, default_billing
from shared.domain.customer import SourceKey
from shared.persistence import directory_reader, person, staging, timeline
from shared.persistence.staging import Selection
from shared.persistence.unit_of_work import UnitOfWork

NEW_STREET: Final = "Am Neuen Markt 12"


@dataclass(frozen=True, slots=True)
class Change:
    """An address edited in the shop: whose it is, and how the directory had it before."""

    external_id: str
    customer_id: UUID
    address_id: int
    before: str
    decisions_before: int


def edit_an_address(stage: Stage) -> Change:
    """Edit a customer's billing address in the shop, which leaves its change time alone."""
    with stage.units.read() as work:
        arrived = Selection(frozenset({"processed"}), channel=CHANNEL, store_view="de")
        created = staging.find(work, arrived, limit=MOST)
        line = next((line for line in reversed(created.lines) if not line.is_existing), None)
        if line is None or line.customer_id is None:
            raise Refused("no customer of the store view de was created")
        before = _directory_address(work, line.customer_id)
        decisions = staging.count(work, Selection(channel=CHANNEL))
    shown = stage.shop.customer(line.external_id)
    address = _billing(shown)
    stage.shop.edit_address(line.external_id, address["id"], street=[NEW_STREET])
    edited = stage.shop.customer(line.external_id)
    stage.guide.step("A shopper edits an address", "patron import shop --sweep")
    stage.guide.say(f"customer {line.external_id} in the shop: {_street(address)} -> {NEW_STREET}")
    dated = "still" if edited["updated_at"] == shown["updated_at"] else "now"
    stage.guide.say(f"the shop {dated} says it last changed at {edited['updated_at']},")
    stage.guide.say("so no poll would find it. A sweep reads everybody and compares.")
    return Change(line.external_id, line.customer_id, address["id"], before, decisions)


def ask_for_sweep(stage: Stage) -> datetime:
    """Ask as `patron import --sweep` does; return when."""
    requests = wanted(stage.installation, CHANNEL, None, sweep=True)
    with stage.units.begin() as work:
        ask(work, requests, actor="demo")
        return work.now


def show_change(stage: Stage, change: Change, after: Progress) -> None:
    """Show the change in the directory, and the customer's timeline."""
    with stage.units.read() as work:
        now = _directory_address(work, change.customer_id)
        someone = person.of_account(work, SourceKey(CHANNEL, change.external_id))
        lines = timeline.of_person(work, someone, limit=20).lines if someone else []
    stage.guide.say(f"directory before: {change.before}")
    stage.guide.say(f"directory now:    {now}")
    if NEW_STREET not in now:
        raise Refused("the edited address did not arrive in the directory")
    decided = after.decisions - change.decisions_before
    stage.guide.good(
        f"{after.read_in_all} customers were compared, {decided} had changed; what Patron itself"
        " wrote was not taken for news"
    )
    command = f"patron customer history {CHANNEL}/{change.external_id}"
    stage.guide.step("Everything that happened to this customer", command)
    stage.guide.table(timeline_rows(lines), TIMELINE_COLUMNS)


def _billing(customer: Customer) -> Customer:
    address = default_billing(customer)
    if address is None:
        raise Refused(f"customer {customer['id']} has no default billing address")
    return address


def _street(address: Customer) -> str:
    return ", ".join(address["street"])


def _directory_address(work: UnitOfWork, customer_id: UUID) -> str:
    """Return the default billing address as the directory has it."""
    card = directory_reader.card(work, customer_id)
    for address in card.addresses if card else ():
        if address["is_default_billing"]:
            parts = (address["lines"], address["postcode"], address["city"], address["country"])
            return ", ".join(str(part).replace("\n", ", ") for part in parts if part)
    raise Refused("the directory has no billing address of the customer")
