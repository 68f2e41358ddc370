"""Clients that come by a proxy, or by a UNIX socket: who they are taken for, and what the upstream is told."""

import asyncio
import socket
import stat
from dataclasses import replace
from pathlib import Path

import pytest

from gateway.app import Gateway
from gateway.config.settings import (
    AdminSettings,
    ListenerSettings,
    RejectionsSettings,
    Settings,
    UnixSocket,
    UpstreamSettings,
)
from gateway.downstream.connection import RESET
from gateway.log import make_log
from gateway.sockets import bind
from tests.forwarding.emails import SENDERLESS, write
from tests.gateways import running, until
from tests.raw import ask, connected, values
from tests.recording import recording

FORWARDED = UpstreamSettings(forwarded=True)
HEAD = b"GET / HTTP/1.1\r\nHost: api.close.com\r\n%b\r\n"
CAME = (
    b"X-Forwarded-For: 203.0.113.9\r\nx-forwarded-for: 198.51.100.2\r\nX-Forwarded-Proto: https\r\n"
    b"X-Forwarded-Host: api.example\r\nForwarded: for=203.0.113.9\r\n"
)
OWN = b"X-Forwarded-For: 127.0.0.1\r\nX-Forwarded-Proto: http\r\nX-Forwarded-Host: api.close.com\r\n\r\n"
BEYOND = (
    b"Forwarded: for=203.0.113.9\r\nX-Forwarded-For: 203.0.113.9, 198.51.100.2, 127.0.0.1\r\n"
    b"X-Forwarded-Proto: https\r\nX-Forwarded-Host: api.example\r\n\r\n"
)
GOES_UP = [  # who is trusted, what comes, what goes up behind Host
    ((), CAME, b"Forwarded: for=203.0.113.9\r\n" + OWN),
    (("10.0.0.0/8", "unix"), CAME, b"Forwarded: for=203.0.113.9\r\n" + OWN),
    (
        ("127.0.0.0/8",),
        CAME,
        BEYOND,
    ),
    (("127.0.0.1",), b"", OWN),
]


@pytest.mark.parametrize(("trusted", "came", "goes_up"), GOES_UP)
async def test_what_the_upstream_is_told(trusted: tuple[str, ...], came: bytes, goes_up: bytes) -> None:
    """What others say of the client goes up from a proxy of ours alone; from anybody else it is replaced."""
    listener = ListenerSettings(trusted_proxies=trusted)
    async with recording() as upstream, running(upstream.url, upstream=FORWARDED, listener=listener) as gateway:
        await ask(gateway.port, HEAD % came)
        assert upstream.requests[0].head.partition(upstream.authority + b"\r\n")[2] == goes_up


async def test_who_has_left_already_is_nobody() -> None:
    """The system tells no address of one that has reset its connection: it is not taken for a UNIX socket's."""
    listener = ListenerSettings(trusted_proxies=("unix",))
    async with recording() as upstream, running(upstream.url, listener=listener) as gateway:
        with socket.create_connection(("127.0.0.1", gateway.port)) as client:
            client.sendall(write(SENDERLESS, b"X-Forwarded-For: 203.0.113.9\r\n"))
            client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
        await until(lambda: bool(gateway.events("request_rejected")))
        (event,) = gateway.events("request_rejected")
        assert event["client"] == "unknown"


@pytest.mark.parametrize(("trusted", "client"), [((), "127.0.0.1"), (("127.0.0.1",), "203.0.113.9")])
async def test_who_is_in_the_log(trusted: tuple[str, ...], client: str) -> None:
    """The client behind a proxy of ours, and whoever connected else. With forwarded = false the fields stay as is."""
    request = write(SENDERLESS, b"X-Forwarded-For: 203.0.113.9\r\n")
    listener = ListenerSettings(trusted_proxies=trusted)
    async with recording() as upstream, running(upstream.url, listener=listener) as gateway:
        await ask(gateway.port, request)
        assert [event["client"] for event in gateway.events("request_rejected")] == [client]
        await ask(gateway.port, HEAD % CAME)
        assert upstream.requests[0].head.endswith(CAME + b"\r\n")


def by_socket(path: Path, upstream_url: str, trusted: tuple[str, ...] = ()) -> Settings:
    """Listen on a UNIX socket."""
    return Settings(
        listener=ListenerSettings(listen=UnixSocket(str(path)), socket_mode="600", trusted_proxies=trusted),
        upstream=replace(FORWARDED, url=upstream_url),
        admin=AdminSettings(listen=None),
        rejections=RejectionsSettings(store=None),
    )


@pytest.mark.parametrize(
    ("trusted", "told"), [((), []), (("unix",), [b"203.0.113.9, 198.51.100.2"])], ids=["nobody", "unix"]
)
async def test_by_a_unix_socket(tmp_path: Path, trusted: tuple[str, ...], told: list[bytes]) -> None:
    """Requests pass as by a port. Whoever comes so has no address of its own that could be told."""
    path = tmp_path / "gateway.sock"
    async with recording() as upstream:
        gateway = Gateway(by_socket(path, upstream.url, trusted), make_log("error", console=False))
        await gateway.start()
        assert gateway.listen == UnixSocket(str(path))
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        async with connected(path) as client:
            for _ in range(2):
                assert (await client.ask(HEAD % CAME)).body == b"recorded"
            await asyncio.wait_for(gateway.stop(), 5)
            assert await client.rest() == b""
        assert values(upstream.requests[0].head, b"x-forwarded-for") == told
        assert not path.exists()


async def test_a_gateway_takes_over_a_socket_that_was_left(tmp_path: Path) -> None:
    """One that serves on sockets of another leaves the file; the next one replaces it, as nobody listens there."""
    path = tmp_path / "gateway.sock"
    async with recording() as upstream:
        for _ in range(2):
            bound = bind(UnixSocket(str(path)), "listener.listen", "--listen")
            gateway = Gateway(by_socket(path, upstream.url), make_log("error", console=False))
            await gateway.serving.listener.open(bound.sockets)
            async with connected(path) as client:
                assert (await client.ask(HEAD % b"")).status == 200
            await gateway.serving.listener.drain(1)
            await gateway._close()
            assert path.exists()
