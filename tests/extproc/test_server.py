"""The port by which Envoy asks: its address, its limits, its health, and what is counted."""

import asyncio
import contextlib
import json
import socket
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import aiohttp
import grpc
import pytest
from envoy.service.ext_proc.v3.external_processor_pb2 import ProcessingRequest as Request
from grpc_health.v1 import health_pb2, health_pb2_grpc

from gateway.app import Gateway
from gateway.config.settings import (
    Address,
    AdminSettings,
    InspectSettings,
    ListenerSettings,
    LogSettings,
    Mode,
    RejectionsSettings,
    RulesSettings,
    Settings,
    ShutdownSettings,
    UnixSocket,
)
from gateway.config.store import StoreLocation
from gateway.errors import PortTaken
from gateway.extproc import server
from gateway.extproc.server import HEADS, NAME, front
from gateway.log import make_log
from gateway.systemd import Handed, HandedAmiss
from tests.certificates import AUTHORITY, pair_in
from tests.extproc.asking import EMAIL, channel, on_answer, on_body, on_head, on_trailers, streamed, streaming
from tests.forwarding.emails import DRAFT, LOGGED, SENDERLESS
from tests.gateways import Running, running, until
from tests.raw import connected
from tests.recording import OK, OWNER, answers, by_path, hangs, recording

LIMIT: Final = 1000
AUTHORIZED: Final = EMAIL | {"authorization": "Basic a2V5Og=="}
ME: Final = b"/api/v1/me/"
PREFACE: Final = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + b"\0\0\0\4\0\0\0\0\0"
"""What each HTTP/2 connection begins with (RFC 9113, 3.4): this, and SETTINGS."""


def service(upstream_url: str, **sections: Any) -> Any:
    """Run a gateway that is asked."""
    return running(upstream_url, front=front(LIMIT), **sections)


async def health(gateway: Running, name: str = NAME) -> str:
    """Ask for its health, on a connection of its own."""
    async with channel(gateway.gateway.listen) as connection:
        stub = health_pb2_grpc.HealthStub(connection)
        told = await stub.Check(health_pb2.HealthCheckRequest(service=name), timeout=5)
        return str(health_pb2.HealthCheckResponse.ServingStatus.Name(told.status))


async def test_its_health_is_told() -> None:
    """For the process and for the service; one that is about to stop is not asked any more."""
    script = by_path({ME: hangs()}, answers(OK))
    async with recording(script) as upstream, service(upstream.url, shutdown=ShutdownSettings(grace=5)) as gateway:
        assert (await health(gateway), await health(gateway, "")) == ("SERVING", "SERVING")
        async with channel(gateway.gateway.listen) as connection, streaming(gateway.gateway.listen) as stream:
            watch = health_pb2_grpc.HealthStub(connection).Watch(health_pb2.HealthCheckRequest(service=NAME))
            assert (await watch.read()).status == health_pb2.HealthCheckResponse.SERVING
            await stream.ask(on_head(AUTHORIZED))
            asked = asyncio.create_task(stream.ask(on_body(LOGGED)))
            await upstream.received(1)
            stop = asyncio.create_task(gateway.stop())
            assert (await watch.read()).status == health_pb2.HealthCheckResponse.NOT_SERVING
            assert not stop.done()
            stream.leave()  # the client has; so nothing is in flight any more, though somebody still watches
            await stop
            await asyncio.gather(asked, return_exceptions=True)
            assert gateway.events("gateway_stopped")[0]["cut_off"] == 0


async def test_each_part_of_a_conversation() -> None:
    """What Envoy is told on the head, the body and the answer of an email write that is filled."""
    async with (
        recording(by_path({ME: answers(OWNER)}, answers(OK))) as upstream,
        service(upstream.url) as gateway,
        streaming(gateway.gateway.listen) as stream,
    ):
        head = await stream.ask(on_head(AUTHORIZED | {"content-length": str(len(LOGGED)), "x-request-id": "r-1"}))
        assert head.WhichOneof("response") == "request_headers"
        assert (head.mode_override.request_body_mode, head.mode_override.response_header_mode) == (2, 1)
        body = (await stream.ask(on_body(LOGGED))).request_body.response
        filled = b'{"sender": "jane@example.com", "lead_id": "lead_1", "status": "sent"}'
        assert body.body_mutation.body == filled
        (length,) = body.header_mutation.set_headers
        assert (length.header.key, length.header.raw_value) == ("content-length", b"%d" % len(filled))
        answer = (await stream.ask(on_answer(201))).response_headers.response
        assert [(option.header.key, option.header.raw_value) for option in answer.header_mutation.set_headers] == [
            ("x-request-id", b"r-1"),
            ("x-close-gateway", b"filled; sender"),
        ]
        assert await stream.code() is grpc.StatusCode.OK


async def test_a_body_in_pieces_that_nobody_keeps() -> None:
    """FULL_DUPLEX_STREAMED: it is held, and sent back with its trailers; more than is inspected, piece by piece."""
    async with (
        recording(by_path({ME: answers(OWNER)}, answers(OK))) as upstream,
        service(upstream.url, inspect=InspectSettings(max_body=LIMIT)) as gateway,
    ):
        async with streaming(gateway.gateway.listen) as stream:
            pieces = (on_body(LOGGED[:9], end=False), on_body(LOGGED[9:], end=False), on_trailers())
            for message in (streamed(on_head(AUTHORIZED)), *pieces):
                await stream.send(message)
            assert (await stream.said()).WhichOneof("response") == "request_headers"
            body = (await stream.said()).request_body.response.body_mutation.streamed_response
            assert body.body == b'{"sender": "jane@example.com", "lead_id": "lead_1", "status": "sent"}'
            assert not body.end_of_stream
            assert (await stream.said()).WhichOneof("response") == "request_trailers"
            await stream.close()
            assert await stream.said() is None
        async with streaming(gateway.gateway.listen) as stream:
            for message in (streamed(on_head(AUTHORIZED)), on_body(b" " * LIMIT, end=False), on_body(b"{", end=False)):
                await stream.send(message)
            assert (await stream.said()).WhichOneof("response") == "request_headers"
            held = (await stream.said()).request_body.response.body_mutation.streamed_response
            assert (held.body, held.end_of_stream) == (b" " * LIMIT + b"{", False)
            rest = (await stream.ask(on_body(b"}"))).request_body.response.body_mutation.streamed_response
            assert (rest.body, rest.end_of_stream) == (b"}", True)
        async with streaming(gateway.gateway.listen) as stream:
            await stream.send(streamed(on_head(AUTHORIZED)))
            await stream.send(on_body(SENDERLESS, end=False))
            await stream.close()  # in the middle: nothing is judged that is not whole
            assert await stream.said() is None
        async with streaming(gateway.gateway.listen) as stream:
            for message in (streamed(on_head(AUTHORIZED)), on_body(SENDERLESS, end=False)):
                await stream.send(message)
            assert await stream.ask(on_answer(408)) is None  # nor what Envoy has given up meanwhile
        assert gateway.counts == {"filled": 1, "oversize": 1}


async def test_what_is_no_email_write_is_released_at_once() -> None:
    """Envoy is told to send nothing more of it, and the stream ends."""
    async with recording() as upstream, service(upstream.url) as gateway, streaming(gateway.gateway.listen) as stream:
        told = await stream.ask(on_head(EMAIL | {":path": "/api/v1/lead/"}))
        modes = told.mode_override
        assert (modes.request_body_mode, modes.response_header_mode, modes.response_body_mode) == (0, 2, 0)
        assert not told.request_headers.response.HasField("header_mutation")
        assert await stream.code() is grpc.StatusCode.OK
        assert gateway.gateway.serving.meters.streams == {"released": 1}


async def test_it_is_counted_and_logged_as_any_other() -> None:
    """By what it was, how Close answered, and who sent it; a client that leaves first is counted too."""
    async with recording() as upstream, service(upstream.url, log=LogSettings(access=True)) as gateway:
        async with streaming(gateway.gateway.listen) as stream:
            await stream.ask(on_head(AUTHORIZED | {"user-agent": "a/1"}))
            await stream.ask(on_body(DRAFT))
            assert gateway.gateway.serving.listener.active == 1
            await stream.ask(on_answer(201))
            await stream.code()
        async with streaming(gateway.gateway.listen) as stream:
            await stream.ask(on_head(AUTHORIZED))
            stream.leave()
        await until(lambda: len(gateway.events("request_served")) == 2)
        meters = gateway.gateway.serving.meters
        assert meters.read()["requests"] == {("create_email", "2xx"): 1, ("create_email", "none"): 1}
        assert meters.streams == {"judged": 1, "failed": 1}
        first, second = gateway.events("request_served")
        assert (first["status"], first["done"], first["user_agent"], first["client"]) == (
            *(201, "forwarded", "a/1", "127.0.0.1"),
        )
        assert second["complete"] is False


AMISS: Final = [  # what is said, and why it is nothing that Envoy says
    ([on_body(SENDERLESS)], "request_header_mode"),
    ([on_head(AUTHORIZED | {"authorization": "Basic a2V5Og==\r\nX: y"})], "line's end"),
    ([on_head(EMAIL), Request()], "says nothing"),
    ([on_head(EMAIL), on_body(DRAFT), on_answer(0)], "no status"),
]


async def test_what_is_no_conversation_fails() -> None:
    """Whoever speaks so is told why; the log tells it, and no fault of the gateway's own. Close hears nothing of it."""
    async with recording() as upstream, service(upstream.url) as gateway:
        for said, why in AMISS:
            async with streaming(gateway.gateway.listen) as stream:
                for message in said[:-1]:
                    assert await stream.ask(message) is not None
                assert await stream.ask(said[-1]) is None
                assert await stream.code() is grpc.StatusCode.INVALID_ARGUMENT
                assert why in gateway.events("request_refused")[-1]["reason"]
        async with channel(gateway.gateway.listen) as connection:
            call = connection.stream_stream(f"/{NAME}/Process")()  # bytes, as they are
            await call.write(b"\xff secret")
            assert await call.code() is grpc.StatusCode.INVALID_ARGUMENT
        assert gateway.gateway.serving.meters.refused == {"not_from_envoy": len(AMISS) + 1}
        assert {event["event"] for event in gateway.log} == {"gateway_started", "request_refused"}
        assert (b"secret" in gateway.written, upstream.requests) == (False, [])


async def test_a_message_has_a_limit() -> None:
    """No more than the largest body that is looked into, with a head: what is beyond fails before it is held."""
    async with recording() as upstream, service(upstream.url) as gateway, streaming(gateway.gateway.listen) as stream:
        await stream.ask(on_head(EMAIL))
        assert await stream.ask(on_body(b" " * (LIMIT + HEADS + 1))) is None
        assert await stream.code() is grpc.StatusCode.RESOURCE_EXHAUSTED


async def test_streams_have_a_limit() -> None:
    """listener.max_connections at a time: one more fails, and passes unjudged at Envoy; then there is room again."""
    few = ListenerSettings(max_connections=2)
    async with recording() as upstream, service(upstream.url, listener=few) as gateway:
        address = gateway.gateway.listen
        async with streaming(address) as first, streaming(address) as second:
            await first.ask(on_head(EMAIL))
            await second.ask(on_head(EMAIL))
            async with streaming(address) as third:
                assert await third.ask(on_head(EMAIL)) is None
                assert await third.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
            await first.ask(on_body(SENDERLESS))
            await first.code()
            await until(lambda: gateway.gateway.serving.listener.active == 1)
            async with streaming(address) as fourth:
                assert await fourth.ask(on_head(EMAIL)) is not None


async def test_connections_have_a_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    """As many as streams, and a few: one more is closed, and what is open stays."""
    monkeypatch.setattr(server, "MORE", 1)
    few = ListenerSettings(max_connections=1)
    async with recording() as upstream, service(upstream.url, listener=few) as gateway:
        async with asyncio.timeout(10), contextlib.AsyncExitStack() as stack:
            for open_already in range(3):
                client = await stack.enter_async_context(connected(gateway.port))
                heard = b""
                with contextlib.suppress(ConnectionError):
                    await client.send(PREFACE)
                    heard = await client.reader.read(1)
                assert bool(heard) == (open_already < 2)
        assert upstream.connections == []


def at(listen: Address | UnixSocket, **given: Any) -> Gateway:
    """Make a gateway that is asked there."""
    settings = Settings(
        listener=ListenerSettings(listen=listen, **given),
        admin=AdminSettings(listen=None),
        rejections=RejectionsSettings(store=None),
    )
    return Gateway(settings, make_log("error", console=False), front=front(LIMIT))


async def test_an_address_that_is_taken(tmp_path: Path) -> None:
    """A port, be it another such service's, and a path; what is no socket is left as it is."""
    file = tmp_path / "file"
    file.touch()
    path = UnixSocket(str(tmp_path / "a.sock"))
    first = at(path)
    await first.start()
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = Address("127.0.0.1", taken.getsockname()[1])
        for listen, why in (
            (port, "is taken by another program"),
            (path, "is taken by another program"),
            (UnixSocket(str(file)), "no socket"),
            (Address("203.0.113.1", 0), "cannot assign"),
        ):
            with pytest.raises(PortTaken, match=f"{why}.* with --listen"):
                await at(listen).start()
    assert file.exists()
    await first.stop()


async def test_a_socket_has_the_mode_that_is_set(tmp_path: Path) -> None:
    """From its beginning; and it goes when the service does."""
    path = tmp_path / "a.sock"
    gateway = at(UnixSocket(str(path)), socket_mode="620")
    await gateway.start()
    assert path.stat().st_mode & 0o777 == 0o620
    async with streaming(gateway.listen) as stream:
        assert (await stream.ask(on_head(EMAIL))).HasField("request_headers")
        await stream.ask(on_body(SENDERLESS))
    await gateway.stop()
    assert not path.exists()


async def test_it_shows_a_certificate(tmp_path: Path) -> None:
    """listener.tls_certificate and tls_key, as for clients."""
    pair = pair_in(tmp_path / "tls")
    async with recording() as upstream, service(upstream.url, listener=pair.listener()) as gateway:
        trusted = grpc.ssl_channel_credentials(AUTHORITY.cert_pem.bytes())
        listen = gateway.gateway.listen
        assert isinstance(listen, Address)
        async with channel(Address("localhost", listen.port), trusted) as connection:
            told = await health_pb2_grpc.HealthStub(connection).Check(health_pb2.HealthCheckRequest(service=NAME))
            assert told.status == health_pb2.HealthCheckResponse.SERVING


async def test_no_socket_can_be_handed_over() -> None:
    """GRPC binds its own; systemd's would be left without anybody who accepts."""
    with socket.create_server(("127.0.0.1", 0)) as handed, pytest.raises(HandedAmiss, match=r"listener\.listen"):
        await at(Address("127.0.0.1", 0)).start(Handed(clients=(handed,)))


async def test_new_settings_are_in_force_for_what_comes_next() -> None:
    """A reload reaches the service as it does the proxy."""
    async with recording() as upstream, service(upstream.url) as gateway:

        async def mode() -> str:
            async with streaming(gateway.gateway.listen) as stream:
                await stream.ask(on_head(EMAIL))
                told: str = (await stream.ask(on_body(SENDERLESS))).WhichOneof("response")
                return told

        assert await mode() == "immediate_response"
        settings = replace(gateway.gateway.serving.settings, rules=RulesSettings(sender_required=Mode.REPORT))
        await gateway.gateway.serving.renew(settings)
        assert await mode() == "request_body"


async def test_a_curl_line_goes_where_clients_go() -> None:
    """Nobody speaks HTTP to the port that Envoy asks: what shows how to mend a refusal names Close."""
    kept = {
        "admin": AdminSettings(listen=Address("127.0.0.1", 0)),
        "rejections": RejectionsSettings(store=StoreLocation.parse(":memory:")),
    }
    async with recording() as upstream, service(upstream.url, **kept) as gateway, aiohttp.ClientSession() as client:
        async with streaming(gateway.gateway.listen) as stream:
            await stream.ask(on_head(AUTHORIZED))
            await stream.ask(on_body(SENDERLESS))
        url = f"http://{gateway.gateway.admin}/api/rejections"
        rows: list[Any] = []
        async with asyncio.timeout(10):
            while not rows:
                async with client.get(url) as answer:
                    rows = (await answer.json()).get("data", [])  # the store opens meanwhile
        async with client.get(f"{url}/{rows[0]['id']}") as answer:
            told = json.dumps(await answer.json())
        assert f"{upstream.url}/api/v1/activity/email/" in told
        assert str(gateway.gateway.listen) not in told
