"""What becomes of a failed message, family by family."""

from datetime import UTC, datetime, timedelta

import pytest

from shared.domain import errors
from shared.domain.errors import (
    AccessDenied,
    AttributeMissing,
    ChannelDown,
    ConfigurationError,
    Oversized,
    PatronError,
    PermanentError,
    RemoteGone,
    RemoteRejected,
    RemoteThrottled,
    RemoteUnavailable,
    SchemaTooNew,
    TransientError,
    Undecodable,
    UnknownType,
    UnreadableAnswer,
    WrongSchema,
)
from shared.messaging.broker import BrokerUnavailable, PublishFailed
from shared.persistence.failures import ConstraintViolated, DatabaseContended, DatabaseUnavailable
from shared.runtime.recoverability import (
    BUG,
    Decision,
    GiveUp,
    PauseChannel,
    Recoverability,
    TryAgain,
)

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
POLICY = Recoverability(
    max_attempts=5,
    max_bug_attempts=3,
    first_delay_seconds=10,
    max_delay_seconds=60,
    pause_seconds=300,
    jitter=lambda: 1.0,
)

TRANSIENT: list[TransientError] = [
    RemoteUnavailable("x"),
    RemoteThrottled("x"),
    UnreadableAnswer("x"),
    BrokerUnavailable("x"),
    PublishFailed({}),
    DatabaseContended("x"),
    DatabaseUnavailable("x"),
]
PERMANENT: list[PatronError] = [
    RemoteRejected("x"),
    RemoteGone("x"),
    Undecodable("x"),
    Oversized("x"),
    WrongSchema("x"),
    SchemaTooNew("x"),
    UnknownType("x"),
]
CONFIGURATION: list[PatronError] = [AccessDenied("x"), AttributeMissing("x")]
BUGS: list[BaseException] = [
    ValueError("x"),
    KeyError("x"),
    RecursionError("x"),
    MemoryError(),
    PatronError("x"),
    ConstraintViolated("x", "uq_customers_number"),
]


def after(seconds: float) -> datetime:
    """Return the moment `seconds` after noon."""
    return NOON + timedelta(seconds=seconds)


@pytest.mark.parametrize("error", TRANSIENT, ids=lambda error: error.reason)
def test_what_may_pass_is_tried_again_later_and_later(error: TransientError) -> None:
    """Each failure doubles the wait up to the cap; the last allowed one gives up."""
    decisions = [POLICY.decide(error, attempts, NOON) for attempts in range(5)]

    assert decisions == [
        TryAgain(after(10), error.reason),
        TryAgain(after(20), error.reason),
        TryAgain(after(40), error.reason),
        TryAgain(after(60), error.reason),
        GiveUp(error.reason),
    ]


@pytest.mark.parametrize("error", PERMANENT, ids=lambda error: error.reason)
def test_what_will_never_work_is_given_up_at_once(error: PatronError) -> None:
    """A permanent error is not retried once."""
    assert POLICY.decide(error, 0, NOON) == GiveUp(error.reason)


@pytest.mark.parametrize("attempts", [0, 4, 1000])
@pytest.mark.parametrize("error", CONFIGURATION, ids=lambda error: error.reason)
def test_a_wrong_setup_pauses_the_channel_for_as_long_as_it_takes(
    error: PatronError, attempts: int
) -> None:
    """Configuration errors use no attempts: the message waits until the set-up is mended."""
    assert POLICY.decide(error, attempts, NOON) == PauseChannel(after(300), error.reason)


@pytest.mark.parametrize("attempts", [0, 4, 1000])
def test_a_platform_that_is_away_is_waited_for_as_it_asks(attempts: int) -> None:
    """The channel pauses, within a day; however long that goes on, no attempt is used up."""
    soon = ChannelDown("x", reason="remote_throttled", wait_seconds=7)
    never = ChannelDown("x", wait_seconds=1e9)

    assert POLICY.decide(soon, attempts, NOON) == PauseChannel(after(7), "remote_throttled")
    assert POLICY.decide(never, attempts, NOON) == PauseChannel(after(86400), "remote_unavailable")


@pytest.mark.parametrize("error", BUGS, ids=lambda error: type(error).__name__)
def test_a_bug_gets_a_few_chances_only(error: BaseException) -> None:
    """Whatever is in no family is retried a bounded number of times, then given up."""
    reason = error.reason if isinstance(error, PatronError) else BUG

    decisions = [POLICY.decide(error, attempts, NOON) for attempts in range(3)]

    assert decisions == [
        TryAgain(after(10), reason),
        TryAgain(after(20), reason),
        GiveUp(reason),
    ]


@pytest.mark.parametrize(
    ("asked", "waited"), [(0.0, 10.0), (90.0, 100.0), (-5.0, 10.0), (1e9, 86410.0)]
)
def test_the_wait_a_platform_asks_for_is_kept(asked: float, waited: float) -> None:
    """Retry-After is honoured beyond the cap of the backoff, spread a little, within a day."""
    error = RemoteThrottled("x", retry_after_seconds=asked)

    assert POLICY.decide(error, 0, NOON) == TryAgain(after(waited), "remote_throttled")


def test_waits_are_spread_so_that_retries_do_not_come_in_waves() -> None:
    """Half of the backoff is random."""
    soonest = Recoverability(first_delay_seconds=10, jitter=lambda: 0.0)

    assert soonest.backoff_seconds(0) == 5.0
    assert POLICY.backoff_seconds(0) == 10.0
    assert POLICY.backoff_seconds(10_000) == 60.0


def test_every_error_of_ours_has_a_decision_by_its_family() -> None:
    """No error in the tree is left to chance: families decide, subclasses follow."""
    expected: dict[type[PatronError], type[Decision]] = {
        TransientError: TryAgain,
        PermanentError: GiveUp,
        ConfigurationError: PauseChannel,
        ChannelDown: PauseChannel,
    }

    for kind in vars(errors).values():
        if isinstance(kind, type) and issubclass(kind, PatronError) and kind is not PatronError:
            [family] = [family for family in expected if issubclass(kind, family)]
            assert type(POLICY.decide(kind("x"), 0, NOON)) is expected[family]
