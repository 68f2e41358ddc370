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


SHARED = {"CLOSE_GATEWAY_IDENTITY__FINGERPRINT_KEY": f"{CANARY}-{CANARY}"}
CACHE = "CLOSE_GATEWAY_IDENTITY__CACHE"


def test_the_driver_of_redis(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is an extra too."""
    variables = {**SHARED, CACHE: f"redis://u:{CANARY}@h/0"}
    assert str(load(None, variables, {}).settings.identity.cache) == "redis://u:***@h/0"
    monkeypatch.setattr("gateway.config.load.CACHE_DRIVER", "no_such_driver")
    assert problems_of(environ=variables) == [
        Problem(
            "identity.cache",
            CACHE,
            "names a Redis or Valkey, and its driver, no_such_driver, is not installed",
            "Install close-gateway[redis], or leave the setting out.",
        )
    ]


def test_the_authorities_of_redis(tmp_path: Path) -> None:
    """They are tried before any port is opened, as those of Close are."""
    file = tmp_path / "ca.pem"
    variables = {**SHARED, CACHE: f"rediss://u:{CANARY}@h/0?ssl_ca_certs={file}"}
    assert problems_of(environ=variables) == [
        Problem(
            "identity.cache",
            CACHE,
            "names in ssl_ca_certs a file that cannot be read: no such file or directory",
            "Name a readable file of certificates in PEM, or leave ssl_ca_certs out.",
        )
    ]
    trustme.CA().cert_pem.write_to_path(str(file))
    cache = load(None, variables, {}).settings.identity.cache
    assert cache is not None
    assert cache.ca_file == file


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
