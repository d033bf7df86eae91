"""Translate what the database drivers raise into failures that callers can act upon.

    PatronError
    ├── TransientError
    │   ├── DatabaseUnavailable   no connection, no right, read-only, full, ending: wait for it
    │   └── DatabaseContended     deadlock, lock timeout, serialization: the same again, soon
    ├── PermanentError
    │   └── ValueRefused          a value that the database cannot hold
    └── ConstraintViolated        a UNIQUE constraint decided a race; names the constraint

Its promise: the texts carry names and codes, never values, which drivers like to quote. Mistakes
in a statement itself are left as they are: they are bugs.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
import sqlalchemy as sa

from shared.domain.errors import PatronError, PermanentError, TransientError

# SQLSTATE, whole or its class, as PostgreSQL's appendix A lists them.
_CONTENDED = ("40", "55P03", "57014", "55006")
# A missing right (42501) is no fault of a message either: it is given, and work goes on.
_UNAVAILABLE = ("08", "25006", "25P03", "25P04", "42501", "53", "57P", "58", "F0", "XX", "28", "3D")
_REFUSED = ("22",)
_VIOLATED = ("23",)


class DatabaseUnavailable(TransientError):
    """The database cannot be used now. Whether a commit took place may be unknown."""

    reason = "database_unavailable"


class DatabaseContended(TransientError):
    """Another transaction was in the way; the same work may well succeed at once."""

    reason = "database_contended"


class ValueRefused(PermanentError):
    """A value is not one that its column can hold."""

    reason = "value_refused"


class ConstraintViolated(PatronError):
    """The transaction broke `constraint`: somebody was faster, or a rule is wrong."""

    reason = "constraint_violated"

    def __init__(self, text: str, constraint: str) -> None:
        super().__init__(text)
        self.constraint = constraint


@contextmanager
def translated() -> Iterator[None]:
    """Raise the failures of this module instead of the drivers'."""
    try:
        yield
    except sa.exc.TimeoutError:
        raise DatabaseUnavailable("no free connection in the pool") from None
    except sa.exc.DBAPIError as error:
        failure = translate(error)
        if failure is error:
            raise
        # The driver's own text may quote values, so it must not appear in a traceback either.
        raise failure from None


def translate(error: sa.exc.DBAPIError) -> Exception:
    """Return what `error` means, or `error` itself when it is a bug."""
    driver_error = error.orig
    if isinstance(driver_error, psycopg.Error):
        return _of_postgresql(error, driver_error)
    if isinstance(driver_error, sqlite3.Error):
        return _of_sqlite(error, driver_error)
    return error


def _of_postgresql(error: sa.exc.DBAPIError, driver_error: psycopg.Error) -> Exception:
    code = driver_error.sqlstate or ""
    text = f"{type(driver_error).__name__} ({code})" if code else type(driver_error).__name__
    if code.startswith(_CONTENDED):
        return DatabaseContended(text)
    if code.startswith(_VIOLATED):
        constraint = driver_error.diag.constraint_name or driver_error.diag.column_name or ""
        return ConstraintViolated(f"{text} {constraint}".strip(), constraint)
    if code.startswith(_REFUSED) or isinstance(driver_error, psycopg.DataError):
        return ValueRefused(text)
    if (
        code.startswith(_UNAVAILABLE)
        or error.connection_invalidated
        or (not code and isinstance(driver_error, psycopg.OperationalError))
    ):
        return DatabaseUnavailable(text)
    return error


def _of_sqlite(error: sa.exc.DBAPIError, driver_error: sqlite3.Error) -> Exception:
    # No name when the module itself, not the library, raised the error.
    name = getattr(driver_error, "sqlite_errorname", "")
    if isinstance(driver_error, sqlite3.IntegrityError):
        # The text names columns: "UNIQUE constraint failed: customers.number".
        constraint = str(driver_error).rpartition(": ")[2]
        return ConstraintViolated(f"{name} {constraint}".strip(), constraint)
    if name.startswith(("SQLITE_BUSY", "SQLITE_LOCKED")):
        return DatabaseContended(name)
    if isinstance(driver_error, sqlite3.DataError):
        return ValueRefused(name or "DataError")
    if name.startswith(_SQLITE_UNAVAILABLE):
        return DatabaseUnavailable(name)
    return error


_SQLITE_UNAVAILABLE = (
    "SQLITE_CANTOPEN",
    "SQLITE_CORRUPT",
    "SQLITE_FULL",
    "SQLITE_IOERR",
    "SQLITE_NOTADB",
    "SQLITE_PERM",
    "SQLITE_READONLY",
)
