"""How PostgreSQL finds what the processor looks up: the plans of every query of `gather`.

For `benchmarks.growth`. Two views of it: the planner's own words, and the counter of sequential
scans that the server keeps for each table, which misses no statement and no cached plan.
"""

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Final, NamedTuple

import sqlalchemy as sa

from benchmarks.installation import NotDone, Scene
from services.processor.gather import Inquiry, gather
from shared.config.loading import load_settings
from shared.config.policies import policy_of
from shared.domain.customer import Customer
from shared.persistence.unit_of_work import UnitsOfWork

NEVER_SCANNED: Final = ("customers", "customer_addresses", "links")

_SCANS: Final = "SELECT relname, seq_scan FROM pg_stat_user_tables WHERE relname = ANY(:tables)"


class Access(NamedTuple):
    """One way in which a query reads a table."""

    table: str
    how: str
    by: str


Query = tuple[str, Any]


def ways(imported: Sequence[Customer], scene: Scene) -> list[Access]:
    """Return how the tables are read when this batch is gathered. Raises NotDone for a scan."""
    inquiries = [Inquiry(customer.source.key, customer) for customer in imported]
    policy = policy_of(load_settings(scene.folder / "patron.toml", scene.environment()))
    with UnitsOfWork(scene.engine).begin() as work:
        with _noted(scene.engine) as queries:
            gather(inquiries, work, policy)
        plans = [_plan(query, work.connection) for query in queries]
    found = list(dict.fromkeys(access for plan in plans for access in _reads(plan)))
    for access in found:
        if access.table in NEVER_SCANNED and access.how == "Seq Scan":
            raise NotDone(f"a look-up reads all of {access.table}")
    return found


def scans(scene: Scene) -> dict[str, int]:
    """Return how often each table was read from one end to the other so far."""
    return scene.pairs(_SCANS, tables=list(NEVER_SCANNED))


@contextmanager
def _noted(engine: sa.Engine) -> Iterator[list[Query]]:
    """Note the queries that are executed, with their parameters."""
    queries: list[Query] = []

    def note(_connection: Any, _cursor: Any, statement: str, parameters: Any, *_: Any) -> None:
        queries.append((statement, parameters))

    sa.event.listen(engine, "before_cursor_execute", note)
    try:
        yield queries
    finally:
        sa.event.remove(engine, "before_cursor_execute", note)


def _plan(query: Query, connection: sa.Connection) -> dict[str, Any]:
    statement, parameters = query
    explained = connection.exec_driver_sql(f"EXPLAIN (FORMAT JSON) {statement}", parameters)
    found = explained.scalar_one()
    [plan] = json.loads(found) if isinstance(found, str) else found
    top: dict[str, Any] = plan["Plan"]
    return top


def _reads(plan: dict[str, Any]) -> Iterator[Access]:
    """Return every reading of a table in a plan; a bitmap names its index one step below."""
    below = plan.get("Plans", [])
    if table := plan.get("Relation Name"):
        named = plan.get("Index Name") or ", ".join(_indexes(plan))
        yield Access(table, plan["Node Type"], named)
    for each in below:
        yield from _reads(each)


def _indexes(plan: dict[str, Any]) -> list[str]:
    below = plan.get("Plans", [])
    own = [plan["Index Name"]] if "Index Name" in plan else []
    return own + [index for each in below for index in _indexes(each)]
