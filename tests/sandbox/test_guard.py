import pytest

from gateway.sandbox.guard import objection

NAMES = frozenset({"sandbox", "close.test"})


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("localhost", None),
        ("LOCALHOST:8090", None),
        ("127.0.0.1:8090", None),
        ("192.168.1.5:8090", None),
        ("[::1]:8090", None),
        ("[fe80::1]", None),
        ("sandbox:8090", None),
        ("Close.Test", None),
        ("evil.example:8090", 421),
        ("localhost.evil.example", 421),
        ("127.0.0.1.evil.example", 421),
        ("sandbox.evil.example", 421),
        ("[evil.example]", 421),
        ("127.0.0.1@evil.example", 421),
        ("", 421),
    ],
)
def test_by_which_names_it_shows_itself(host: str, status: int | None) -> None:
    """Localhost, any address and the names that were given; a name that others may point here gets nothing."""
    refusal = objection("GET", {"Host": host}, NAMES)
    assert (refusal and refusal.status) == status


@pytest.mark.parametrize(
    ("method", "headers", "status"),
    [
        ("POST", {}, None),  # no browser
        ("POST", {"Sec-Fetch-Site": "same-origin", "Origin": "http://localhost:8090"}, None),
        ("POST", {"Sec-Fetch-Site": "none"}, None),
        ("POST", {"Sec-Fetch-Site": "same-site"}, 403),
        ("POST", {"Sec-Fetch-Site": "cross-site", "Origin": "http://localhost:8090"}, 403),
        ("POST", {"Origin": "http://localhost:8090"}, None),
        ("POST", {"Origin": "http://LOCALHOST:8090"}, None),
        ("POST", {"Origin": "http://localhost:3000"}, 403),  # another program on the same machine
        ("POST", {"Origin": "https://evil.example"}, 403),
        ("POST", {"Origin": "null"}, 403),
        ("DELETE", {"Origin": "null"}, 403),
        ("POST", {"Origin": "http://["}, 403),  # no browser says so
        ("POST", {"Origin": ""}, 403),
        ("GET", {"Sec-Fetch-Site": "cross-site"}, None),  # what it shows, another site's page cannot read
    ],
)
def test_whose_pages_may_change_something(method: str, headers: dict[str, str], status: int | None) -> None:
    """Its own alone, and programs that are no browser."""
    refusal = objection(method, {"Host": "localhost:8090"} | headers, NAMES)
    assert (refusal and refusal.status) == status
