import re
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from gateway.config.cache import CacheLocation

CANARY = "cAnArY"


@pytest.mark.parametrize(
    "url",
    [
        "redis://h",
        "redis://h:6379/15",
        "redis://[::1]:6379/",
        "rediss://h",
        "redis://user@h",
        "unix:///run/redis.sock",
        "unix:///run/redis.sock?db=3",
    ],
)
def test_what_a_cache_is(url: str) -> None:
    """A URL as Redis has it, written as it was read."""
    location = CacheLocation.parse(url)
    assert (location.reveal(), str(location), location.ca_file) == (url, url, None)
    assert location == CacheLocation.parse(url)
    assert hash(location) == hash(CacheLocation.parse(url))


@pytest.mark.parametrize(
    ("url", "what"),
    [
        ("", "holds a blank or a letter that no URL has"),
        ("redis://h/ 0", "holds a blank or a letter that no URL has"),
        ("redis://[::1", "has a host or port that cannot be read"),
        ("redis://h:port", "has a host or port that cannot be read"),
        ("redis://h:0", "has a port that cannot be connected to"),
        ("http://h", "does not begin with redis://, rediss:// or unix://"),
        ("h:6379", "does not begin with redis://, rediss:// or unix://"),
        ("redis://u:***@h", "has stars where a password was"),
        ("redis://u:a#b@h", "has a #, which is written %23 in a password"),
        ("redis://", "has no host"),
        ("redis:///0", "has no host"),
        ("redis://h/name", "has something behind the host that is no number of a database"),
        ("redis://h/0/1", "has something behind the host that is no number of a database"),
        ("unix://run/redis.sock", "names no socket by its whole path"),
        ("unix:///", "names no socket by its whole path"),
        ("redis://h?socket_timeout=60", "has a parameter other than db and ssl_ca_certs"),
        ("unix:///a?password=b", "has a parameter other than db and ssl_ca_certs"),
        ("redis://h?db=x", "has a db that is no number"),
        ("redis://h?ssl_ca_certs=/a", "has ssl_ca_certs without a file, or without rediss://"),
        ("rediss://h?ssl_ca_certs=", "has ssl_ca_certs without a file, or without rediss://"),
    ],
)
def test_what_a_cache_is_not(url: str, what: str) -> None:
    """Each is told why, and none with a word of it."""
    with pytest.raises(ValueError, match=f"^{re.escape(what)}$"):
        CacheLocation.parse(url)


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("redis://u:{}@h/0", "redis://u:***@h/0"),
        ("redis://:{}@h", "redis://:***@h"),
        ("redis://u:{0}:{0}@{0}@h", "redis://u:***@h"),
        ("unix://:{}@/run/redis.sock", "unix://:***@/run/redis.sock"),
        ("rediss://u:{}@h?ssl_ca_certs=/a.pem", "rediss://u:***@h?ssl_ca_certs=/a.pem"),
    ],
)
def test_a_password_is_shown_as_stars(url: str, shown: str) -> None:
    """And revealed to the driver alone."""
    location = CacheLocation.parse(url.format(CANARY))
    assert (str(location), repr(location)) == (shown, f"CacheLocation({shown})")
    assert location.reveal() == url.format(CANARY)


@given(st.text(st.characters(min_codepoint=33, max_codepoint=126), max_size=9))
@example("@")
@example("@h?db=@")
def test_nothing_behind_the_user_is_shown(inside: str) -> None:
    """However a URL is written, and whether it is one: a password with any letters in it is not shown."""
    try:
        location = CacheLocation.parse(f"redis://user:{CANARY}{inside}{CANARY}@host/0")
    except ValueError as error:
        assert CANARY not in str(error)  # noqa: PT017 - either way is fine
    else:
        assert CANARY not in str(location)


def test_authorities_of_ones_own() -> None:
    """Named as the driver has it."""
    assert CacheLocation.parse("rediss://h?ssl_ca_certs=/etc/a.pem").ca_file == Path("/etc/a.pem")
