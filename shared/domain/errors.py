"""Every failure of ours, grouped by what helps against it.

    PatronError
    ├── TransientError        may pass by itself: retried with a delay
    │   ├── RemoteUnavailable     timeout, reset, 5xx, maintenance page
    │   ├── RemoteThrottled       429; carries the wait the platform asked for
    │   └── UnreadableAnswer      truncated, not JSON, a repeated page
    ├── PermanentError        this message will never work as it is: dead-lettered
    │   ├── Undecodable           bytes that are no message of ours
    │   ├── SchemaTooNew          written by a later version; replay after the deploy
    │   ├── RemoteRejected        the platform refuses the data
    │   └── RemoteGone            the remote record was deleted
    ├── ChannelDown           the platform as a whole is away: the channel waits, nothing is counted
    └── ConfigurationError    the set-up is wrong: the channel pauses, an operator is told
        ├── AccessDenied          credentials or rights
        ├── DatabaseRestored      a backup was restored, and nobody said that all is well
        └── AttributeMissing      the platform lacks the field that we write

Anything else is a bug: bounded retries, then dead-lettered as `bug`. Texts and attributes carry
ids and field names, never personal data and never a response body.
"""

from collections.abc import Sequence


class PatronError(Exception):
    """A failure with a stable `reason` code, safe to log and to show."""

    reason = "failed"


class TransientError(PatronError):
    """May pass by itself; the work is tried again later."""

    reason = "transient"

    def __init__(self, text: str, *, retry_after_seconds: float | None = None) -> None:
        super().__init__(text)
        self.retry_after_seconds = retry_after_seconds


class RemoteUnavailable(TransientError):
    """The platform did not answer, or answered that it cannot now."""

    reason = "remote_unavailable"


class RemoteThrottled(TransientError):
    """The platform asks for fewer requests."""

    reason = "remote_throttled"


class UnreadableAnswer(TransientError):
    """The platform's answer is not what its contract says."""

    reason = "unreadable_answer"


class ChannelDown(PatronError):
    """The platform as a whole is away or sends us away: no message is to blame.

    `reason` says which; `wait_seconds` when to look again.
    """

    reason = RemoteUnavailable.reason

    def __init__(
        self, text: str, *, reason: str = RemoteUnavailable.reason, wait_seconds: float = 60.0
    ) -> None:
        super().__init__(text)
        self.reason = reason
        self.wait_seconds = wait_seconds


class PermanentError(PatronError):
    """Will fail again however often it is tried; needs a person."""

    reason = "permanent"


class Undecodable(PermanentError):
    """These bytes are no message of ours."""

    reason = "undecodable"


class Oversized(Undecodable):
    """The message is larger than the cap."""

    reason = "oversized"


class WrongSchema(PermanentError):
    """The message is JSON, but not of the schema its type names."""

    reason = "wrong_schema"


class SchemaTooNew(PermanentError):
    """The message was written by a later version of Patron."""

    reason = "schema_too_new"


class UnknownType(PermanentError):
    """No handler of this worker takes messages of this type."""

    reason = "unknown_type"


class RemoteRejected(PermanentError):
    """The platform understood the request and refuses the data."""

    reason = "remote_rejected"


class RemoteGone(PermanentError):
    """The remote record does not exist any more."""

    reason = "remote_gone"


class ConfigurationError(PatronError):
    """The set-up is wrong; the channel pauses until it is mended."""

    reason = "configuration"


class AccessDenied(ConfigurationError):
    """The platform refuses our credentials or rights."""

    reason = "access_denied"


class DatabaseRestored(ConfigurationError):
    """The database is a restored or copied one: what shops know may be newer than it."""

    reason = "database_restored"


class AttributeMissing(ConfigurationError):
    """The platform has no such field, or drops what we write into it."""

    reason = "attribute_missing"


class NoticeRefused(Exception):
    """A webhook whose signature, or the time in it, does not hold. The text says which."""


class UnreadableRecord(Exception):
    """A remote record that the canonical model cannot hold.

    `problems` are (field, what is wrong with it) without the values.
    """

    def __init__(self, problems: Sequence[tuple[str, str]]) -> None:
        super().__init__(", ".join(f"{field}: {problem}" for field, problem in problems))
        self.problems = tuple(problems)
