"""What systemd is told and hands over; and the units that are shipped, as far as they can be held against this."""

import configparser
import http.client
import json
import os
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import pytest

from gateway import systemd
from gateway.systemd import NOTHING_HANDED, HandedAmiss, handed

UNITS: Final = Path(__file__).parents[1] / "config" / "systemd"
START: Final = 20.0
AS_SYSTEMD: Final = """
import os, sys
os.environ["LISTEN_PID"] = str(os.getpid())
os.execv(sys.executable, [sys.executable, "-m", "gateway", *sys.argv[1:]])
"""
"""Does what systemd does between fork and exec: the variable has to name the process that will be the gateway."""


@pytest.fixture
def told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[socket.socket]:
    """Listen as systemd does."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listening:
        listening.settimeout(START)
        listening.bind(str(tmp_path / "notify"))
        monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "notify"))
        yield listening


def test_what_is_told(told: socket.socket) -> None:
    """The words of sd_notify(3), one message each; a reload has the time at which it began."""
    systemd.ready("Serves on 127.0.0.1:8080")
    systemd.reloading()
    systemd.stopping("Finishes")
    assert told.recv(999) == b"READY=1\nSTATUS=Serves on 127.0.0.1:8080"
    reloading, _, since = told.recv(999).partition(b"\nMONOTONIC_USEC=")
    assert (reloading, since.isdigit()) == (b"RELOADING=1", True)
    assert told.recv(999) == b"STOPPING=1\nSTATUS=Finishes"


def test_a_socket_in_the_abstract_namespace(monkeypatch: pytest.MonkeyPatch) -> None:
    """The at sign stands for a NUL: containers have it so."""
    name = f"close-gateway-test-{os.getpid()}"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listening:
        listening.bind(f"\0{name}")
        monkeypatch.setenv("NOTIFY_SOCKET", f"@{name}")
        systemd.ready("x")
        assert listening.recv(999) == b"READY=1\nSTATUS=x"


@pytest.mark.parametrize(
    "to", ["", "/nowhere/at/all", "vsock:2:1234", "@nobody-listens-here", "/" + "x" * 300, "/a\0b"]
)
def test_nobody_to_tell(monkeypatch: pytest.MonkeyPatch, to: str) -> None:
    """Nothing fails."""
    monkeypatch.setattr(os, "environ", {"NOTIFY_SOCKET": to})
    systemd.ready("x")
    systemd.stopping("x")


def test_who_does_not_listen_is_not_waited_for(told: socket.socket) -> None:
    """The socket is full: what does not go through is lost."""
    for _ in range(2000):
        systemd.ready("x" * 100)
    assert told.recv(999).startswith(b"READY=1")


@pytest.mark.parametrize(
    "environ",
    [
        {},
        {"LISTEN_PID": "1", "LISTEN_FDS": "1"},
        {"LISTEN_PID": str(os.getpid()), "LISTEN_FDS": "0"},
        {"LISTEN_PID": str(os.getpid()), "LISTEN_FDS": "many", "LISTEN_FDNAMES": "x"},
        {"LISTEN_PID": str(os.getpid())},
    ],
)
def test_nothing_that_is_for_this_process(environ: Mapping[str, str]) -> None:
    """What a parent was given is not taken, and is not passed on either."""
    given = {**environ, "KEPT": "1"}
    assert handed(given) == NOTHING_HANDED
    assert given == {"KEPT": "1"}


def test_what_is_no_listening_socket(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is refused by its number, before anything is served."""
    with socket.socket() as unbound:
        monkeypatch.setattr(systemd, "FIRST", os.dup(unbound.fileno()))
    with pytest.raises(HandedAmiss, match=r"is no stream socket that listens\. Name it with ListenStream="):
        handed({"LISTEN_PID": str(os.getpid()), "LISTEN_FDS": "1"})


@contextmanager
def activated(
    *sockets: socket.socket, names: str, notify: str, arguments: tuple[str, ...]
) -> Iterator[subprocess.Popen[str]]:
    """Run the gateway as systemd would: its sockets are the descriptors from 3 on."""
    environ = os.environ | {"LISTEN_FDS": str(len(sockets)), "LISTEN_FDNAMES": names, "NOTIFY_SOCKET": notify}

    def place() -> None:
        copies = [os.dup2(each.fileno(), 100 + at, inheritable=False) for at, each in enumerate(sockets)]
        for at, copy in enumerate(copies):
            os.dup2(copy, 3 + at, inheritable=True)

    process = subprocess.Popen(  # noqa: S603 - our own command
        [sys.executable, "-c", AS_SYSTEMD, *arguments],
        env=environ,
        pass_fds=range(3, 3 + len(sockets)),
        preexec_fn=place,  # noqa: PLW1509 - no threads are about here
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate(timeout=START)


def listening(path: Path | None = None) -> socket.socket:
    """Listen in somebody else's place."""
    found = socket.socket(socket.AF_INET if path is None else socket.AF_UNIX)
    found.bind(("127.0.0.1", 0) if path is None else str(path))
    found.listen()
    return found


def asked(client: socket.socket, target: str) -> int:
    """Ask over a connection that is open, and give the status."""
    connection = http.client.HTTPConnection("localhost")
    connection.sock = client
    connection.request("GET", target)
    status = connection.getresponse().status
    connection.close()
    return status


def test_a_gateway_that_is_started_for_its_sockets(tmp_path: Path, told: socket.socket) -> None:
    """It serves on what it is given, tells that it is ready and that it stops, and leaves the sockets to systemd."""
    path = tmp_path / "gateway.sock"
    arguments = ("serve", "--upstream", "http://127.0.0.1:1", "--admin", "127.0.0.1:2", "--listen", "127.0.0.1:3")
    with listening() as clients, listening() as admin, listening(path) as more, socket.socket(socket.AF_UNIX) as unix:
        unix.connect(str(path))  # before there is a gateway: it waits
        names, notify = "close-gateway.socket:admin:x", str(tmp_path / "notify")
        with activated(clients, admin, more, names=names, notify=notify, arguments=arguments) as process:
            assert told.recv(999) == b"READY=1\nSTATUS=Serves on 127.0.0.1:%d" % clients.getsockname()[1]
            assert asked(unix, "/") == 502  # there is no upstream, and so it has come through
            assert asked(socket.create_connection(clients.getsockname()), "/") == 502
            assert asked(socket.create_connection(admin.getsockname()), "/healthz") == 200
            process.terminate()
            assert told.recv(999).startswith(b"STOPPING=1\n")
            out, err = process.communicate(timeout=START)
        assert (process.returncode, err) == (0, "")
        started = json.loads(out.splitlines()[0])
        assert started["admin"] == f"127.0.0.1:{admin.getsockname()[1]}"
        assert path.exists()


@pytest.mark.parametrize("kind", ["everywhere", "unix", "off"])
def test_an_admin_socket_that_will_not_do(tmp_path: Path, kind: str) -> None:
    """What a setting may not do, a socket may not either: let others in without a token, be of another kind, or be
    there where there is to be no admin listener.
    """
    found = listening(tmp_path / "admin.sock") if kind == "unix" else socket.create_server(("0.0.0.0", 0))
    arguments = ("serve", "--listen", "127.0.0.1:0", *(("--admin", "off") if kind == "off" else ()))
    with found, activated(found, names="admin", notify="", arguments=arguments) as process:
        out, err = process.communicate(timeout=START)
    assert process.returncode == 1
    assert "gateway_started" not in out
    assert err.startswith("close-gateway: ")
    assert ("token" in err) == (kind == "everywhere")


# -- the units --


def unit(name: str) -> configparser.ConfigParser:
    """Read a unit. Settings that come twice are told by the last of them."""
    parsed = configparser.ConfigParser(strict=False, interpolation=None, comment_prefixes=("#",))
    parsed.optionxform = str  # type: ignore[assignment,method-assign]  # systemd minds the case
    parsed.read_string((UNITS / name).read_text("utf-8"))
    return parsed


def test_the_service() -> None:
    """It is told as the gateway tells it, has room for all its clients and time to stop, and writes where it may."""
    service = unit("close-gateway.service")["Service"]
    assert service["Type"] == "notify"
    assert service["ExecReload"] == "/bin/kill -HUP $MAINPID"
    assert service["ExecStart"].startswith("/opt/close-gateway/bin/close-gateway serve --config /etc/close-gateway/")
    assert service["RestartPreventExitStatus"] == "2"
    assert int(service["LimitNOFILE"]) > 2 * 10_000
    assert float(service["TimeoutStopSec"].removesuffix("s")) > 30.0
    assert (service["DynamicUser"], service["StateDirectory"]) == ("yes", "close-gateway")
    assert service["Environment"].startswith("CLOSE_GATEWAY_REJECTIONS__STORE=%S/close-gateway/")
    families = set(service["RestrictAddressFamilies"].split())
    assert {"AF_INET", "AF_INET6", "AF_UNIX"} <= families


def test_the_socket() -> None:
    """The gateway accepts by itself, and its sockets are not taken for those of the admin listener."""
    parsed = unit("close-gateway.socket")
    assert (parsed["Socket"]["Accept"], parsed["Socket"]["ListenStream"]) == ("no", "127.0.0.1:8080")
    assert parsed["Socket"].get("FileDescriptorName", "") != systemd.ADMIN
    assert parsed["Install"]["WantedBy"] == "sockets.target"
