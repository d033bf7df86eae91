"""Tombstones: remote records of erased persons, by keyed digests, so that they do not come back.

For the importer and the processor, who ask before anything of a record is stored or sent. Its
promise: a tombstone tells whoever does not have the key nothing; and where there are tombstones
that our key cannot read, nobody is taken for not erased: asking fails as a wrong set-up.
"""

import hmac
from collections.abc import Collection, Iterable, Mapping
from typing import Final

import sqlalchemy as sa
from pydantic import SecretStr

from shared.domain.customer import SourceKey
from shared.domain.errors import ConfigurationError
from shared.persistence.sets import SetStatement
from shared.persistence.tables import tombstones
from shared.persistence.unit_of_work import UnitOfWork

# What stands in the place of an erased record's id, where a line about it is kept.
ERASED_ID: Final = "(erased)"

_KEY_ID_DIGITS: Final = 16
_OTHER: Final = ""
_ERASURE: Final = 0x5061_7472_6F6E  # an advisory lock of our own: an erasure, or pages taken in


class TombstoneKeyMissing(ConfigurationError):
    """There are tombstones, and the key that they were made with is not configured."""

    reason = "tombstone_key"

    def __init__(self) -> None:
        super().__init__("customers were erased with a privacy.key that is not configured here")


class Tombstones:
    """Sets and recognises tombstones with one key; without a key, it only sees that there are."""

    def __init__(self, key: SecretStr | None = None) -> None:
        self._key = key.get_secret_value().encode() if key else b""
        self._key_id = self._hmac("patron tombstone key")[:_KEY_ID_DIGITS] if key else ""

    @property
    def is_keyed(self) -> bool:
        """Whether there is a key to set tombstones with."""
        return bool(self._key)

    def digest(self, account: SourceKey) -> str:
        """Return what stands for a remote record."""
        return self._hmac(f"{account.channel}\0{account.external_id}")

    def erased(self, work: UnitOfWork, accounts: Iterable[SourceKey]) -> frozenset[SourceKey]:
        """Return those of `accounts` that were erased. Raises `TombstoneKeyMissing`."""
        by_digest: Mapping[str, SourceKey | None] = (
            {self.digest(account): account for account in accounts}
            if self.is_keyed
            else dict.fromkeys([_OTHER])
        )
        rows = _FIND.run(work.connection, {"digest": list(by_digest)}, key_id=self._key_id)
        found = {row.digest for row in rows}
        if _OTHER in found:
            raise TombstoneKeyMissing
        return frozenset(account for x in found if (account := by_digest[x]) is not None)

    def verify(self, work: UnitOfWork) -> None:
        """Raise `TombstoneKeyMissing` when there are tombstones of another key."""
        self.erased(work, [SourceKey(_OTHER, _OTHER)])

    def set_for(self, work: UnitOfWork, accounts: Collection[SourceKey]) -> list[str]:
        """Set tombstones; return their digests, in the order of `accounts`."""
        digests = [self.digest(account) for account in accounts]
        rows = [
            {"digest": digest, "key_id": self._key_id, "erased_at": work.now} for digest in digests
        ]
        work.bulk.upsert(tombstones, rows, key=("digest",), update=())
        return digests

    def _hmac(self, text: str) -> str:
        return hmac.digest(self._key, text.encode(), "sha256").hex()


def hold_off_erasures(work: UnitOfWork) -> None:
    """Have erasures wait until this transaction has ended; asked before tombstones are read."""
    _lock(work, "pg_advisory_xact_lock_shared")


def wait_for_imports(work: UnitOfWork) -> None:
    """Wait for the transactions that hold erasures off, and keep new ones waiting."""
    _lock(work, "pg_advisory_xact_lock")


def _lock(work: UnitOfWork, function: str) -> None:
    # On SQLite a transaction that writes keeps everybody else out anyway.
    if work.connection.dialect.name == "postgresql":
        work.connection.exec_driver_sql(f"SELECT {function}({_ERASURE})")


_FIND = SetStatement(
    "SELECT digest FROM tombstones WHERE digest {is_given}"
    " UNION ALL SELECT '' WHERE EXISTS (SELECT 1 FROM tombstones WHERE key_id < {key_id})"
    " OR EXISTS (SELECT 1 FROM tombstones WHERE key_id > {key_id})",
    given={"digest": sa.Text()},
    values={"key_id": sa.Text()},
    returns=(tombstones.c.digest,),
)
