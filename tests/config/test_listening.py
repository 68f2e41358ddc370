import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.config.listening import UnixSocket, socket_mode, trusted_proxy
from gateway.config.load import load
from gateway.config.settings import ListenerSettings
from gateway.proxies import TrustedProxies
from tests.config.loading import problems_of


def test_all_of_it_is_read() -> None:
    """As the environment gives it."""
    variables = {
        "CLOSE_GATEWAY_LISTENER__LISTEN": "unix:/run/a b.sock",
        "CLOSE_GATEWAY_LISTENER__SOCKET_MODE": "600",
        "CLOSE_GATEWAY_LISTENER__TRUSTED_PROXIES": "unix, 10.0.0.0/8,2001:DB8::1",
    }
    assert load(None, variables, {}).settings.listener == ListenerSettings(
        listen=UnixSocket("/run/a b.sock"), socket_mode="600", trusted_proxies=("unix", "10.0.0.0/8", "2001:db8::1")
    )


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        ("unix:", "names no absolute path behind unix:"),
        ("unix:run/a", "names no absolute path behind unix:"),
        ("unix:/run/", "names a folder, and no file in it"),
        ("unix:/a\0b", "holds a NUL, which no path may"),
        ("unix:/" + "a" * 107, "has a path of more than 107 bytes, too long for a socket"),
        ("unix:/" + "\N{EURO SIGN}" * 36, "has a path of more than 107 bytes, too long for a socket"),
    ],
)
def test_no_socket(text: str, wrong: str) -> None:
    """What cannot be bound to is told before it is tried."""
    with pytest.raises(ValueError, match=f"^{wrong}$"):
        UnixSocket.parse(text)


@given(st.text().map(lambda text: f"unix:/{text}"))
def test_every_socket_survives_being_written(text: str) -> None:
    """Whatever is read as one is the same when it is written and read again."""
    try:
        found = UnixSocket.parse(text)
    except ValueError:
        return
    assert UnixSocket.parse(str(found)) == found


@pytest.mark.parametrize("text", ["", "66", "0660", "4755", "888", "rw-", "\u0666\u0666\u0660"])
def test_no_mode(text: str) -> None:
    """Three octal digits, and none that would run anything as somebody else."""
    with pytest.raises(ValueError, match=r"^is not three octal digits$"):
        socket_mode(text)


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        ("", "is no address, no network and not unix"),
        ("proxy.internal", "is no address, no network and not unix"),
        ("10.0.0.0/33", "is no address, no network and not unix"),
        ("10.0.0.1:80", "is no address, no network and not unix"),
        ("fe80::1%eth0", "is no address, no network and not unix"),
        ("10.1.2.3/8", "names one address of a network, which itself is 10.0.0.0/8"),
        ("10.0.0.0/255.0.0.0", "has a mask that is no number of bits"),
    ],
)
def test_nobody_to_trust(text: str, wrong: str) -> None:
    """A slip of the pen must not trust a whole network, or nobody."""
    with pytest.raises(ValueError, match=f"^{wrong}$"):
        trusted_proxy(text)


@given(st.text() | st.ip_addresses().map(str) | st.builds("{}/{}".format, st.ip_addresses(), st.integers(0, 128)))
def test_whoever_may_be_named_can_be_trusted(text: str) -> None:
    """What passes here, the gateway can be made of; and it is written as it would be read again."""
    try:
        named = trusted_proxy(text)
    except ValueError:
        return
    assert trusted_proxy(named) == named
    TrustedProxies([named])


def test_what_is_wrong_is_told() -> None:
    """With what would be right."""
    (problem,) = problems_of(environ={"CLOSE_GATEWAY_LISTENER__TRUSTED_PROXIES": "10.0.0.0/8, lb"})
    assert (problem.setting, problem.what) == (
        "listener.trusted_proxies",
        'holds "lb", which is no address, no network and not unix',
    )
