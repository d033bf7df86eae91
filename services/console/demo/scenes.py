"""The scenes of the tour: each looks something up and shows it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from services.console.cli.decision import explained, laid_out
from services.console.cli.failures import Refused
from services.console.cli.output import say
from services.console.demo.display import Guide
from services.console.demo.progress import Progress
from services.console.demo.shops.port import DemoShop
from services.console.demo.verification import MOST_SHOWN, Verdict, verify
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
    """What the scenes share. `expected` is how many customers each shop has, by store view."""

    guide: Guide
    shops: Sequence[DemoShop]
    installation: Installation
    units: UnitsOfWork
    configuration: Path
    expected: Mapping[str, Mapping[str, int]]

    @property
    def expected_in_all(self) -> int:
        """How many customers the shops have together."""
        return sum(many for views in self.expected.values() for many in views.values())


def introduce(stage: Stage, log: Path) -> None:
    """Say what there is to be seen."""
    say("Patron keeps the customers of every web shop and of the ERP in step.", "bold")
    for shop in stage.shops:
        many = sum(stage.expected[shop.channel].values())
        say(f"This is a simulated {shop.title}, with {many} customers, at {shop.url};")
    say("everything else is real: HTTP, messages, database, the workers themselves.")
    say(f"Worker logs: {log}", "dim")
    stage.guide.step("Configuration", "patron config check")
    settings = stage.installation.settings
    stage.guide.good(f"{stage.configuration} is valid")
    for channel, views in stage.expected.items():
        named = ", ".join(f"{code} ({many} customers)" for code, many in views.items())
        stage.guide.say(f"store views of {channel}: {named}")
    conditions = [(t.name, t.when.text if t.when else "everybody else") for t in settings.templates]
    rows = [{"template": name, "when": when} for name, when in conditions]
    stage.guide.table(rows, {"template": "template", "when": "for new customers with"})


def prepare_shops(stage: Stage) -> None:
    """Make the shops ready as their operators would, and let Patron check that they are."""
    stage.guide.step("Are the shops ready?", "patron channel check")
    for shop in stage.shops:
        shop.prepare()
        connector = stage.installation.connect(shop.channel)
        try:
            findings = connector.sink.check()
        finally:
            connector.close()
        for finding in findings:
            if finding.problem:
                raise Refused(f"{finding.subject}: {finding.problem}", finding.advice or "")
        in_order = ", ".join(finding.subject for finding in findings) or "nothing to check"
        stage.guide.good(f"{shop.channel} is in order: {in_order}")


def sum_up(stage: Stage, last: Progress, seconds: float) -> None:
    """Say what became of the customers."""
    rows: list[dict[str, Any]] = [
        {"what": "read from the shops", "customers": last.read_in_all},
        {"what": "created in the directory", "customers": last.created},
        {"what": "matched with a known customer", "customers": last.matched},
        *(
            {"what": _REASONS.get(reason, f"{state}: {reason}"), "customers": many}
            for (state, reason), many in sorted(last.waiting().items())
        ),
        {"what": "customer numbers written to the shops", "customers": last.numbers_written},
    ]
    refused = _refused_by_the_shops(stage)
    if refused:
        rows.append({"what": "refused by a shop: dead letters", "customers": len(refused)})
    stage.guide.table(rows, {"what": "what", "customers": "customers"})
    stage.guide.say(f"{seconds:.1f} s from a cold start, all workers included")
    expected = stage.expected_in_all
    if last.read_in_all != expected:
        raise Refused(f"{last.read_in_all} customers were read, but the shops have {expected}")
    if refused:
        for channel, why in sorted({(channel, why) for (channel, _), why in refused.items()}):
            stage.guide.say(f"Why refused: {channel} says {why!r}.", "yellow")
            if "is not valid" in why:
                stage.guide.say("It checks names at every write, and some have emoji in theirs.")
        stage.guide.say("`patron dead-letters list` shows such cases with their evidence.")


def verify_numbers(stage: Stage) -> None:
    """Compare each shop with the directory, customer by customer."""
    stage.guide.step("Verified in the shops, over their own APIs")
    for shop in stage.shops:
        verdict = _verdict_on(shop, stage)
        if not verdict.is_good:
            raise Refused(f"{shop.channel}: {'; '.join(verdict.faults[:MOST_SHOWN])}")
        stage.guide.good(
            f"{shop.channel}: each of {verdict.numbered} customers shows the number and the data"
            " that the directory gave it"
        )
        if verdict.unnumbered:
            stage.guide.good(
                f"{shop.channel}: each of the {verdict.unnumbered} others shows none, and it is"
                f" known why: {verdict.waiting} wait, {verdict.refused} were refused"
            )


def _verdict_on(shop: DemoShop, stage: Stage) -> Verdict:
    with stage.units.read() as work:
        linked = directory_reader.linked(work, shop.channel, limit=MOST)
        waiting = staging.find(work, Selection(OPEN, channel=shop.channel), limit=MOST)
    refused = _refused_by_the_shops(stage)
    return verify(
        shop.accounts(),
        {each.link.external_id: each for each in linked},
        {line.external_id: line.reason or line.state for line in waiting.lines},
        {external_id for channel, external_id in refused if channel == shop.channel},
        stage.installation.policy.additional_data(shop.channel),
    )


def explain_one(stage: Stage) -> None:
    """Explain the most interesting decision."""
    with stage.units.read() as work:
        chosen = _most_interesting(work)
        record = staging.latest_of(work, chosen.channel, chosen.external_id)
        if record is None:
            raise Refused("no decision was recorded")
        decision = explained(record, work)
    command = f"patron customer explain {chosen.channel}/{chosen.external_id}"
    stage.guide.step("Every decision can be explained", command)
    stage.guide.show(laid_out(decision))


def say_goodbye(guide: Guide, seconds: float, *, kept: bool) -> None:
    """Say what to try next."""
    guide.step("Your own shop")
    guide.good(f"all workers finished what they had in hand and ended; {seconds:.0f} s in all")
    guide.say("cp patron.example.toml patron.toml    then edit it: each key is explained there")
    guide.say("patron config check                   names every mistake at once")
    guide.say("patron channel check                  asks your shop for rights and attributes")
    guide.say("patron up                             runs all of Patron, without any server")
    if not kept:
        guide.say("patron demo --keep                    keeps this demo's data to look around in")


def say_how_to_go_on(place: Path, sandboxes: Sequence[str]) -> None:
    """Say how to look around in what was kept."""
    patron = f"patron --config {place}/patron.toml"
    say(f"\nKept in {place}. Look around with:", "bold")
    for words in ("staging list", "queues", "cursor list", "config show"):
        say(f"  {patron} {words}")
    say("The shops are gone; fresh ones are started by:", "dim")
    for options in sandboxes:
        say(f"  python -m services.sandbox {options}", "dim")


def _refused_by_the_shops(stage: Stage) -> dict[tuple[str, str], str]:
    """Return what the shops said of the customers they refused to write, by channel and id.

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
    return {(letter.channel or "", letter.subject or ""): letter.error or "" for letter in letters}


def _most_interesting(work: UnitOfWork) -> StagingLine:
    """Return a match if there was one, else one that was parked, held or created."""
    found = staging.find(work, Selection(), limit=MOST).lines
    ranks = {"ambiguous": 1, "held": 2, "processed": 3}
    ranked = sorted(
        found,
        key=lambda line: (
            0 if line.state == "processed" and line.is_existing else ranks.get(line.state, 4),
            line.channel,
            len(line.external_id),
            line.external_id,
        ),
    )
    if not ranked:
        raise Refused("no decision was recorded")
    return ranked[0]
