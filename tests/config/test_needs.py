from pathlib import Path

import pytest
import trustme

from gateway.config.load import load
from gateway.config.problem import Problem
from gateway.config.token import admin_token
from gateway.config.values import quoted
from gateway.secret import Secret
from tests.config.loading import CANARY, problems_of


def test_the_file_of_authorities(tmp_path: Path) -> None:
    """It is tried before any port is opened: not there, no certificates, or fine."""
    file = tmp_path / "ca.pem"
    variable = {"CLOSE_GATEWAY_UPSTREAM__CA_FILE": str(file)}
    assert problems_of(environ=variable) == [
        Problem(
            "upstream.ca_file",
            "CLOSE_GATEWAY_UPSTREAM__CA_FILE",
            f"is {quoted(str(file))}, which cannot be read: no such file or directory",
            "Name a readable file of certificates in PEM, or leave the setting out.",
        )
    ]
    file.write_text("no certificate")
    assert problems_of(environ=variable)[0].what.endswith("which holds no certificate in PEM")
    trustme.CA().cert_pem.write_to_path(str(file))
    assert load(None, variable, {}).settings.upstream.ca_file == file


def test_the_file_of_the_token(tmp_path: Path) -> None:
    """It is read before any port is opened; what it holds is never told."""
    file = tmp_path / "token"
    variable = {"CLOSE_GATEWAY_ADMIN__TOKEN_FILE": str(file)}
    assert problems_of(environ=variable) == [
        Problem(
            "admin.token_file",
            "CLOSE_GATEWAY_ADMIN__TOKEN_FILE",
            "names a file that cannot be read: no such file or directory",
            "Name a readable file with a token of at least 16 characters and no blanks, or leave the setting out.",
        )
    ]
    for content, what in (
        (b" canary \n", "names a file that holds what is too short"),
        (b"canary canary canary", "names a file that holds what has a blank, or a letter that is not of ASCII"),
        (b"\xffcanary-canary-canary", "names a file that is not UTF-8"),
    ):
        file.write_bytes(content)
        assert [problem.what for problem in problems_of(environ=variable)] == [what]
    file.write_text("\n canary-canary-canary \n")
    assert admin_token(load(None, variable, {}).settings.admin) == Secret("canary-canary-canary")


def test_the_driver_of_postgresql(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is an extra: who names such a store and lacks it is told before any port is opened, and no password."""
    variable = {"CLOSE_GATEWAY_REJECTIONS__STORE": f"postgresql://u:{CANARY}@h/d"}
    store = load(None, variable, {}).settings.rejections.store
    assert str(store) == "postgresql://u:***@h/d"
    monkeypatch.setattr("gateway.config.load.DRIVER", "no_such_driver")
    assert problems_of(environ=variable) == [
        Problem(
            "rejections.store",
            "CLOSE_GATEWAY_REJECTIONS__STORE",
            "names a PostgreSQL database, and its driver, no_such_driver, is not installed",
            "Install close-gateway[postgres], or name a file.",
        )
    ]


@pytest.mark.parametrize("module", ["no_such_part", "no.such.part"])
def test_the_sdk_of_opentelemetry(monkeypatch: pytest.MonkeyPatch, module: str) -> None:
    """It is an extra: who names a collector and lacks it is told before any port is opened; off needs nothing."""
    variable = {"CLOSE_GATEWAY_TRACES__ENDPOINT": "http://127.0.0.1:4318/v1/traces"}
    assert load(None, variable, {}).settings.traces.endpoint == "http://127.0.0.1:4318/v1/traces"
    monkeypatch.setattr("gateway.config.load.TRACING", ("orjson", module))
    assert problems_of(environ=variable) == [
        Problem(
            "traces.endpoint",
            "CLOSE_GATEWAY_TRACES__ENDPOINT",
            "names a collector, and what sends spans there is not installed",
            "Install close-gateway[otel], or say off.",
        )
    ]
    assert load(None, {"CLOSE_GATEWAY_TRACES__ENDPOINT": "off"}, {}).settings.traces.endpoint is None
