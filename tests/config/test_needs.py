from pathlib import Path

import pytest
import trustme
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from gateway.config.load import load
from gateway.config.problem import Problem
from gateway.config.token import admin_token
from gateway.config.values import quoted
from gateway.secret import Secret
from tests.certificates import pair_in
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


def test_the_certificate_and_its_key(tmp_path: Path) -> None:
    """Both are tried before any port is opened; the one at fault is named, with what mends it."""
    pair = pair_in(tmp_path / "tls")
    other = pair_in(tmp_path / "other")
    certificate, key = pair.certificate.read_bytes(), pair.key.read_bytes()
    locked = rsa_key(b"a passphrase")
    variables = {
        "CLOSE_GATEWAY_LISTENER__TLS_CERTIFICATE": str(pair.certificate),
        "CLOSE_GATEWAY_LISTENER__TLS_KEY": str(pair.key),
    }
    load(None, variables, {})
    for content_of_certificate, content_of_key, setting, what in (
        (None, key, "tls_certificate", "cannot be read: no such file or directory"),
        (certificate, None, "tls_key", "cannot be read: no such file or directory"),
        (b"canary", key, "tls_certificate", "holds no certificate in PEM"),
        (key, key, "tls_certificate", "holds no certificate in PEM"),
        (certificate, b"canary", "tls_key", "holds no private key in PEM that can be read"),
        (certificate, locked, "tls_key", "holds no private key in PEM that can be read"),
        (certificate, other.key.read_bytes(), "tls_key", "holds a key that is not the certificate's"),
        (certificate, rsa_key(None), "tls_key", "holds a key that is not the certificate's"),
    ):
        for file, content in ((pair.certificate, content_of_certificate), (pair.key, content_of_key)):
            file.unlink(missing_ok=True)
            if content is not None:
                file.write_bytes(content)
        (problem,) = problems_of(environ=variables)
        assert (problem.setting, problem.what) == (f"listener.{setting}", f"names a file that {what}")
        assert problem.source == f"CLOSE_GATEWAY_LISTENER__{setting.upper()}"


def rsa_key(passphrase: bytes | None) -> bytes:
    """Make a key of another type than those of the certificates, locked or not."""
    lock = serialization.NoEncryption() if passphrase is None else serialization.BestAvailableEncryption(passphrase)
    kind = serialization.PrivateFormat.PKCS8
    return rsa.generate_private_key(65537, 2048).private_bytes(serialization.Encoding.PEM, kind, lock)


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


def test_an_sdk_that_cannot_be_loaded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another package may have put its own files over it: that is told as well, not thrown at the operator."""
    (tmp_path / "overwritten.py").write_text("from json import no_such_name\n")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr("gateway.config.load.TRACING", ("orjson", "overwritten"))
    (problem,) = problems_of(environ={"CLOSE_GATEWAY_TRACES__ENDPOINT": "http://127.0.0.1:4318/v1/traces"})
    assert problem.what == "names a collector, and what sends spans there cannot be loaded"
    assert "opentelemetry-proto" in problem.fix
