"""What a replay would do, letter by letter, without any effect (NEW-4).

Reads each letter as the keeper does, decides customers by the very `decide` of the processor, and
looks as the exporter does whether a write still holds. Its promise: nothing is written anywhere,
no number is drawn, and memory does not grow with the number of letters.
"""

import heapq
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final
from uuid import UUID

from services.console.earlier import Earlier
from services.console.preview import BY_NEWS, Preview, preview, removed, unreadable
from services.exporter.fence import lapses
from services.processor.cases import Case, cases_of
from services.processor.gather import Inquiry, Wanted, gather
from services.processor.worker import is_closed
from shared.domain.decide import decide
from shared.domain.decisions import Create, Update
from shared.domain.errors import PatronError
from shared.domain.known import Known
from shared.domain.messages import (
    CustomerDeleted,
    CustomerExport,
    CustomerImported,
    CustomerUnreadable,
    Envelope,
    StagingProcess,
)
from shared.domain.policy import Policy
from shared.observability.evidence import evidence
from shared.persistence import pauses, replays
from shared.persistence.replays import Pending
from shared.persistence.tombstones import Tombstones
from shared.persistence.unit_of_work import UnitOfWork
from shared.runtime.replay import envelope_of

_DECIDED: Final = (CustomerImported, CustomerUnreadable, CustomerDeleted, StagingProcess)
WHATS: Final = (
    "stays_dead", "on_its_way", "no_channel", *BY_NEWS[:-2], "write", "send", "lapsed", "erased",
    *BY_NEWS[-2:],
)  # fmt: skip
"""What may become of a letter, what an operator has to know first coming first."""
_RANK: Final = {what: rank for rank, what in enumerate(WHATS)}


@dataclass(frozen=True, slots=True)
class Prospect:
    """What would become of one letter; `preview` tells of the customer that would be decided."""

    letter: UUID
    type: str | None
    channel: str | None
    external_id: str | None
    what: str
    reason: str | None = None
    note: str = ""
    preview: Preview | None = None


@dataclass
class Prospects:
    """What a replay would come to: counts of all, and up to `limit` letters."""

    limit: int
    counts: Counter[tuple[str, str | None]] = field(default_factory=Counter)
    _shown: list[tuple[int, int, Prospect]] = field(default_factory=list)

    @property
    def total(self) -> int:
        """How many letters were looked at."""
        return self.counts.total()

    def add(self, each: Prospect) -> None:
        """Count a letter, and keep it if it matters enough."""
        self.counts[each.what, each.reason] += 1
        entry = (-_RANK[each.what], -self.total, each)
        if len(self._shown) < self.limit:
            heapq.heappush(self._shown, entry)
        elif self.limit:
            heapq.heappushpop(self._shown, entry)

    def shown(self) -> list[Prospect]:
        """Return the letters that are shown, what matters most first, in their order."""
        return [each for _, _, each in sorted(self._shown, key=lambda e: (-e[0], -e[1]))]


class Rehearsal:
    """Tries letters in a transaction that only reads, some at a time and in their order."""

    def __init__(
        self,
        work: UnitOfWork,
        policy: Policy,
        prospects: Prospects,
        *,
        tombstones: Tombstones,
        channels: Iterable[str],
        earlier: Earlier,
    ) -> None:
        self._work = work
        self._policy = policy
        self._tombstones = tombstones
        self._channels = frozenset(channels)
        self._earlier = earlier
        self._prospects = prospects
        self._paused = pauses.active(work)

    def try_letters(self, letters: Sequence[Pending]) -> None:
        """Tell what would become of these letters."""
        read = self._read(letters)
        cases: list[tuple[Pending, Envelope[Any]]] = []
        exports: defaultdict[str, list[tuple[Pending, CustomerExport]]] = defaultdict(list)
        for letter, envelope in read:
            if isinstance(envelope.body, _DECIDED):
                cases.append((letter, envelope))
            elif isinstance(envelope.body, CustomerExport):
                exports[envelope.body.channel].append((letter, envelope.body))
            else:
                self._add(letter, "send", envelope.type)
        self._try_cases(cases)
        for channel, pairs in exports.items():
            self._try_exports(channel, pairs)

    def _read(self, letters: Sequence[Pending]) -> list[tuple[Pending, Envelope[Any]]]:
        """Return what can be read, and tell of what cannot."""
        owed = replays.in_flight(self._work, [letter.message_id for letter in letters])
        read: list[tuple[Pending, Envelope[Any]]] = []
        for letter in letters:
            if letter.message_id in owed:
                self._add(letter, "on_its_way")
                continue
            try:
                read.append((letter, envelope_of(letter)))
            except PatronError as error:
                self._add(letter, "stays_dead", error.reason, note=evidence(error).text)
        return read

    def _try_exports(self, channel: str, pairs: Sequence[tuple[Pending, CustomerExport]]) -> None:
        """Tell to whom these writes would go, and which do not hold any more (NEW-8)."""
        lapsed = lapses(channel, [export for _, export in pairs], self._work)
        pause = self._paused.get(channel)
        for (letter, _), lapse in zip(pairs, lapsed, strict=True):
            if lapse:
                self._add(letter, "lapsed", lapse)
            elif channel not in self._channels:
                self._add(letter, "no_channel")
            else:
                note = f"waits: {channel} is paused ({pause.reason})" if pause else ""
                self._add(letter, "write", note=note)

    def _try_cases(self, pairs: Sequence[tuple[Pending, Envelope[Any]]]) -> None:
        """Decide as the processor would."""
        if not pairs:
            return
        cases = cases_of([envelope for _, envelope in pairs], self._work)
        known = self._gathered(cases)
        erased = self._tombstones.erased(self._work, {case.source for case in cases})
        decided: set[UUID] = set()
        for (letter, _), case in zip(pairs, cases, strict=True):
            if case.source in erased:
                self._add(letter, "erased")
            elif is_closed(case, known):
                self._add(letter, "ignore", "staging_closed")
            else:
                self._add_preview(letter, self._decided(case, known, decided))
        self._earlier.remember(decided, known)

    def _gathered(self, cases: Sequence[Case]) -> Known:
        inquiries = [Inquiry(case.source, case.customer, case.instruction) for case in cases]
        known = gather(inquiries, self._work, self._policy, locks=False)
        self._earlier.recall(Wanted(inquiries, self._policy).identities(), known)
        return known

    def _decided(self, case: Case, known: Known, decided: set[UUID]) -> Preview:
        if case.customer is None:
            source = case.message.body.source
            if isinstance(case.message.body, CustomerDeleted):
                return removed(source.store_view, source.external_id)
            return unreadable(source, ())
        decision = decide(case.customer, known, self._policy, case.instruction)
        shown = preview(decision, known)
        known.learn(decision)
        if isinstance(decision, Create):
            decided.add(decision.created.id)
        elif isinstance(decision, Update):
            decided.add(decision.updated.id)
        return shown

    def _add_preview(self, letter: Pending, shown: Preview) -> None:
        self._add(letter, shown.what, shown.reason, shown=shown)

    def _add(
        self,
        letter: Pending,
        what: str,
        reason: str | None = None,
        *,
        note: str = "",
        shown: Preview | None = None,
    ) -> None:
        who = (letter.dead_letter_id, letter.type, letter.channel, letter.subject)
        self._prospects.add(Prospect(*who, what, reason, note, shown))
