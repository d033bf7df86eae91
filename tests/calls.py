"""Counting the calls of our own Python functions, for tests that guard what work costs.

A count is the same on a loaded machine and on a quiet one. Calls are counted in one thread, with
what libraries do and with the comprehensions that later Pythons do not call left out.
"""

import gc
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import CodeType, FrameType
from typing import Any, Final

_ROOT: Final = Path(__file__).parents[1]
_OURS: Final = tuple(f"{_ROOT / name}/" for name in ("services", "shared"))
_COMPREHENSIONS: Final = frozenset({"<listcomp>", "<dictcomp>", "<setcomp>"})


@contextmanager
def counted_calls() -> Iterator[Counter[CodeType]]:
    """Count the calls of each function below `services` and `shared` while the block runs."""
    calls: Counter[CodeType] = Counter()

    def note(frame: FrameType, event: str, _argument: Any) -> None:
        if event == "call":
            calls[frame.f_code] += 1

    found: Counter[CodeType] = Counter()
    before = sys.getprofile()
    gc.collect()
    gc.disable()  # finalizers come when they come
    sys.setprofile(note)
    try:
        yield found
    finally:
        sys.setprofile(before)
        gc.enable()
        found.update({code: n for code, n in calls.items() if _is_ours(code)})


def most_called(calls: Counter[CodeType], per: int, many: int = 25) -> str:
    """Return the functions that are called most, one a line, with their calls for each of `per`."""
    return "\n".join(
        f"{count / per:8.2f}  {code.co_filename.removeprefix(f'{_ROOT}/')} {code.co_qualname}"
        for code, count in calls.most_common(many)
    )


def _is_ours(code: CodeType) -> bool:
    return code.co_filename.startswith(_OURS) and code.co_name not in _COMPREHENSIONS
