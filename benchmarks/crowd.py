"""A directory of any size, filled by the database itself, and customers who come to it.

For `benchmarks.growth`. One customer is brought by a real processor; every other row is made from
that customer's in sets, with what tells customers apart replaced: so they are what a processor
writes, whatever it writes. Nobody's keys follow on each other, as in a real directory.
"""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Final

import sqlalchemy as sa

from benchmarks.installation import CHANNEL, FIRST_NUMBER, NotDone, Scene
from services.sandbox.magento.stores import STORE_VIEWS
from shared.domain.customer import Address, Customer, Phone, Source, Version
from shared.domain.messages import CustomerImported, parcel
from shared.persistence.tables import customer_addresses, customers, links, messages
from shared.persistence.unit_of_work import UnitsOfWork

UNLINKED: Final = 20
"""One in so many of the crowd has no link: loaded from elsewhere, and known by e-mail."""

FIRST_NEW_NUMBER: Final = FIRST_NUMBER + 10_000_000
"""The number of the first customer who comes after the crowd."""

_STORE_VIEW: Final = STORE_VIEWS[0].code
_SINCE: Final = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)
_MODEL: Final = 1
_WIDTH: Final = 7
_STRIDE: Final = 6_180_339
"""Odd and no multiple of five, so that multiples of it meet every number of seven digits once."""
_LETTERS: Final = "aeiounrstl"
_TABLES: Final = (customers, customer_addresses, links)
_SETTINGS: Final = (
    "SET LOCAL statement_timeout = 0",
    "SET LOCAL maintenance_work_mem = '256MB'",
)
_INDEXES: Final = sa.text(
    "SELECT indexname, indexdef FROM pg_indexes WHERE tablename = ANY(:tables)"
    " AND indexname NOT IN (SELECT conname FROM pg_constraint)"
)


def person(place: int, *, minutes: int = 0, **changes: object) -> Customer:
    """Return the customer at a place of the crowd, or beyond its end; of what is None nothing."""
    digits = _digits(place)
    name = {"first_name": "Mila", "last_name": _name(digits)}
    source = Source(
        channel=CHANNEL,
        store_view=_STORE_VIEW,
        external_id=digits,
        version=Version(
            changed_at=_SINCE + timedelta(minutes=minutes),
            read_at=_SINCE + timedelta(minutes=minutes),
            fingerprint=f"{digits}-{minutes}",
        ),
    )
    address = Address(
        external_id=f"9{digits}",
        is_default_billing=True,
        is_default_shipping=True,
        lines=(f"Lindenweg {digits}",),
        city="Berlin",
        postcode="10115",
        country="DE",
        **name,
    )
    given = {
        "source": source,
        "email": f"mila.{digits}@example.com",
        "phone": Phone(raw=f"+49 30 2{digits}", e164=f"+49302{digits}"),
        "registered_at": _SINCE,
        "addresses": (address,),
        **name,
    }
    return Customer.model_validate(
        {name: value for name, value in (given | changes).items() if value is not None}
    )


def owe(imported: Iterable[Customer], scene: Scene) -> None:
    """Owe the messages that these were imported, to be published by `Scene`."""
    now = datetime.now(UTC)
    parcels = [
        parcel(CustomerImported(customer=customer), channel=CHANNEL,
               subject=customer.source.external_id, at=now)
        for customer in imported
    ]  # fmt: skip
    with UnitsOfWork(scene.engine).begin() as work:
        work.send(parcels)
        # By us, as soon as the queue is filled: no worker's relay shall do it again.
        work.connection.execute(sa.update(messages).values(published_at=now))


def model() -> Customer:
    """Return the customer whom all others are made from."""
    return person(_MODEL)


def fill(scene: Scene, size: int) -> None:
    """Make `size` customers of the one that the directory has."""
    with scene.engine.begin() as connection:
        for setting in _SETTINGS:
            connection.execute(sa.text(setting))
        with _without_indexes(connection):
            for table in _TABLES:
                connection.execute(sa.text(_multiplied(table)), {"size": size})
        connection.execute(
            sa.text("UPDATE number_series SET next_value = :next"), {"next": FIRST_NEW_NUMBER}
        )
        for emptied in ("messages", "staging_customers", "history"):
            connection.execute(sa.text(f"DELETE FROM {emptied}"))
    _alone("VACUUM (FREEZE, ANALYZE)", scene)


def settle(scene: Scene) -> None:
    """Have everything written to disk, so that nobody does that while others are measured."""
    _alone("CHECKPOINT", scene)


def _alone(statement: str, scene: Scene) -> None:
    """Execute a statement that may take long, and wants no transaction."""
    with scene.engine.execution_options(isolation_level="AUTOCOMMIT").connect() as connection:
        connection.execute(sa.text("SET statement_timeout = 0"))
        connection.execute(sa.text(statement))
        connection.invalidate()  # nobody else shall have no limit


@contextmanager
def _without_indexes(connection: sa.Connection) -> Iterator[None]:
    """Have the tables without indexes in the block: made at once, they are made sooner."""
    names = {"tables": [table.name for table in _TABLES]}
    indexes = connection.execute(_INDEXES, names).all()
    for name, _ in indexes:
        connection.execute(sa.text(f"DROP INDEX {name}"))
    yield
    for _, definition in indexes:
        connection.execute(sa.text(definition))


def everywhere(size: int, many: int, *, linked: bool) -> list[int]:
    """Return `many` places all over the crowd, of customers who are linked or of those who not."""
    places = [n for n in range(_MODEL + 1, size + 1) if bool(n % UNLINKED) is linked]
    if len(places) < many:
        raise NotDone(f"a directory of {size} is too small for {many} such customers")
    return places[:: len(places) // many][:many]


def _multiplied(table: sa.Table) -> str:
    """Return the statement that makes the rows of all others from the model's."""
    names = ", ".join(column.name for column in table.columns)
    values = ", ".join(_value(column) for column in table.columns)
    is_wanted = f" WHERE n % {UNLINKED} <> 0" if table is links else ""
    return (
        f"INSERT INTO {table.name} ({names}) SELECT {values} FROM {table.name} AS model,"
        f" (SELECT n, lpad((n * {_STRIDE} % {10**_WIDTH})::text, {_WIDTH}, '0') AS digits"
        f" FROM generate_series({_MODEL + 1}, CAST(:size AS bigint)) AS n) AS crowd{is_wanted}"
    )


def _value(column: sa.Column[object]) -> str:
    model = f"model.{column.name}"
    if isinstance(column.type, sa.Uuid):
        # In the order of time, as those that processors give.
        kind = "9" if column.table is customer_addresses and column.name == "id" else "8"
        return f"('00000000-0000-7000-{kind}000-' || lpad(n::text, 12, '0'))::uuid"
    if column.name in {"number", "exported_number"}:
        return f"'D' || ({FIRST_NUMBER} + n)"
    if isinstance(column.type, sa.LargeBinary):
        text = _replaced(f"convert_from({model}, 'UTF8')")
        return f"convert_to({text}, 'UTF8')"
    # A variant of another collation is a text all the same.
    return _replaced(model) if isinstance(column.type, sa.Text) else model


def _replaced(text: str) -> str:
    digits, letters = _digits(_MODEL), f"translate(digits, '0123456789', '{_LETTERS}')"
    name = _name(digits)
    text = f"replace({text}, '{digits}', digits)"
    text = f"replace({text}, '{name}', initcap({letters}))"
    return f"replace({text}, '{name.lower()}', {letters})"


def _digits(place: int) -> str:
    return f"{place * _STRIDE % 10**_WIDTH:0{_WIDTH}}"


def _name(digits: str) -> str:
    return "".join(_LETTERS[int(digit)] for digit in digits).capitalize()
