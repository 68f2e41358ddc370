"""A second address, by TLS, beside the one of the settings: one gateway behind both."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from gateway.app import Gateway
from gateway.config.settings import (
    Address,
    AdminSettings,
    ListenerSettings,
    RejectionsSettings,
    Settings,
    ShutdownSettings,
    UpstreamSettings,
)
from gateway.errors import PortsTaken, PortTaken
from gateway.front import Beside
from gateway.log import make_log
from gateway.serving import proxy_beside
from gateway.sockets import Bound, bind
from tests.certificates import pair_in, trusting
from tests.forwarding.emails import SENDERLESS, write
from tests.gateways import FREE
from tests.raw import Ended, connected, values
from tests.recording import Recording, recording

GET = b"GET /x HTTP/1.1\r\nHost: a\r\n\r\n"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A key and its certificate in one file."""
    pair = pair_in(tmp_path / "tls")
    made = tmp_path / "pair.pem"
    made.write_bytes(pair.key.read_bytes() + pair.certificate.read_bytes())
    return made


def settings(url: str = "http://127.0.0.1:1", listen: Address = FREE, admin: Address | None = None) -> Settings:
    """Give what a gateway without a store needs."""
    return Settings(
        listener=ListenerSettings(listen=listen),
        upstream=UpstreamSettings(url=url, forwarded=True),
        admin=AdminSettings(listen=admin),
        rejections=RejectionsSettings(store=None),
        shutdown=ShutdownSettings(grace=10.0),
    )


def made(given: Settings, beside: Beside) -> Gateway:
    """Make a gateway that is to listen there too."""
    return Gateway(given, make_log("error", console=False), front=proxy_beside(beside))


@asynccontextmanager
async def both(close: Recording, file: Path) -> AsyncIterator[tuple[Gateway, int, int]]:
    """Run a gateway on two addresses; give their ports."""
    beside = Beside([FREE], file, "--tls-listen")
    gateway = made(settings(close.url), beside)
    await gateway.start()
    plain, secured = gateway.listen, beside.address
    assert isinstance(plain, Address)
    assert secured is not None
    try:
        yield gateway, plain.port, secured.port
    finally:
        await gateway.stop()


async def test_one_gateway_answers_at_both(file: Path) -> None:
    """The one speaks HTTP and the other TLS; they judge alike, and count together."""
    async with (
        recording() as upstream,
        both(upstream, file) as (gateway, plain, secured),
        connected(plain) as one,
        connected(secured, trusting()) as other,
    ):
        assert [(await client.ask(GET)).body for client in (one, other)] == [b"recorded"] * 2
        assert [(await client.ask(write(SENDERLESS))).status for client in (one, other)] == [400, 400]
        assert [values(request.head, b"x-forwarded-proto") for request in upstream.requests] == [[b"http"], [b"https"]]
        assert gateway.counts == {"rejected": 2}
        assert gateway.serving.snapshot().readings["client_connections"] == {(): 2}


async def test_a_stop_waits_for_both_and_closes_both(file: Path) -> None:
    """What is in flight is finished on either; no port is open afterwards."""
    async with recording() as upstream, both(upstream, file) as (gateway, plain, secured):
        async with connected(plain) as one, connected(secured, trusting()) as other:
            for client in (one, other):
                await client.send(b"POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\na")
            await upstream.received(2)
            stop = asyncio.create_task(gateway.serving.drain())
            for client in (one, other):
                await client.send(b"b")
                assert (await client.answer()).body == b"recorded"
            assert await stop == 0
        for port, context in ((plain, None), (secured, trusting())):
            with pytest.raises((ConnectionError, Ended)):
                async with connected(port, context) as late:
                    await late.ask(GET)


async def test_every_address_that_is_taken_is_named_at_once(file: Path) -> None:
    """With the flag that moves each; nothing is left open."""
    taken = [bind(FREE, "", "") for _ in range(3)]
    try:
        listen, admin, beside = map(_address, taken)
        gateway = made(settings(listen=listen, admin=admin), Beside([beside], file, "--tls-listen"))
        with pytest.raises(PortsTaken) as told:
            await gateway.start()
        first, *lines = str(told.value).splitlines()
        assert first == "3 addresses are not to be had:"
        flags = ("--listen", "--admin", "--tls-listen")
        for line, address, flag in zip(lines, (listen, admin, beside), flags, strict=True):
            assert line.startswith(f"  {address} is taken by another program.")
            assert f" with {flag} HOST:PORT" in line
    finally:
        for each in taken:
            each.close()


async def test_where_the_second_is_taken_the_first_is_closed(file: Path) -> None:
    """The one that is taken is named alone."""
    taken = bind(FREE, "", "")
    try:
        gateway = made(settings(), Beside([_address(taken)], file, "--tls-listen"))
        with pytest.raises(PortTaken) as told:
            await gateway.start()
        assert str(told.value).startswith(f"{taken.address} is taken by another program.")
        assert not gateway.serving.listener.accepts
    finally:
        taken.close()


def _address(bound: Bound) -> Address:
    assert isinstance(bound.address, Address)
    return bound.address
