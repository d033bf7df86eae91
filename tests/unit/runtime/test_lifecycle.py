"""A process starts its loops, drains them in order, and says by its exit code how it ended."""

import os
import signal
import threading
import time
from collections.abc import Callable

import pytest

from shared.messaging.broker import BrokerUnavailable
from shared.observability.pulse import pulse
from shared.runtime.lifecycle import EXIT_DONE, EXIT_FAILED, Process, Worker, run
from shared.runtime.loops import Beat, Periodic
from shared.runtime.signals import signals_heard


class Scripted:
    """A loop that does as it is told and notes what happens to it."""

    def __init__(
        self, name: str, notes: list[str], when_running: Callable[[], None] = lambda: None
    ) -> None:
        self.name = name
        self._notes = notes
        self._when_running = when_running
        self._stopped = threading.Event()

    def run(self, beat: Beat) -> None:
        """Do what was scripted, then wait for the stop."""
        beat()
        self._when_running()
        self._stopped.wait()
        self._notes.append(f"{self.name} ended")

    def stop(self) -> None:
        """Note the stop."""
        self._notes.append(f"{self.name} stopped")
        self._stopped.set()


def terminate() -> None:
    """Send this process a SIGTERM."""
    os.kill(os.getpid(), signal.SIGTERM)


def test_a_signal_drains_in_order_and_exits_with_zero() -> None:
    """Intake ends first, then the background, then connections are closed."""
    notes: list[str] = []
    worker = Worker(
        "processor",
        [Scripted("consumer", notes, terminate)],
        background=[Scripted("outbox", notes)],
    )

    code = run(Process([worker]), close=[lambda: notes.append("closed")])

    assert code == EXIT_DONE
    assert notes == [
        "consumer stopped", "consumer ended", "outbox stopped", "outbox ended", "closed",
    ]  # fmt: skip


def test_a_signal_that_another_thread_is_given_is_heard_too() -> None:
    """The system chooses the thread; the main one must not sleep through it."""

    def given_to_this_thread() -> None:
        signal.pthread_kill(threading.get_ident(), signal.SIGTERM)

    worker = Worker("w", [Scripted("loop", [], given_to_this_thread)])

    assert run(Process([worker])) == EXIT_DONE


def test_readiness_ends_with_the_signal() -> None:
    """A process that drains is not ready, so that nothing waits for it."""
    seen: list[str | None] = []
    process = Process([Worker("w", [Scripted("loop", [], terminate)])])

    before = process.readiness(), process.startup()
    run(process, close=[lambda: seen.append(process.readiness())])

    assert before == ("starting", "starting")
    assert (process.startup(), seen) == (None, ["draining"])


def test_a_loop_that_dies_ends_the_process_loudly() -> None:
    """An unexpected exception stops everything, in order, with exit code 1."""
    notes: list[str] = []

    def die() -> None:
        raise LookupError

    worker = Worker("w", [Scripted("other", notes), Scripted("dying", notes, die)])

    assert run(Process([worker])) == EXIT_FAILED
    assert "other ended" in notes


def test_a_loop_that_ends_by_itself_has_died() -> None:
    """A worker that is alive and does nothing would be the worst of failures."""

    class Ending(Scripted):
        def run(self, beat: Beat) -> None:
            beat()

    assert run(Process([Worker("w", [Ending("loop", [])])])) == EXIT_FAILED


def test_an_outage_is_no_death() -> None:
    """A loop that loses the broker is run again after a wait."""
    tries: list[int] = []

    def unreachable_at_first() -> None:
        tries.append(1)
        if len(tries) == 1:
            raise BrokerUnavailable("x")
        terminate()

    assert run(Process([Worker("w", [Scripted("loop", [], unreachable_at_first)])])) == EXIT_DONE
    assert len(tries) == 2


def test_work_that_outlasts_the_grace_is_left_behind() -> None:
    """The process does not wait for ever, and says that it did not end well."""
    never = threading.Event()

    class Stubborn(Scripted):
        def run(self, beat: Beat) -> None:
            terminate()
            never.wait()

    code = run(Process([Worker("w", [Stubborn("loop", [])])]), grace_seconds=0.05)

    never.set()
    assert code == EXIT_FAILED


def test_a_closer_that_fails_does_not_keep_the_others_from_closing() -> None:
    """Everything is let go of, and the failure shows in the exit code."""
    closed: list[str] = []

    def fail() -> None:
        raise OSError

    process = Process([Worker("w", [Scripted("loop", [], terminate)])])

    assert run(process, close=[fail, lambda: closed.append("engine")]) == EXIT_FAILED
    assert closed == ["engine"]


def test_handlers_of_signals_are_put_back() -> None:
    """What embeds `run` finds its signal handlers as it left them."""
    before = signal.getsignal(signal.SIGTERM)

    run(Process([Worker("w", [Scripted("loop", [], terminate)])]))

    assert signal.getsignal(signal.SIGTERM) is before


def hang_up() -> None:
    """Send this process a SIGHUP."""
    os.kill(os.getpid(), signal.SIGHUP)


def test_a_refused_configuration_leaves_the_work_alone() -> None:
    """The question is asked at each SIGHUP while the loops go on, until a signal ends them."""
    notes: list[str] = []

    def refuse() -> bool:
        notes.append("asked")
        (hang_up if len(notes) == 1 else terminate)()
        return False

    worker = Worker("w", [Scripted("loop", notes, hang_up)])

    code = run(Process([worker]), is_to_start_anew=refuse)

    assert (code, notes) == (EXIT_DONE, ["asked", "asked", "loop stopped", "loop ended"])


def test_an_accepted_configuration_ends_the_work_in_order() -> None:
    """What is in hand is finished and everything is closed, as after a SIGTERM."""
    notes: list[str] = []
    worker = Worker("w", [Scripted("loop", notes, hang_up)])

    code = run(
        Process([worker]), is_to_start_anew=lambda: True, close=[lambda: notes.append("closed")]
    )

    assert (code, notes) == (EXIT_DONE, ["loop stopped", "loop ended", "closed"])


def test_signals_between_two_runs_are_not_lost() -> None:
    """Whoever hears the signals over several runs has each of them obeyed by the next."""
    before = signal.getsignal(signal.SIGHUP)
    asked: list[str] = []

    def accept() -> bool:
        asked.append("reload")
        return True

    with signals_heard() as orders:
        hang_up()
        first = run(
            Process([Worker("w", [Scripted("loop", [])])]), orders=orders, is_to_start_anew=accept
        )
        terminate()
        second = run(Process([Worker("w", [Scripted("loop", [])])]), orders=orders)

    assert (first, second, asked) == (EXIT_DONE, EXIT_DONE, ["reload"])
    assert orders.is_end_asked
    assert signal.getsignal(signal.SIGHUP) is before


def test_liveness_names_a_loop_that_stopped_ticking() -> None:
    """A loop that hangs is named, however healthy its dependencies are (fault 60)."""
    hanging = threading.Event()

    def hang() -> None:
        hanging.wait()

    worker = Worker("processor", [Scripted("consumer", [], hang)])
    process = Process([worker], longest_silence_seconds=0.0)

    worker.start(lambda name, error: None)
    answer = process.liveness()
    hanging.set()
    worker.stop_intake()
    worker.wait(until=time.monotonic() + 10)

    assert answer == "no tick from processor.consumer"
    assert process.liveness() is None


def test_a_sign_of_life_from_within_is_a_tick() -> None:
    """A call that takes its time within its bounds makes no loop look dead."""
    go_on, given = threading.Event(), threading.Event()

    def call_a_shop() -> None:
        go_on.wait()
        pulse()
        given.set()

    worker = Worker("importer", [Scripted("channel", [], call_a_shop)])
    process = Process([worker], longest_silence_seconds=1.0)
    worker.start(lambda name, error: None)
    while process.liveness() is None:
        go_on.wait(0.05)

    go_on.set()
    given.wait()
    answer = process.liveness()
    worker.stop_intake()
    worker.wait(until=time.monotonic() + 10)

    assert answer is None


@pytest.mark.parametrize("more", [True, False])
def test_a_periodic_loop_works_until_there_is_no_more(more: bool) -> None:
    """`work` that says there is more is called again at once; else the loop waits, or is woken."""
    calls: list[int] = []

    def work(beat: Beat) -> bool:
        calls.append(1)
        if len(calls) == 3:
            loop.stop()
        elif not more:
            loop.wake()
        return more

    loop = Periodic("poll", work, every_seconds=3600)

    loop.run(lambda: None)

    assert len(calls) == 3
