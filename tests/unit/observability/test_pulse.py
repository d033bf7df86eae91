"""Signs of life from deep within a piece of work."""

import threading

from shared.observability.pulse import felt_by, pulse


def test_the_innermost_who_answers_for_a_thread_feels_it() -> None:
    """Nested, and put back afterwards; nobody need feel it."""
    felt: list[str] = []

    pulse()
    with felt_by(lambda: felt.append("outer")):
        with felt_by(lambda: felt.append("inner")):
            pulse()
        pulse()
    pulse()

    assert felt == ["inner", "outer"]


def test_another_thread_is_another_matter() -> None:
    """A thread that works on does not make one that hangs look alive."""
    felt: list[str] = []

    with felt_by(lambda: felt.append("main")):
        other = threading.Thread(target=pulse)
        other.start()
        other.join()

    assert felt == []
