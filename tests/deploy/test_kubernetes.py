"""The Kubernetes resources: valid, alike, without rights, and in step with the code."""

import re
import shutil
import subprocess
import tomllib
from http.client import HTTPConnection
from importlib import import_module
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

import kubernetes_validate
import pytest
import yaml
from prometheus_client import CollectorRegistry

from services.console.cli.app import COMMANDS
from services.console.cli.workers import WorkerName
from shared.config.settings import Settings
from shared.messaging.rights import USERS
from shared.observability.health import Checks, HealthServer
from shared.runtime.installation import load_installation
from tests.deploy.cluster import (
    EXAMPLE,
    KUBERNETES,
    SECRETS,
    container_of,
    environment_of,
    labels_of,
    of_kind,
    policies_for,
    ports_of,
    resources,
    secret_files_of,
    selects,
    ways_in,
    ways_out,
    with_pods,
)
from tests.deploy.kustomize import Resource, pod_of, resolve
from tests.docs.pages import ROOT

VERSIONS: Final = ("1.30", kubernetes_validate.latest_version())
WORKERS: Final = tuple(worker.value for worker in WorkerName)
PODS: Final = tuple(with_pods())
OPERATORS: Final = {"ServiceMonitor", "PrometheusRule", "ScaledObject", "TriggerAuthentication"}
BASICS: Final = {("dns", 53)}
DATABASE: Final = {("database", 5432)}
BROKER: Final = {("broker", 5671), ("broker", 5672)}


def _name(resource: Resource) -> str:
    return f"{resource['kind']}-{resource['metadata']['name']}"


@pytest.fixture(scope="module")
def installation_files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give a folder in place of /run/secrets with every file that a pod may be given."""
    folder = tmp_path_factory.mktemp("secrets")
    named = {path for pod in with_pods().values() for path in secret_files_of(pod)}
    named |= {Path(path) for path in _channel_files()}
    for path in named:
        file = folder / path.relative_to(SECRETS)
        file.parent.mkdir(exist_ok=True)
        file.write_text(_made_up(path.name), encoding="utf-8")
    return folder


def _made_up(name: str) -> str:
    urls = {
        "database_url": "postgresql://user:password@database/patron",
        "broker_url": "amqp://user:password@broker",
        "management_url": "https://user:password@broker",
    }
    return urls.get(name, "k" * 64)


def _channel_files() -> list[str]:
    """Return the paths of secrets in the example's configuration."""
    return re.findall(r'_file = "([^"]+)"', (EXAMPLE / "patron.toml").read_text("utf-8"))


def test_they_are_read_as_kubectl_does() -> None:
    """What these tests look at is what `kubectl apply -k` applies."""
    if not (kubectl := shutil.which("kubectl")):
        pytest.skip("there is no kubectl here")

    done = subprocess.run(
        [kubectl, "kustomize", EXAMPLE], capture_output=True, text=True, check=False
    )

    assert done.returncode == 0, done.stderr
    unhashed = re.sub(r"patron-config-[a-z0-9]{10}", "patron-config", done.stdout)
    assert _in_order(list(yaml.safe_load_all(unhashed))) == _in_order(list(resources()))


def _in_order(value: Any) -> Any:
    """Return a value with every list sorted: the order of variables and volumes says nothing."""
    if isinstance(value, dict):
        return {key: _in_order(value[key]) for key in sorted(value)}
    return sorted(map(_in_order, value), key=str) if isinstance(value, list) else value


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize(
    "resource", [each for each in resources() if each["kind"] not in OPERATORS], ids=_name
)
def test_kubernetes_takes_them(resource: Resource, version: str) -> None:
    """Each resource is one that this version of Kubernetes has, with no field that it has not."""
    kubernetes_validate.validate(resource, version, strict=True)


def test_the_base_can_be_applied_without_any_operator() -> None:
    """What Prometheus's operator and KEDA read are components, to be left away."""
    kinds = {resource["kind"] for resource in resolve(KUBERNETES / "base")}

    assert not kinds & OPERATORS
    assert {resource["kind"] for resource in resources()} >= OPERATORS


def test_traces_go_where_the_policy_lets_them(tmp_path: Path) -> None:
    """With the component for tracing the workers on a customer's way know and reach a collector."""
    given = {
        "resources": [str(KUBERNETES / "base")],
        "components": [str(KUBERNETES / "components" / "tracing")],
    }
    (tmp_path / "kustomization.yaml").write_text(yaml.safe_dump(given), encoding="utf-8")
    made = resolve(tmp_path)

    traced = {
        labels_of(each)["app.kubernetes.io/component"]: environment_of(each).get(
            "PATRON_TRACING__ENDPOINT"
        )
        for each in made
        if each["kind"] == "Deployment"
    }
    collector = traced["importer"]
    assert traced == dict.fromkeys(("importer", "processor", "exporter"), collector) | {
        "keeper": None
    }
    (policy,) = (each for each in made if each["metadata"]["name"] == "patron-to-collector")
    kubernetes_validate.validate(policy, VERSIONS[-1], strict=True)
    (way,) = policy["spec"]["egress"]
    url = urlsplit(collector or "")
    namespace = way["to"][0]["namespaceSelector"]["matchLabels"]["kubernetes.io/metadata.name"]
    assert url.port == way["ports"][0]["port"]
    assert str(url.hostname).partition(".")[2] == namespace
    assert policy["spec"]["podSelector"]["matchExpressions"][0]["values"] == [
        worker for worker, endpoint in traced.items() if endpoint
    ]


def test_every_worker_is_a_deployment_of_the_one_image() -> None:
    """`patron run` for each role there is, under the name that the Dockerfile's image is given."""
    deployments = of_kind("Deployment")

    assert deployments.keys() == set(WORKERS)
    for worker, deployment in deployments.items():
        assert container_of(deployment)["args"] == ["run", worker]
    assert {container_of(pod)["image"] for pod in with_pods().values()} == {
        f"images.example/patron:{_version()}"
    }
    assert 'ENTRYPOINT ["patron"]' in (ROOT / "Dockerfile").read_text("utf-8")


def _version() -> str:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    return str(project["version"])


@pytest.mark.parametrize("name", PODS)
def test_pods_have_no_rights(name: str) -> None:
    """Not root but the image's user, nothing to write to, no capability, no token."""
    pod, container = pod_of(with_pods()[name]), container_of(with_pods()[name])

    assert pod["securityContext"] == {
        "runAsNonRoot": True,
        "runAsUser": 10001,
        "runAsGroup": 10001,
        "fsGroup": 10001,
        "seccompProfile": {"type": "RuntimeDefault"},
    }
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    assert (pod["automountServiceAccountToken"], pod["enableServiceLinks"]) == (False, False)
    assert "USER 10001:10001" in (ROOT / "Dockerfile").read_text("utf-8")
    writable = {each["mountPath"] for each in container["volumeMounts"] if not each.get("readOnly")}
    assert writable == {"/tmp"}  # noqa: S108 - the pod's own


@pytest.mark.parametrize("name", PODS)
def test_pods_have_requests_and_a_limit_of_memory(name: str) -> None:
    """The scheduler knows what a pod needs, and a leak ends one pod and not the node."""
    needs = container_of(with_pods()[name])["resources"]

    assert needs["requests"].keys() == {"cpu", "memory"}
    assert _mebibytes(needs["limits"]["memory"]) > _mebibytes(needs["requests"]["memory"])


def _mebibytes(quantity: str) -> int:
    assert quantity.endswith("Mi")
    return int(quantity.removesuffix("Mi"))


@pytest.mark.parametrize("worker", WORKERS)
def test_probes_ask_what_there_is(worker: str) -> None:
    """Each probe's path answers, on the port that the settings give this worker."""
    deployment = of_kind("Deployment")[worker]
    probes = {name: container_of(deployment)[f"{name}Probe"]["httpGet"]["path"]
              for name in ("startup", "liveness", "readiness")}  # fmt: skip
    monitor = of_kind("ServiceMonitor")["patron"]["spec"]["endpoints"][0]["path"]

    assert probes == {"startup": "/startupz", "liveness": "/livez", "readiness": "/readyz"}
    assert [_status_of(path) for path in (*probes.values(), monitor)] == [200] * 4
    assert {
        container_of(deployment)[f"{name}Probe"]["httpGet"]["port"] for name in probes
    } == {"health"}  # fmt: skip
    assert ports_of(deployment)["health"] == getattr(Settings().health, f"{worker}_port")
    assert environment_of(deployment)["PATRON_HEALTH__HOST"] == "0.0.0.0"  # noqa: S104


def _status_of(path: str) -> int:
    server = HealthServer("127.0.0.1", 0, Checks(), CollectorRegistry())
    server.start()
    connection = HTTPConnection("127.0.0.1", server.port, timeout=10)
    try:
        connection.request("GET", path)
        return connection.getresponse().status
    finally:
        connection.close()
        server.close()


@pytest.mark.parametrize("worker", WORKERS)
def test_a_worker_may_finish_what_it_has_in_hand(
    worker: str, installation_files: Path, tmp_path: Path
) -> None:
    """Kubernetes waits for the pause before the signal, the worker's own grace, and a margin."""
    deployment = of_kind("Deployment")[worker]
    pause = container_of(deployment)["lifecycle"]["preStop"]["sleep"]["seconds"]
    graces = [Settings().lifecycle.grace_seconds]
    graces.append(
        _installation(deployment, installation_files, tmp_path).settings.lifecycle.grace_seconds
    )

    assert pod_of(deployment)["terminationGracePeriodSeconds"] >= max(graces) + pause + 10


@pytest.mark.parametrize("worker", WORKERS)
def test_a_new_worker_stands_before_an_old_one_goes(worker: str) -> None:
    """Rolling updates and drained nodes take one pod at a time, and a new version starts first."""
    deployment = of_kind("Deployment")[worker]
    budget = of_kind("PodDisruptionBudget")[worker]["spec"]

    assert deployment["spec"]["strategy"]["rollingUpdate"] == {"maxSurge": 1, "maxUnavailable": 0}
    assert deployment["spec"].get("replicas", 1) >= 1
    assert budget["maxUnavailable"] == 1
    assert [
        name for name, each in with_pods().items() if selects(budget["selector"], labels_of(each))
    ] == [worker]
    assert selects(deployment["spec"]["selector"], labels_of(deployment))


@pytest.mark.parametrize("name", PODS)
def test_variables_are_settings(name: str) -> None:
    """Each variable is a key that the settings know, and none holds a secret."""
    environment = environment_of(with_pods()[name])

    for variable, value in environment.items():
        assert "://" not in value
        if variable != "PATRON_CONFIG":
            section, key = variable.removeprefix("PATRON_").lower().split("__")
            table = type(getattr(Settings(), section))
            is_secret = key.removesuffix("_file") not in {"host", "port"}
            assert key.removesuffix("_file") in table.model_fields
            assert key.endswith("_file") is is_secret


@pytest.mark.parametrize("name", PODS)
def test_secrets_are_files_of_this_pod_alone(name: str) -> None:
    """No Secret is part of it; each pod is given its own keys and no other's."""
    pod = with_pods()[name]
    own = {"migrate": {"migrator"}, "provision": {"provisioner", "management"}}.get(name, {name})
    files = secret_files_of(pod)

    assert not of_kind("Secret")
    assert {key for _, key in files.values()} - {"key"} == own
    assert {Path(value) for variable, value in environment_of(pod).items()
            if variable.endswith("_FILE")} == files.keys()  # fmt: skip
    assert {"PATRON_PRIVACY__KEY_FILE" in environment_of(pod)} == {
        name in {"importer", "processor", "keeper"}
    }


def test_only_those_who_need_the_credentials_of_shops_have_them() -> None:
    """The migration sees no configuration, hence no credentials; the others read all of it."""
    given = {
        name
        for name, pod in with_pods().items()
        if any(each["mountPath"] == "/run/secrets/channels" for each in
               container_of(pod)["volumeMounts"])
    }  # fmt: skip

    assert given == with_pods().keys() - {"migrate"}
    assert all(path.startswith("/run/secrets/channels/") for path in _channel_files())


@pytest.mark.parametrize("name", PODS)
def test_the_configuration_can_be_used(name: str, installation_files: Path, tmp_path: Path) -> None:
    """Each pod's environment and the example's patron.toml make an installation."""
    pod = with_pods()[name]

    settings = _installation(pod, installation_files, tmp_path).settings

    assert (settings.database.url == Settings().database.url) is (name == "provision")
    assert (settings.broker.url == Settings().broker.url) is (name == "migrate")
    assert {each["mountPath"] for each in container_of(pod)["volumeMounts"]} >= (
        {"/etc/patron"} if name != "migrate" else set()
    )


def _installation(pod: Resource, secrets: Path, folder: Path) -> Any:
    """Load what a pod would, with the secrets of a folder."""
    text = of_kind("ConfigMap")["config"]["data"]["patron.toml"]
    file = folder / "patron.toml"
    file.write_text(text.replace(str(SECRETS), str(secrets)), encoding="utf-8")
    environment = {
        name: value.replace(str(SECRETS), str(secrets))
        for name, value in environment_of(pod).items()
    }
    return load_installation(Path(environment.get("PATRON_CONFIG", file)), environment)


def test_jobs_run_commands_that_there_are() -> None:
    """The database is migrated and the broker provisioned by commands of this version."""
    words = {name: container_of(job)["args"] for name, job in of_kind("Job").items()}

    assert words == {"migrate": ["db", "upgrade"], "provision": ["broker", "provision"]}
    for group, command in words.values():
        where = COMMANDS[group]
        app = getattr(import_module(f"services.console.cli.{where.module}"), where.attribute)
        assert command in {each.callback.__name__ for each in app.registered_commands}


def test_everybody_is_shut_in() -> None:
    """Nothing goes in or out of any pod but what a policy names."""
    for pod in with_pods().values():
        denying = [each for each in policies_for(pod) if each["metadata"]["name"] == "patron-deny"]
        assert [each["spec"]["policyTypes"] for each in denying] == [["Ingress", "Egress"]]
        assert not {"ingress", "egress"} & denying[0]["spec"].keys()


def test_nobody_reaches_more_than_it_needs() -> None:
    """Only importer and exporter reach shops, only the provisioning the broker's management."""
    everywhere = {("shops", 443)}
    management = {("broker-management", 15671), ("broker-management", 15672)}

    assert {name: ways_out(pod) for name, pod in with_pods().items()} == {
        "importer": BASICS | DATABASE | BROKER | everywhere,
        "processor": BASICS | DATABASE | BROKER,
        "exporter": BASICS | DATABASE | BROKER | everywhere,
        "keeper": BASICS | DATABASE | BROKER,
        "migrate": BASICS | DATABASE,
        "provision": BASICS | BROKER | management,
    }


def test_only_monitoring_and_the_ingress_come_in() -> None:
    """The health ports are the monitoring's, the intake's port the ingress controller's."""
    health = {("monitoring", "health")}

    assert {name: ways_in(pod) for name, pod in with_pods().items()} == {
        "importer": health | {("ingress-nginx", "intake")},
        "processor": health,
        "exporter": health,
        "keeper": health,
        "migrate": set(),
        "provision": set(),
    }


def test_the_intake_is_where_its_service_leads() -> None:
    """The ingress leads to the Service, and that to the port that the settings give the intake."""
    importer, service = of_kind("Deployment")["importer"], of_kind("Service")["intake"]
    (rule,) = of_kind("Ingress")["intake"]["spec"]["rules"]
    (path,) = rule["http"]["paths"]

    assert selects({"matchLabels": service["spec"]["selector"]}, labels_of(importer))
    assert [port["targetPort"] for port in service["spec"]["ports"]] == ["intake"]
    assert ports_of(importer)["intake"] == Settings().intake.port
    assert environment_of(importer)["PATRON_INTAKE__HOST"] == "0.0.0.0"  # noqa: S104
    assert path["backend"]["service"] == {"name": "patron-intake", "port": {"name": "http"}}
    assert path["path"] == "/v1/"


def test_prometheus_scrapes_every_worker_as_the_alerts_expect() -> None:
    """The job is `patron`, and there is a target for each worker's health port, ready or not."""
    monitor, service = of_kind("ServiceMonitor")["patron"]["spec"], of_kind("Service")["metrics"]
    labels = service["metadata"]["labels"]

    assert labels[monitor["jobLabel"]] == "patron"
    assert selects(monitor["selector"], labels)
    assert not selects(monitor["selector"], of_kind("Service")["intake"]["metadata"]["labels"])
    assert [each["port"] for each in monitor["endpoints"]] == [
        each["name"] for each in service["spec"]["ports"]
    ]
    assert {each["targetPort"] for each in service["spec"]["ports"]} == {"health"}
    assert service["spec"]["publishNotReadyAddresses"] is True
    assert {
        name
        for name, pod in with_pods().items()
        if selects({"matchLabels": service["spec"]["selector"]}, labels_of(pod))
    } == set(WORKERS)


def test_the_alerts_are_the_same_once_more() -> None:
    """The operator's resource holds what Prometheus would load from the file."""
    rules = yaml.safe_load((ROOT / "deploy" / "prometheus" / "patron.rules.yml").read_text("utf-8"))

    assert of_kind("PrometheusRule")["patron"]["spec"] == rules, (
        "run `python deploy/kubernetes/generate_rules.py`"
    )


def test_workers_grow_with_their_queues(installation_files: Path, tmp_path: Path) -> None:
    """KEDA is given each queue of the example's topology that processor and exporter read."""
    exporter = of_kind("Deployment")["exporter"]
    topology = _installation(exporter, installation_files, tmp_path).topology
    queues = {
        name: {trigger["metadata"]["queueName"] for trigger in scaled["spec"]["triggers"]}
        for name, scaled in of_kind("ScaledObject").items()
    }

    assert queues == {
        worker: {
            queue for queue in topology.queues
            if re.fullmatch(rf"patron\.{worker}(\.(?!dead$|canary$).+)?", queue)
        }
        for worker in ("processor", "exporter")
    }  # fmt: skip


@pytest.mark.parametrize("name", of_kind("ScaledObject"))
def test_keda_understands_how_far(name: str) -> None:
    """A queue's length by number, as strings, with a login of its own; one replica at the least."""
    scaled = of_kind("ScaledObject")[name]["spec"]
    login = of_kind("TriggerAuthentication")["broker"]

    assert scaled["scaleTargetRef"] == {"name": f"patron-{name}"}
    assert "replicas" not in of_kind("Deployment")[name]["spec"]
    assert 1 <= scaled["minReplicaCount"] < scaled["maxReplicaCount"] <= 10
    assert scaled["minReplicaCount"] <= scaled["fallback"]["replicas"] <= scaled["maxReplicaCount"]
    for trigger in scaled["triggers"]:
        told = trigger["metadata"]
        assert trigger["type"] == "rabbitmq"
        assert all(isinstance(value, str) for value in told.values())
        assert (told["protocol"], told["mode"]) == ("amqp", "QueueLength")
        assert int(told["value"]) > int(told["activationValue"]) >= 0
        assert trigger["authenticationRef"] == {"name": login["metadata"]["name"]}
    assert login["spec"]["secretTargetRef"] == [
        {"parameter": "host", "name": "patron-broker", "key": "watcher"}
    ]


def test_the_page_names_every_secret() -> None:
    """Who sets it up learns of every Secret, and of every key in it."""
    page = (KUBERNETES / "README.md").read_text("utf-8")
    named = {item for pod in with_pods().values() for item in secret_files_of(pod).values()}

    for secret, key in named | {("patron-channels", "shop_consumer_key")}:
        assert f"`{secret}`" in page
        assert key == "shop_consumer_key" or f"`{key}`" in page, key


def test_every_login_is_one_that_there_is() -> None:
    """The secrets' keys are the users of `patron broker users` and the roles of roles.sql."""
    given = {item for pod in with_pods().values() for item in secret_files_of(pod).values()}
    keys = {name: {key for secret, key in given if secret == name} for name, _ in given}
    roles = (ROOT / "deploy" / "postgresql" / "roles.sql").read_text("utf-8")

    assert keys["patron-broker"] - {"management"} == {user.name for user in USERS} - {
        "publisher",
        "watcher",
    }
    assert all(f"('{role}', '" in roles for role in keys["patron-database"])
