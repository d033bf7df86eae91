"""Reading a kustomization as `kubectl apply -k` does, for machines without kubectl.

Knows what deploy/kubernetes uses of kustomize and refuses the rest, so that nothing is overlooked.
A generated name keeps its name here; kustomize adds a hash of the content to it.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from copy import deepcopy
from pathlib import Path
from typing import Any, Final

import yaml

Resource = dict[str, Any]

_KNOWN: Final = {
    "apiVersion",
    "kind",
    "resources",
    "components",
    "configMapGenerator",
    "labels",
    "images",
    "namespace",
    "patches",
}
# By what Kubernetes tells the items of these lists apart; any other list is replaced as a whole.
_KEYS: Final = {
    "containers": "name",
    "env": "name",
    "ports": "containerPort",
    "volumes": "name",
    "volumeMounts": "mountPath",
}
_CLUSTER_WIDE: Final = {"Namespace"}


def resolve(folder: Path) -> list[Resource]:
    """Return the resources of the kustomization in `folder`."""
    return _resolved(folder, [])


def _resolved(folder: Path, below: list[Resource]) -> list[Resource]:
    given = yaml.safe_load((folder / "kustomization.yaml").read_text("utf-8"))
    assert given.keys() <= _KNOWN, f"not understood: {given.keys() - _KNOWN}"
    resources = [*below, *_read(folder, given.get("resources", ()))]
    for generator in given.get("configMapGenerator", ()):
        _generate(folder, generator, resources)
    for component in given.get("components", ()):
        resources = _resolved((folder / component).resolve(), resources)
    for patch in given.get("patches", ()):
        _patch(folder, patch, resources)
    for labels in given.get("labels", ()):
        _label(labels, resources)
    for resource in resources:
        _name_images(resource, given.get("images", ()))
        if "namespace" in given and resource["kind"] not in _CLUSTER_WIDE:
            resource["metadata"]["namespace"] = given["namespace"]
    return resources


def _read(folder: Path, names: Sequence[str]) -> Iterator[Resource]:
    for name in names:
        path = (folder / name).resolve()
        if path.is_dir():
            yield from resolve(path)
        else:
            yield from yaml.safe_load_all(path.read_text("utf-8"))


def _generate(folder: Path, given: Mapping[str, Any], resources: list[Resource]) -> None:
    """Make a ConfigMap of files, in place of one that is there already if it says so."""
    data = {name: (folder / name).read_text("utf-8") for name in given["files"]}
    if given.get("behavior") == "replace":
        (there,) = (each for each in resources if _is(each, "ConfigMap", given["name"]))
        there["data"] = data
    else:
        metadata = {"name": given["name"]}
        resources.append(
            {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": data}
        )


def _patch(folder: Path, given: Mapping[str, Any], resources: Sequence[Resource]) -> None:
    text = (folder / given["path"]).read_text("utf-8") if "path" in given else given["patch"]
    change = yaml.safe_load(text)
    target = given.get("target") or {"kind": change["kind"], "name": change["metadata"]["name"]}
    hit = [each for each in resources if _is(each, target["kind"], target.get("name", ".*"))]
    assert hit, f"a patch of nothing: {target}"
    for resource in hit:
        if isinstance(change, list):
            _step(resource, change)
        else:
            identity = {key: resource[key] for key in ("apiVersion", "kind")}
            name = resource["metadata"]["name"]
            resource.update(_merged(resource, change))
            resource.update(identity)
            resource["metadata"]["name"] = name


def _step(resource: Resource, steps: Sequence[Mapping[str, str]]) -> None:
    for step in steps:
        assert step["op"] == "remove", f"not understood: {step}"
        *way, last = step["path"].strip("/").split("/")
        place: Any = resource
        for key in way:
            place = place[key]
        del place[last]


def _merged(below: Any, above: Any, key: str = "") -> Any:
    """Lay `above` over `below`, as a strategic merge does."""
    if isinstance(below, dict) and isinstance(above, dict):
        return {
            name: _merged(below[name], above[name], name)
            if name in below and name in above
            else deepcopy(above.get(name, below.get(name)))
            for name in [*below, *(name for name in above if name not in below)]
        }
    if isinstance(below, list) and key in _KEYS:
        by = _KEYS[key]
        merged = {item[by]: item for item in below}
        for item in above:
            merged[item[by]] = _merged(merged[item[by]], item) if item[by] in merged else item
        return deepcopy([*merged.values()])
    return deepcopy(above)


def _label(given: Mapping[str, Any], resources: Sequence[Resource]) -> None:
    assert not given["includeSelectors"], "selectors are never to be changed"
    for resource in resources:
        _add_labels(resource, given["pairs"])
        if given.get("includeTemplates") and "template" in resource.get("spec", {}):
            _add_labels(resource["spec"]["template"], given["pairs"])


def _add_labels(resource: Resource, labels: Mapping[str, str]) -> None:
    metadata = resource.setdefault("metadata", {})
    metadata["labels"] = {**metadata.get("labels", {}), **labels}


def _name_images(resource: Resource, images: Sequence[Mapping[str, str]]) -> None:
    for container in pod_of(resource).get("containers", ()):
        for image in images:
            name, _, tag = container["image"].partition(":")
            if name == image["name"]:
                new = image.get("newName", name)
                container["image"] = f"{new}:{image.get('newTag', tag)}"


def pod_of(resource: Resource) -> dict[str, Any]:
    """Return the specification of a resource's pods; empty if it has none."""
    template = resource.get("spec", {}).get("template", {})
    spec: dict[str, Any] = template.get("spec", {}) if isinstance(template, dict) else {}
    return spec


def _is(resource: Resource, kind: str, name: str) -> bool:
    """Say whether a resource is of this kind and its name fits the pattern, as kustomize has it."""
    found = resource["metadata"]["name"]
    return resource["kind"] == kind and re.fullmatch(name, found) is not None
