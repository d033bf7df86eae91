"""The health server answers for the process, in words without secrets."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager

import httpx2
import pytest
from prometheus_client import CollectorRegistry

from shared.observability.health import Checks, HealthServer, cached
from shared.observability.metrics import create_metrics


@contextmanager
def serving(checks: Checks, registry: CollectorRegistry | None = None) -> Iterator[httpx2.Client]:
    """Serve `checks` on a free port and give a client of it."""
    server = HealthServer("127.0.0.1", 0, checks, registry)
    server.start()
    try:
        with httpx2.Client(base_url=f"http://127.0.0.1:{server.port}") as client:
            yield client
    finally:
        server.close()


@pytest.mark.parametrize(
    ("path", "checks"),
    [
        ("/startupz", Checks(startup=[lambda: "no schema"])),
        ("/livez", Checks(liveness=[lambda: "no schema"])),
        ("/healthz", Checks(liveness=[lambda: "no schema"])),
        ("/readyz", Checks(readiness=[lambda: None, lambda: "no schema"])),
    ],
)
def test_a_problem_is_a_503_that_names_it(path: str, checks: Checks) -> None:
    """Each question has its own checks; one problem fails it and is told."""
    with serving(checks) as client:
        answer = client.get(path)
        others = {client.get(p).status_code for p in ("/startupz", "/livez", "/readyz")}

    assert answer.status_code == 503
    assert answer.text == "no schema\n"
    assert others == {200, 503}


def test_what_does_not_count_is_told_all_the_same() -> None:
    """A remark is no 503: whoever looks sees it, whoever sends traffic goes on."""
    absent: list[str | None] = [None]
    checks = Checks(readiness=[lambda: absent[0]], remarks=[lambda: "no broker", lambda: None])

    with serving(checks) as client:
        ready = client.get("/readyz")
        absent[0] = "no database"
        unready = client.get("/readyz")

    assert (ready.status_code, ready.text) == (200, "ok\nbesides: no broker\n")
    assert (unready.status_code, unready.text) == (503, "no database\nbesides: no broker\n")


def test_a_check_that_fails_itself_is_a_problem_told_by_class() -> None:
    """An exception in a check is no 500, and its text is not shown."""

    def check() -> str | None:
        raise ConnectionError("postgresql://user:hunter2@db/patron")

    with serving(Checks(readiness=[check])) as client:
        answer = client.get("/readyz")

    assert (answer.status_code, answer.text) == (503, "check failed: ConnectionError\n")


def test_metrics_are_served_from_the_registry_given() -> None:
    """`/metrics` speaks Prometheus' text format, or OpenMetrics when asked for."""
    registry = CollectorRegistry()
    create_metrics(registry, version="7")

    with serving(Checks(), registry) as client:
        plain = client.get("/metrics")
        modern = client.get("/metrics", headers={"Accept": "application/openmetrics-text"})

    assert 'patron_build_info{version="7"} 1.0' in plain.text
    assert modern.text.endswith("# EOF\n")


def test_unknown_paths_are_not_found_and_a_query_is_ignored() -> None:
    """Only the documented paths answer."""
    with serving(Checks()) as client:
        assert client.get("/").status_code == 404
        assert client.get("/livez?verbose").status_code == 200


def test_a_silent_client_holds_up_nobody() -> None:
    """A prober that connects and says nothing does not keep others waiting."""
    with serving(Checks()) as client:
        port = client.base_url.port
        assert port is not None
        with socket.create_connection(("127.0.0.1", port)):
            assert client.get("/livez").status_code == 200


def test_a_cached_check_is_asked_once_in_a_while() -> None:
    """Probes do not multiply pings: the answer is kept for a while, then asked for again."""
    answers = iter(["down", None])
    now = [0.0]
    check = cached(lambda: next(answers), 2.0, clock=lambda: now[0])

    seen = [check(), check()]
    now[0] = 2.0
    seen.append(check())

    assert seen == ["down", "down", None]
