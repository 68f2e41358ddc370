"""What does not go together."""

import pytest

from gateway.config.check import check
from gateway.config.settings import Address, AdminSettings, ListenerSettings, Settings, UpstreamSettings


def settings(listen: str, admin: str | None, upstream: str = "https://api.close.com") -> Settings:
    """Settings with these addresses."""
    return Settings(
        listener=ListenerSettings(listen=Address.parse(listen)),
        admin=AdminSettings(listen=(admin and Address.parse(admin)) or None),
        upstream=UpstreamSettings(url=upstream),
    )


@pytest.mark.parametrize(
    ("given", "setting"),
    [
        (settings("127.0.0.1:8080", "127.0.0.1:8081"), None),
        (settings("127.0.0.1:8080", "127.0.0.1:8080"), "admin.listen"),
        (settings("0.0.0.0:8080", "127.0.0.1:8080"), "admin.listen"),
        (settings("localhost:8080", "127.0.0.1:8080"), "admin.listen"),
        (settings("10.0.0.1:8080", "127.0.0.1:8080"), None),
        (settings("127.0.0.1:0", "127.0.0.1:0"), None),
        (settings("127.0.0.1:8080", None, "http://127.0.0.1:8080"), "upstream.url"),
        (settings("127.0.0.1:8080", None, "http://localhost:8080"), "upstream.url"),
        (settings("0.0.0.0:80", None, "http://127.0.0.1"), "upstream.url"),
        (settings("127.0.0.1:8080", None, "http://127.0.0.1:9090"), None),
        (settings("127.0.0.1:8080", None, "http://close.internal:8080"), None),
    ],
)
def test_addresses_that_meet(given: Settings, setting: str | None) -> None:
    """Two listeners at one place, or an upstream that leads back, are told before anything is opened."""
    told = list(check(given, {}))
    assert [problem.setting for problem in told] == ([] if setting is None else [setting])
