"""Wait for the answer to `patron import --customer`, and tell it.

Its promise: what is told is what stands in the database; a request that nobody has taken is called
so, never taken for an answer.
"""

import time
from collections.abc import Mapping
from dataclasses import asdict
from typing import Final
from uuid import UUID

from services.console.cli.failures import EXIT_DONE, EXIT_FAILED, EXIT_PARTLY, EXIT_TEMPORARY
from services.console.cli.output import Output, say, show_json
from services.console.explained import why
from shared.persistence import import_requests
from shared.persistence.import_requests import (
    STORE_VIEW_NOT_IMPORTED,
    TIMEOUT,
    UNKNOWN_CHANNEL,
    UNKNOWN_IN_SHOP,
    ImportRequest,
)
from shared.persistence.unit_of_work import UnitsOfWork

WAIT_SECONDS: Final = 30.0
_POLL_SECONDS: Final = 0.1
_REFUSED: Final[Mapping[str, tuple[str, str]]] = {
    UNKNOWN_IN_SHOP: ("the shop has no such customer", "Is it the shop's own id, not a number?"),
    STORE_VIEW_NOT_IMPORTED: (
        "the customer is of a store view that is not imported",
        "Configure the store view, or set its `import = true`, and restart the workers.",
    ),
    UNKNOWN_CHANNEL: (
        "the importer does not know the channel",
        "Restart it: its configuration is older than yours.",
    ),
    "before_start_date": (
        "registered before the store view's `start_date`, and not linked",
        "Set an earlier date if the customer should come, and restart the workers.",
    ),
    "erased": ("the customer was erased at his own wish, and is not imported again", ""),
}


def await_answer(units: UnitsOfWork, request_id: UUID) -> ImportRequest | None:
    """Wait until the request is answered; return how far it has come, None if nobody took it."""
    until = time.monotonic() + WAIT_SECONDS
    while True:
        with units.read() as work:
            found = import_requests.get(work, request_id)
        if (found and found.answer) or time.monotonic() >= until:
            return found
        time.sleep(_POLL_SECONDS)


def show_answer(
    answer: ImportRequest | None, channel: str, external_id: str, output: Output
) -> int:
    """Tell what became of the customer; return the exit code that says the same."""
    if output is Output.JSON:
        show_json(_as_json(answer, channel, external_id))
    else:
        for line in filter(None, _in_words(answer, f"{channel}/{external_id}")):
            say(line)
    if answer is None:
        return EXIT_TEMPORARY
    return {"customer": EXIT_DONE, "refused": EXIT_FAILED}.get(answer.answer or "", EXIT_PARTLY)


def _as_json(answer: ImportRequest | None, channel: str, external_id: str) -> Mapping[str, object]:
    about = {"channel": channel, "external_id": external_id}
    keys = ("answer", "customer_number", "reason", "correlation_id")
    known = asdict(answer) if answer else {}
    said = {**about, **{key: known.get(key) for key in keys}}
    return (
        said if answer and answer.answer else {**said, "answer": "waiting", "reason": _open(answer)}
    )


def _open(answer: ImportRequest | None) -> str:
    return TIMEOUT if answer else "not_taken"


def _in_words(answer: ImportRequest | None, customer: str) -> tuple[str, str]:
    """Return the answer, and what to do."""
    if answer is None:
        return (
            f"{customer}: no importer has taken the request within {WAIT_SECONDS:.0f} seconds",
            "It stays asked for. Is one running? See `patron queues`.",
        )
    reason = answer.reason or TIMEOUT
    if answer.answer == "customer":
        return f"{customer} is customer {answer.customer_number}", ""
    if answer.answer == "refused":
        text, advice = _REFUSED.get(reason, (reason, ""))
        return f"{customer} is not imported: {text}", advice
    if reason == TIMEOUT:
        known = f"; the number known so far is {answer.customer_number}"
        return (
            f"{customer}: not known in time{known if answer.customer_number else ''}",
            "It may still arrive. See `patron cursor list` and `patron queues`.",
        )
    state, _, detail = reason.partition(".")
    return (
        f"{customer} is imported and waits. {why(state, detail or None)}",
        f"`patron staging list --reason {detail}` shows the record, and what can be done."
        if detail
        else "`patron staging list` shows the record.",
    )
