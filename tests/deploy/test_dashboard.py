"""The dashboard: every panel says what it shows, and shows it when there is something to show."""

import json
import re
import runpy
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final
from xml.etree import ElementTree

import httpx2
import pytest
import yaml

from shared.messaging.provision import provision
from shared.messaging.topology import topology_for
from shared.observability.catalogue import ENTRIES
from shared.observability.catalogue.entries import Entry
from tests.deploy.test_alerts import ALERTS
from tests.deploy.watched import CONFIGURATION, Watched, rules, watched
from tests.docs.pages import DOCS, ROOT, anchors
from tests.services import Databases, ServiceUnavailable
from tests.services.debian import prometheus_programs
from tests.services.ports import free_ports

GRAFANA: Final = ROOT / "deploy" / "grafana"
FILE: Final = GRAFANA / "dashboards" / "patron.json"
DASHBOARD: Final = json.loads(FILE.read_text("utf-8"))
PANELS: Final = [panel for panel in DASHBOARD["panels"] if panel["type"] != "row"]
QUERIES: Final = [
    (panel["title"], target["expr"]) for panel in PANELS for target in panel["targets"]
]
UNITS: Final = {"none", "short", "s", "cps", "reqps", "bytes"}
ELSEWHERE: Final = {"Quota left"}
"""About platforms that the scene has not; see tests/integration/runtime/test_foundation.py."""

CHOSEN: Final = {"channel": "shop", "worker": ".+", "__rate_interval": "20s"}


def test_the_file_is_what_the_panels_make() -> None:
    """Nobody edited the JSON: it is panels.toml, laid out."""
    made = runpy.run_path(str(GRAFANA / "dashboard.py"))["text"]()

    assert FILE.read_text("utf-8") == made


@pytest.mark.parametrize("panel", PANELS, ids=lambda panel: panel["title"])
def test_a_panel_says_what_it_shows(panel: dict[str, Any]) -> None:
    """A title, a description, a unit that Grafana knows, and pages about alerts that there are."""
    said = panel["description"]
    named = re.findall(r"(\w+) \(docs/alerts\.md#(\w+)\)", said)

    assert panel["title"]
    assert said.partition("\n")[0].endswith(".")
    assert panel["fieldConfig"]["defaults"]["unit"] in UNITS
    assert {name for name, _ in named} <= ALERTS.keys()
    assert {anchor for _, anchor in named} <= anchors(DOCS / "alerts.md")


def test_panels_stand_side_by_side() -> None:
    """None covers another, and none is wider than the page."""
    covered = [
        (x, y)
        for panel in DASHBOARD["panels"]
        for x in range(panel["gridPos"]["x"], panel["gridPos"]["x"] + panel["gridPos"]["w"])
        for y in range(panel["gridPos"]["y"], panel["gridPos"]["y"] + panel["gridPos"]["h"])
    ]

    assert len(covered) == len(set(covered))
    assert max(x for x, _ in covered) < 24


def test_every_alert_has_its_panel() -> None:
    """Whoever is woken finds the curve: each alert is named by a panel."""
    text = " ".join(panel["description"] for panel in PANELS)

    assert set(re.findall(r"\bPatron[A-Z]\w+", text)) == set(ALERTS)


def test_grafana_finds_the_dashboard_and_prometheus() -> None:
    """The files that compose mounts agree with compose about paths and names."""
    services = yaml.safe_load((ROOT / "compose.yaml").read_text("utf-8"))["services"]
    provisioning = GRAFANA / "provisioning"
    (source,) = _read(provisioning / "datasources" / "prometheus.yml")["datasources"]
    (provider,) = _read(provisioning / "dashboards" / "patron.yml")["providers"]
    mounts = dict(mount.split(":")[:2] for mount in services["grafana"]["volumes"])

    assert mounts["./deploy/grafana/provisioning"] == "/etc/grafana/provisioning"
    assert mounts["./deploy/grafana/dashboards"] == provider["options"]["path"]
    assert source["url"] == "http://prometheus:9090"
    assert "./deploy/prometheus:/etc/prometheus:ro" in services["prometheus"]["volumes"]
    assert all(
        services[name]["profiles"] == ["observability"] for name in ("grafana", "prometheus")
    )


def test_prometheus_asks_whom_compose_starts() -> None:
    """Each worker at its health port, and RabbitMQ's exporter, whose plugin is switched on."""
    services = yaml.safe_load((ROOT / "compose.yaml").read_text("utf-8"))["services"]
    jobs = {job["job_name"]: job for job in _read(CONFIGURATION)["scrape_configs"]}
    asked = {
        (name, str(found["port"]))
        for found in jobs["patron"]["dns_sd_configs"]
        for name in found["names"]
    }
    brokers = [
        target
        for job in ("rabbitmq", "rabbitmq-alarms")
        for found in jobs[job]["static_configs"]
        for target in found["targets"]
    ]

    workers = ("importer", "processor", "exporter", "keeper")
    assert asked == {(name, port) for name in workers for port in services[name]["expose"]}
    assert set(brokers) == {f"rabbitmq:{port}" for port in services["rabbitmq"]["expose"]}
    plugins = (ROOT / "deploy" / "compose" / "enabled_plugins").read_text("utf-8")
    assert plugins == "[rabbitmq_management,rabbitmq_prometheus].\n"


def test_prometheus_accepts_the_configuration() -> None:
    """Its own tool reads it, rules included."""
    try:
        promtool = prometheus_programs() / "promtool"
    except ServiceUnavailable as error:
        pytest.skip(str(error))

    done = subprocess.run(
        [promtool, "check", "config", CONFIGURATION], capture_output=True, text=True, check=False
    )

    assert done.returncode == 0, done.stdout + done.stderr


@pytest.fixture(scope="module")
def eventful(
    tmp_path_factory: pytest.TempPathFactory, databases: Databases, postgres_template: str
) -> Iterator[Watched]:
    """Give a watched deployment in which everything has happened that a panel is about."""
    folder = tmp_path_factory.mktemp("dashboard")
    with watched(folder, databases, postgres_template, rules(), poll_seconds=1) as scene:
        scene.deployment.environment |= {
            "PATRON_CANARY__INTERVAL_SECONDS": "0.5",
            "PATRON_RECOVERY__PAUSE_SECONDS": "1",
        }
        with_a_misconfigured_channel(scene)
        intake = with_an_intake(scene)
        have_writes_fail(scene)
        scene.deployment.start()
        scene.start_keeper()
        tell_nobody(scene, intake)
        let_somebody_wait(scene)
        break_the_database_line(scene)
        replay(scene)
        yield scene


@pytest.mark.e2e
@pytest.mark.timeout(300)
def test_every_panel_has_data(eventful: Watched) -> None:
    """A real Prometheus has scraped real processes; each query of each panel finds something."""
    empty = [(title, query) for title, query in QUERIES if title not in ELSEWHERE]

    def is_all_there() -> bool:
        empty[:] = [
            (title, query)
            for title, query in empty
            if not has_data(eventful.prometheus.query(filled(query)))
        ]
        return not empty

    try:
        eventful.until(is_all_there, "every panel has data")
    except AssertionError as error:
        raise AssertionError(f"no data: {empty}") from error


@pytest.mark.e2e
@pytest.mark.timeout(300)
@pytest.mark.parametrize("entry", [each for each in ENTRIES if each.labels], ids=lambda e: e.name)
def test_the_page_about_metrics_is_true(eventful: Watched, entry: Entry) -> None:
    """Who shows a metric, and each value of its labels, is what docs/metrics.md says."""
    ports = {port: process for process, port in eventful.ports.items()}
    rows = eventful.prometheus.query(f'{entry.series[-1]}{{job="patron"}}')
    shown_by = {ports[int(row["metric"]["instance"].rpartition(":")[2])] for row in rows}
    unlisted = [
        (label.name, row["metric"].get(label.name, ""))
        for row in rows
        for label in entry.labels
        if label.values and row["metric"].get(label.name, "") not in label.values
    ]

    assert shown_by <= set(entry.workers)
    assert unlisted == []


@pytest.mark.e2e
@pytest.mark.timeout(300)
def test_channels_and_workers_can_be_chosen(eventful: Watched) -> None:
    """The variables of the page find every channel and every process."""

    def found() -> dict[str, set[str]]:
        values = {}
        for variable in DASHBOARD["templating"]["list"]:
            if variable["type"] == "query":
                metric, label = re.findall(r"\w+", variable["query"]["query"])[1:]
                rows = eventful.prometheus.query(f"count by ({label}) ({metric})")
                values[variable["name"]] = {row["metric"][label] for row in rows}
        return values

    everything = {
        "channel": {"shop", "outlet"},
        "worker": {"importer", "processor", "exporter", "keeper"},
    }
    # A process whose answer came too late is missing until it is asked again.
    eventful.until(lambda: found() == everything, "every channel and process is found")


@pytest.mark.e2e
@pytest.mark.timeout(300)
def test_the_picture_shows_every_panel(eventful: Watched) -> None:
    """What is drawn for the documentation is well-formed, and has all headings and panels."""
    drawing = runpy.run_path(str(GRAFANA / "render.py"))

    def texts() -> set[str]:
        now = time.time()
        source = drawing["Source"](eventful.prometheus.url, now - 60, now, CHOSEN)
        picture = ElementTree.fromstring(drawing["picture"](source, [""]))  # noqa: S314 - our own
        found = picture.iter("{http://www.w3.org/2000/svg}text")
        return {element.text for element in found if element.text}

    # What it says of a channel there is room for once the channel has stayed so for a while.
    eventful.until(
        lambda: any(text.startswith(("shop: ", "outlet: ")) for text in texts()),
        "the picture says what the channels are in",
    )
    assert {filled(panel["title"]) for panel in DASHBOARD["panels"]} <= texts()


def with_a_misconfigured_channel(scene: Watched) -> None:
    """Add a second channel, for the same shop, whose credentials are wrong."""
    deployment = scene.deployment
    file = deployment.folder / "patron.toml"
    text = file.read_text("utf-8")
    channel = text[text.index("[channels.shop]") :]
    wrong = re.sub(r'access_token = ".*"', 'access_token = "wrong"', channel)
    dated = text.replace(
        'platform = "magento"', 'platform = "magento"\ncredentials_end = 2099-12-31'
    )
    file.write_text(dated + wrong.replace("channels.shop", "channels.outlet"), "utf-8")
    topology = topology_for(["shop", "outlet"])
    provision(deployment.amqp_url, topology, management_url=scene.node.management_url)


def with_an_intake(scene: Watched) -> str:
    """Switch the intake on; return an address there that nobody is at."""
    (port,) = free_ports(1)
    scene.deployment.environment |= {
        "PATRON_INTAKE__ENABLED": "true",
        "PATRON_INTAKE__PORT": str(port),
    }
    return f"http://127.0.0.1:{port}/v1/webhooks/nobody"


def tell_nobody(scene: Watched, url: str) -> None:
    """Tell a channel that is not there of a change, as soon as there is an intake."""
    with httpx2.Client() as client:

        def is_answered() -> bool:
            try:
                return client.post(url, json={}).is_client_error
            except httpx2.TransportError:
                return False

        scene.until(is_answered, "the intake answers")


def have_writes_fail(scene: Watched) -> None:
    """One write is put off, and two are refused for good."""
    control = scene.shop.control
    control.fail_next("server_error", 1, method="PUT", path="customers/7$")
    refused = '{"message":"\\"Gender\\" is a required value."}'
    control.fail_next("status", 1, method="PUT", path="customers/5$", status=400, body=refused)
    control.fail_next("status", 1, method="PUT", path="customers/6$", status=400, body=refused)


def let_somebody_wait(scene: Watched) -> None:
    """One customer has no address; wait for him, and for those whose writes were refused."""
    names = {"firstname": "Ann", "lastname": "Example", "email": "ann@example.com"}
    scene.shop.control.register(names, store_id=1)
    letters = "SELECT count(*) FROM dead_letters WHERE state = 'open'"
    held = "SELECT count(*) FROM staging_customers WHERE state = 'held'"
    # Number and additional data of a customer mostly fail together, and may fail apart.
    scene.until(lambda: scene.deployment.value(letters) >= 2, "two dead letters")
    scene.until(lambda: scene.deployment.value(held) > 0, "a held customer")


def break_the_database_line(scene: Watched) -> None:
    """End the sessions of all workers, until one is in the middle of something."""

    def is_noticed() -> bool:
        scene.deployment.rows(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
        return scene.value("sum(patron_database_errors_total)") > 0

    scene.until(is_noticed, "a database error")


def replay(scene: Watched) -> None:
    """Have the keeper send one open dead letter again; others stay."""
    letter = scene.deployment.value(
        "SELECT id::text FROM dead_letters WHERE state = 'open' LIMIT 1"
    )
    words = ("dead-letters", "replay", letter, "--because", "the shop takes it again", "--yes")
    done = scene.deployment.run(*words)
    assert done.returncode == 0, done.stdout + done.stderr


def filled(query: str) -> str:
    """Return a query with the page's choices in place."""
    for name, value in CHOSEN.items():
        query = query.replace(f"${name}", value)
    return query


def has_data(rows: list[dict[str, Any]]) -> bool:
    """Whether there is a number among the samples."""
    return any(row["value"][1] != "NaN" for row in rows)


def _read(path: Path) -> dict[str, Any]:
    read: dict[str, Any] = yaml.safe_load(path.read_text("utf-8"))
    return read
