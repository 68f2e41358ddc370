"""What asks a deployed gateway, asks it as configured: a gateway runs as its container would, and answers."""

import http.client
import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.deployed import pod, stack
from tests.deployed.pod import CONFIG, documents

PATIENCE = 20.0
"""Seconds that a gateway may take to start, or to stop; on a busy machine Python alone takes some."""
ANNOTATIONS = pod.POD["metadata"]["annotations"]


@contextmanager
def started(variables: Mapping[str, str], folder: Path) -> Iterator[int]:
    """Run a gateway with this environment, on free ports of every address; give that of its admin listener.

    What it writes goes to the folder, as that of the container is not here, and it asks nothing of Close.
    """
    surroundings = {name: value for name, value in os.environ.items() if not name.startswith("CLOSE_GATEWAY_")}
    own = {"CLOSE_GATEWAY_REJECTIONS__BACKLOG_FOLDER": str(folder)}
    flags = ["--listen", "0.0.0.0:0", "--admin", "0.0.0.0:0", "--upstream", "http://127.0.0.1:1"]
    process = subprocess.Popen(  # noqa: S603 - our own command
        [sys.executable, "-m", "gateway", "serve", *flags],
        stdout=subprocess.PIPE,
        env={**surroundings, **variables, **own},
    )
    try:
        assert process.stdout is not None
        events = map(json.loads, process.stdout)
        first = next(event for event in events if event["event"] == "gateway_started")
        yield int(first["admin"].rpartition(":")[2])
    finally:
        process.kill()
        process.communicate(timeout=PATIENCE)


def status(port: int, path: str, host: str) -> int:
    """Ask by this Host."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
    connection.request("GET", path, headers={"Host": host})
    answer = connection.getresponse()
    answer.read()
    connection.close()
    return answer.status


@pytest.fixture(scope="module")
def of_a_pod(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """A gateway as a pod runs it, its admin port. Neither its store nor its cache can be reached."""
    variables = {**pod.environment(), "CLOSE_GATEWAY_CONFIG": str(pod.FOLDER / "gateway.toml")}
    with started(variables, tmp_path_factory.mktemp("pod")) as port:
        yield port


@pytest.fixture(scope="module")
def of_the_stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """A gateway as Compose runs it, its admin port. Neither its store nor its cache can be reached."""
    away = {
        name: value.replace("@postgres/", "@127.0.0.1:1/").replace("//valkey:6379", "//127.0.0.1:1")
        for name, value in stack.environment("gateway-1").items()
    }
    with started(away, tmp_path_factory.mktemp("stack")) as port:
        yield port


@pytest.mark.parametrize("kind", pod.PROBES)
def test_a_probe_of_the_kubelet_is_answered(of_a_pod: int, kind: str) -> None:
    """With 200, though neither the store nor the cache is there."""
    probe = pod.PROBES[kind]
    (header,) = probe["httpHeaders"]
    assert status(of_a_pod, probe["path"], header["value"]) == 200


def test_prometheus_is_answered_in_a_cluster(of_a_pod: int) -> None:
    """It comes by the pod's address and the annotated port, and brings no token."""
    host = f"{pod.POD_IP}:{ANNOTATIONS['prometheus.io/port']}"
    assert status(of_a_pod, ANNOTATIONS["prometheus.io/path"], host) == 200


@pytest.mark.parametrize(
    ("path", "host", "expected"),
    [("/healthz", "10.244.9.9:8081", 421), ("/api/stats", pod.POD_IP, 401), ("/metrics", "gateway-1:8081", 421)],
)
def test_others_are_not(of_a_pod: int, path: str, host: str, expected: int) -> None:
    """A name that is not the pod's is misdirected, and what tells of somebody needs the token."""
    assert status(of_a_pod, path, host) == expected


def test_the_stack_is_answered(of_the_stack: int) -> None:
    """Prometheus by the name that it scrapes, the balancer by the one that it says."""
    (prometheus,) = documents(CONFIG / "prometheus" / "prometheus.yml")
    target = prometheus["scrape_configs"][0]["static_configs"][0]["targets"][0]
    assert status(of_the_stack, "/metrics", target) == 200
    assert status(of_the_stack, "/readyz", "localhost") == 200
