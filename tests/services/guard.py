"""Run one server for an owner, and end it when the owner ends, however that happens.

A program of its own (standard library only), because nothing inside a killed test run can
still clean up after it. It passes TERM, INT and QUIT on to the server, turns USR1 into the
server's sudden death, and leaves no process of the server's group behind.
"""

import argparse
import os
import select
import shutil
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

FAREWELL_SECONDS = 5


def main() -> int:
    """Guard the command given on the command line; return its exit code."""
    options = _parse(sys.argv[1:])
    with subprocess.Popen(
        options.command,
        start_new_session=True,
        user=options.user,
        group=options.group,
        extra_groups=[] if options.user is not None else None,
    ) as server:
        _forward_signals(server)
        owner_ended = _wait(server, options.owner)
        if owner_ended:
            _say_farewell(server, signal.Signals[options.farewell])
        _kill_group(server)
        code = server.wait()
    if owner_ended:
        shutil.rmtree(options.remove, ignore_errors=True)
    return code


def _parse(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--owner", type=int, required=True, help="process to outlive by nothing")
    parser.add_argument("--remove", type=Path, required=True, help="directory that goes with it")
    parser.add_argument("--user", type=int, help="numeric user to run the server as")
    parser.add_argument("--group", type=int, help="numeric group to run the server as")
    parser.add_argument("--farewell", default="SIGKILL", help="first signal when the owner ends")
    parser.add_argument("command", nargs="+")
    return parser.parse_args(arguments)


def _forward_signals(server: subprocess.Popen[bytes]) -> None:
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGQUIT):
        signal.signal(number, lambda received, _frame: server.send_signal(received))
    signal.signal(signal.SIGUSR1, lambda _number, _frame: _kill_group(server))


def _wait(server: subprocess.Popen[bytes], owner: int) -> bool:
    """Wait until the server or the owner ends; say whether it was the owner."""
    try:
        handle = os.pidfd_open(owner)
    except ProcessLookupError:
        return True
    while server.poll() is None:
        # A pid handle becomes readable as soon as the process has ended, zombie or not.
        if select.select([handle], [], [], 0.1)[0]:
            return True
    return False


def _say_farewell(server: subprocess.Popen[bytes], farewell: signal.Signals) -> None:
    server.send_signal(farewell)
    try:
        server.wait(FAREWELL_SECONDS)
    except subprocess.TimeoutExpired:
        return


def _kill_group(server: subprocess.Popen[bytes]) -> None:
    try:
        os.killpg(server.pid, signal.SIGKILL)
    except ProcessLookupError:
        return


if __name__ == "__main__":
    sys.exit(main())
