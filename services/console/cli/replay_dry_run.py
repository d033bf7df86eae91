"""`patron dead-letters replay --dry-run`: what a replay would do, letter by letter."""

from collections.abc import Iterator
from dataclasses import asdict
from typing import Any, Final
from uuid import UUID

from services.console.cli.dry_run import WORDS, details
from services.console.cli.invocation import Invocation
from services.console.cli.output import Output, printable, say, show_json, show_rich, table_of
from services.console.cli.replay_refusals import Refusal, in_number, refusals
from services.console.earlier import Earlier
from services.console.replay_preview import WHATS, Prospect, Prospects, Rehearsal
from shared.persistence import replay_reader
from shared.persistence.dead_letter_reader import Selection
from shared.persistence.tombstones import Tombstones

_WORDS: Final = WORDS | {
    "stays_dead": "still cannot be read",
    "on_its_way": "is owed already",
    "no_channel": "no such channel any more",
    "write": "would be written",
    "send": "would be sent",
    "lapsed": "nothing to write any more",
    "erased": "erased person, dropped",
}
_COUNTS: Final = {"what": "what", "reason": "reason", "count": "letters"}
_LETTERS: Final = {
    "letter": "id",
    "type": "type",
    "channel": "channel",
    "external_id": "customer there",
    "what": "what",
    "reason": "reason",
    "customer": "number",
    "detail": "detail",
}


def dry_run(
    call: Invocation, selection: Selection, *, insists: bool, limit: int, output: Output
) -> None:
    """Print what replaying the selected letters would do; do nothing."""
    settings, prospects = call.installation.settings, Prospects(limit)
    with call.reading() as work, Earlier() as earlier:
        rehearsal = Rehearsal(
            work,
            call.installation.policy,
            prospects,
            tombstones=Tombstones(settings.privacy.key),
            channels=settings.channels,
            earlier=earlier,
        )
        taken: set[UUID] = set()
        for letters in replay_reader.candidates(work, selection, insists=insists):
            rehearsal.try_letters(letters)
            taken |= {each.dead_letter_id for each in letters} if selection.ids else set()
        left = refusals(work, selection, frozenset(taken), insists=insists)
    if output is Output.JSON:
        show_json(_as_json(prospects, left))
    else:
        _show(prospects, left)


def _as_json(prospects: Prospects, left: list[Refusal]) -> dict[str, Any]:
    return {
        "letters": prospects.total,
        "counts": [
            {"what": what, "reason": reason, "count": count}
            for what, reason, count in _in_order(prospects)
        ],
        "left_alone": [asdict(each) for each in left],
        "shown": [asdict(each) for each in prospects.shown()],
    }


def _show(prospects: Prospects, left: list[Refusal]) -> None:
    say(f"{in_number(prospects.total)} would be replayed; nothing was changed")
    for each in left:
        say(f"left alone: {each.letters}: {each.why}")
    if not prospects.total:
        return
    rows = [
        {"what": _WORDS[what], "reason": reason, "count": count}
        for what, reason, count in _in_order(prospects)
    ]
    show_rich(table_of(rows, _COUNTS))
    if shown := prospects.shown():
        say()
        show_rich(table_of([_row(each) for each in shown], _LETTERS))
    if prospects.total > len(shown):
        say(f"{len(shown)} of {prospects.total}; --limit shows more")


def _in_order(prospects: Prospects) -> Iterator[tuple[str, str | None, int]]:
    """Yield the counts, what matters most first."""
    for wanted in WHATS:
        for (what, reason), count in prospects.counts.most_common():
            if what == wanted:
                yield what, reason, count


def _row(each: Prospect) -> dict[str, Any]:
    shown = each.preview
    told = [*details(shown)] if shown else []
    return {
        **asdict(each),
        "what": _WORDS[each.what],
        "customer": (shown.customer or shown.number) if shown else None,
        "detail": "; ".join([*told, *([printable(each.note)] if each.note else [])]),
    }
