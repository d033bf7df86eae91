"""How a command ends: its exit code, and the sentence that says what is in the way.

Exit codes: 0 done, 1 failed, 2 usage or configuration, 3 partly done, 75 temporary (try again),
130 interrupted. Its promise: a failure that can be foreseen is a sentence, never a traceback;
what cannot is told by class and place, without the data it stumbled over.
"""

import errno
import sys
from typing import Final, NamedTuple

from rich.console import Console
from rich.text import Text

from shared.config import ConfigurationInvalid
from shared.domain.errors import ConfigurationError, PatronError, TransientError
from shared.observability.evidence import evidence, frames

EXIT_DONE: Final = 0
EXIT_FAILED: Final = 1
EXIT_USAGE: Final = 2
EXIT_PARTLY: Final = 3
EXIT_TEMPORARY: Final = 75


class Refused(Exception):
    """The command cannot do what was asked; `advice` says what to do instead."""

    def __init__(self, text: str, advice: str = "", *, exit_code: int = EXIT_FAILED) -> None:
        super().__init__(text)
        self.advice = advice
        self.exit_code = exit_code


class Failure(NamedTuple):
    """What is said on standard error, and the exit code."""

    lines: list[str]
    advice: str
    exit_code: int


def failure_of(error: Exception) -> Failure:  # noqa: PLR0911 - one return for each kind
    """Put `error` into words."""
    match error:
        case Refused():
            return Failure([str(error)], error.advice, error.exit_code)
        case ConfigurationInvalid(problems=problems):
            return Failure([str(problem) for problem in problems], "", EXIT_USAGE)
        case ConfigurationError():
            return Failure([str(error)], "", EXIT_USAGE)
        case TransientError():
            return Failure([str(error)], "Try again in a while.", EXIT_TEMPORARY)
        case PatronError():
            return Failure([str(error)], "", EXIT_FAILED)
        case OSError(errno=errno.EADDRINUSE):
            advice = "Is Patron running already? Ports are set in [health]; 0 takes a free one."
            return Failure(["a port is taken by another process"], advice, EXIT_FAILED)
        case _:
            return _unforeseen(error)


def tell(failure: Failure) -> int:
    """Say what failed on standard error; return the exit code."""
    console = Console(stderr=True, highlight=False, soft_wrap=True)
    if len(failure.lines) == 1:
        console.print(Text.assemble(("error: ", "bold red"), failure.lines[0]))
    else:
        console.print(Text("\n".join(failure.lines)))
    if failure.advice:
        console.print(Text(failure.advice))
    sys.stderr.flush()
    return failure.exit_code


def _unforeseen(error: Exception) -> Failure:
    ours = [f"  {frame}" for frame in frames(error) if frame.startswith(("shared.", "services."))]
    lines = [f"an unforeseen failure: {evidence(error).text}", *ours]
    return Failure(lines, "This is a defect of Patron; please report these lines.", EXIT_FAILED)
