"""A change that a shop does not date, and how it travels to the directory all the same."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from services.console.cli.customer_history import TIMELINE_COLUMNS, timeline_rows
from services.console.cli.failures import Refused
from services.console.cli.import_wishes import ask, wanted
from services.console.demo.progress import Progress
from services.console.demo.scenes import MOST, Stage
from services.console.demo.shops.port import DemoShop
from shared.domain.customer import SourceKey
from shared.persistence import directory_reader, person, staging, timeline
from shared.persistence.staging import Selection, StagingLine
from shared.persistence.unit_of_work import UnitOfWork

NEW_STREET: Final = "Am Neuen Markt 12"


@dataclass(frozen=True, slots=True)
class Change:
    """An address edited in a shop: whose it is, and how the directory had it before."""

    account: SourceKey
    customer_id: UUID | None
    before: str
    decisions_before: int
    is_swept_for: bool


def edit_an_address(stage: Stage) -> Change:
    """Edit the billing address of a customer that one of the shops brought."""
    with stage.units.read() as work:
        shop, line = _brought(stage.shops, work)
        before = _directory_address(work, line.customer_id)
        decisions = staging.count(work, Selection())
    command = f"patron import {shop.channel} --sweep" if shop.is_polled else ""
    stage.guide.step("A shopper edits an address", command)
    edit = shop.edit_an_address(line.external_id, NEW_STREET)
    who = f"customer {line.external_id} in {shop.channel}"
    stage.guide.say(f"{who}: {edit.before} -> {edit.after}")
    if not shop.is_polled:
        stage.guide.say("and the system pushes the customer again.")
    elif not edit.is_dated:
        stage.guide.say(f"the shop still says it last changed at {edit.changed_at},")
        stage.guide.say("so no poll would find it. A sweep reads everybody and compares.")
    account = SourceKey(shop.channel, line.external_id)
    return Change(account, line.customer_id, before, decisions, shop.is_polled)


def _brought(shops: Sequence[DemoShop], work: UnitOfWork) -> tuple[DemoShop, StagingLine]:
    """Return somebody who was new when a shop brought them, and that shop."""
    for shop in shops:
        arrived = Selection(frozenset({"processed"}), channel=shop.channel)
        for line in reversed(staging.find(work, arrived, limit=MOST).lines):
            if _is_account(line):
                return shop, line
    raise Refused("no customer was created")


def ask_for_sweep(stage: Stage, channel: str) -> datetime:
    """Ask as `patron import --sweep` does; return when."""
    requests = wanted(stage.installation, channel, None, sweep=True)
    with stage.units.begin() as work:
        ask(work, requests, actor="demo")
        return work.now


def show_change(stage: Stage, change: Change, after: Progress) -> None:
    """Show the change in the directory, and the customer's timeline."""
    with stage.units.read() as work:
        now = _directory_address(work, change.customer_id)
        someone = person.of_account(work, change.account)
        lines = timeline.of_person(work, someone, limit=20).lines if someone else []
    stage.guide.say(f"directory before: {change.before}")
    stage.guide.say(f"directory now:    {now}")
    if NEW_STREET not in now:
        raise Refused("the edited address did not arrive in the directory")
    decided = after.decisions - change.decisions_before
    if change.is_swept_for:
        compared = sum(stage.expected[change.account.channel].values())
        stage.guide.good(
            f"{compared} customers were compared, {decided} had changed; what Patron itself"
            " wrote was not taken for news"
        )
    command = f"patron customer history {change.account}"
    stage.guide.step("Everything that happened to this customer", command)
    stage.guide.table(timeline_rows(lines), TIMELINE_COLUMNS)


def _is_account(line: StagingLine) -> bool:
    """Whether somebody was created who has an account, not a company."""
    return not line.is_existing and not line.external_id.startswith("company:")


def _directory_address(work: UnitOfWork, customer_id: UUID | None) -> str:
    """Return the default billing address as the directory has it."""
    card = directory_reader.card(work, customer_id) if customer_id else None
    for address in card.addresses if card else ():
        if address["is_default_billing"]:
            parts = (address["lines"], address["postcode"], address["city"], address["country"])
            return ", ".join(str(part).replace("\n", ", ") for part in parts if part)
    raise Refused("the directory has no billing address of the customer")
