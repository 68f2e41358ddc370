"""config/compose.yaml, and the files that it mounts."""

import re
from urllib.parse import urlsplit

import pytest

from gateway.config.load import load
from gateway.config.settings import Address, Settings
from gateway.config.store import StoreKind
from tests.deployed.pod import CONFIG, ROOT, documents
from tests.deployed.stack import COMPOSE, EXAMPLE, GATEWAYS, GIVEN, SERVICES, environment, needed, optional

TEXT = (CONFIG / "compose.yaml").read_text("utf-8")
DOCKERFILE = (ROOT / "Dockerfile").read_text("utf-8")
OF_THE_IMAGE = dict(re.findall(r"(CLOSE_GATEWAY_\w+)=(\S+)", DOCKERFILE))
"""The environment that the image brings along."""


def loaded(name: str) -> Settings:
    """Load the settings of a gateway as its container does."""
    return load(None, OF_THE_IMAGE | environment(name), {}).settings


def test_there_are_two_gateways() -> None:
    """The point of all the rest."""
    assert GATEWAYS == ["gateway-1", "gateway-2"]


@pytest.mark.parametrize("name", GATEWAYS)
def test_the_settings_of_a_gateway_load(name: str) -> None:
    """Each variable that looks like a setting is one, and together they make a gateway of several."""
    settings = loaded(name)
    assert settings.admin.hosts == (name,)
    assert settings.rejections.store is not None
    assert settings.rejections.store.kind is StoreKind.SERVER
    assert settings.rejections.store.reveal() == "postgresql://close_gateway:word@postgres/close_gateway"
    assert settings.identity.fingerprint_key is not None
    assert str(settings.identity.cache) == "redis://valkey:6379/0"


@pytest.mark.parametrize("name", GATEWAYS)
def test_what_a_gateway_writes_it_writes_to_a_volume_of_its_own(name: str) -> None:
    """Its file system may be read alone; one volume for both would have each take over what the other one keeps."""
    service = SERVICES[name]
    assert service["read_only"]
    assert service["volumes"] == [f"{name}:{loaded(name).rejections.backlog_folder}"]


@pytest.mark.parametrize("name", GATEWAYS)
def test_a_gateway_is_given_the_time_to_stop(name: str) -> None:
    """shutdown.grace, and some seconds to write down what is left."""
    assert int(SERVICES[name]["stop_grace_period"].removesuffix("s")) >= loaded(name).shutdown.grace + 5


@pytest.mark.parametrize("name", SERVICES)
def test_what_is_published_is_published_here_alone(name: str) -> None:
    """On loopback: none of it asks who comes from elsewhere, and credentials pass in the clear."""
    assert all(port.startswith("127.0.0.1:") for port in SERVICES[name].get("ports", []))
    assert SERVICES[name].get("network_mode") is None


@pytest.mark.parametrize("name", SERVICES)
def test_an_image_is_pinned(name: str) -> None:
    """To a version with all its parts, unless it is built here: tomorrow the same is started as today."""
    image = SERVICES[name]["image"]
    assert "build" in SERVICES[name] or re.fullmatch(r"[a-z/]+:v?\d+\.\d+(\.\d+)?(-alpine)?", image)


@pytest.mark.parametrize("name", SERVICES)
def test_a_service_says_whether_it_is_well(name: str) -> None:
    """So that others wait for it, `up --wait` tells the truth; and none may gain rights that it was not given."""
    service = SERVICES[name]
    assert service["healthcheck"]["test"][0] == "CMD"
    assert service["restart"] == "unless-stopped"
    assert service["security_opt"] == ["no-new-privileges:true"]
    for other, how in service.get("depends_on", {}).items():
        assert how == {"condition": "service_healthy"}
        assert other in SERVICES


@pytest.mark.parametrize("name", SERVICES)
def test_what_is_mounted_is_there(name: str) -> None:
    """A file of this repository, read alone, or a volume that is declared: Docker makes a folder of what is not."""
    for mount in SERVICES[name].get("volumes", []):
        source, target, *mode = mount.split(":")
        if source.startswith("."):
            assert (CONFIG / source).exists()
            assert mode == ["ro"]
        else:
            assert source in COMPOSE["volumes"]
        assert target.startswith("/")


def test_no_volume_is_left_over() -> None:
    """What is declared is mounted."""
    mounted = {mount.split(":")[0] for service in SERVICES.values() for mount in service.get("volumes", [])}
    assert COMPOSE["volumes"].keys() <= mounted


def test_secrets_come_from_a_file_that_is_not_kept() -> None:
    """The example names each and holds none, Compose starts without none, and git leaves the copy out."""
    lines = [line for line in EXAMPLE.read_text("utf-8").splitlines() if "=" in line]
    assert {line for line in lines if not line.startswith("#")} == {f"{name}=" for name in needed(TEXT)}
    assert {line.removeprefix("# ").partition("=")[0] for line in lines if line.startswith("# ")} == optional(TEXT)
    assert needed(TEXT) == GIVEN.keys()
    assert "config/.env" in (ROOT / ".gitignore").read_text("utf-8").splitlines()
    readme = (ROOT / "README.md").read_text("utf-8")
    assert all(name in readme for name in needed(TEXT))


def test_prometheus_scrapes_each_gateway_by_a_name_that_it_answers_to() -> None:
    """At the port of its admin listener, which leaves /metrics open."""
    (prometheus,) = documents(CONFIG / "prometheus" / "prometheus.yml")
    (scrape,) = prometheus["scrape_configs"]
    (targets,) = scrape["static_configs"]
    settings = {name: loaded(name).admin for name in GATEWAYS}
    assert targets["targets"] == [f"{name}:{admin.listen and admin.listen.port}" for name, admin in settings.items()]
    assert all("/metrics" in admin.open for admin in settings.values())


def test_the_balancer_knows_each_gateway() -> None:
    """Where clients come in; and where it asks whether it is ready, by a name that every gateway answers to."""
    text = (CONFIG / "haproxy" / "haproxy.cfg").read_text("utf-8")
    settings = loaded(GATEWAYS[0])
    assert isinstance(settings.listener.listen, Address)
    servers = re.findall(r"^ +server (\S+) (\S+)$", text, re.MULTILINE)
    assert servers == [(name, f"{name}:{settings.listener.listen.port}") for name in GATEWAYS]
    assert settings.admin.listen is not None
    assert re.findall(r"default-server port (\d+) check", text) == [str(settings.admin.listen.port)]
    assert re.findall(r"http-check send meth GET uri (\S+) ver HTTP/1.1 hdr Host (\S+)", text) == [
        ("/readyz", "localhost")
    ]
    assert SERVICES["balancer"]["ports"] == ["127.0.0.1:8080:8080"]


def test_what_the_gateways_share_is_there() -> None:
    """Hosts in their settings are services beside them."""
    urls = [urlsplit(value) for name in GATEWAYS for value in environment(name).values() if "://" in value]
    assert {url.hostname for url in urls} <= SERVICES.keys()
    database = environment("postgres")
    (store,) = {url for url in urls if url.scheme == "postgresql"}
    assert (store.username, store.password, store.path[1:]) == (
        database["POSTGRES_USER"],
        database["POSTGRES_PASSWORD"],
        database["POSTGRES_DB"],
    )


def test_grafana_lets_nobody_change_anything() -> None:
    """Whoever looks needs no password, and there is none that could be guessed."""
    settings = environment("grafana")
    assert settings["GF_AUTH_ANONYMOUS_ORG_ROLE"] == "Viewer"
    assert (settings["GF_AUTH_DISABLE_LOGIN_FORM"], settings["GF_AUTH_BASIC_ENABLED"]) == ("true", "false")
