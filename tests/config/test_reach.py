import pytest

from gateway.config.reach import Reach
from gateway.config.settings import Address, UnixSocket

ANYWHERE = Address("0.0.0.0", 80)
TABLE = [  # how it is reached: its URL, the same as it is listened on, the command, the name among others
    (Reach(Address("127.0.0.1", 80)), "http://127.0.0.1:80", "http://127.0.0.1:80", "curl", "m:80"),
    (Reach(ANYWHERE, tls=True), "https://127.0.0.1:80", "https://0.0.0.0:80", "curl", "m:80"),
    (Reach(Address("::", 1)), "http://[::1]:1", "http://[::]:1", "curl", "m:1"),
    (Reach(UnixSocket("/a")), "http://localhost", "http://localhost", "curl --unix-socket /a", "m:/a"),
    (
        Reach(UnixSocket("/a b"), tls=True),
        "https://localhost",
        "https://localhost",
        "curl --unix-socket '/a b'",
        "m:/a b",
    ),
    (Reach(UnixSocket("/a"), instead="https://b"), "https://b", "http://localhost", "curl", "m:/a"),
    (Reach(UnixSocket("@a")), "http://localhost", "http://localhost", "curl --abstract-unix-socket a", "m:@a"),
]


@pytest.mark.parametrize(("reach", "url", "listening", "curl", "instance"), TABLE)
def test_how_the_gateway_is_reached(reach: Reach, url: str, listening: str, curl: str, instance: str) -> None:
    """Each line that is shown for pasting works on this machine."""
    assert (reach.url, reach.listening, reach.curl, reach.instance("m")) == (url, listening, curl, instance)
