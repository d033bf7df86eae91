"""What earlier pages of a dry run decided, so that a twin on a later page is linked to it.

Kept in a temporary SQLite database without a name, so that a shop of any size can be tried with
little memory. It is gone when the run ends, however that ends.
"""

import pickle
import sqlite3
from collections.abc import Iterable, Mapping
from types import TracebackType
from typing import Final, NamedTuple, Self
from uuid import UUID

from shared.domain.customer import SourceKey
from shared.domain.directory import DirectoryCustomer
from shared.domain.known import Known, directory_keys
from shared.domain.normalise import place_of

_TABLES: Final = (
    "CREATE TABLE seen (external_id TEXT PRIMARY KEY) WITHOUT ROWID",
    "CREATE TABLE customers (id BLOB PRIMARY KEY, body BLOB) WITHOUT ROWID",
    "CREATE TABLE identities (identity TEXT, id BLOB, PRIMARY KEY (identity, id)) WITHOUT ROWID",
)


class _Remembered(NamedTuple):
    """A customer as decisions have made it, and the remote records that are it."""

    customer: DirectoryCustomer
    accounts: Mapping[SourceKey, str]


class Earlier:
    """Remembers the customers that were decided, by all that they can be found by."""

    def __init__(self) -> None:
        self._connection = sqlite3.connect("", isolation_level=None)
        for table in _TABLES:
            self._connection.execute(table)

    def __enter__(self) -> Self:
        """Begin a run."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Forget everything."""
        self._connection.close()

    def is_new(self, external_id: str) -> bool:
        """Whether a record comes for the first time in this run; it does not the next time."""
        query = "INSERT OR IGNORE INTO seen VALUES (?)"
        return self._connection.execute(query, (external_id,)).rowcount == 1

    def remember(self, customer_ids: Iterable[UUID], known: Known) -> None:
        """Keep what was decided about these customers."""
        for customer_id in customer_ids:
            customer = known.customer(customer_id)
            if customer is None:
                continue
            accounts = dict(known.accounts(customer_id))
            body = pickle.dumps(_Remembered(customer, accounts))
            key = customer_id.bytes
            self._connection.execute("REPLACE INTO customers VALUES (?, ?)", (key, body))
            self._connection.execute("DELETE FROM identities WHERE id = ?", (key,))
            self._connection.executemany(
                "INSERT OR IGNORE INTO identities VALUES (?, ?)",
                [(identity, key) for identity in (*_identities(customer), *map(str, accounts))],
            )

    def recall(self, identities: Iterable[str], known: Known) -> None:
        """Let `known` have what was decided about whoever these identities lead to."""
        ids = {customer.id.bytes for customer in known.customers()}
        for identity in identities:
            query = "SELECT id FROM identities WHERE identity = ?"
            ids.update(row[0] for row in self._connection.execute(query, (identity,)))
        for key in sorted(ids):
            query = "SELECT body FROM customers WHERE id = ?"
            for (body,) in self._connection.execute(query, (key,)):
                remembered: _Remembered = pickle.loads(body)  # noqa: S301 - our own bytes
                known.recall(remembered.customer, remembered.accounts)


def _identities(customer: DirectoryCustomer) -> list[str]:
    """Return all that a customer can be found by, as the processor names it when it looks."""
    found = [f"{key.value}:{value}" for key, value in directory_keys(customer)]
    return [*found, f"place:{place_of(customer.keys.name)}"] if customer.keys.name else found
