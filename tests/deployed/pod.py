"""What config/kubernetes describes: its manifests, and the environment that a container of its pods gets."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import yaml

ROOT: Final = Path(__file__).parents[2]
CONFIG: Final = ROOT / "config"
FOLDER: Final = CONFIG / "kubernetes"
KUSTOMIZATION: Final = "kustomization.yaml"
SECRET: Final = "secret.example.yaml"
POD_IP: Final = "10.244.1.7"
NAMESPACE: Final = "close-gateway"
SECRETS: Final = {
    "admin-token": "token-of-a-test-0001",
    "fingerprint-key": "fingerprints-of-a-test",
    "postgresql-url": "postgresql://close_gateway:word@127.0.0.1:1/close_gateway",
    "redis-url": "redis://:word@127.0.0.1:1/0",
}
"""What stands in the Secret. Nothing answers at port 1: a gateway starts, and serves, all the same."""


def documents(file: Path) -> list[dict[str, Any]]:
    """Read all documents of a YAML file."""
    return [document for document in yaml.safe_load_all(file.read_text("utf-8")) if document]


KUSTOMIZED: Final = documents(FOLDER / KUSTOMIZATION)[0]
RESOURCES: Final = [resource for name in KUSTOMIZED["resources"] for resource in documents(FOLDER / name)]
"""What is applied."""


def the(kind: str, name: str = "close-gateway") -> dict[str, Any]:
    """Give the one resource of this kind and name."""
    (resource,) = (found for found in RESOURCES if (found["kind"], found["metadata"]["name"]) == (kind, name))
    return resource


POD: Final[dict[str, Any]] = the("Deployment")["spec"]["template"]
CONTAINER: Final[dict[str, Any]] = POD["spec"]["containers"][0]
PORTS: Final = {port["name"]: port["containerPort"] for port in CONTAINER["ports"]}
MOUNTS: Final = {mount["name"]: mount["mountPath"] for mount in CONTAINER["volumeMounts"]}
PROBES: Final = {kind: CONTAINER[f"{kind}Probe"]["httpGet"] for kind in ("startup", "liveness", "readiness")}


def environment(secrets: Mapping[str, str] = SECRETS) -> dict[str, str]:
    """Give the environment that the kubelet makes: $(NAME) is what came before under that name."""
    fields = {"status.podIP": POD_IP, "metadata.namespace": NAMESPACE}
    made: dict[str, str] = {}
    for variable in CONTAINER["env"]:
        match variable.get("valueFrom"):
            case None:
                value = re.sub(r"\$\(([A-Z_]+)\)", lambda found: made[found[1]], variable["value"])
            case {"fieldRef": {"fieldPath": path}}:
                value = fields[path]
            case {"secretKeyRef": {"key": key}}:
                value = secrets[key]
            case other:
                raise AssertionError(f"{other} is no source of a value")
        made[variable["name"]] = value
    return made
