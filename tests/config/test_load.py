"""Settings from a file, the environment and flags."""

import os
import ssl
import tomllib
from collections.abc import Mapping
from dataclasses import fields, replace
from pathlib import Path

import pytest
import trustme
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gateway.config.load import KNOWN, load
from gateway.config.problem import BadConfiguration, Problem
from gateway.config.settings import Address, AdminSettings, Mode, Settings, UpstreamSettings
from gateway.secret import Secret

EXAMPLE = Path(__file__).parents[2] / "config" / "gateway.toml"


def problems(file: Path | None = None, environ: Mapping[str, str] | None = None, **flags: str) -> list[Problem]:
    """Load what is bad, and give every problem told. Flags are section__key."""
    with pytest.raises(BadConfiguration) as bad:
        load(file, environ or {}, {name.replace("__", "."): value for name, value in flags.items()})
    return list(bad.value.problems)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Where a test writes its settings."""
    return tmp_path / "gateway.toml"


def test_nothing_given_means_the_defaults() -> None:
    """The gateway runs without a line of configuration, in front of Close."""
    loaded = load(None, {"PATH": "/bin"}, {"upstream.url": None})
    assert (loaded.settings, loaded.sources) == (Settings(), {})
    assert loaded.settings.upstream.url == "https://api.close.com"


def test_the_later_source_wins(file: Path) -> None:
    """A flag over the environment, that over the file, and the file over a command's own default."""
    file.write_text('[upstream]\nurl = "http://file"\ntimeout = 1\n[inspect]\nmode = "report"\n[log]\nlevel = "error"')
    environ = {"CLOSE_GATEWAY_UPSTREAM__URL": "http://variable", "CLOSE_GATEWAY_INSPECT__MODE": "off"}
    loaded = load(file, environ, {"upstream.url": "http://flag"}, {"log.level": "debug", "answer.mark": False})
    got = loaded.settings
    assert (got.upstream.url, got.upstream.timeout, got.inspect.mode) == ("http://flag", 1.0, Mode.OFF)
    assert (got.log.level.value, got.answer.mark) == ("error", False)
    assert loaded.sources == {
        "upstream.url": "--upstream",
        "upstream.timeout": str(file),
        "inspect.mode": "CLOSE_GATEWAY_INSPECT__MODE",
        "log.level": str(file),
    }


def test_a_variable_may_name_the_file(file: Path) -> None:
    """CLOSE_GATEWAY_CONFIG does what --config does."""
    file.write_text("[answer]\nmark = false")
    assert load(None, {"CLOSE_GATEWAY_CONFIG": str(file)}, {}).settings.answer.mark is False


def test_texts_of_variables_become_what_the_settings_are() -> None:
    """Numbers, truths, lists with commas, addresses and "off"."""
    environ = {
        "CLOSE_GATEWAY_UPSTREAM__TIMEOUT": "2.5",
        "CLOSE_GATEWAY_UPSTREAM__MAX_CONNECTIONS": "7",
        "CLOSE_GATEWAY_UPSTREAM__FORWARDED": "true",
        "CLOSE_GATEWAY_ADMIN__LISTEN": "off",
        "CLOSE_GATEWAY_ADMIN__HOSTS": "a.example, b.example",
        "CLOSE_GATEWAY_LISTENER__LISTEN": "[::1]:0",
        "CLOSE_GATEWAY_IDENTITY__FINGERPRINT_KEY": "0123456789abcdef",
    }
    got = load(None, environ, {}).settings
    assert got.upstream == replace(UpstreamSettings(), timeout=2.5, max_connections=7, forwarded=True)
    assert got.admin == AdminSettings(listen=None, hosts=("a.example", "b.example"))
    assert got.listener.listen == Address("::1", 0)
    assert got.identity.fingerprint_key == Secret("0123456789abcdef")


def test_every_problem_is_told_at_once(file: Path) -> None:
    """Each names the setting, where it was given, what is wrong and what mends it; a secret's value is not shown."""
    file.write_text(
        'listener = 5\n[upstraem]\nx = 1\n[upstream]\nurl = "api.close.com"\ntimeout = "soon"\nmax_connections = true\n'
        'timout = 5\n[inspect]\nmode = "strict"\n[identity]\nfingerprint_key = "CANARY"\n[shutdown]\ngrace = nan\n'
    )
    told = problems(file, {"CLOSE_GATEWAY_UPSTREAM__TIMEOT": "4"}, listener__listen="8080")
    assert {problem.setting: problem.source for problem in told} == {
        "listener": str(file),
        "[upstraem]": str(file),
        "upstream.timout": str(file),
        "CLOSE_GATEWAY_UPSTREAM__TIMEOT": "the environment",
        "upstream.max_connections": str(file),
        "listener.listen": "--listen",
        "upstream.url": str(file),
        "upstream.timeout": str(file),
        "inspect.mode": str(file),
        "identity.fingerprint_key": str(file),
        "shutdown.grace": str(file),
    }
    text = "\n".join(map(str, told))
    assert "The nearest name is upstream;" in text
    assert "The nearest name is timeout;" in text
    assert "The nearest name is CLOSE_GATEWAY_UPSTREAM__TIMEOUT;" in text
    assert 'It takes one of "enforce", "report", "off".' in text
    assert "CANARY" not in text


@pytest.mark.parametrize(
    ("content", "what"),
    [
        (b"[upstream\n", "is not valid TOML"),
        (b"\xff\xfe", "is not UTF-8 text"),
        (None, "cannot be read: no such file or directory"),
    ],
)
def test_a_file_that_cannot_be_used(file: Path, content: bytes | None, what: str) -> None:
    """It says so, and of a wrong line which one it is."""
    if content is not None:
        file.write_bytes(content)
    (told,) = problems(file)
    assert told.source == str(file)
    assert told.what.startswith(what)


def test_a_folder_is_no_file(tmp_path: Path) -> None:
    """Naming one by mistake is told like a missing file."""
    (told,) = problems(tmp_path)
    assert told.what == "cannot be read: is a directory"


def test_authorities_are_tried_out(file: Path) -> None:
    """A file that is missing, or no PEM, is told at the start and not at the first request; a good one is taken."""
    for content, what in ((None, "names a file that cannot be read"), ("x", "names a file that holds no certificates")):
        if content is not None:
            file.write_text(content)
        (told,) = problems(environ={"CLOSE_GATEWAY_UPSTREAM__CA_FILE": str(file)})
        assert (told.setting, told.what) == ("upstream.ca_file", what)
    trustme.CA().cert_pem.write_to_path(str(file))
    assert load(None, {"CLOSE_GATEWAY_UPSTREAM__CA_FILE": str(file)}, {}).settings.upstream.ca_file == file
    assert ssl.create_default_context(cafile=file).get_ca_certs()


def test_the_example_file_is_complete_and_holds_the_defaults() -> None:
    """config/gateway.toml names every setting; the ones without a default stand there as comments."""
    text = EXAMPLE.read_text("utf-8")
    assert load(EXAMPLE, {}, {}).settings == Settings()
    given = {(section, key) for section, keys in tomllib.loads(text).items() for key in keys}
    commented = {("upstream", "ca_file"), ("identity", "fingerprint_key")}
    assert given | commented == {(section, key) for section, keys in KNOWN.items() for key in keys}
    for _, key in commented:
        assert f"# {key} = " in text


JUNK = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(max_size=20),
    st.lists(st.text(max_size=5), max_size=3),
)
NAMES = [f"{section.name}.{key}" for section in fields(Settings) for key in KNOWN[section.name]]


@settings(derandomize=True, max_examples=200, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.dictionaries(st.sampled_from(NAMES), JUNK, max_size=6))
def test_whatever_is_given_is_taken_or_told(given: dict[str, object]) -> None:
    """Nothing but settings or a list of problems comes of any value in any setting."""
    try:
        loaded = load(None, {}, {}, given)
    except BadConfiguration as bad:
        assert bad.problems  # noqa: PT017 - either outcome is fine
    else:
        assert isinstance(loaded.settings, Settings)


VARIABLES = [f"CLOSE_GATEWAY_{name.replace('.', '__').upper()}" for name in NAMES]


@settings(derandomize=True, max_examples=100)
@given(st.dictionaries(st.sampled_from(VARIABLES), st.text(max_size=30), max_size=5))
def test_no_problem_shows_a_value_of_the_environment(environ: dict[str, str]) -> None:
    """What stands in a variable may be a secret in the wrong place."""
    canary = "CANARY-7f3a"
    try:
        load(None, {name: value + canary for name, value in environ.items()}, {})
    except BadConfiguration as bad:
        assert canary not in str(bad)  # noqa: PT017 - as above


def test_the_environment_of_this_test_run_is_fine() -> None:
    """Variables that are not the gateway's are none of its business."""
    load(None, {name: value for name, value in os.environ.items() if not name.startswith("CLOSE_GATEWAY_")}, {})
