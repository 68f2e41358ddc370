"""Sockets that listen, whoever binds them."""

import os
import socket
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from gateway.config.settings import Address, UnixSocket
from gateway.errors import PortTaken
from gateway.sockets import Bound, address_of, bind, bind_ports, handed

HERE = Address("127.0.0.1", 0)


@contextmanager
def bound(address: Address | UnixSocket, mode: str = "600") -> Iterator[Bound]:
    """Listen for a while."""
    it = bind(address, "listener.listen", "--listen", mode=mode)
    try:
        yield it
    finally:
        it.close()


def refused(address: Address | UnixSocket) -> str:
    """Try to listen, and give what is told."""
    with pytest.raises(PortTaken) as taken:
        bind(address, "listener.listen", "--listen")
    return str(taken.value)


def test_a_free_port() -> None:
    """Port 0: the address in force has the one that was found, and can be connected to."""
    with bound(HERE) as it:
        assert isinstance(it.address, Address)
        assert it.address.port > 0
        assert address_of(it.sockets[0]) == it.address
        assert not it.sockets[0].getblocking()
        with socket.create_connection((it.address.host, it.address.port)):
            pass


def test_a_port_that_is_taken() -> None:
    """It is named, and so is what changes it."""
    with bound(HERE) as it:
        assert refused(it.address).startswith(f"{it.address} is taken by another program. Stop that one, or choose")


def test_several_addresses() -> None:
    """The first is in force; one that is of nobody here is left out, and one that is taken is fatal to all."""
    nobody = Address("192.0.2.1", 0)
    both = bind_ports([HERE, Address("127.0.0.2", 0), nobody], None, "--tls-listen")
    try:
        here, other = map(address_of, both.sockets)
        assert (both.address, isinstance(other, Address) and other.host) == (here, "127.0.0.2")
        assert isinstance(here, Address)
        with pytest.raises(PortTaken) as taken:
            bind_ports([HERE, here], None, "--tls-listen")
        assert str(taken.value) == (
            f"127.0.0.1:0 or {here} is taken by another program. Stop that one, or choose another port with "
            "--tls-listen HOST:PORT; port 0 picks a free one."
        )
    finally:
        both.close()


def test_a_family_that_this_machine_does_not_speak(monkeypatch: pytest.MonkeyPatch) -> None:
    """As IPv6 on some: what it does speak is listened on."""
    infos = [
        (socket.AF_IPX, socket.SOCK_STREAM, 0, "", ("::1", 0)),
        (socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", 0)),
    ]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: infos)
    with bound(Address("localhost", 0)) as it:
        assert [each.family for each in it.sockets] == [socket.AF_INET]


def test_a_name_is_listened_on_at_all_its_addresses(monkeypatch: pytest.MonkeyPatch) -> None:
    """Also where one of them is of a family that this machine has not: then at the others."""
    infos = [
        (socket.AF_INET, socket.SOCK_STREAM, 6, "", ("192.0.2.1", 0)),  # of nobody here
        (socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", 0)),
        (socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", 0)),
        (socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.2", 0)),
    ]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: infos)
    with bound(Address("a.example", 0)) as it:
        assert [each.getsockname()[0] for each in it.sockets] == ["127.0.0.1", "127.0.0.2"]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: infos[:1])
    assert "cannot assign requested address" in refused(Address("a.example", 0))


@pytest.mark.parametrize("umask", [0o000, 0o077])
def test_a_unix_socket_has_its_mode(tmp_path: Path, umask: int) -> None:
    """Whatever the umask is; and it goes with whoever bound it."""
    path = tmp_path / "gateway.sock"
    before = os.umask(umask)
    try:
        with bound(UnixSocket(str(path)), "660") as it:
            assert stat.S_IMODE(path.stat().st_mode) == 0o660
            assert address_of(it.sockets[0]) == it.address == UnixSocket(str(path))
    finally:
        os.umask(before)
    assert not path.exists()


def test_a_stale_socket_is_replaced(tmp_path: Path) -> None:
    """Who was killed leaves its file behind."""
    path = tmp_path / "gateway.sock"
    with socket.socket(socket.AF_UNIX) as killed:
        killed.bind(str(path))
        killed.listen()
    with bound(UnixSocket(str(path))), socket.socket(socket.AF_UNIX) as client:
        client.connect(str(path))


def test_a_socket_that_somebody_listens_on_stays(tmp_path: Path) -> None:
    """The other one is not robbed of its clients."""
    path = tmp_path / "gateway.sock"
    with bound(UnixSocket(str(path))):
        assert refused(UnixSocket(str(path))) == (
            f"unix:{path} is taken by another program. Stop that one, or choose another path "
            "with --listen unix:/PATH (setting listener.listen)."
        )
        with socket.socket(socket.AF_UNIX) as client:
            client.connect(str(path))


def test_no_other_file_is_replaced(tmp_path: Path) -> None:
    """Be it a file, a folder, a link to a socket or a socket of another kind."""
    (tmp_path / "file").write_text("of somebody's")
    (tmp_path / "folder").mkdir()
    with socket.socket(socket.AF_UNIX) as stale, socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as other:
        stale.bind(str(tmp_path / "stale"))
        other.bind(str(tmp_path / "datagrams"))
        (tmp_path / "link").symlink_to(tmp_path / "stale")
        for name in ("file", "folder", "link"):
            assert "what is there is no socket, and is left as it is" in refused(UnixSocket(str(tmp_path / name)))
        refused(UnixSocket(str(tmp_path / "datagrams")))
    assert {path.name for path in tmp_path.iterdir()} == {"file", "folder", "stale", "datagrams", "link"}


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    """It is not made: whose it would be, the gateway cannot know."""
    assert "no such file or directory" in refused(UnixSocket(str(tmp_path / "none" / "gateway.sock")))


def test_the_socket_of_somebody_else_is_left(tmp_path: Path) -> None:
    """What was bound by another is not removed by whoever serves on it, nor what took the place of one's own."""
    path = tmp_path / "gateway.sock"
    with bound(UnixSocket(str(path))) as it:
        handed([socket.socket(fileno=os.dup(it.sockets[0].fileno()))]).close()
        assert path.exists()
        path.unlink()
        with socket.socket(socket.AF_UNIX) as later:
            later.bind(str(path))
        it.close()
        assert path.exists()
