"""The scenes of the tour: each looks something up and shows it."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from services.console.cli.decision import explained, laid_out
from services.console.cli.failures import Refused
from services.console.cli.output import say
from services.console.demo.configuration import (
    CHANNEL,
    STORE_VIEWS,
    TEMPLATE_ATTRIBUTE,
    TERMS_ATTRIBUTE,
)
from services.console.demo.display import Guide
from services.console.demo.progress import Progress
from services.console.demo.shop import Shop
from services.console.demo.verification import MOST_SHOWN, verify
from shared.persistence import dead_letter_reader, directory_reader, staging
from shared.persistence.staging import OPEN, Selection, StagingLine
from shared.persistence.unit_of_work import UnitOfWork, UnitsOfWork
from shared.runtime.installation import Installation

MOST: Final = 1_000_000
_REASONS: Final = {
    "no_billing_address": "held: no default billing address",
    "no_template": "held: no template fits",
    "unreadable": "held: unreadable record",
    "ambiguous": "parked: more than one customer may be meant",
}


@dataclass(frozen=True, slots=True)
class Stage:
    """What the scenes share. `expected` is how many customers the shop has, by store view."""

    guide: Guide
    shop: Shop
    installation: Installation
    units: UnitsOfWork
    configuration: Path
    expected: Mapping[str, int]


def introduce(stage: Stage, customers: int, log: Path) -> None:
    """Say what there is to be seen."""
    say("Patron keeps the customers of every web shop and of the ERP in step.", "bold")
    say(f"This is a simulated Magento shop with {customers} customers, at {stage.shop.url};")
    say("everything else is real: HTTP, messages, database, the workers themselves.")
    say(f"Worker logs: {log}", "dim")
    stage.guide.step("Configuration", "patron config check")
    settings = stage.installation.settings
    stage.guide.good(f"{stage.configuration} is valid")
    views = ", ".join(f"{code} ({many} customers)" for code, many in stage.expected.items())
    stage.guide.say(f"the shop's store views: {views}")
    conditions = [(t.name, t.when.text if t.when else "everybody else") for t in settings.templates]
    rows = [{"template": name, "when": when} for name, when in conditions]
    stage.guide.table(rows, {"template": "template", "when": "for new customers with"})


def prepare_shop(stage: Stage) -> None:
    """Make the shop ready as its operator would, and let Patron check that it is."""
    stage.guide.step("Is the shop ready?", "patron connector check")
    stage.shop.add_attribute(TEMPLATE_ATTRIBUTE, "ERP Template")
    stage.shop.add_attribute(TERMS_ATTRIBUTE, "ERP Payment Terms")
    connector = stage.installation.connect(CHANNEL)
    try:
        findings = connector.sink.check()
    finally:
        connector.close()
    for finding in findings:
        if finding.problem:
            raise Refused(f"{finding.subject}: {finding.problem}", finding.advice or "")
    stage.guide.good(f"in order: {', '.join(finding.subject for finding in findings)}")


def sum_up(stage: Stage, last: Progress, seconds: float) -> None:
    """Say what became of the customers."""
    rows: list[dict[str, Any]] = [
        {"what": "read from the shop", "customers": last.read_in_all},
        {"what": "created in the directory", "customers": last.created},
        {"what": "matched with a known customer", "customers": last.matched},
        *(
            {"what": _REASONS.get(reason, f"{state}: {reason}"), "customers": many}
            for (state, reason), many in sorted(last.waiting().items())
        ),
        {"what": "customer numbers written to the shop", "customers": last.numbers_written},
    ]
    refused = _refused_by_the_shop(stage)
    if refused:
        rows.append({"what": "refused by the shop: dead letters", "customers": len(refused)})
    stage.guide.table(rows, {"what": "what", "customers": "customers"})
    stage.guide.say(f"{seconds:.1f} s from a cold start, all workers included")
    expected = sum(stage.expected.values())
    if last.read_in_all != expected:
        raise Refused(f"{last.read_in_all} customers were read, but the shop has {expected}")
    if refused:
        why = " / ".join(sorted(set(refused.values())))
        stage.guide.say(f"Why refused: the shop says {why!r}. It checks names at every", "yellow")
        stage.guide.say("write, and some of its customers have emoji in theirs.", "yellow")
        stage.guide.say("`patron dead-letters list` shows such cases with their evidence.")


def verify_numbers(stage: Stage) -> None:
    """Compare the shop with the directory, customer by customer."""
    stage.guide.step("Verified in the shop, over its own API")
    with stage.units.read() as work:
        linked = directory_reader.linked(work, CHANNEL, limit=MOST)
        waiting = staging.find(work, Selection(OPEN, channel=CHANNEL), limit=MOST)
    refused = _refused_by_the_shop(stage)
    shown = (each for store_id in STORE_VIEWS.values() for each in stage.shop.customers(store_id))
    verdict = verify(
        shown,
        {each.link.external_id: each for each in linked},
        {line.external_id: line.reason or line.state for line in waiting.lines},
        refused,
    )
    if not verdict.is_good:
        raise Refused("; ".join(verdict.faults[:MOST_SHOWN]))
    stage.guide.good(
        f"each of {verdict.numbered} customers shows the number, template and payment terms that"
        " the directory gave it"
    )
    if verdict.unnumbered:
        stage.guide.good(
            f"each of the {verdict.unnumbered} others shows none, and it is known why:"
            f" {verdict.waiting} wait, {verdict.refused} were refused"
        )


def explain_one(stage: Stage) -> None:
    """Explain the most interesting decision."""
    with stage.units.read() as work:
        chosen = _most_interesting(work)
        record = staging.latest_of(work, chosen.channel, chosen.external_id)
        if record is None:
            raise Refused("no decision was recorded")
        decision = explained(record, work)
    command = f"patron customer explain {CHANNEL}/{chosen.external_id}"
    stage.guide.step("Every decision can be explained", command)
    stage.guide.show(laid_out(decision))


def say_goodbye(guide: Guide, seconds: float, *, kept: bool) -> None:
    """Say what to try next."""
    guide.step("Your own shop")
    guide.good(f"all workers finished what they had in hand and ended; {seconds:.0f} s in all")
    guide.say("cp patron.example.toml patron.toml    then edit it: each key is explained there")
    guide.say("patron config check                   names every mistake at once")
    guide.say("patron connector check                asks your shop for rights and attributes")
    guide.say("patron up                             runs all of Patron, without any server")
    if not kept:
        guide.say("patron demo --keep                    keeps this demo's data to look around in")


def say_how_to_go_on(place: Path, sandbox_options: str) -> None:
    """Say how to look around in what was kept."""
    patron = f"patron --config {place}/patron.toml"
    say(f"\nKept in {place}. Look around with:", "bold")
    for words in ("staging list", "queues", "cursor list", "config show"):
        say(f"  {patron} {words}")
    say("The shop is gone; a fresh one is started by:", "dim")
    say(f"  python -m services.sandbox {sandbox_options}", "dim")


def _refused_by_the_shop(stage: Stage) -> dict[str, str]:
    """Return what the shop said of the customers it refused to write, by their ids.

    Raises `Refused` if anything was given up for another reason.
    """
    with stage.units.read() as work:
        letters = dead_letter_reader.find(
            work, dead_letter_reader.Selection(states=("open",)), limit=MOST
        )
    others = [letter for letter in letters if letter.reason != "remote_rejected"]
    if others:
        said = "; ".join(sorted({f"{each.worker}: {each.reason}" for each in others}))
        raise Refused(f"{len(others)} messages were given up: {said}", "See the worker log.")
    return {letter.subject or "": letter.error or "" for letter in letters}


def _most_interesting(work: UnitOfWork) -> StagingLine:
    """Return a match if there was one, else one that was parked, held or created."""
    found = staging.find(work, Selection(channel=CHANNEL), limit=MOST).lines
    ranks = {"ambiguous": 1, "held": 2, "processed": 3}
    ranked = sorted(
        found,
        key=lambda line: (
            0 if line.state == "processed" and line.is_existing else ranks.get(line.state, 4),
            int(line.external_id),
        ),
    )
    if not ranked:
        raise Refused("no decision was recorded")
    return ranked[0]
