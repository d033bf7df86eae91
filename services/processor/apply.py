"""Apply a plan: one set-based statement per table, then the follow-up messages.

The number series are drawn last of what other processors wait for: their rows stay locked until
the commit, which is what makes numbers gapless.
"""

from collections import Counter
from collections.abc import Mapping
from uuid import UUID

import sqlalchemy as sa

from services.processor.contacts import wake, write_contacts
from services.processor.exports import parcels
from services.processor.plan import Plan
from services.processor.rows import customer_row
from shared.domain.errors import ConfigurationError
from shared.domain.policy import NumberSeries
from shared.persistence import history, number_series
from shared.persistence.sets import SetStatement
from shared.persistence.tables import customer_addresses, customers, links, staging_customers
from shared.persistence.unit_of_work import UnitOfWork

LINK_KEY = ("channel", "external_id")
LINK_CHANGES = (
    "customer_id", "status", "store_view", "customer_group", "changed_at", "read_at",
    "fingerprint", "snapshot", "is_contact", "updated_at",
)  # fmt: skip
STAGING_CHANGES = (
    "store_view", "state", "is_existing", "reason", "customer_id", "customer_number",
    "message_id", "correlation_id", "changed_at", "read_at", "config_version", "body",
    "explanation", "updated_at",
)  # fmt: skip

_TAKEN = SetStatement(
    # Looked up one by one: by index, even while a first import is filling the table.
    "SELECT (SELECT number FROM customers WHERE customers.number = given.number) AS number"
    " FROM {given}",
    given={"number": sa.Text()},
    returns=(customers.c.number,),
)


def apply(plan: Plan, work: UnitOfWork) -> None:
    """Write everything that `plan` holds, in the unit of work's transaction."""
    with work.pipelined():
        _write_addresses(plan, work)
        work.bulk.upsert(links, list(plan.links.values()), key=LINK_KEY, update=LINK_CHANGES)
        _mark_removed_links(plan, work)
        if plan.contacts:
            write_contacts(plan.contacts, work)
        history.append(work.connection, plan.history)
    _draw_numbers(plan, work)
    with work.pipelined():
        _write_customers(plan, work)
        _write_staging(plan, work)
        work.send(parcels(plan.exports, plan.numbers, work.now))
    wake(plan.awaited, work)


def _write_addresses(plan: Plan, work: UnitOfWork) -> None:
    rows = list(plan.addresses.values())
    if rows:
        changes = tuple(name for name in rows[0] if name not in ("id", "customer_id"))
        work.bulk.upsert(customer_addresses, rows, key=("id",), update=changes)
    if plan.removed_addresses:
        work.connection.execute(
            sa.delete(customer_addresses).where(
                customer_addresses.c.id.in_(sorted(plan.removed_addresses))
            )
        )


def _mark_removed_links(plan: Plan, work: UnitOfWork) -> None:
    rows = [
        {"channel": key.channel, "external_id": key.external_id, "status": "removed",
         "read_at": read_at, "updated_at": plan.now}
        for key, read_at in plan.removed_links.items()
    ]  # fmt: skip
    work.bulk.update(links, rows, key=LINK_KEY)


def _draw_numbers(plan: Plan, work: UnitOfWork) -> None:
    """Give every new customer the next number of its template's series, in order of arrival.

    A number that somebody has already, as one that was loaded, is passed over.
    """
    waiting = dict(plan.series)
    while waiting:
        drawn = _drawn(waiting, plan, work)
        rows = _TAKEN.run(work.connection, {"number": list(drawn.values())})
        taken = {row.number for row in rows} | set(plan.numbers.values())
        plan.numbers.update({id_: each for id_, each in drawn.items() if each not in taken})
        waiting = {id_: name for id_, name in waiting.items() if id_ not in plan.numbers}


def _drawn(series: Mapping[UUID, str], plan: Plan, work: UnitOfWork) -> dict[UUID, str]:
    """Return a number for each customer, drawn from the series that is named for it."""
    wanted = Counter(series.values())
    policies = {name: _series(plan, name) for name in wanted}
    requests = {name: (count, policies[name].start) for name, count in wanted.items()}
    counters = number_series.draw(work.connection, requests)
    drawn = {}
    for customer_id, name in series.items():
        drawn[customer_id] = policies[name].number(counters[name])
        counters[name] += 1
    return drawn


def _series(plan: Plan, name: str) -> NumberSeries:
    try:
        return plan.policy.number_series[name]
    except KeyError:
        raise ConfigurationError(f"there is no number series {name}") from None


def _write_customers(plan: Plan, work: UnitOfWork) -> None:
    created = [
        customer_row(customer, plan.numbers[customer_id], work.now)
        for customer_id, customer in plan.created.items()
    ]
    work.bulk.insert(customers, created)
    updated = [
        customer_row(customer, customer.number, work.now) for customer in plan.updated.values()
    ]
    for row in updated:
        del row["created_at"]
    work.bulk.update(customers, updated, key=("id",))


def _write_staging(plan: Plan, work: UnitOfWork) -> None:
    discarded = [
        {"id": id_, "state": "discarded", "reason": reason, "updated_at": plan.now}
        for id_, reason in plan.discarded.items()
    ]
    # First, because a later message of the batch may have opened the record again.
    work.bulk.update(staging_customers, discarded, key=("id",))
    rows = [
        {**row, "customer_number": plan.numbers.get(row["customer_id"], row["customer_number"])}
        for row in plan.staging.values()
    ]
    work.bulk.upsert(staging_customers, rows, key=("id",), update=STAGING_CHANGES)
