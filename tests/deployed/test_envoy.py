"""config/envoy: taken by the real Envoy, by the schemas of Kubernetes, and one like the other."""

import re
import subprocess
from collections.abc import Mapping
from copy import deepcopy
from pathlib import Path
from typing import Any, Final

import kubernetes_validate
import pytest
import yaml

from gateway.commands.ext_proc import DEFAULTS
from gateway.config.settings import InspectSettings, LookupSettings
from gateway.extproc.server import NAME
from gateway.router import PassThrough, route
from tests.bench.peers.envoy import binary
from tests.certificates import AUTHORITY
from tests.deployed.crds import mistakes
from tests.deployed.pod import CONFIG, RESOURCES, documents
from tests.envoys import CONFIGURED, Configuration, the_filter, the_manager

ENVOY: Final = CONFIG / "envoy"
FILTER: Final = "envoy.filters.http.ext_proc"
PLAIN: Final[Configuration] = yaml.safe_load(CONFIGURED.read_text("utf-8"))
ENVOY_GATEWAY: Final = documents(ENVOY / "envoy-gateway.yaml")
ISTIO: Final = documents(ENVOY / "istio.yaml")
OVERLAY: Final = documents(ENVOY / "kubernetes" / "kustomization.yaml")[0]


def named(resource: Mapping[str, Any]) -> str:
    """Name a case of a test."""
    return f"{resource['kind']}-{resource['metadata']['name']}"


def the(resources: list[dict[str, Any]], kind: str, name: str = "close-gateway") -> Any:
    """Give the spec of the one resource of this kind and name."""
    (found,) = (each for each in resources if (each["kind"], each["metadata"]["name"]) == (kind, name))
    return found["spec"]


def email_writes(configured: Configuration) -> Any:
    """Give the route that enters the filter."""
    (host,) = the_manager(configured)["route_config"]["virtual_hosts"]
    return host["routes"][0]


def validated(configured: Configuration, folder: Path) -> str:
    """Have Envoy look at a configuration; give what it says against it."""
    file = folder / "envoy.yaml"
    file.write_text(yaml.safe_dump(configured), "utf-8")
    asked = [binary(), "--mode", "validate", "-l", "error", "-c", str(file)]
    done = subprocess.run(asked, capture_output=True, text=True, check=False, timeout=60)  # noqa: S603 - ours
    return done.stderr if done.returncode else ""


@pytest.fixture
def plain(tmp_path: Path) -> Configuration:
    """The configuration for plain Envoy, with authorities that any system has."""
    configured = deepcopy(PLAIN)
    authorities = tmp_path / "authorities.pem"
    AUTHORITY.cert_pem.write_to_path(authorities)
    context = configured["static_resources"]["clusters"][0]["transport_socket"]["typed_config"]["common_tls_context"]
    context["validation_context"]["trusted_ca"]["filename"] = str(authorities)
    return configured


def test_envoy_takes_it(plain: Configuration, tmp_path: Path) -> None:
    """As it stands in the file."""
    assert validated(plain, tmp_path) == ""
    the_filter(plain)["mesage_timeout"] = "3s"
    assert "mesage_timeout" in validated(plain, tmp_path)


def test_envoy_takes_what_istio_puts_into_its_configuration(plain: Configuration, tmp_path: Path) -> None:
    """The filter and the route, at the places where Istio patches them; and they say what they say elsewhere."""
    inserted, merged = (patch["patch"]["value"] for patch in the(ISTIO, "EnvoyFilter")["configPatches"])
    assert inserted["name"] in merged["typed_per_filter_config"]
    asked, here = inserted["typed_config"], dict(the_filter(plain))
    assert asked["grpc_service"]["envoy_grpc"]["cluster_name"].endswith("close-gateway.svc.cluster.local")
    assert asked | {"grpc_service": 0} == here | {"grpc_service": 0}
    in_the_file = email_writes(plain)
    assert {name: in_the_file[name] for name in merged} == merged
    plain["static_resources"]["clusters"][1]["name"] = asked["grpc_service"]["envoy_grpc"]["cluster_name"]
    the_manager(plain)["http_filters"][0] = inserted
    assert validated(plain, tmp_path) == ""


@pytest.mark.parametrize("resource", ENVOY_GATEWAY + ISTIO, ids=named)
def test_each_resource_has_fields_that_there_are(resource: dict[str, Any]) -> None:
    """Unknown ones are dropped by Kubernetes, or refused."""
    assert mistakes(resource) == []


def test_a_field_that_there_is_not_is_found() -> None:
    """What was just asked can be denied."""
    resource = deepcopy(ENVOY_GATEWAY[0])
    resource["spec"]["endpoints"][0]["fqdn"] = {"hostnam": "api.close.com", "port": "443"}
    assert mistakes(resource) == [
        "spec.endpoints[0].fqdn.hostnam is unknown",
        "spec.endpoints[0].fqdn.port is no int",
    ]


def test_envoy_gateway_is_set_as_plain_envoy_is() -> None:
    """Failing open, with the same patience, and the same attributes."""
    (asked,) = the(ENVOY_GATEWAY, "EnvoyExtensionPolicy")["extProc"]
    here = the_filter(PLAIN)
    assert asked["failOpen"] == here["failure_mode_allow"]
    assert asked["messageTimeout"] == here["message_timeout"]
    assert asked["processingMode"] == {
        "request": {"attributes": here["request_attributes"]},
        "allowModeOverride": here["allow_mode_override"],
    }
    (target,) = the(ENVOY_GATEWAY, "EnvoyExtensionPolicy")["targetRefs"]
    assert the(ENVOY_GATEWAY, "HTTPRoute", target["name"])["rules"][0]["matches"][0]["method"] == "POST"


WRITES = [
    ("POST", "/api/v1/activity/email/"),
    ("POST", "/api/v1/activity/email?_fields=id"),
    ("PUT", "/api/v1/activity/email/acti_1/"),
    ("PATCH", "//api//v1/%61ctivity/%65mail/acti_1"),
    ("POST", "/api/v1/lead/%2e%2e/activity/email/"),
]
OTHERS = [
    ("GET", "/api/v1/activity/email/"),
    ("DELETE", "/api/v1/activity/email/acti_1/"),
    ("POST", "/api/v1/lead/"),
    ("POST", "/api/v1/lead/?email=a%20b"),
]


def entering() -> list[tuple[str, re.Pattern[str], re.Pattern[str], bool]]:
    """Give what leads into the filter, of each kind of configuration: methods, paths, and whether with the query."""
    by_method, by_path = email_writes(PLAIN)["match"]["headers"]
    routes = the(ENVOY_GATEWAY, "HTTPRoute", "close-email-writes")["rules"][0]["matches"]
    (mesh,) = the(ISTIO, "VirtualService", "close")["http"][0]["match"]
    regex = [by_method["string_match"]["safe_regex"]["regex"], by_path["string_match"]["safe_regex"]["regex"]]
    (path,) = {each["path"]["value"] for each in routes}
    return [
        ("plain", re.compile(regex[0]), re.compile(regex[1]), True),
        ("envoy-gateway", re.compile("|".join(each["method"] for each in routes)), re.compile(path), False),
        ("istio", re.compile(mesh["method"]["regex"]), re.compile(mesh["uri"]["regex"]), False),
    ]


@pytest.mark.parametrize(("kind", "methods", "paths", "with_query"), entering(), ids=["plain", "gateway", "istio"])
def test_what_may_be_an_email_write_enters_the_filter(
    kind: str, methods: re.Pattern[str], paths: re.Pattern[str], *, with_query: bool
) -> None:
    """Whatever its spelling; most else does not. RE2, and Istio, match the whole of what they look at."""

    def enters(method: str, target: str) -> bool:
        path = target if with_query else target.partition("?")[0]
        return methods.fullmatch(method) is not None and paths.fullmatch(path) is not None

    for method, target in WRITES:
        assert not isinstance(route(method, target), PassThrough)
        assert enters(method, target), (kind, method, target)
    for method, target in OTHERS:
        assert not enters(method, target), (kind, method, target)


def test_the_limits_go_with_the_gateways_own() -> None:
    """Envoy holds a little more than is inspected, and waits longer than a look-up may take."""
    largest, patience = InspectSettings().max_body, LookupSettings().timeout
    assert largest < email_writes(PLAIN)["request_body_buffer_limit"] < largest * 1.1
    limit = the(ENVOY_GATEWAY, "ClientTrafficPolicy", "integrations")["connection"]["bufferLimit"]
    assert largest < int(limit.removesuffix("Ki")) * 1024 < largest * 1.1
    assert float(the_filter(PLAIN)["message_timeout"].removesuffix("s")) > patience


def test_it_leads_to_where_the_command_listens() -> None:
    """By default; and it asks for the health of what there is."""
    cluster = PLAIN["static_resources"]["clusters"][1]
    (endpoint,) = cluster["load_assignment"]["endpoints"][0]["lb_endpoints"]
    address = endpoint["endpoint"]["address"]["socket_address"]
    assert f"{address['address']}:{address['port_value']}" == DEFAULTS["listener.listen"]
    assert cluster["health_checks"][0]["grpc_health_check"]["service_name"] == NAME


def patched() -> list[dict[str, Any]]:
    """Give the manifests of config/kubernetes with the overlay's patches, as Kustomize applies them."""
    resources = deepcopy(RESOURCES)
    for patch in OVERLAY["patches"]:
        target = patch["target"]
        (resource,) = (
            each
            for each in resources
            if each["kind"] == target["kind"] and re.fullmatch(target["name"], each["metadata"]["name"])
        )
        for step in yaml.safe_load(patch["patch"]):
            _apply(resource, **step)
    return resources


def _apply(document: Any, op: str, path: str, value: Any) -> None:
    """Do one step of a JSON patch (RFC 6902): the two that are needed."""
    *way, last = path.split("/")[1:]
    for step in way:
        document = document[int(step) if isinstance(document, list) else step]
    if last == "-":
        document.append(value)
    elif isinstance(document, list):
        document[int(last)] = value
    else:
        assert (op == "replace") == (last in document)
        document[last] = value


@pytest.mark.parametrize("resource", [each for each in patched() if each not in RESOURCES], ids=named)
def test_each_patched_manifest_is_as_the_schema_has_it(resource: dict[str, Any]) -> None:
    """No field is unknown, missing or of another type."""
    assert kubernetes_validate.validate(resource, "1.31", strict=True)


def test_the_pods_listen_where_they_are_asked() -> None:
    """The container, its port, the service, the network policy, Envoy Gateway and Istio are of one mind."""
    resources = patched()
    container = the(resources, "Deployment")["template"]["spec"]["containers"][0]
    listen = {variable["name"]: variable.get("value") for variable in container["env"]}
    assert (container["args"], listen["CLOSE_GATEWAY_LISTENER__LISTEN"]) == (["ext-proc"], "0.0.0.0:8082")
    assert container["ports"][0] == {"name": "grpc", "containerPort": 8082}
    (port,) = the(resources, "Service")["ports"]
    assert (port["port"], port["targetPort"]) == (8082, "grpc")
    assert the(resources, "NetworkPolicy")["ingress"][0]["ports"] == [{"port": "grpc", "protocol": "TCP"}]
    (backend,) = the(ENVOY_GATEWAY, "EnvoyExtensionPolicy")["extProc"][0]["backendRefs"]
    assert (backend["name"], backend["port"]) == ("close-gateway", 8082)
    inserted = the(ISTIO, "EnvoyFilter")["configPatches"][0]["patch"]["value"]["typed_config"]
    assert inserted["grpc_service"]["envoy_grpc"]["cluster_name"].startswith("outbound|8082||close-gateway.")
