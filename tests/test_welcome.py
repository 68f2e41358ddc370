"""What a developer reads first."""

from pathlib import Path

import pytest

from gateway.config.reach import Reach
from gateway.config.settings import Address
from gateway.local_api import LocalApi
from gateway.sandbox import Sandbox
from gateway.welcome import welcome

REACH = Reach(Address("127.0.0.1", 8080))
ADMIN = Address("127.0.0.1", 8081)
CLOSE = "https://api.close.com"


def test_in_front_of_the_real_api() -> None:
    """What there is to paste sends no email."""
    assert welcome(REACH, ADMIN, CLOSE, None) == (
        "Close Gateway listens on http://127.0.0.1:8080/api/v1/\n"
        "  in front of https://api.close.com, where emails are real\n"
        "  console: http://127.0.0.1:8081/\n"
        "  health: http://127.0.0.1:8081/healthz\n"
        "  commands: close-gateway rejections list --admin http://127.0.0.1:8081\n"
        "\n"
        "Try it in another terminal:\n"
        "\n"
        "  # Whose key is it?\n"
        '  curl -i -u "$CLOSE_API_KEY:" http://127.0.0.1:8080/api/v1/me/\n'
        "\n"
        "Ctrl-C stops it.\n"
    )


def test_what_is_recorded_is_told() -> None:
    """Where to, among what there is beside the gateway."""
    lines = welcome(REACH, None, CLOSE, None, records="a.har").splitlines()
    assert lines[2:5] == ["  console and health: off", "  recording: a.har", ""]


LEADS = [
    (("127.0.0.1", "::1"), []),
    (
        ("192.0.2.1",),
        [
            "  local-api.close.com leads to 192.0.2.1 on this machine.",
            "  Add this line to /etc/hosts:",
            "",
            "    127.0.0.1 local-api.close.com",
        ],
    ),
    (
        (),
        [
            "  local-api.close.com leads nowhere on this machine.",
            "  Add this line to /etc/hosts:",
            "",
            "    127.0.0.1 local-api.close.com",
        ],
    ),
]


@pytest.mark.parametrize(("found", "missing"), LEADS)
def test_for_closes_own_client(found: tuple[str, ...], missing: list[str]) -> None:
    """Where it goes, whom to trust, and the one line that is missing, where it is."""
    local = LocalApi([Address("127.0.0.1", 5001)], Path("/tls/pair.pem"), Path("/tls/local-api.crt"), found)
    said = welcome(REACH, ADMIN, CLOSE, None, local).splitlines()
    begin = said.index("For Close's own client, Client(api_key, development=True):")
    assert said[begin + 1 : said.index("Try it in another terminal:") - 1] == [
        "  https://local-api.close.com:5001/api/v1/",
        "  certificate: /tls/local-api.crt",
        *missing,
    ]


def test_on_another_port() -> None:
    """Close's own client goes to one port alone, and is not to be looked for in vain."""
    local = LocalApi([Address("127.0.0.1", 6001)], Path("/tls/pair.pem"), Path("/tls/local-api.crt"), ("127.0.0.1",))
    said = welcome(REACH, ADMIN, CLOSE, None, local)
    assert "  It goes to port 5001 whatever happens; here it is another.\n" in said


def test_in_front_of_a_sandbox() -> None:
    """The keys that work are told."""
    said = welcome(REACH, None, "http://127.0.0.1:9", Sandbox())
    assert (
        "  in front of a sandbox of Close, all in memory;\n  a page shows what it holds: http://127.0.0.1:9/\n" in said
    )
    assert "  api_jane_sandbox_key  Jane Roe <jane@example.com>\n" in said
