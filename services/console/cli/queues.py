"""`patron queues`: what is on its way, on the broker and in the database."""

from collections import defaultdict
from typing import Any

import typer

from services.console.cli.failures import Refused
from services.console.cli.invocation import Invocation, invocation
from services.console.cli.output import Output, OutputOption, say, show_json, show_rich, table_of
from shared.domain.errors import ConfigurationError
from shared.domain.messages import REPLIES
from shared.messaging.connect import connect, is_rabbitmq
from shared.messaging.topology import Topology, dead_queue
from shared.persistence import owed, pauses
from shared.persistence.unit_of_work import UnitOfWork

_COLUMNS = {
    "queue": "queue",
    "on_broker": "on the broker",
    "to_publish": "to publish",
    "published": "published",
    "leased": "being written",
    "retrying": "to be retried",
    "oldest_at": "oldest",
    "paused": "paused",
    "paused_until": "until",
}
_UNKNOWN = "(no queue: not configured)"
_ASKERS = "(answers to other programs)"


def queues(context: typer.Context, output: OutputOption = Output.TABLE) -> None:
    """Show what is owed, by queue and state, beside what waits on the broker.

    The database is the truth: a message is owed until it is handled, wherever it is. `on the
    broker` counts what waits in RabbitMQ; an embedded broker lives in the process that runs it
    and cannot be asked from here.
    """
    call = invocation(context)
    topology = call.installation.topology
    with call.reading() as work:
        rows = _rows(topology, work)
        dead = owed.dead_by_worker(work)
    depths = _depths(call)
    for row in rows:
        row["on_broker"] = depths.get(row["queue"])
    letters = [
        {"worker": worker, "open": dead[worker], "on_broker": depths.get(dead_queue(worker))}
        for worker in sorted(dead)
    ]
    if output is Output.JSON:
        show_json({"queues": rows, "dead_letters": letters})
        return
    show_rich(table_of(rows, _COLUMNS))
    if total := sum(dead.values()):
        say(f"{total} open dead letters; see `patron dead-letters list`", "yellow")
    else:
        say("no dead letters")


def _rows(topology: Topology, work: UnitOfWork) -> list[dict[str, Any]]:
    """Return one row for each queue that workers read, and one for what has none."""
    paused = pauses.active(work)
    found: defaultdict[str, dict[str, Any]] = defaultdict(dict)
    for each in owed.by_road(work):
        nowhere = _ASKERS if each.routing_key in REPLIES else _UNKNOWN
        for queue in topology.queues_for(each.routing_key) or (nowhere,):
            row = found[queue]
            row[each.state] = row.get(each.state, 0) + each.count
            row["oldest_at"] = min(row.get("oldest_at", each.oldest_at), each.oldest_at)
    names = [queue for queue in topology.queues if not queue.endswith(".dead")]
    rows: list[dict[str, Any]] = []
    for queue in [*names, *(name for name in found if name not in names)]:
        pause = paused.get(queue.removeprefix("patron.exporter."))
        counts: dict[str, int] = {state: found[queue].get(state, 0) for state in owed.STATES}
        rows.append(
            {
                "queue": queue,
                **counts,
                "oldest_at": found[queue].get("oldest_at"),
                "paused": f"{pause.reason}: {pause.detail}" if pause else None,
                "paused_until": pause.retry_at if pause else None,
            }
        )
    return rows


def _depths(call: Invocation) -> dict[str, int]:
    """Return how many messages wait in each queue of RabbitMQ."""
    if not is_rabbitmq(call.broker_url):
        return {}
    topology = call.installation.topology
    broker = connect(call.broker_url, topology, "patron: queues")
    try:
        return {queue: broker.depth(queue) for queue in topology.queues}
    except ConfigurationError as error:
        raise Refused(str(error), "`patron broker check` says what is missing.") from None
    finally:
        broker.close()
