"""What the manifests say together: rendered by kustomize, and every mistake that a schema cannot see.

`mistakes(documents, …)` looks at one overlay as a cluster would get it: references that lead nowhere, selectors that
select nothing, ports nobody opens, settings nobody reads, pods that may do more than they need.
"""

from __future__ import annotations

import ast
import re
import shutil
import subprocess
from collections.abc import Iterable, Iterator
from typing import Any

import yaml

from backbone.settings import SCHEMAS
from infra.local.processes import PLATFORM
from tests.architecture.rooms import ROOT

K8S = ROOT / "infra" / "k8s"
OVERLAYS = ("dev", "production")
SERVER_NAMES = {"postgres", "rabbitmq"}
"""Where an overlay has no such pods, its servers are elsewhere: selecting them selects nothing."""
READ_BY_FRAMEWORKS = {"PINGAN_ADMIN_DATABASE_URL"}  # infra/postgis/roles.py, which is no room of the house

Document = dict[str, Any]


def kubectl() -> str | None:
    return shutil.which("kubectl")


def render(path: str) -> list[Document]:
    """The documents of a kustomization below infra/k8s; raises CalledProcessError with kustomize's own words."""
    done = subprocess.run(
        [kubectl() or "kubectl", "kustomize", str(K8S / path)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return [document for document in yaml.safe_load_all(done.stdout) if document]


def named(documents: Iterable[Document], kind: str) -> dict[str, Document]:
    return {each["metadata"]["name"]: each for each in documents if each["kind"] == kind}


def pods(documents: Iterable[Document]) -> Iterator[tuple[str, Document, Document]]:
    """(kind/name, labels, pod spec) of every pod template."""
    for each in documents:
        if each["kind"] in ("Deployment", "StatefulSet", "Job"):
            template = each["spec"]["template"]
            yield f"{each['kind']}/{each['metadata']['name']}", template["metadata"]["labels"], template["spec"]


def modules_of(documents: Iterable[Document]) -> dict[str, list[str]]:
    """Deployment -> the arguments of its process."""
    return {
        name: each["spec"]["template"]["spec"]["containers"][0]["args"]
        for name, each in named(documents, "Deployment").items()
    }


def mistakes(documents: list[Document], outside_secrets: dict[str, set[str]] | None = None) -> list[str]:
    """Every mistake, as a sentence. `outside_secrets`: name -> keys of Secrets that somebody else makes."""
    found = [mistake for check in _CHECKS for mistake in check(documents)]
    for check_with in (_references, _settings):
        found += check_with(documents, outside_secrets or {})
    return found


def _processes(documents: list[Document]) -> Iterator[str]:
    """The supervisor's list and the Deployments are one: relay-1 and relay-2 are two replicas of one."""
    wanted = {tuple(process.module.split()) for process in PLATFORM}
    given = {tuple(arguments[1:]) for arguments in modules_of(documents).values()}
    yield from (f"no Deployment runs {' '.join(module)}" for module in sorted(wanted - given))
    yield from (f"a Deployment runs {' '.join(module)}, which the supervisor does not" for module in given - wanted)


def _matches(selector: Document, labels: Document) -> bool:
    return all(labels.get(name) == value for name, value in (selector.get("matchLabels") or {}).items())


def _selectors(documents: list[Document]) -> Iterator[str]:
    everyone = [labels for _, labels, _ in pods(documents)]

    def selects(selector: Document) -> bool:
        wanted = (selector.get("matchLabels") or {}).get("app.kubernetes.io/name")
        return any(_matches(selector, labels) for labels in everyone) or wanted in SERVER_NAMES

    for each in documents:
        name = f"{each['kind']}/{each['metadata']['name']}"
        match each["kind"]:
            case "Deployment" | "StatefulSet":
                if not _matches(each["spec"]["selector"], each["spec"]["template"]["metadata"]["labels"]):
                    yield f"{name} does not select its own pods"
            case "Service":
                if not selects({"matchLabels": each["spec"]["selector"]}):
                    yield f"{name} selects no pod"
            case "PodDisruptionBudget":
                if not selects(each["spec"]["selector"]):
                    yield f"{name} selects no pod"
            case "NetworkPolicy":
                for selector in _policy_selectors(each):
                    if not selects(selector):
                        yield f"{name} selects no pod: {selector}"


def _policy_selectors(policy: Document) -> Iterator[Document]:
    yield policy["spec"]["podSelector"]
    for rule in policy["spec"].get("ingress", []) + policy["spec"].get("egress", []):
        for peer in rule.get("from", []) + rule.get("to", []):
            if "podSelector" in peer and "namespaceSelector" not in peer:
                yield peer["podSelector"]


def _port_names(spec: Document) -> set[str]:
    return {port["name"] for container in spec["containers"] for port in container.get("ports", [])}


def _ports(documents: list[Document]) -> Iterator[str]:
    """A port that is called by name is one that every pod behind the selector opens."""

    def missing(selector: Document, port: object) -> list[str]:
        chosen = [(pod, spec) for pod, labels, spec in pods(documents) if _matches(selector, labels)]
        kept = [(pod, spec) for pod, spec in chosen if not pod.startswith("Job/")]
        return [pod for pod, spec in kept if isinstance(port, str) and port not in _port_names(spec)]

    for name, each in named(documents, "Service").items():
        for port in each["spec"]["ports"]:
            for pod in missing({"matchLabels": each["spec"]["selector"]}, port["targetPort"]):
                yield f"Service/{name} leads to the port {port['targetPort']}, which {pod} does not open"
    for name, each in named(documents, "NetworkPolicy").items():
        if name != "metrics":  # every process of ours, and none of the servers
            for rule in each["spec"].get("ingress", []):
                for port in rule.get("ports", []):
                    for pod in missing(each["spec"]["podSelector"], port["port"]):
                        yield f"NetworkPolicy/{name} opens the port {port['port']}, which {pod} does not have"
    for pod, _, spec in pods(documents):
        for container in spec["containers"]:
            for kind in ("startupProbe", "livenessProbe", "readinessProbe"):
                asked = container.get(kind, {}).get("httpGet", {}).get("port")
                if asked is not None and asked not in _port_names(spec):
                    yield f"{pod} is probed at the port {asked}, which it does not open"
    services = named(documents, "Service")
    for name, each in named(documents, "Ingress").items():
        for rule in each["spec"]["rules"]:
            for path in rule["http"]["paths"]:
                backend = path["backend"]["service"]
                known = services.get(backend["name"], {"spec": {"ports": []}})["spec"]["ports"]
                if backend["port"].get("name") not in {port["name"] for port in known}:
                    yield f"Ingress/{name} leads to {backend['name']}:{backend['port']}, which is not there"


def _privileges(documents: list[Document]) -> Iterator[str]:
    for pod, _, spec in pods(documents):
        own = spec.get("securityContext", {})
        if own.get("runAsNonRoot") is not True:
            yield f"{pod} may run as root"
        if own.get("seccompProfile", {}).get("type") != "RuntimeDefault":
            yield f"{pod} has no seccomp profile"
        if spec.get("automountServiceAccountToken") is not False:
            yield f"{pod} holds a token of the cluster"
        for container in spec["containers"] + spec.get("initContainers", []):
            context, resources = container.get("securityContext", {}), container.get("resources", {})
            asks, most = resources.get("requests", {}), resources.get("limits", {})
            if context.get("readOnlyRootFilesystem") is not True:
                yield f"{pod} may write to its root"
            if context.get("allowPrivilegeEscalation") is not False or context.get("capabilities") != {"drop": ["ALL"]}:
                yield f"{pod} keeps capabilities"
            if not {"cpu", "memory"} <= set(asks) or "memory" not in most:
                yield f"{pod} does not say what it needs"


def _probes(documents: list[Document]) -> Iterator[str]:
    for name, each in named(documents, "Deployment").items():
        container = each["spec"]["template"]["spec"]["containers"][0]
        asked = {kind: container.get(kind, {}).get("httpGet", {}).get("path") for kind in _PROBES}
        if asked != _PROBES:
            yield f"Deployment/{name} is probed at {asked}"


_PROBES = {"startupProbe": "/live", "livenessProbe": "/live", "readinessProbe": "/ready"}


def _references(documents: list[Document], outside: dict[str, set[str]]) -> Iterator[str]:
    secrets = set(named(documents, "Secret")) | set(outside)
    there = {
        "configMapRef": set(named(documents, "ConfigMap")),
        "secretRef": secrets,
        "secretKeyRef": secrets,
        "configMap": set(named(documents, "ConfigMap")),
    }
    claims, accounts = set(named(documents, "PersistentVolumeClaim")), set(named(documents, "ServiceAccount"))
    for pod, _, spec in pods(documents):
        if spec.get("serviceAccountName", "default") not in accounts | {"default"}:
            yield f"{pod} runs as {spec['serviceAccountName']}, an account that is not there"
        volumes = {volume["name"]: volume for volume in spec.get("volumes", [])}
        for volume in volumes.values():
            if "persistentVolumeClaim" in volume and volume["persistentVolumeClaim"]["claimName"] not in claims:
                yield f"{pod} mounts the claim {volume['persistentVolumeClaim']['claimName']}, which is not there"
            if "configMap" in volume and volume["configMap"]["name"] not in there["configMap"]:
                yield f"{pod} mounts the configMap {volume['configMap']['name']}, which is not there"
        templates = {"data"} if pod.startswith("StatefulSet/") else set()
        for container in spec["containers"]:
            for mount in container.get("volumeMounts", []):
                if mount["name"] not in set(volumes) | templates:
                    yield f"{pod} mounts the volume {mount['name']}, which is not there"
            for kind, reference in _taken(container):
                if reference["name"] not in there[kind]:
                    yield f"{pod} takes the {kind} {reference['name']}, which is not there"


def _taken(container: Document) -> Iterator[tuple[str, Document]]:
    for source in container.get("envFrom", []):
        yield from source.items()
    for variable in container.get("env", []):
        for kind, reference in variable.get("valueFrom", {}).items():
            if kind != "fieldRef":
                yield kind, reference


def settings_of(documents: list[Document], pod_name: str, outside: dict[str, set[str]]) -> set[str]:
    """The names of all variables that a pod's process is given."""
    maps = {name: set(each.get("data", {})) for name, each in named(documents, "ConfigMap").items()}
    maps |= {name: set(each.get("data", {})) for name, each in named(documents, "Secret").items()} | outside
    container = next(spec for pod, _, spec in pods(documents) if pod == pod_name)["containers"][0]
    names = {variable["name"] for variable in container.get("env", [])}
    for source in container.get("envFrom", []):
        names |= maps.get(next(iter(source.values()))["name"], set())
    return names


def _settings(documents: list[Document], outside: dict[str, set[str]]) -> Iterator[str]:
    known = settings_in_code()
    for pod, _, spec in pods(documents):
        if not spec["containers"][0]["image"].startswith("pingan-grid-"):
            continue
        for name in sorted(settings_of(documents, pod, outside)):
            if name.startswith("PINGAN_") and name not in known:
                yield f"{pod} is given {name}, which nothing reads"


_CHECKS = (_processes, _selectors, _ports, _privileges, _probes)


def settings_in_code() -> set[str]:
    """Every PINGAN_ variable that the rooms read: fields of settings classes, and names asked for as such."""
    names = set(READ_BY_FRAMEWORKS)
    for room in ("backbone", "services", "gateway", "cli", "infra/postgis"):
        for file in (ROOT / room).rglob("*.py"):
            text = file.read_text()
            names |= set(re.findall(r'"(PINGAN_[A-Z_]+[A-Z])"', text))
            if "env_prefix" in text:
                names |= set(_fields(ast.parse(text)))
    for schema in SCHEMAS:
        names |= {f"PINGAN_{schema.upper()}_{kind}DATABASE_URL" for kind in ("", "OWNER_", "READ_")}
    return names


def _fields(tree: ast.Module) -> Iterator[str]:
    for settings in (node for node in tree.body if isinstance(node, ast.ClassDef)):
        prefix = re.search(r"env_prefix='(\w+)'", ast.unparse(settings))
        if prefix:
            for node in settings.body:
                if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
                    yield f"{prefix.group(1)}{node.target.id}".upper()
