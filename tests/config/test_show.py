import tempfile
import tomllib
from collections.abc import Mapping
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.config.cache import CacheLocation
from gateway.config.known import KNOWN
from gateway.config.load import Loaded, load
from gateway.config.problem import BadConfiguration
from gateway.config.settings import IdentitySettings, RejectionsSettings, Settings
from gateway.config.show import show
from gateway.config.store import StoreLocation
from gateway.secret import Secret

TEMPLATE = Path(__file__).parents[2] / "config" / "gateway.toml"


def reloaded(text: str) -> Settings:
    """Load a shown configuration again."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "shown.toml"
        file.write_text(text, "utf-8")
        return load(file, {}, {}).settings


def test_the_defaults() -> None:
    """What has a value is written with it, what has none says so."""
    text = show(Loaded(Settings(), {}))
    assert text.startswith('[listener]\nlisten = "127.0.0.1:8080"\nsocket_mode = "660"\n')
    assert '\n\n[upstream]\nurl = "https://api.close.com"\n' in text
    assert "\n# ca_file is not set\n" in text
    assert "\n# fingerprint_key is not set\n" in text
    assert reloaded(text) == Settings()


def test_where_values_come_from() -> None:
    """Each that was given says by what, in its own line, whatever a file is called."""
    environ = {"CLOSE_GATEWAY_ADMIN__LISTEN": "off"}
    loaded = load(None, environ, {"inspect.mode": "report"})
    text = show(Loaded(loaded.settings, {**loaded.sources, "log.level": 'a\nlevel = "debug" #'}))
    assert '\nlisten = "off"  # from CLOSE_GATEWAY_ADMIN__LISTEN\n' in text
    assert '\nmode = "report"  # from --mode\n' in text
    assert reloaded(text) == loaded.settings


def test_a_secret_is_shown_as_stars() -> None:
    """And stars are no key: a shown file with one is not taken for a configuration."""
    store = StoreLocation.parse("postgresql://u:canary@h/d?sslmode=require&password=canary")
    settings = Settings(
        identity=IdentitySettings(
            fingerprint_key=Secret("canary-3c1f-canary"), cache=CacheLocation.parse("redis://u:canary@h/1")
        ),
        rejections=RejectionsSettings(store=store),
    )
    text = show(Loaded(settings, {}))
    assert '\nfingerprint_key = "***"\n' in text
    assert '\nstore = "postgresql://u:***@h/d?sslmode=require&password=***"\n' in text
    assert '\ncache = "redis://u:***@h/1"\n' in text
    assert "canary" not in text
    with pytest.raises(BadConfiguration, match=r"rejections\.store"):
        reloaded(text)
    with pytest.raises(BadConfiguration, match="fingerprint_key"):
        reloaded(text)


ports = st.integers(0, 65535)
hosts = st.sampled_from(["127.0.0.1", "0.0.0.0", "[::1]", "[fe80::1%eth0]", "localhost", "a-b.example"])
addresses = st.builds("{}:{}".format, hosts, ports)
seconds = st.floats(0, 86400, exclude_min=True)
counts = st.integers(1, 1_000_000)
GIVEN = st.fixed_dictionaries(
    {},
    optional={
        "listener.listen": addresses | st.just("unix:/run/close-gateway/a b.sock"),
        "admin.listen": addresses | st.just("off"),
        "upstream.url": st.builds(
            "{}://{}:{}".format, st.sampled_from(["http", "https"]), hosts, st.integers(1, 65535)
        ),
        "upstream.timeout": seconds,
        "shutdown.grace": st.floats(0, 86400),
        "upstream.max_connections": counts,
        "inspect.max_body": st.integers(1, 2**30),
        "inspect.mode": st.sampled_from(["enforce", "report", "off"]),
        "answer.mark": st.booleans(),
        "listener.socket_mode": st.sampled_from(["600", "666"]),
        "listener.trusted_proxies": st.lists(st.sampled_from(["unix", "10.0.0.0/8", "192.0.2.1", "2001:db8::/32"])),
        "admin.hosts": st.lists(st.sampled_from(["a.example", "::1", "10.0.0.1"])),
        "admin.open": st.lists(st.sampled_from(["/healthz", "/readyz"])),
        "rejections.store": st.sampled_from(["off", ":memory:", "a b.sqlite3", "postgresql://u@h/d?sslmode=require"]),
        "identity.cache": st.just("off"),
        "rejections.capture": st.sampled_from(["shape", "redacted", "full"]),
        "rejections.keep_entries": st.integers(1, 10**9),
        "rejections.backlog_folder": st.sampled_from(["/var/lib/a", "~"]),
        "log.level": st.sampled_from(["debug", "error"]),
    },
)


@given(GIVEN)
def test_what_is_shown_can_be_loaded(given_settings: Mapping[str, object]) -> None:
    """Whatever is in force: its text, loaded again, is the same settings."""
    try:
        loaded = load(None, {}, {}, given_settings)
    except BadConfiguration:
        return  # two of them do not go together
    assert reloaded(show(loaded)) == loaded.settings


def test_the_template_is_complete() -> None:
    """config/gateway.toml names every setting, with its default where there is one, else commented out."""
    text = TEMPLATE.read_text("utf-8")
    loaded = load(TEMPLATE, {}, {})
    unset = {name for name, known in KNOWN.items() if known.default is None}
    assert loaded.settings == Settings()
    assert set(loaded.sources) == set(KNOWN) - unset
    for name in unset:
        section, _, key = name.partition(".")
        below = text.partition(f"[{section}]\n")[2].partition("\n[")[0]
        (example,) = [line for line in below.splitlines() if line.startswith(f"# {key} = ")]
        assert isinstance(tomllib.loads(example.removeprefix("# "))[key], str)
