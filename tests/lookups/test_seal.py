import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.lookups.cache import Identity, Unknown
from gateway.lookups.seal import MAX_VALUE, PREFIX, Claimed, Seal, Shared

SEAL = Seal(b"a secret of the test's own", "https://api.close.com")
OTHERS = [Seal(b"another secret", "https://api.close.com"), Seal(b"a secret of the test's own", "http://127.0.0.1:9")]
KEY = (b"d" * 32, None)
NAME = SEAL.name(KEY)
JANE = Identity("jane@example.com")


def value(outcome: Identity | Unknown = JANE, until: float = 100.0) -> bytes:
    """Make a value under NAME."""
    made = SEAL.value(NAME, outcome, until)
    assert made is not None
    return made


outcomes = st.builds("{}@example.com".format, st.from_regex(r"[a-zåß]{1,60}", fullmatch=True)).map(Identity) | (
    st.from_regex(r"[a-z0-9_]{1,32}", fullmatch=True).map(Unknown)
)
keys = st.tuples(st.binary(min_size=32, max_size=32), st.none() | st.from_regex(r"[A-Za-z0-9_-]{1,40}", fullmatch=True))


@given(keys, outcomes, st.floats(1, 2e9))
def test_what_one_gateway_writes_another_reads(key: tuple[bytes, str | None], outcome: Identity, until: float) -> None:
    """With the same secret and upstream: the outcome, and how long it counts yet."""
    name = SEAL.name(key)
    made = SEAL.value(name, outcome, until)
    again = Seal(b"a secret of the test's own", "https://api.close.com")
    assert made is not None
    assert again.name(key) == name
    assert again.read(name, made, until - 0.5) == Shared(outcome, until - (until - 0.5))
    assert again.read(name, made, until) is None
    assert [other.read(name, made, 0.0) for other in OTHERS] == [None, None]


@given(keys, keys)
def test_each_key_has_a_name_of_its_own(one: tuple[bytes, str | None], other: tuple[bytes, str | None]) -> None:
    """An owner is no user, a user of one credential none of another's; and no name tells what it stands for."""
    assert (SEAL.name(one) == SEAL.name(other)) == (one == other)
    assert SEAL.name(one) != OTHERS[0].name(one) != OTHERS[1].name(one)
    assert SEAL.name(one).startswith(PREFIX)
    assert one[0].hex()[:16] not in SEAL.name(one)


@given(st.binary(max_size=2 * MAX_VALUE))
def test_garbage_is_nothing(garbage: bytes) -> None:
    """Whatever somebody put there."""
    assert SEAL.read(NAME, garbage, 0.0) is None
    assert SEAL.read(NAME, value()[:32] + garbage, 0.0) is None


@given(st.data())
def test_what_was_changed_is_nothing(data: st.DataObject) -> None:
    """A single bit, a piece cut off, or the whole under another name."""
    made = bytearray(value())
    at = data.draw(st.integers(0, len(made) * 8 - 1))
    made[at // 8] ^= 1 << (at % 8)
    assert SEAL.read(NAME, bytes(made), 0.0) is None
    assert SEAL.read(NAME, value()[: data.draw(st.integers(0, len(made) - 1))], 0.0) is None
    assert SEAL.read(SEAL.name((b"e" * 32, None)), value(), 0.0) is None


def test_a_claim_is_read_as_one() -> None:
    """It has no end of its own: clocks differ, and the cache ends it."""
    assert SEAL.read(NAME, SEAL.claim(NAME, "0123"), 1e12) == Claimed()
    assert OTHERS[0].read(NAME, SEAL.claim(NAME, "0123"), 0.0) is None


@pytest.mark.parametrize(
    "told",
    [
        {},
        [],
        None,
        {"email": "jane@example.com"},
        {"email": "jane@example.com", "until": "x"},
        {"email": "nobody", "until": 100.0},
        {"email": 7, "until": 100.0},
        {"unknown": "What Close says", "until": 100.0},
        {"unknown": None, "until": 100.0},
        {"claim": 7},
    ],
)
def test_what_another_version_wrote_is_nothing(told: object) -> None:
    """It has the right tag, and says what is not understood."""
    assert SEAL.read(NAME, SEAL._sealed(NAME, json.dumps(told).encode()), 0.0) is None
    assert SEAL.read(NAME, SEAL._sealed(NAME, b"{"), 0.0) is None


def test_what_is_beyond_all_sense_is_not_shared() -> None:
    """No value is longer than what is read."""
    assert SEAL.value(NAME, Identity("j" * MAX_VALUE + "@example.com"), 100.0) is None
    assert len(value(Identity("j" * 254))) < MAX_VALUE
