"""What is told of a failure holds no data of a customer."""

import sqlite3

import pytest
import sqlalchemy as sa

from shared.domain.errors import RemoteRejected, UnreadableRecord
from shared.observability.evidence import Evidence, evidence


def raised(error: Exception) -> Exception:
    """Return `error` as it is after having been raised."""
    try:
        raise error
    except type(error) as caught:
        return caught


@pytest.mark.parametrize(
    "error",
    [RemoteRejected("field email is not accepted"), UnreadableRecord([("email", "too long")])],
)
def test_our_own_errors_speak_for_themselves(error: Exception) -> None:
    """The text of an error of ours is kept: it was written to be shown."""
    told = evidence(raised(error))

    assert told.text == str(error)
    assert told.error_class.endswith(type(error).__name__)


def test_texts_of_foreign_errors_are_left_out() -> None:
    """Of a foreign error only the class is told; its text may quote what it stumbled over."""
    told = evidence(raised(ValueError("could not parse ann@example.com")))

    assert told == Evidence("ValueError", "ValueError")


def test_our_frame_nearest_to_the_failure_is_named() -> None:
    """A foreign error says where in our code it came up, so that failures can be grouped."""
    with pytest.raises(TypeError) as caught:
        UnreadableRecord(None)  # type: ignore[arg-type]

    assert "in shared.domain.errors:" in evidence(caught.value).text


def test_the_frame_has_no_line() -> None:
    """Failures with one cause are one group, also when the code above them is edited (NEW-5)."""
    with pytest.raises(TypeError) as caught:
        UnreadableRecord(None)  # type: ignore[arg-type]

    assert evidence(caught.value).frame == "shared.domain.errors __init__"
    assert evidence(raised(ValueError())).frame is None


def test_database_errors_name_class_and_code_only() -> None:
    """A driver's error is told by class and code, without statement and parameters."""
    engine = sa.create_engine("sqlite://")
    with engine.connect() as connection, pytest.raises(sa.exc.OperationalError) as caught:
        connection.execute(sa.text("SELECT secret FROM nowhere WHERE email = 'ann@example.com'"))
    engine.dispose()

    told = evidence(caught.value)

    assert told.text == f"sqlalchemy.exc.OperationalError ({sqlite3.__name__}.OperationalError)"
