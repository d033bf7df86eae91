"""Drivers' errors are told apart by what helps against them."""

import sqlite3

import psycopg
import pytest
import sqlalchemy as sa

from shared.domain.errors import PatronError
from shared.persistence.failures import (
    ConstraintViolated,
    DatabaseContended,
    DatabaseUnavailable,
    ValueRefused,
    translate,
)

_EXPECTED: dict[str, type[PatronError]] = {
    "08000": DatabaseUnavailable,
    "08006": DatabaseUnavailable,
    "22001": ValueRefused,
    "22021": ValueRefused,
    "23502": ConstraintViolated,
    "23505": ConstraintViolated,
    "25006": DatabaseUnavailable,
    "25P03": DatabaseUnavailable,
    "28P01": DatabaseUnavailable,
    "3D000": DatabaseUnavailable,
    "40001": DatabaseContended,
    "40P01": DatabaseContended,
    "42501": DatabaseUnavailable,
    "53100": DatabaseUnavailable,
    "53300": DatabaseUnavailable,
    "55P03": DatabaseContended,
    "57014": DatabaseContended,
    "57P01": DatabaseUnavailable,
    "57P03": DatabaseUnavailable,
    "58030": DatabaseUnavailable,
    "XX000": DatabaseUnavailable,
}


@pytest.mark.parametrize("code", _EXPECTED)
def test_every_sqlstate_leads_to_its_family(code: str) -> None:
    """The code decides; the text names it, and quotes nothing of the driver's text."""
    driver_error = psycopg.errors.lookup(code)("Key (email)=(ann@example.com)")

    failure = translate(sa.exc.DBAPIError("SELECT", {}, driver_error))

    assert type(failure) is _EXPECTED[code]
    assert code in str(failure)
    assert "ann@" not in str(failure)


@pytest.mark.parametrize(
    "driver_error",
    [
        psycopg.errors.ConnectionTimeout("timeout"),
        psycopg.OperationalError("FATAL: sorry, too many clients already"),
    ],
)
def test_a_connection_that_does_not_come_about_is_unavailability(
    driver_error: psycopg.Error,
) -> None:
    """Such errors carry no code."""
    failure = translate(sa.exc.OperationalError(None, None, driver_error))

    assert type(failure) is DatabaseUnavailable


@pytest.mark.parametrize("code", ["42601", "42P01", "25P02"])
def test_mistakes_in_statements_stay_bugs(code: str) -> None:
    """Trying again would not help, and nobody should think so."""
    error = sa.exc.DBAPIError("SELECT", {}, psycopg.errors.lookup(code)())

    assert translate(error) is error


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("SQLITE_BUSY", DatabaseContended),
        ("SQLITE_BUSY_SNAPSHOT", DatabaseContended),
        ("SQLITE_LOCKED", DatabaseContended),
        ("SQLITE_FULL", DatabaseUnavailable),
        ("SQLITE_IOERR_WRITE", DatabaseUnavailable),
        ("SQLITE_CANTOPEN", DatabaseUnavailable),
        ("SQLITE_READONLY", DatabaseUnavailable),
    ],
)
def test_every_code_of_sqlite_leads_to_its_family(name: str, expected: type[PatronError]) -> None:
    """A locked file passes; a full disk has to be waited for."""
    driver_error = sqlite3.OperationalError("text")
    driver_error.sqlite_errorname = name

    failure = translate(sa.exc.OperationalError("SELECT", {}, driver_error))

    assert type(failure) is expected


def test_an_unknown_driver_is_left_alone() -> None:
    """Nothing is guessed."""
    error = sa.exc.DBAPIError("SELECT", {}, RuntimeError("?"))

    assert translate(error) is error
