"""What the example overlay of deploy/kubernetes applies: resources, pods, who may reach whom."""

from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any, Final

from tests.deploy.kustomize import Resource, pod_of, resolve
from tests.docs.pages import ROOT

KUBERNETES: Final = ROOT / "deploy" / "kubernetes"
EXAMPLE: Final = KUBERNETES / "overlays" / "example"
SECRETS: Final = Path("/run/secrets")


@cache
def resources() -> tuple[Resource, ...]:
    """Return everything that the example overlay applies."""
    return tuple(resolve(EXAMPLE))


def of_kind(kind: str) -> dict[str, Resource]:
    """Return the resources of a kind by their name, without `patron-`."""
    found = (each for each in resources() if each["kind"] == kind)
    return {each["metadata"]["name"].removeprefix("patron-"): each for each in found}


def with_pods() -> dict[str, Resource]:
    """Return Deployments and Jobs by name."""
    return {**of_kind("Deployment"), **of_kind("Job")}


def container_of(resource: Resource) -> dict[str, Any]:
    """Return the one container of a resource's pods."""
    (container,) = pod_of(resource)["containers"]
    return dict(container)


def labels_of(resource: Resource) -> dict[str, str]:
    """Return the labels of a resource's pods."""
    return dict(resource["spec"]["template"]["metadata"]["labels"])


def environment_of(resource: Resource) -> dict[str, str]:
    """Return the variables that a pod is given; each has a plain value."""
    return {each["name"]: each["value"] for each in container_of(resource).get("env", ())}


def ports_of(resource: Resource) -> dict[str, int]:
    """Return the named ports of a pod."""
    return {each["name"]: each["containerPort"] for each in container_of(resource).get("ports", ())}


def secret_files_of(resource: Resource) -> dict[Path, tuple[str, str]]:
    """Return the single files that are mounted from secrets: path to Secret and key."""
    mounts = {each["name"]: each["mountPath"] for each in container_of(resource)["volumeMounts"]}
    return {
        Path(mounts[volume["name"]], item["path"]): (source["secret"]["name"], item["key"])
        for volume in pod_of(resource)["volumes"]
        for source in volume.get("projected", {}).get("sources", ())
        for item in source["secret"]["items"]
    }


def selects(selector: Mapping[str, Any], labels: Mapping[str, str]) -> bool:
    """Say whether a label selector takes what has these labels."""
    wanted = selector.get("matchLabels", {})
    return all(labels.get(key) == value for key, value in wanted.items()) and all(
        (labels.get(each["key"]) in each["values"]) is (each["operator"] == "In")
        for each in selector.get("matchExpressions", ())
    )


def policies_for(resource: Resource) -> Iterator[Resource]:
    """Yield the network policies that hold for a resource's pods."""
    for policy in of_kind("NetworkPolicy").values():
        if selects(policy["spec"]["podSelector"], labels_of(resource)):
            yield policy


def ways_out(resource: Resource) -> set[tuple[str, int]]:
    """Return where a pod may connect to: what lets it, and the port."""
    return {
        (policy["metadata"]["name"].removeprefix("patron-to-"), port["port"])
        for policy in policies_for(resource)
        for rule in policy["spec"].get("egress", ())
        for port in rule["ports"]
    }


def ways_in(resource: Resource) -> set[tuple[str, str]]:
    """Return who may connect to a pod: the namespace, and the name of the port."""
    return {
        (peer["namespaceSelector"]["matchLabels"]["kubernetes.io/metadata.name"], port["port"])
        for policy in policies_for(resource)
        for rule in policy["spec"].get("ingress", ())
        for peer in rule["from"]
        for port in rule["ports"]
    }
