"""Matching costs the same in a directory that grows faster than the database learns about it."""

import sqlalchemy as sa

from services.processor.worker import process_batch
from tests.builders import a_customer, imported
from tests.integration.processor.desk import Desk, a_tax_id

SCANS = sa.text("SELECT seq_scan FROM pg_stat_xact_user_tables WHERE relname = 'customers'")
CROWD = sa.text(
    "INSERT INTO customers (id, number, state, kind, defaults, email_key, phone_key, tax_id_key,"
    " created_at, updated_at) SELECT gen_random_uuid(), 'X' || n, 'active', 'individual', '{}',"
    " 'x' || n || '@example.com', '+49' || n, 'DE' || n, now(), now()"
    " FROM generate_series(1, 10000) AS n"
)


def test_nobody_reads_the_whole_directory(postgresql_desk: Desk) -> None:
    """A first import fills the table before there are statistics; keys are found by index."""
    with postgresql_desk.units.begin() as work:
        work.connection.execute(sa.text("ALTER TABLE customers SET (autovacuum_enabled = false)"))
        work.connection.execute(CROWD)
    batch = [imported(a_customer(str(n), tax_id=a_tax_id(n))) for n in range(100)]

    with postgresql_desk.units.begin() as work:
        process_batch(batch, work, postgresql_desk.policy)
        scans = work.connection.execute(SCANS).scalar_one()

    assert len(postgresql_desk.customers()) == 10_100
    assert scans == 0
