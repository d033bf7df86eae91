"""The measurements: each sets its scene, has real workers do the work, and checks that they did.

For `benchmarks.pipeline`. Every stage returns figures by name. Workers that are to find a full
queue are started first and frozen while it fills, so that no start is measured.
"""

import json
import random
import statistics
import time
from collections.abc import Mapping
from contextlib import ExitStack
from typing import Any, Final

from benchmarks.checks import check_decided, check_shop, check_unchanged
from benchmarks.installation import Installation, NotDone, Scene
from benchmarks.limits import held_to
from benchmarks.measuring import (
    ALL_PUBLISHED,
    NONE_IMPORTED,
    NOTHING_OWED,
    Figures,
    all_done,
    full_queue,
    measured,
    thaw,
    until,
)
from benchmarks.processes import Process
from benchmarks.report import BREAKDOWN
from benchmarks.shop import NUMBER

WARM_UP: Final = 1000
"""How many customers a processor decides before anything is measured: batches enough for drivers
to prepare their statements."""

_LATENCY_POLL_SECONDS: Final = 0.5
_LATENCY_CUSTOMERS: Final = 10


def pipeline_and_sweep(installation: Installation, customers: int) -> Figures:
    """Bring all customers through three workers, then sweep them again unchanged."""
    with installation.scene(customers) as scene:
        figures, workers = _pipeline("pipeline: three workers", "pipeline", 1, installation, scene)
        return figures | _sweep(installation, scene, workers["importer 0"])


def pipeline_of_pairs(installation: Installation, customers: int) -> Figures:
    """Bring all customers through two processes of each worker."""
    name = "pipeline, two of each worker"
    with installation.scene(customers) as scene:
        return _pipeline(f"{name}:", name, 2, installation, scene)[0]


def _pipeline(
    title: str, group: str, of_each: int, installation: Installation, scene: Scene
) -> tuple[Figures, dict[str, Process]]:
    customers, roles = scene.shop.customers, ("importer", "processor", "exporter")
    scene.hold_imports()
    workers = {
        f"{role} {n}": scene.start(f"services.{role}") for role in roles for n in range(of_each)
    }
    with measured(installation, scene, workers) as usage:
        scene.request_imports()
        until(scene, all_done(customers))
    check_decided(scene, customers)
    check_shop(scene)
    for role in roles:
        usage.cpu[role] = sum(usage.cpu.pop(f"{role} {n}") for n in range(of_each))
    figures = {f"{title} [customers/s]": customers / usage.seconds}
    return figures | usage.per_customer(group, customers), workers


def _sweep(installation: Installation, scene: Scene, importer: Process) -> Figures:
    records = scene.shop.customers
    with measured(installation, scene, {"importer": importer}) as usage, check_unchanged(scene):
        scene.request_imports(sweep=True)
        until(scene, "NOT EXISTS (SELECT 1 FROM cursors"
                      " WHERE sweep_finished_at IS NULL OR lease_owner IS NOT NULL)")  # fmt: skip
    cpu = usage.cpu["importer"]
    return {
        "sweep of unchanged: importer [records/s]": records / usage.seconds,
        "sweep of unchanged: importer [records/CPU second]": records / cpu,
        "sweep of unchanged: CPU of importer [us/record]": 1e6 * cpu / records,
        "sweep of unchanged: CPU of shop [us/record]": 1e6 * usage.cpu["shop"] / records,
    }


def importer(installation: Installation, customers: int) -> tuple[str, Figures]:
    """Import everything; return the database with its full outbox, and the figures."""
    with installation.scene(customers) as scene:
        scene.hold_imports()
        worker = scene.start("services.importer")
        with measured(installation, scene, {"importer": worker}) as usage:
            scene.request_imports()
            until(scene, f"(SELECT count(*) = {customers} FROM messages) AND {ALL_PUBLISHED}")
        figures = {"importer alone: [customers/s]": customers / usage.seconds}
        return scene.database_url, figures | usage.per_customer("importer alone", customers)


def processor(
    installation: Installation,
    customers: int,
    imported: str,
    *,
    processes: int,
    cores: float | None = None,
) -> tuple[str, Figures]:
    """Decide everything from a full queue; return the database with its exports, and figures.

    With `cores`, each process is held to that many.
    """
    group = "processor alone" if processes == 1 else f"processor alone, {processes} processes"
    warm_up = min(customers // 4, WARM_UP * processes)
    with installation.scene(customers, template=imported) as scene:
        workers = {f"processor {n}": scene.start("services.processor") for n in range(processes)}
        with ExitStack() as life:
            life.enter_context(full_queue(scene, workers, warm_up=warm_up))
            if cores is not None:
                life.enter_context(held_to(cores, [worker.pid for worker in workers.values()]))
            usage = life.enter_context(measured(installation, scene, workers))
            thaw(workers)
            until(scene, f"{NONE_IMPORTED} AND {ALL_PUBLISHED}")
        check_decided(scene, customers)
        usage.cpu["processor"] = sum(usage.cpu.pop(name) for name in workers)
        timed = customers - warm_up
        figures = {f"{group}: [customers/s]": timed / usage.seconds}
        return scene.database_url, figures | usage.per_customer(group, timed)


def exporter(installation: Installation, customers: int, decided: str) -> Figures:
    """Write every number and all additional data to the shop from a full queue."""
    with installation.scene(customers, template=decided) as scene:
        workers = {"exporter": scene.start("services.exporter")}
        with full_queue(scene, workers), measured(installation, scene, workers) as usage:
            thaw(workers)
            until(scene, NOTHING_OWED)
        check_decided(scene, customers)
        check_shop(scene)
        figures = {"exporter alone: [customers/s]": customers / usage.seconds}
        return figures | usage.per_customer("exporter alone", customers)


def latency(installation: Installation, registrations: int, round_number: int) -> Figures:
    """Let shoppers register one by one in an idle pipeline, and wait for their numbers."""
    dice = random.Random(round_number)
    from_registration, from_poll = [], []
    scene_of = installation.scene(_LATENCY_CUSTOMERS, poll_seconds=_LATENCY_POLL_SECONDS)
    with scene_of as scene:
        for role in ("importer", "processor", "exporter"):
            scene.start(f"services.{role}")
        until(scene, all_done(_LATENCY_CUSTOMERS))
        for shopper in range(registrations):
            # At any moment of the poll's interval.
            time.sleep(dice.uniform(0.0, _LATENCY_POLL_SECONDS))
            registered = time.time()
            customer_id = scene.shop.register(shopper)
            readable = _when_numbered(scene, customer_id)
            polled = float(scene.value(
                "SELECT extract(epoch FROM min(read_at)) FROM staging_customers"
                " WHERE external_id = :id", id=str(customer_id),
            ))  # fmt: skip
            from_registration.append(1000 * (readable - registered))
            from_poll.append(1000 * (readable - polled))
    return {
        **_quantiles("idle latency: poll answered to number readable", from_poll),
        **_quantiles("idle latency: registered to number readable", from_registration),
    }


def phases(installation: Installation, customers: int, imported: str) -> Figures:
    """Return where the time of one processor goes, in microseconds per customer."""
    with installation.scene(customers, template=imported) as scene:
        path = scene.folder / "phases.json"
        worker = scene.start("benchmarks.phases", str(path))
        with full_queue(scene, {"processor": worker}):
            worker.thaw()
            until(scene, f"{NONE_IMPORTED} AND {ALL_PUBLISHED}")
        check_decided(scene, customers)
        worker.end()
        notes = json.loads(path.read_text("utf-8"))
    return _phase_figures(notes, customers)


def _phase_figures(notes: Mapping[str, Any], customers: int) -> Figures:
    times = {"wall": "elapsed time", "cpu": "CPU time"}
    figures: Figures = {}
    for kind, title in times.items():
        parts = {name: spent[kind] for name, spent in notes["phases"].items()}
        parts["other"] = notes[kind] - sum(parts.values())
        group = f"{BREAKDOWN} the {title} of the processor's consumer"
        figures |= _parts(group, parts, customers)
    return figures | _parts(
        f"{BREAKDOWN} the CPU time of the processor's threads", notes["threads"], customers
    )


def _parts(group: str, parts: Mapping[str, float], customers: int) -> Figures:
    return {
        f"{group}: {name} [us/customer]": 1e6 * seconds / customers
        for name, seconds in parts.items()
    }


def _when_numbered(scene: Scene, customer_id: int) -> float:
    deadline = time.time() + 30
    while scene.shop.attribute(customer_id, NUMBER) is None:
        if time.time() > deadline:
            raise NotDone(f"customer {customer_id} never got a number")
        time.sleep(0.001)
    return time.time()


def _quantiles(name: str, milliseconds: list[float]) -> Figures:
    ranked = sorted(milliseconds)
    return {
        f"{name}, p50 [ms]": statistics.median(ranked),
        f"{name}, p99 [ms]": ranked[min(len(ranked) - 1, int(0.99 * len(ranked)))],
    }
