"""A loop that waits for threads ticks while they get on, and not while they hang."""

import threading
from concurrent.futures import Future

from services.exporter.progress import finished

LOOK_SECONDS = 0.01
MANY_LOOKS = 20


def test_a_thread_that_hangs_is_no_sign_of_life() -> None:
    """However often is looked: the loop ticks when it gets on at last (fault 60)."""
    hanging: Future[str] = Future()
    beats: list[str] = []
    release = threading.Timer(MANY_LOOKS * LOOK_SECONDS, hanging.set_result, ["done"])
    release.start()

    results = [
        each.result()
        for each in finished(
            [hanging], lambda: beats.append("tick"), threading.Event(), LOOK_SECONDS
        )
    ]

    assert (results, beats) == (["done"], ["tick"])


def test_a_thread_that_takes_its_time_is_alive() -> None:
    """Each of its steps is a tick, though nothing is finished."""
    slow: Future[str] = Future()
    progress, beats = threading.Event(), []
    progress.set()

    def beat() -> None:
        beats.append("tick")
        if len(beats) == 5:
            slow.set_result("done")
        elif not slow.done():
            progress.set()

    results = [each.result() for each in finished([slow], beat, progress, LOOK_SECONDS)]

    assert results == ["done"]
    assert len(beats) == 6
