from pathlib import Path

import pytest

from gateway.config.cache import CacheLocation
from gateway.config.check import Conflict, check
from gateway.config.settings import (
    Address,
    AdminSettings,
    IdentitySettings,
    ListenerSettings,
    Settings,
    UpstreamSettings,
)
from gateway.secret import Secret

OFF = None
TOKEN = Secret("sixteen-letters!")


def settings(listen: str, admin: str | None, url: str = "https://api.close.com") -> Settings:
    """Set the two listeners and the upstream."""
    return Settings(
        listener=ListenerSettings(listen=Address.parse(listen)),
        admin=AdminSettings(listen=None if admin is None else Address.parse(admin), token=TOKEN),
        upstream=UpstreamSettings(url=url),
    )


def test_the_defaults_go_together() -> None:
    """Who sets nothing has no problem."""
    assert list(check(Settings())) == []


@pytest.mark.parametrize(
    ("listen", "admin", "clash"),
    [
        ("127.0.0.1:80", "127.0.0.1:80", True),
        ("127.0.0.1:80", "127.0.0.1:81", False),
        ("127.0.0.1:80", "127.0.0.2:80", False),
        ("127.0.0.1:0", "127.0.0.1:0", False),
        ("0.0.0.0:80", "127.0.0.1:80", True),
        ("10.0.0.1:80", "0.0.0.0:80", True),
        ("0.0.0.0:80", "[::1]:80", False),
        ("0.0.0.0:80", "[::]:80", False),
        ("[::]:80", "[0:0:0:0:0:0:0:1]:80", True),
        ("localhost:80", "127.0.0.1:80", True),
        ("LOCALHOST:80", "[::1]:80", True),
        ("a.example:80", "127.0.0.1:80", False),
        ("a.example:80", "A.example:80", True),
        ("127.0.0.1:80", OFF, False),
    ],
)
def test_two_listeners(listen: str, admin: str | None, *, clash: bool) -> None:
    """Both cannot have one port of one address; a free port is another each time, and so is IPv6 beside IPv4."""
    expected = Conflict(
        ("admin.listen", "listener.listen"),
        f"is {admin}, and clients connect to {listen}",
        'Choose another port with --admin HOST:PORT, or "off".',
    )
    assert list(check(settings(listen, admin))) == ([expected] if clash else [])


@pytest.mark.parametrize(
    ("listen", "url", "loop"),
    [
        ("127.0.0.1:8080", "http://127.0.0.1:8080", True),
        ("127.0.0.1:8080", "http://localhost:8080", True),
        ("127.0.0.1:8080", "http://127.0.0.1:8090", False),
        ("127.0.0.1:8080", "http://127.0.0.2:8080", False),
        ("0.0.0.0:8080", "http://127.0.0.2:8080", True),
        ("0.0.0.0:8080", "http://0.0.0.0:8080", True),
        ("0.0.0.0:8080", "http://10.0.0.1:8080", False),
        ("0.0.0.0:8080", "http://sandbox:8080", False),
        ("[::]:8080", "http://[::1]:8080", True),
        ("0.0.0.0:80", "http://localhost", True),
        ("0.0.0.0:443", "https://localhost", True),
        ("127.0.0.1:0", "http://127.0.0.1:1", False),
    ],
)
def test_an_upstream_that_is_the_gateway(listen: str, url: str, *, loop: bool) -> None:
    """A loop is found where it is sure; another machine may well use our port."""
    expected = Conflict(
        ("upstream.url", "listener.listen"),
        f"leads back to the gateway itself, which listens on {listen}",
        "Name Close, https://api.close.com, or a sandbox on another port.",
    )
    assert list(check(settings(listen, OFF, url))) == ([expected] if loop else [])


def test_an_upstream_that_is_the_admin_listener() -> None:
    """The gateway's other port is no Close either."""
    found = list(check(settings("127.0.0.1:1", "127.0.0.1:2", "http://localhost:2")))
    assert [conflict.names for conflict in found] == [("upstream.url", "admin.listen")]


@pytest.mark.parametrize(
    ("listen", "needed"),
    [
        ("127.0.0.1:8081", False),
        ("127.8.8.8:8081", False),
        ("LocalHost:8081", False),
        ("[::1]:8081", False),
        ("0.0.0.0:8081", True),
        ("[::]:8081", True),
        ("10.0.0.1:8081", True),
        ("localhost.example:8081", True),
        (OFF, False),
    ],
)
def test_who_can_be_reached_needs_a_token(listen: str | None, *, needed: bool) -> None:
    """The log of rejections is open to nobody but this machine, unless there is a token; how to set one is said."""
    address = None if listen is None else Address.parse(listen)
    found = list(check(Settings(admin=AdminSettings(listen=address))))
    assert [conflict.names[0] for conflict in found] == (["admin.listen"] if needed else [])
    assert all("Set CLOSE_GATEWAY_ADMIN__TOKEN" in conflict.fix for conflict in found)
    for given in (AdminSettings(listen=address, token=TOKEN), AdminSettings(listen=address, token_file=Path("t"))):
        assert list(check(Settings(admin=given))) == []


def test_two_tokens() -> None:
    """Nobody could tell which of them holds."""
    both = Settings(admin=AdminSettings(token=TOKEN, token_file=Path("token")))
    assert [conflict.names[0] for conflict in check(both)] == ["admin.token_file"]


def test_a_shared_cache_needs_a_shared_secret() -> None:
    """Without it no gateway could read what another wrote, and anybody what stands there."""
    cache = CacheLocation.parse("redis://h")
    (conflict,) = check(Settings(identity=IdentitySettings(cache=cache)))
    assert conflict.names == ("identity.cache", "identity.fingerprint_key")
    assert "CLOSE_GATEWAY_IDENTITY__FINGERPRINT_KEY" in conflict.fix
    assert list(check(Settings(identity=IdentitySettings(cache=cache, fingerprint_key=Secret("x" * 16))))) == []
