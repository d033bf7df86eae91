"""One outcome for each export, whatever some of them are refused for before anything is sent."""

from collections.abc import Callable, Sequence

from shared.connectors.ports import Outcome
from shared.domain.errors import PatronError
from shared.domain.messages import CustomerExport


def outcomes_of(
    exports: Sequence[CustomerExport],
    refusal_of: Callable[[CustomerExport], PatronError | None],
    write: Callable[[Sequence[CustomerExport]], Sequence[Outcome]],
) -> Sequence[Outcome]:
    """Have `write` carry out the exports that are not refused; return all outcomes in order.

    What either of them raises of ours is the outcome of every export.
    """
    try:
        refusals = [refusal_of(export) for export in exports]
        possible = [e for e, refusal in zip(exports, refusals, strict=True) if not refusal]
        outcomes = iter(write(possible) if possible else ())
    except PatronError as error:
        return [Outcome(export, error=error) for export in exports]
    return [
        Outcome(export, error=refusal) if refusal else next(outcomes)
        for export, refusal in zip(exports, refusals, strict=True)
    ]
