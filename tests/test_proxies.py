"""Who the client behind proxies is."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.proxies import MOST, TrustedProxies

OURS = TrustedProxies(["10.0.0.0/8", "192.0.2.7", "2001:db8::/32", "unix"])
PEER = "10.0.0.1"

TABLE = [  # who connects, what X-Forwarded-For says, who the client is
    (PEER, [], PEER),
    (PEER, [b"203.0.113.9"], "203.0.113.9"),
    (PEER, [b"6.6.6.6, 203.0.113.9"], "203.0.113.9"),
    (PEER, [b"6.6.6.6,203.0.113.9 , 10.0.0.2,\t192.0.2.7"], "203.0.113.9"),
    (PEER, [b"6.6.6.6", b"203.0.113.9", b"10.0.0.2"], "203.0.113.9"),
    (PEER, [b"10.0.0.3, 10.0.0.2"], "10.0.0.3"),
    (PEER, [b"2001:DB8::1, 2001:db9::1"], "2001:db9::1"),
    (PEER, [b"[2001:db9::1]:443"], "2001:db9::1"),
    (PEER, [b"203.0.113.9:51234"], "203.0.113.9"),
    (PEER, [b"::ffff:203.0.113.9"], "203.0.113.9"),
    ("::ffff:10.0.0.1", [b"203.0.113.9"], "203.0.113.9"),
    ("unix", [b"203.0.113.9"], "203.0.113.9"),
    ("unix", [b""], "unix"),
    (PEER, [b"203.0.113.9, unknown"], PEER),
    (PEER, [b"203.0.113.9, unix"], PEER),
    (PEER, [b"203.0.113.9,"], PEER),
    (PEER, [b"\xff\xfe"], PEER),
    (PEER, [b"203.0.113.9" + b"9" * 9000], PEER),
    (PEER, [b"203.0.113.9" + b", 10.0.0.2" * (MOST - 1)], "203.0.113.9"),
    (PEER, [b"203.0.113.9" + b", 10.0.0.2" * MOST], PEER),
    ("203.0.113.1", [b"6.6.6.6"], "203.0.113.1"),
    ("192.0.2.8", [b"6.6.6.6"], "192.0.2.8"),
]


@pytest.mark.parametrize(("peer", "forwarded_for", "client"), TABLE)
def test_who_the_client_is(peer: str, forwarded_for: list[bytes], client: str) -> None:
    """From the right, up to the first that is no proxy of ours; what is no address there is nobody."""
    assert OURS.client(peer, forwarded_for) == client


def test_the_socket_is_believed_only_where_it_is_named() -> None:
    """Everybody on the machine who may open it would be."""
    assert TrustedProxies(["127.0.0.1"]).client("unix", [b"203.0.113.9"]) == "unix"


@given(st.lists(st.binary(max_size=80), max_size=5), st.binary(max_size=80))
def test_what_is_left_of_the_client_does_not_matter(made_up: list[bytes], more: bytes) -> None:
    """Whatever a client writes into the field, it is known by what our proxy wrote behind it."""
    assert OURS.client(PEER, [*made_up, more + b", 203.0.113.9"]) == "203.0.113.9"


@given(st.lists(st.binary(max_size=80), max_size=5))
def test_who_is_not_trusted_is_known_by_its_own_address(said: list[bytes]) -> None:
    """Nobody gets another's name by a field."""
    assert OURS.client("198.51.100.1", said) == "198.51.100.1"
