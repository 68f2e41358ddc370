"""config/kubernetes: each manifest by itself, and what one says of another."""

import re
from typing import Any
from urllib.parse import urlsplit

import kubernetes_validate
import pytest

from gateway import __version__
from gateway.config.load import load
from gateway.config.problem import BadConfiguration
from gateway.config.settings import Address, Settings
from gateway.config.store import StoreKind
from tests.deployed.pod import (
    CONTAINER,
    FOLDER,
    KUSTOMIZATION,
    KUSTOMIZED,
    MOUNTS,
    NAMESPACE,
    POD,
    POD_IP,
    PORTS,
    PROBES,
    RESOURCES,
    ROOT,
    SECRET,
    documents,
    environment,
    the,
)

VERSIONS = ("1.31", kubernetes_validate.latest_version())
"""From the oldest that has all that is used, a preStop that sleeps among it, up to the newest known."""
ALL = [*RESOURCES, *documents(FOLDER / SECRET)]
POLICY = the("NetworkPolicy")["spec"]


def named(resource: dict[str, Any]) -> str:
    """Name a case of a test."""
    return f"{resource['kind']}-{resource['metadata']['name']}"


def loaded() -> Settings:
    """Load the settings as the container does."""
    return load(FOLDER / "gateway.toml", environment(), {}).settings


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("resource", ALL, ids=named)
def test_each_manifest_is_as_the_schema_has_it(resource: dict[str, Any], version: str) -> None:
    """No field is unknown, missing or of another type."""
    assert version.startswith(kubernetes_validate.validate(resource, version, strict=True))


def test_a_field_that_kubernetes_does_not_know_is_found() -> None:
    """What was just asked of the schema can be denied."""
    wrong = the("ServiceAccount") | {"automountServiceAcountToken": False}
    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate(wrong, VERSIONS[0], strict=True)


def test_all_is_applied_but_the_example_of_a_secret() -> None:
    """A manifest that is forgotten, or placeholders that overwrite a Secret, would be found out in production."""
    files = {file.name for file in FOLDER.glob("*.yaml")} - {KUSTOMIZATION}
    assert files - set(KUSTOMIZED["resources"]) == {SECRET}
    assert KUSTOMIZED["namespace"] == the("Namespace")["metadata"]["name"] == NAMESPACE


def test_whatever_selects_pods_selects_those_of_the_deployment() -> None:
    """Services, the disruption budget, the network policy, the spreading, and the Deployment itself."""
    services = [resource["spec"]["selector"] for resource in RESOURCES if resource["kind"] == "Service"]
    selectors = [
        the("Deployment")["spec"]["selector"]["matchLabels"],
        the("PodDisruptionBudget")["spec"]["selector"]["matchLabels"],
        POLICY["podSelector"]["matchLabels"],
        *(spread["labelSelector"]["matchLabels"] for spread in POD["spec"]["topologySpreadConstraints"]),
        *services,
    ]
    assert len(services) == 2
    assert all(selector and selector.items() <= POD["metadata"]["labels"].items() for selector in selectors)


def test_the_autoscaler_scales_the_deployment() -> None:
    """By the CPU that the container requests; the Deployment itself sets no number of pods, or each apply would."""
    deployment, scaler = the("Deployment"), the("HorizontalPodAutoscaler")["spec"]
    assert scaler["scaleTargetRef"] == {
        "apiVersion": deployment["apiVersion"],
        "kind": deployment["kind"],
        "name": deployment["metadata"]["name"],
    }
    assert "replicas" not in deployment["spec"]
    assert 2 <= scaler["minReplicas"] < scaler["maxReplicas"]
    assert {metric["resource"]["name"] for metric in scaler["metrics"]} <= CONTAINER["resources"]["requests"].keys()


def test_ports_are_those_that_the_gateway_listens_on() -> None:
    """By name or by number, from the settings over the container to services, probes, policy and annotation."""
    settings = loaded()
    assert settings.admin.listen is not None
    assert isinstance(settings.listener.listen, Address)
    assert {"http": settings.listener.listen.port, "admin": settings.admin.listen.port} == PORTS
    services = {name: the("Service", name)["spec"]["ports"] for name in ("close-gateway", "close-gateway-admin")}
    assert {name: [port["targetPort"] for port in ports] for name, ports in services.items()} == {
        "close-gateway": ["http"],
        "close-gateway-admin": ["admin"],
    }
    assert {probe["port"] for probe in PROBES.values()} == {"admin"}
    assert [port["port"] for rule in POLICY["ingress"] for port in rule["ports"]] == ["http", "admin"]
    assert POD["metadata"]["annotations"]["prometheus.io/port"] == str(PORTS["admin"])


def test_the_settings_load_as_the_container_would_load_them() -> None:
    """Its file and its environment, in which each variable that looks like a setting is one."""
    settings, mounted = loaded(), next(volume for volume in POD["spec"]["volumes"] if volume["name"] == "config")
    generated = {made["name"]: made["files"] for made in KUSTOMIZED["configMapGenerator"]}
    assert generated == {mounted["configMap"]["name"]: ["gateway.toml"]}
    assert environment()["CLOSE_GATEWAY_CONFIG"] == f"{MOUNTS['config']}/gateway.toml"
    assert str(settings.rejections.backlog_folder) == MOUNTS["backlog"]
    assert settings.rejections.store is not None
    assert settings.rejections.store.kind is StoreKind.SERVER
    assert settings.identity.fingerprint_key is not None
    assert str(settings.identity.cache) == "redis://:***@127.0.0.1:1/0"


def test_the_admin_listener_answers_to_the_pod_and_to_its_service() -> None:
    """Prometheus comes by the address, people by one of the names that a cluster gives the service."""
    service = f"close-gateway-admin.{NAMESPACE}"
    own = [f"{service}{end}" for end in ("", ".svc", ".svc.cluster.local")]
    assert loaded().admin.hosts == (POD_IP, "close-gateway-admin", *own)


def test_what_the_probes_ask_for_needs_no_token() -> None:
    """They have none; and they ask for a name that the listener knows."""
    assert {probe["path"] for probe in PROBES.values()} <= set(loaded().admin.open)
    assert all(probe["httpHeaders"] == [{"name": "Host", "value": "localhost"}] for probe in PROBES.values())


def test_the_secret_has_the_keys_that_are_asked_for() -> None:
    """The example, the Deployment and the command in the README."""
    references = [variable.get("valueFrom", {}).get("secretKeyRef") for variable in CONTAINER["env"]]
    asked = {reference["key"]: reference["name"] for reference in references if reference}
    (example,) = documents(FOLDER / SECRET)
    assert asked == dict.fromkeys(example["stringData"], example["metadata"]["name"])
    readme = (ROOT / "README.md").read_text("utf-8")
    assert set(re.findall(r"--from-literal=([a-z-]+)=", readme)) == asked.keys()


def test_placeholders_start_no_gateway() -> None:
    """Whoever applies the example is told of each of them."""
    (example,) = documents(FOLDER / SECRET)
    references = {variable["name"] for variable in CONTAINER["env"] if "secretKeyRef" in variable.get("valueFrom", {})}
    with pytest.raises(BadConfiguration) as bad:
        load(FOLDER / "gateway.toml", environment(example["stringData"]), {})
    assert {problem.source for problem in bad.value.problems} == references


def test_a_pod_has_the_time_that_its_requests_have() -> None:
    """What nodes need to learn of it, shutdown.grace, and some seconds to write down what is left."""
    sleep = CONTAINER["lifecycle"]["preStop"]["sleep"]["seconds"]
    grace = loaded().shutdown.grace
    assert grace == Settings().shutdown.grace
    assert POD["spec"]["terminationGracePeriodSeconds"] >= sleep + grace + 5


def test_it_may_do_nothing_that_it_need_not() -> None:
    """The standard "restricted" of Kubernetes, and a file system that cannot be written to."""
    user = re.findall(r"^USER (\d+):(\d+)$", (ROOT / "Dockerfile").read_text("utf-8"), re.MULTILINE)[-1]
    pod = POD["spec"]["securityContext"]
    assert (str(pod["runAsUser"]), str(pod["runAsGroup"])) == user
    assert (pod["runAsNonRoot"], pod["seccompProfile"]) == (True, {"type": "RuntimeDefault"})
    assert CONTAINER["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    assert the("Namespace")["metadata"]["labels"]["pod-security.kubernetes.io/enforce"] == "restricted"
    assert POD["spec"]["serviceAccountName"] == the("ServiceAccount")["metadata"]["name"]
    assert not the("ServiceAccount")["automountServiceAccountToken"]
    assert not POD["spec"]["automountServiceAccountToken"]


def test_the_way_out_is_open_to_what_the_settings_name() -> None:
    """DNS, Close, and the ports in the example of a Secret; to nothing else."""
    (example,) = documents(FOLDER / SECRET)
    urls = [urlsplit(value) for value in example["stringData"].values() if "://" in value]
    usual = {"postgresql": 5432, "redis": 6379, "https": 443}
    needed = {url.port or usual[url.scheme] for url in [*urls, urlsplit(loaded().upstream.url)]}
    assert POLICY["policyTypes"] == ["Ingress", "Egress"]
    assert {port["port"] for rule in POLICY["egress"] for port in rule["ports"]} == {53} | needed


def test_the_image_is_that_of_this_version() -> None:
    """The name that kustomize looks for stands in the Deployment, and the tag is the version."""
    (image,) = KUSTOMIZED["images"]
    assert (image["name"], str(image["newTag"])) == (CONTAINER["image"], __version__)
