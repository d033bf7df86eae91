"""Hold processes to a share of a core, as the CPU limit of a container does.

By the kernel's CPU bandwidth control, in a cgroup for each process, of version 1 or 2. Needs to be
root. Its promise: what was made for it is gone when the block ends.
"""

import os
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Final

_ROOT: Final = Path("/sys/fs/cgroup")
_PERIOD_MICROSECONDS: Final = 10_000


class Unlimited(Exception):
    """Processes cannot be held to anything here; the text says why."""


@contextmanager
def held_to(cores: float, pids: Iterable[int]) -> Iterator[None]:
    """Let each of these processes use no more than `cores`. Raises Unlimited where it cannot be."""
    with ExitStack() as life:
        try:
            for pid in pids:
                life.enter_context(_group_of(pid, round(cores * _PERIOD_MICROSECONDS)))
        except OSError as error:
            raise Unlimited(f"no CPU limit can be set here: {error}") from error
        yield


@contextmanager
def _group_of(pid: int, quota: int) -> Iterator[None]:
    parent = _parent()
    group = parent / f"patron-benchmark-{os.getpid()}-{pid}"
    group.mkdir()
    try:
        if parent == _ROOT:
            (group / "cpu.max").write_text(f"{quota} {_PERIOD_MICROSECONDS}")
        else:
            (group / "cpu.cfs_period_us").write_text(str(_PERIOD_MICROSECONDS))
            (group / "cpu.cfs_quota_us").write_text(str(quota))
        (group / "cgroup.procs").write_text(str(pid))
        yield
    finally:
        # A group that is left is empty, or goes with its last process: it can be removed then.
        for member in (group / "cgroup.procs").read_text().split():
            (parent / "cgroup.procs").write_text(member)
        group.rmdir()


def _parent() -> Path:
    """Return where groups are made: below it limits on CPU time can be set."""
    if (_ROOT / "cgroup.controllers").exists():
        (_ROOT / "cgroup.subtree_control").write_text("+cpu")
        return _ROOT
    return _ROOT / "cpu"
