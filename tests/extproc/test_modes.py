"""However Envoy's filter is set to send bodies, the verdicts are the same; what it does not send is not judged."""

from typing import Final

import pytest

from gateway.config.settings import InspectSettings, Oversize
from gateway.extproc.server import front
from tests.envoys import STATS, Configuration, configuration, envoy, the_filter, the_manager
from tests.forwarding.emails import DRAFT, EMAILS, FIELDS, LOGGED, SENDERLESS, write
from tests.gateways import Running, running, until
from tests.raw import Client, chunked, connected
from tests.recording import OK, OWNER, Recording, answers, by_path, recording

CLOSE: Final = by_path({b"/api/v1/me/": answers(OWNER)}, answers(OK))
FILLED: Final = b'{"sender": "jane@example.com", "lead_id": "lead_1", "status": "sent"}'
BULK: Final = b"/api/v1/bulk_action/email/"
IN_CHUNKS: Final = b"POST %b HTTP/1.1\r\n%bTransfer-Encoding: chunked\r\n\r\n" % (EMAILS, FIELDS)
LIMIT: Final = 100_000

ASKED_FOR = ["NONE", "STREAMED", "BUFFERED", "BUFFERED_PARTIAL"]
DUPLEX = "FULL_DUPLEX_STREAMED"


def sending(upstream: Recording, gateway: Running, mode: str) -> Configuration:
    """Give a configuration in which bodies of requests are sent so, unless the gateway says otherwise."""
    configured = configuration(upstream.url, gateway.gateway.listen)
    modes = {"request_body_mode": mode, "response_header_mode": "SEND"}
    if mode == DUPLEX:
        modes["request_trailer_mode"] = "SEND"
    the_filter(configured)["processing_mode"].update(modes)
    return configured


async def marks(client: Client, body: bytes, path: bytes = EMAILS) -> list[tuple[int, list[bytes]]]:
    """Send it with its length told, and without; tell how it is answered."""
    requests = (write(body, path=path), IN_CHUNKS.replace(EMAILS, path) + chunked(body[:9], body[9:]))
    answers = [await client.ask(request) for request in requests]
    return [(answer.status, answer.values(b"x-close-gateway")) for answer in answers]


@pytest.mark.parametrize("mode", [*ASKED_FOR, DUPLEX])
async def test_the_verdicts_are_the_same(mode: str) -> None:
    """Forwarded, filled, refused; and what is no email write passes."""
    async with recording(CLOSE) as upstream, running(upstream.url, front=front(LIMIT)) as gateway:
        async with envoy(sending(upstream, gateway, mode)) as proxy, connected(proxy.port) as client:
            assert await marks(client, DRAFT) == [(200, [b"forwarded"])] * 2
            assert await marks(client, LOGGED) == [(200, [b"filled; sender"])] * 2
            assert await marks(client, SENDERLESS) == [(400, [b"rejected; sender_required"])] * 2
            assert await marks(client, SENDERLESS, BULK) == [(200, [])] * 2
            written = [request.body for request in upstream.requests if request.method == b"POST"]
            assert written == [DRAFT, DRAFT, FILLED, FILLED, SENDERLESS, SENDERLESS]
            stats = await proxy.stats()
            assert stats[STATS + "failure_mode_allowed"] == stats[STATS + "spurious_msgs_received"] == 0
        assert gateway.gateway.serving.meters.streams == {"judged": 6, "released": 2}


@pytest.mark.parametrize("mode", ["NONE", DUPLEX])
async def test_what_is_larger_than_is_inspected_passes_whole(mode: str) -> None:
    """Larger than Envoy holds, too; and where the gateway is to refuse that, it does."""
    large = SENDERLESS[:-1] + b', "x": "' + b"x" * 1_000_000 + b'"}'
    for oversize, outcome in (
        (Oversize.FORWARD, (200, [b"forwarded"])),
        (Oversize.REJECT, (413, [b"rejected; body_too_large"])),
    ):
        inspect = InspectSettings(max_body=LIMIT, oversize=oversize)
        async with (
            recording(CLOSE) as upstream,
            running(upstream.url, front=front(2 * LIMIT), inspect=inspect) as gateway,
        ):
            configured = sending(upstream, gateway, mode)
            (host,) = the_manager(configured)["route_config"]["virtual_hosts"]
            del host["routes"][0]["request_body_buffer_limit"]
            (listener,) = configured["static_resources"]["listeners"]
            listener["per_connection_buffer_limit_bytes"] = LIMIT + 1000
            async with envoy(configured) as proxy:
                for request in (write(large), IN_CHUNKS + chunked(large[:9], large[9:])):
                    async with connected(proxy.port) as client:
                        answer = await client.ask(request)
                    assert (answer.status, answer.values(b"x-close-gateway")) == outcome
                passed = [] if oversize is Oversize.REJECT else [large, large]
                assert [request.body for request in upstream.requests] == passed
            if mode == "NONE":
                assert gateway.gateway.serving.meters.received < len(large)  # Envoy could hold no more of it


async def test_a_filter_that_does_not_let_the_gateway_ask() -> None:
    """Without allow_mode_override no body comes: nothing is refused, and the log says what mends it."""
    async with recording(CLOSE) as upstream, running(upstream.url, front=front(LIMIT)) as gateway:
        configured = sending(upstream, gateway, "NONE")
        the_filter(configured)["allow_mode_override"] = False
        async with envoy(configured) as proxy, connected(proxy.port) as client:
            assert await marks(client, SENDERLESS) == [(200, [])] * 2
        assert {event["fix"] for event in gateway.events("body_not_sent")} == {
            "Set allow_mode_override in Envoy's filter."
        }
        assert gateway.gateway.serving.meters.streams == {"failed": 2}


async def test_a_filter_that_holds_too_little() -> None:
    """A body whose length was told, and that comes bit by bit, is answered 413 by Envoy: the log says what mends it."""
    large = write(SENDERLESS[:-1] + b" " * 2 * LIMIT + b"}")
    async with recording() as upstream, running(upstream.url, front=front(10 * LIMIT)) as gateway:
        configured = sending(upstream, gateway, "NONE")
        (host,) = the_manager(configured)["route_config"]["virtual_hosts"]
        del host["routes"][0]["request_body_buffer_limit"]
        (listener,) = configured["static_resources"]["listeners"]
        listener["per_connection_buffer_limit_bytes"] = LIMIT
        async with envoy(configured) as proxy, connected(proxy.port) as client:
            await client.send(large[:300])
            await proxy.until(lambda stats: stats[STATS + "stream_msgs_received"] > 0)
            await client.send(large[300:])
            assert (await client.answer()).status == 413
            await until(lambda: len(gateway.events("body_not_sent")) == 1)
        assert "request_body_buffer_limit" in gateway.events("body_not_sent")[0]["fix"]


async def test_a_client_that_leaves_before_its_body_is_there() -> None:
    """Nothing goes up, and nobody is told to mend a filter that is as it should be."""
    async with recording(CLOSE) as upstream, running(upstream.url, front=front(LIMIT)) as gateway:
        async with envoy(sending(upstream, gateway, "NONE")) as proxy:
            async with connected(proxy.port) as client:
                assert (await client.ask(write(SENDERLESS))).status == 400
                await client.send(write(SENDERLESS)[:-1])
                await until(lambda: gateway.gateway.serving.listener.active == 1)
            await until(lambda: gateway.gateway.serving.meters.streams == {"judged": 1, "failed": 1})
        assert (upstream.requests, gateway.events("body_not_sent")) == ([], [])
