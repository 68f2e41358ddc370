import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.config.settings import Address
from gateway.config.values import is_host, printable, quoted, spelled

ADDRESSES = [
    ("127.0.0.1:8080", Address("127.0.0.1", 8080)),
    ("0.0.0.0:0", Address("0.0.0.0", 0)),
    ("localhost:65535", Address("localhost", 65535)),
    ("[::1]:8080", Address("::1", 8080)),
    ("[fe80::1%eth0]:80", Address("fe80::1%eth0", 80)),
    ("close_gateway.internal:80", Address("close_gateway.internal", 80)),
]


@pytest.mark.parametrize(("text", "address"), ADDRESSES)
def test_an_address_is_read_and_given_back(text: str, address: Address) -> None:
    """HOST:PORT, an IPv6 address in brackets; str gives the same text again."""
    assert (Address.parse(text), str(address)) == (address, text)


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        ("8080", "has no port"),
        ("localhost", "has no port"),
        ("", "has no port"),
        ("localhost:", "does not end in a port from 0 to 65535"),
        ("localhost:65536", "does not end in a port from 0 to 65535"),
        ("localhost:-1", "does not end in a port from 0 to 65535"),
        ("localhost:²", "does not end in a port from 0 to 65535"),
        ("localhost:" + "9" * 5000, "does not end in a port from 0 to 65535"),
        ("::1:80", "has an IPv6 address that is not in brackets"),
        (":80", "does not begin with a host name or an address"),
        ("[]:80", "does not begin with a host name or an address"),
        ("[localhost]:80", "does not begin with a host name or an address"),
        ("127.0.0.256:80", "does not begin with a host name or an address"),
        ("http://localhost:80", "has an IPv6 address that is not in brackets"),
        (" localhost:80", "does not begin with a host name or an address"),
    ],
)
def test_no_address(text: str, wrong: str) -> None:
    """What cannot be listened on is told apart by what is wrong with it."""
    with pytest.raises(ValueError, match=f"^{wrong}$"):
        Address.parse(text)


@given(st.text() | st.from_regex(r"[\[\]:.0-9a-fz%-]{1,20}:[0-9]{1,5}", fullmatch=True))
def test_every_address_survives_being_written(text: str) -> None:
    """Whatever is read as an address is the same address when it is written and read again."""
    try:
        address = Address.parse(text)
    except ValueError:
        return
    assert Address.parse(str(address)) == address


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("localhost", True),
        ("a" * 63 + ".example", True),
        ("10.0.0.1", True),
        ("::1", True),
        ("a" * 64, False),
        ("a." * 126 + "a", True),
        ("a." * 126 + "aa", False),
        ("-a.example", False),
        ("a..example", False),
        ("1.2.3", False),
        ("fe80::1%e/0", False),
        ("münchen.example", False),
    ],
)
def test_hosts(text: str, *, expected: bool) -> None:
    """Names by their letters and lengths; what ends in a number is an address or nothing."""
    assert is_host(text) is expected


@given(st.text())
def test_nothing_printed_moves_a_terminal(text: str) -> None:
    """Whatever a name or value holds, it is shown in one line, without anything that a terminal would act on."""
    assert printable(text).isprintable()


def test_a_very_odd_text_is_spelled_as_toml() -> None:
    """Quotes, control characters and letters beyond the first plane come out as TOML escapes them."""
    assert quoted('"\\\n\x1b\U000e0001é') == '"\\"\\\\\\u000a\\u001b\\U000e0001é"'
    assert spelled(("a", "b")) == '["a", "b"]'
